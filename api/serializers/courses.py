"""Courses: how they stand, what comes next, and what may be done about it."""

from typing import Any

from rest_framework import serializers

from api.filters import practitioners
from api.serializers.base import Answer, Day, Input, Instant, Own, Text, Whole, Word, code_of
from api.serializers.pages import page_of
from api.serializers.prescriptions import OfProtocol, PrescribedPhaseAnswer
from clinics.models import Clinic, Room
from courses.models import (
    Cause,
    Course,
    CourseStatus,
    DriftState,
    FlagKind,
    PauseReason,
    PlanPolicy,
    Reaction,
    Severity,
)
from courses.validators import LONGEST_MINUTES


def rooms(clinic: Clinic) -> Any:
    """Return the rooms of a clinic that are in use."""
    return Room.objects.for_clinic(clinic).filter(is_active=True)


class CourseAnswer(Answer):
    """How a course stood when it was last assessed; reading one assesses it anew."""

    code = serializers.UUIDField()
    client = code_of("client", allow_null=False)
    protocol = OfProtocol()
    status = Word(choices=CourseStatus.choices)
    state = Word(choices=DriftState.choices, allow_null=True)
    start_on = serializers.DateField()
    ended_at = Instant(allow_null=True)
    prescribed_by = code_of("prescribed_by", allow_null=False)
    practitioner = code_of("practitioner")
    phase = serializers.IntegerField(source="phase_position", allow_null=True, help_text="The first is 0.")
    session = serializers.IntegerField(
        source="session_number",
        allow_null=True,
        help_text="The next one's number in the phase; the first is 1.",
    )
    due_from_on = serializers.DateField(allow_null=True)
    due_by_on = serializers.DateField(allow_null=True)
    attended_count = serializers.IntegerField()
    attendance_rate = serializers.FloatField(allow_null=True)
    on_time_rate = serializers.FloatField(allow_null=True)
    slippage_days = serializers.IntegerField(allow_null=True)
    projected_end_on = serializers.DateField(allow_null=True)
    assessed_on = serializers.DateField(allow_null=True)
    flags = serializers.SerializerMethodField(help_text="The kinds of the open flags.")

    def get_flags(self, course: Course) -> list[str]:
        # Prefetched: open ones only.
        return sorted(flag.kind for flag in course.flags.all())


class WindowAnswer(Answer):
    """The days, both included, on which one session was or is due."""

    phase = serializers.IntegerField()
    session = serializers.IntegerField()
    due_from_on = serializers.DateField(source="due_from")
    due_by_on = serializers.DateField(source="due_by")
    role = serializers.CharField(help_text="`attended`, `next` or what else the window is of.")
    on = serializers.DateField(allow_null=True, help_text="When it was or is to be attended.")


class MeasuresAnswer(Answer):
    attended = serializers.IntegerField()
    attendance_rate = serializers.FloatField(allow_null=True)
    on_time_rate = serializers.FloatField(allow_null=True)
    early_rate = serializers.FloatField(allow_null=True)
    late_rate = serializers.FloatField(allow_null=True)
    slippage_days = serializers.IntegerField(allow_null=True)
    projected_end_on = serializers.DateField(source="projected_end", allow_null=True)


class FindingAnswer(Answer):
    kind = Word(choices=FlagKind.choices)
    severity = Word(choices=Severity.choices)
    days = serializers.IntegerField(allow_null=True)
    count = serializers.IntegerField(allow_null=True)
    since_on = serializers.DateField(source="since", allow_null=True)
    cause = Word(choices=Cause.choices, allow_null=True)
    says = serializers.CharField(help_text="For a receptionist, in English.")


class PauseAnswer(Answer):
    code = serializers.UUIDField()
    course = code_of("course", allow_null=False)
    from_on = serializers.DateField()
    to_on = serializers.DateField(allow_null=True, help_text="Included; null while nobody knows the end.")
    reason = Word(choices=PauseReason.choices)
    note = serializers.CharField()
    created_at = Instant()


