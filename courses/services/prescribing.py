"""Prescribing a course, and putting new revisions of its prescription in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.services import Actor
from clients.models import Client
from clinics.models import Clinic, StaffMember
from clinics.services import lock_clinic
from courses import convert
from courses.core.types import PhaseSpec
from courses.errors import CourseError
from courses.models import (
    ContraindicationOverride,
    Course,
    CourseStatus,
    Phase,
    PrescriptionRevision,
    Protocol,
    RecordedContraindication,
    ResolvedReason,
)
from courses.services.changes import (
    changing,
    finish_change,
    fitting_text,
    lock_course,
    refuse,
    require_prescriber,
    require_reason,
    transacting,
)
from courses.validators import check_minutes, check_phases

# How far from today a course may begin: a running course is taken over from paper, not invented.
_EARLIEST_START = timedelta(days=3 * 366)
LATEST_START = timedelta(days=366)


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
    """Return the recorded conditions that speak against the draft on a day or later.

    Cost: two queries.
    """
    strengths = dict(draft.protocol.contraindications.values_list("condition", "strength"))
    recorded = RecordedContraindication.objects.filter(client=draft.client, condition__in=strengths)
    return [
        Objection(row.condition, strengths[row.condition], row.from_on, row.to_on)
        for row in recorded.order_by("from_on", "condition")
        if row.to_on is None or row.to_on >= on
    ]


def prescribe_course(*, draft: CourseDraft, by: Actor, now: datetime, code: UUID | None = None) -> Course:
    """Prescribe a course: revision 1 with its frozen phases, active at once, nothing booked yet.

    Whoever may send the same twice chooses the course's `code` beforehand: the second time it is taken.
    Raises: CourseError for anybody but a prescriber, an impossible prescription, a foreign client or protocol,
    a start too far away, or a permanent contraindication without a written reason to override it; `code_taken`
    where a course has the code already.
    """
    member = require_prescriber(by, draft.clinic)
    check_draft(draft, now=now)
    reasons = {
        condition: fitting_text(
            reason, column=ContraindicationOverride.reason, field=f"overrides.{condition}"
        )
        for condition, reason in draft.overrides.items()
    }
    with transacting():
        # A calendar that changes at this moment must find the course, or the course the changed calendar.
        lock_clinic(draft.clinic)
        if not Client.objects.filter(pk=draft.client.pk, erased_at=None).exists():
            # Erased, or merged with another, since the draft was begun.
            raise refuse("client", _("Choose a client of this clinic."), code="client_unknown")
        course = _create_course(draft, code or uuid4(), member=member, now=now)
        _add_revision(
            course, draft.phases, draft.minutes_by_session, member=member, now=now, number=1, reason=""
        )
        ContraindicationOverride.objects.bulk_create(
            ContraindicationOverride(
                clinic=draft.clinic,
                course=course,
                condition=condition,
                reason=reason,
                by=member,
                created_at=now,
            )
            for condition, reason in reasons.items()
            if reason
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


def _create_course(draft: CourseDraft, code: UUID, *, member: StaffMember, now: datetime) -> Course:
    try:
        with transaction.atomic():
            return Course.objects.create(
                code=code,
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
    except IntegrityError as error:
        # Tried first and asked afterwards: between a question and the insert another one could come first.
        if not Course.objects.filter(code=code).exists():
            raise
        raise CourseError(_("This course is prescribed already."), code="code_taken") from error


def find_prescribed(draft: CourseDraft) -> Course | None:
    """Return the running course that just this draft became before; nobody wants the same one twice at a time.

    Cost: one query, and one for each course of this client that is nearly the same.
    """
    running = Course.objects.for_clinic(draft.clinic).filter(
        client=draft.client,
        protocol=draft.protocol,
        start_on=draft.start_on,
        practitioner=draft.practitioner,
        status__in=(CourseStatus.ACTIVE, CourseStatus.PAUSED),
    )
    return next((course for course in running.order_by("pk") if _first_phases(course) == draft.phases), None)


def _first_phases(course: Course) -> tuple[PhaseSpec, ...]:
    """Return the phases as they were prescribed at first."""
    rows = Phase.objects.filter(revision__course=course, revision__number=1).order_by("position")
    return tuple(map(convert.phase_spec, rows))


def check_draft(draft: CourseDraft, *, now: datetime) -> None:
    """Refuse a draft that cannot be prescribed.

    Raises: CourseError naming the fields.
    """
    check_phases(draft.phases)
    if draft.client.clinic_id != draft.clinic.pk or draft.client.erased_at is not None:
        raise refuse("client", _("Choose a client of this clinic."), code="client_unknown")
    if draft.protocol.clinic_id != draft.clinic.pk:
        raise refuse("protocol", _("Choose a protocol of this clinic."), code="protocol_unknown")
    if draft.protocol.retired_at is not None:
        raise refuse("protocol", _("This protocol is retired. Choose another one."), code="protocol_retired")
    person = draft.practitioner
    if person is not None and not (
        person.clinic_id == draft.clinic.pk and person.is_active and person.is_treating
    ):
        raise refuse("practitioner", _("Choose a practitioner of this clinic."), code="practitioner_unknown")
    check_minutes(draft.minutes_by_session, phase_count=len(draft.phases))
    today = convert.local_today(draft.clinic, now)
    if not today - _EARLIEST_START <= draft.start_on <= today + LATEST_START:
        raise refuse(
            "start_on", _("A course starts within three years back and one ahead."), code="start_out_of_range"
        )
    unknown = set(draft.overrides) - set(
        draft.protocol.contraindications.values_list("condition", flat=True) if draft.overrides else ()
    )
    for condition in sorted(unknown):
        raise refuse(
            f"overrides.{condition}",
            _("The protocol has nothing against this condition."),
            code="unknown_condition",
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


def change_prescription(
    *,
    course: Course,
    phases: Sequence[PhaseSpec],
    by: Actor,
    now: datetime,
    reason: str,
    minutes_by_session: Sequence[Sequence[int]] | None = None,
) -> None:
    """Put a new revision of the prescription in force; the old one stays on record.

    Without `minutes_by_session` lengths rise as before, where there are as many phases as before.
    Raises: CourseError for anybody but a prescriber, without a reason, for an impossible prescription.
    """
    member = require_prescriber(by, course.clinic)
    text = require_reason(reason, column=PrescriptionRevision.reason)
    check_phases(phases)
    check_minutes(minutes_by_session or (), phase_count=len(phases))
    with changing(
        course, action="prescription_changed", by=by, now=now, reason=ResolvedReason.CHANGED
    ) as locked:
        revise_phases(
            locked, phases, member=member, now=now, reason=text, minutes_by_session=minutes_by_session
        )


def revise_phases(
    course: Course,
    phases: Sequence[PhaseSpec],
    *,
    member: StaffMember,
    now: datetime,
    reason: str,
    minutes_by_session: Sequence[Sequence[int]] | None = None,
) -> None:
    """Put a new revision in force on a locked course; the caller checked the phases and the prescriber."""
    number = PrescriptionRevision.objects.filter(course=course).count() + 1
    minutes = minutes_by_session
    if minutes is None:
        minutes = [row["minutes_by_session"] for row in convert.current_phases([course.pk])]
        if len(minutes) != len(phases):
            minutes = ()
    _add_revision(course, phases, minutes, member=member, now=now, number=number, reason=reason)
