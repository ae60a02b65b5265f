"""A prescriber's decisions: prescribing, changing, ending, restarting and stopping a course."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import Actor
from clients.models import Client
from clinics.models import Clinic, StaffMember
from courses import convert
from courses.core.types import PhaseSpec
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    ContraindicationOverride,
    Course,
    CourseStatus,
    Phase,
    PhaseEnd,
    PrescriptionRevision,
    Protocol,
    RecordedContraindication,
    ResolvedReason,
    Restart,
    SessionStatus,
    TreatmentSession,
)
from courses.services.assessing import resolve_flags
from courses.services.changes import (
    changing,
    finish_change,
    lock_course,
    refuse,
    require_open,
    require_prescriber,
    require_reason,
)
from courses.validators import check_phases

# How far from today a course may begin: a running course is taken over from paper, not invented.
_EARLIEST_START = timedelta(days=3 * 366)
_LATEST_START = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class CourseDraft:
    """A prescription as it is being written; `overrides` are reasons by condition."""

    clinic: Clinic
    client: Client
    protocol: Protocol
    start_on: date
    phases: tuple[PhaseSpec, ...]
    practitioner: StaffMember | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    # Minutes by session number for each phase, in their order; empty where length does not rise.
    minutes_by_session: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Objection:
    """A recorded condition of the client that the protocol forbids."""

    condition: str
    strength: str
    from_on: date
    to_on: date | None


def find_objections(draft: CourseDraft, *, on: date) -> list[Objection]:
    """Return the recorded conditions that speak against the draft on its start or later.

    Cost: two queries.
    """
    strengths = dict(draft.protocol.contraindications.values_list("condition", "strength"))
    recorded = RecordedContraindication.objects.filter(client=draft.client, condition__in=strengths)
    return [
        Objection(row.condition, strengths[row.condition], row.from_on, row.to_on)
        for row in recorded.order_by("from_on", "condition")
        if row.to_on is None or row.to_on >= on
    ]


def prescribe_course(*, draft: CourseDraft, by: Actor, now: datetime) -> Course:
    """Prescribe a course: revision 1 with its frozen phases, active at once, nothing booked yet.

    Raises: CourseError for anybody but a prescriber, an impossible prescription, a foreign client or protocol,
    a start too far away, or a permanent contraindication without a written reason to override it.
    """
    member = require_prescriber(by, draft.clinic)
    check_draft(draft, now=now)
    with transaction.atomic():
        course = Course.objects.create(
            clinic=draft.clinic,
            client=draft.client,
            protocol=draft.protocol,
            status=CourseStatus.ACTIVE,
            start_on=draft.start_on,
            prescribed_by=member,
            practitioner=draft.practitioner,
            created_at=now,
            activated_at=now,
        )
        _add_revision(
            course, draft.phases, draft.minutes_by_session, member=member, now=now, number=1, reason=""
        )
        ContraindicationOverride.objects.bulk_create(
            ContraindicationOverride(
                clinic=draft.clinic,
                course=course,
                condition=condition,
                reason=reason.strip(),
                by=member,
                created_at=now,
            )
            for condition, reason in draft.overrides.items()
            if reason.strip()
        )
        finish_change(
            lock_course(course),
            action="prescribed",
            by=by,
            now=now,
            reason=ResolvedReason.CHANGED,
            details={"protocol": str(draft.protocol.code), "start_on": draft.start_on},
        )
    course.refresh_from_db()
    return course


def check_draft(draft: CourseDraft, *, now: datetime) -> None:
    """Refuse a draft that cannot be prescribed.

    Raises: CourseError naming the fields.
    """
    check_phases(draft.phases)
    if draft.client.clinic_id != draft.clinic.pk or draft.client.erased_at is not None:
        raise refuse("client", _("Choose a client of this clinic."), code="client_unknown")
    if draft.protocol.clinic_id != draft.clinic.pk:
        raise refuse("protocol", _("Choose a protocol of this clinic."), code="protocol_unknown")
    if draft.practitioner is not None and draft.practitioner.clinic_id != draft.clinic.pk:
        raise refuse("practitioner", _("Choose a practitioner of this clinic."), code="practitioner_unknown")
    today = convert.local_today(draft.clinic, now)
    if not today - _EARLIEST_START <= draft.start_on <= today + _LATEST_START:
        raise refuse(
            "start_on", _("A course starts within three years back and one ahead."), code="start_out_of_range"
        )
    for objection in find_objections(draft, on=draft.start_on):
        if objection.strength == "permanent" and not draft.overrides.get(objection.condition, "").strip():
            raise refuse(
                f"overrides.{objection.condition}",
                _(
                    "This condition rules the protocol out. A prescriber can override it with a written reason."
                ),
                code="contraindicated",
            )


def _add_revision(
    course: Course,
    phases: Sequence[PhaseSpec],
    minutes_by_session: Sequence[Sequence[int]],
    *,
    member: StaffMember,
    now: datetime,
    number: int,
    reason: str,
) -> None:
    revision = PrescriptionRevision.objects.create(
        clinic_id=course.clinic_id, course=course, number=number, reason=reason, by=member, created_at=now
    )
    Phase.objects.bulk_create(
        Phase(
            clinic_id=course.clinic_id,
            revision=revision,
            position=position,
            target=phase.target,
            minutes_by_session=list(minutes_by_session[position]) if minutes_by_session else [],
            **convert.phase_row_values(phase),
        )
        for position, phase in enumerate(phases)
    )


# ---------------------------------------------------------------- changes


def change_prescription(
    *, course: Course, phases: Sequence[PhaseSpec], by: Actor, now: datetime, reason: str
) -> None:
    """Put a new revision of the prescription in force; the old one stays on record.

    Raises: CourseError for anybody but a prescriber, without a reason, for an impossible prescription.
    """
    member = require_prescriber(by, course.clinic)
    text = require_reason(reason)
    check_phases(phases)
    with changing(
        course, action="prescription_changed", by=by, now=now, reason=ResolvedReason.CHANGED
    ) as locked:
        revise_phases(locked, phases, member=member, now=now, reason=text)


def revise_phases(
    course: Course, phases: Sequence[PhaseSpec], *, member: StaffMember, now: datetime, reason: str
) -> None:
    """Put a new revision in force on a locked course; the caller checked the phases and the prescriber."""
    rows = list(convert.current_phases([course.pk]))
    number = PrescriptionRevision.objects.filter(course=course).count() + 1
    minutes: Sequence[Sequence[int]] = [row["minutes_by_session"] for row in rows]
    if len(minutes) != len(phases):
        minutes = ()
    _add_revision(course, phases, minutes, member=member, now=now, number=number, reason=reason)


def set_target(*, course: Course, target: int | None, by: Actor, now: datetime) -> None:
    """Decide how many sessions the current phase has within its range; None leaves it open again.

    Raises: CourseError for anybody but a prescriber, a phase without a range, a target outside it.
    """
    member = require_prescriber(by, course.clinic)
    with changing(
        course, action="target_set", by=by, now=now, reason=ResolvedReason.DECIDED, target=target
    ) as locked:
        position = _current_phase(locked, now=now)
        phases = list(convert.load_facts([locked])[locked.pk].prescription.phases)
        phase = phases[position]
        if phase.sessions_min is None or phase.sessions_max is None:
            raise refuse("target", _("This phase has no number of sessions to decide."), code="no_range")
        if target is not None and not phase.sessions_min <= target <= phase.sessions_max:
            raise refuse(
                "target",
                _("Choose a number from %(least)s to %(most)s.")
                % {"least": phase.sessions_min, "most": phase.sessions_max},
                code="target_out_of_range",
            )
        phases[position] = replace(phase, target=target)
        revise_phases(locked, phases, member=member, now=now, reason=_("number of sessions decided"))


def _current_phase(course: Course, *, now: datetime) -> int:
    assessment = convert.assess_course(course, today=convert.local_today(course.clinic, now))
    if assessment.phase is None:
        raise CourseError(_("All phases of this course are complete."), code="course_finished")
    return assessment.phase


def end_phase(*, course: Course, on: date, by: Actor, now: datetime, reason: str = "") -> PhaseEnd:
    """End the current phase on a day, today or earlier; the next one counts from there.

    Raises: CourseError for anybody but a prescriber, before sessions_min are attended, for a day ahead,
    or a day before the last attended session of the phase.
    """
    member = require_prescriber(by, course.clinic)
    with changing(
        course, action="phase_ended", by=by, now=now, reason=ResolvedReason.DECIDED, on=on
    ) as locked:
        today = convert.local_today(locked.clinic, now)
        if on > today:
            raise refuse("on", _("A phase is ended today or in the past."), code="date_future")
        assessment = convert.assess_course(locked, today=today)
        position = _current_phase(locked, now=now)
        attended = [gap.on for gap in assessment.gaps if gap.phase == position]
        phases = convert.load_facts([locked])[locked.pk].prescription.phases
        least = phases[position].sessions_min or 0
        if len(attended) < least:
            raise refuse(
                "on",
                _("This phase can be ended from session %(least)s on; %(count)s are attended.")
                % {"least": least, "count": len(attended)},
                code="phase_too_short",
            )
        first_on = attended[-1] if attended else locked.start_on
        if on < first_on:
            raise refuse(
                "on", _("Choose a day from the last attended session on."), code="date_before_session"
            )
        ended = PhaseEnd.objects.create(
            clinic=locked.clinic,
            course=locked,
            phase_position=position,
            ended_on=on,
            reason=reason.strip(),
            by=member,
            created_at=now,
        )
    return ended


def restart_course(*, course: Course, on: date, by: Actor, now: datetime, reason: str = "") -> Restart:
    """Let the windows count anew from a day, after a lapse or an interruption.

    Raises: CourseError for anybody but a prescriber, a day before the last attended session, or a second
    restart of one day.
    """
    member = require_prescriber(by, course.clinic)
    with changing(
        course, action="restarted", by=by, now=now, reason=ResolvedReason.RESTARTED, on=on
    ) as locked:
        last = (
            TreatmentSession.objects.filter(course=locked, status=SessionStatus.ATTENDED)
            .order_by("-on")
            .values_list("on", flat=True)
            .first()
        )
        if on < (last or locked.start_on):
            raise refuse(
                "on", _("Choose a day from the last attended session on."), code="date_before_session"
            )
        if Restart.objects.filter(course=locked, restart_on=on).exists():
            raise refuse("on", _("The course already restarts on that day."), code="restart_twice")
        restart = Restart.objects.create(
            clinic=locked.clinic,
            course=locked,
            restart_on=on,
            reason=reason.strip(),
            by=member,
            created_at=now,
        )
    return restart


def discontinue_course(*, course: Course, by: Actor, now: datetime, reason: str) -> None:
    """Stop a course for good: bookings ahead are cancelled, flags resolved, the record stays.

    Raises: CourseError for anybody but a prescriber, without a reason, for a course that is over.
    """
    require_prescriber(by, course.clinic)
    text = require_reason(reason)
    with transaction.atomic():
        locked = lock_course(course)
        require_open(locked)
        _cancel_ahead(locked, now=now, reason=_("course discontinued"))
        locked.status = CourseStatus.DISCONTINUED
        locked.ended_at = now
        locked.end_reason = text
        locked.next_check_at = None
        locked.next_check_on = None
        locked.save(update_fields=["status", "ended_at", "end_reason", "next_check_at", "next_check_on"])
        resolve_flags(locked, now=now, reason=ResolvedReason.DISCONTINUED)
        finish_change(
            locked,
            action="discontinued",
            by=by,
            now=now,
            reason=ResolvedReason.DISCONTINUED,
            details={},
        )
    course.refresh_from_db()


def _cancel_ahead(course: Course, *, now: datetime, reason: str) -> None:
    ahead = TreatmentSession.objects.filter(course=course)
    ahead.filter(status=SessionStatus.PLANNED).delete()
    today = convert.local_today(course.clinic, now)
    for session in ahead.filter(status__in=BOOKED_STATUSES, on__gte=today):
        session.status = SessionStatus.CANCELLED_BY_CLINIC
        session.outcome_at = now
        session.cancel_reason = reason
        session.version += 1
        session.save(update_fields=["status", "outcome_at", "cancel_reason", "version"])