class CourseDetailAnswer(CourseAnswer):
    """The course as of today: what the pages of staff show of it."""

    as_of = serializers.DateField(help_text="The clinic's today.")
    phases = PrescribedPhaseAnswer(many=True)
    windows = WindowAnswer(many=True)
    measures = MeasuresAnswer()
    findings = FindingAnswer(many=True)
    next_check_on = serializers.DateField(
        allow_null=True, help_text="When time alone changes the answer next."
    )
    pauses = PauseAnswer(many=True)


class SlotAnswer(Answer):
    starts_at = Instant()
    ends_at = Instant()
    practitioner = serializers.UUIDField(allow_null=True)
    room = serializers.UUIDField(allow_null=True)
    late_days = serializers.IntegerField()
    early_days = serializers.IntegerField(help_text="By which bookings besides would come too soon.")
    keeps_prescription = serializers.BooleanField()


class SlotsAnswer(Answer):
    """Free slots by time; without a window the prescription asks for no session."""

    window = WindowAnswer(allow_null=True)
    minutes = serializers.IntegerField()
    slots = SlotAnswer(many=True)


class BookInput(Input):
    starts_at = Instant()
    minutes = Whole(min_value=1, max_value=LONGEST_MINUTES)
    practitioner = Own(practitioners, allow_null=True, required=False)
    room = Own(rooms, allow_null=True, required=False)


class WalkInInput(Input):
    on = Day(help_text="Today or before.")
    practitioner = Own(practitioners, allow_null=True, required=False)
    minutes = Whole(min_value=1, max_value=LONGEST_MINUTES, allow_null=True, required=False)
    reaction = Word(choices=Reaction.choices, required=False)
    pain_before = Whole(min_value=0, max_value=10, allow_null=True, required=False)
    pain_after = Whole(min_value=0, max_value=10, allow_null=True, required=False)
    treatments = serializers.ListField(child=Text(max_length=80), max_length=20, required=False)
    note = Text(max_length=10_000, allow_blank=True, required=False)


class PauseInput(Input):
    from_on = Day()
    to_on = Day(allow_null=True, required=False, help_text="Included; without it the end is open.")
    reason = Word(choices=PauseReason.choices)
    note = Text(max_length=200, allow_blank=True, required=False)


class ResumeInput(Input):
    on = Day(required=False, help_text="The day from which the course goes on; today unless told.")


class PlannedAnswer(Answer):
    """One session of a plan."""

    phase = serializers.IntegerField(allow_null=True)
    session = serializers.IntegerField(allow_null=True)
    starts_at = Instant(source="start", allow_null=True)
    ends_at = Instant(source="end", allow_null=True)
    practitioner = serializers.UUIDField(allow_null=True)
    room = serializers.UUIDField(allow_null=True)
    is_pinned = serializers.BooleanField(source="pinned", help_text="Stays where a person put it.")
    days_outside = serializers.IntegerField()
    preferences_missed = serializers.IntegerField()
    why = serializers.ListField(child=serializers.CharField())


class CostAnswer(Answer):
    unplaced = serializers.IntegerField()
    days_outside = serializers.IntegerField()
    preferences_missed = serializers.IntegerField()
    gap_distance = serializers.IntegerField()
    last_on = serializers.DateField(allow_null=True)


class ReplacedAnswer(Answer):
    code = serializers.UUIDField()
    on = serializers.DateField()
    starts_at = Instant(allow_null=True)


class ProposalAnswer(Answer):
    """A plan for the rest of the course; nothing is booked."""

    policy = Word(choices=PlanPolicy.choices)
    digest = serializers.CharField(help_text="Send it back to apply exactly this.")
    before = ReplacedAnswer(many=True, help_text="The sessions that it would replace.")
    sessions = PlannedAnswer(many=True)
    cost = CostAnswer()
    notes = serializers.ListField(child=serializers.CharField())


class ReplanInput(Input):
    digest = Text(max_length=64, help_text="Of the proposal that was read.")
    policy = Word(choices=[("shift", "shift"), ("catch_up", "catch_up")], required=False)
    not_before = Instant(required=False, help_text="As it was asked for.")


CoursePage: Any = page_of(CourseAnswer)
PausePage: Any = page_of(PauseAnswer)
