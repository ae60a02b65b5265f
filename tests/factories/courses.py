"""Clients, protocols, and courses prescribed through the services."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import factory
from django.db import transaction
from factory.django import DjangoModelFactory

from audit.services import record
from clients.models import Channel, Client, Consent, ContactPoint
from clients.services import search_text
from clinics.models import Room, StaffMember
from courses.convert import phase_row_values
from courses.core.types import Cadence, PhaseSpec
from courses.models import (
    Course,
    Protocol,
    ProtocolContraindication,
    ProtocolPhase,
    ResolvedReason,
    SessionStatus,
    TreatmentSession,
)
from courses.services import CourseDraft, book_session, prescribe_course
from courses.services.changes import finish_change, lock_course
from tests.factories.clinics import FOUNDED, ClinicFactory, StaffMemberFactory, actor_of


def intensive(**changes: Any) -> PhaseSpec:
    """Return 10-15 sessions, every 1-2 days, 30-60 minutes."""
    values: dict[str, Any] = {
        "kind": "intensive",
        "cadence": Cadence.of(1, 1, 2),
        "sessions_min": 10,
        "sessions_max": 15,
        "grace_days": 1,
        "lapse_days": 14,
        "minutes_min": 30,
        "minutes_max": 60,
    }
    return PhaseSpec(**values | changes)


def maintenance(**changes: Any) -> PhaseSpec:
    """Return one session every two weeks for a year."""
    values: dict[str, Any] = {
        "kind": "maintenance",
        "cadence": Cadence.of(1, 14, 14),
        "duration_days": 365,
        "grace_days": 3,
        "lapse_days": 42,
        "minutes_min": 30,
        "minutes_max": 60,
    }
    return PhaseSpec(**values | changes)


class ClientFactory(DjangoModelFactory):
    class Meta:
        model = Client
        skip_postgeneration_save = True

    clinic = factory.SubFactory(ClinicFactory)
    given_name = "Anna"
    family_name = factory.Sequence(lambda n: f"Ozola {n}")
    language = "en"
    created_at = FOUNDED
    search_text = factory.LazyAttribute(
        lambda client: search_text(f"{client.given_name} {client.family_name}", ())
    )

    @factory.post_generation
    def email(self, create: bool, extracted: str | None, **kwargs: Any) -> None:
        """An e-mail address with consent; an empty text leaves both out."""
        value = f"client{self.pk}@example.com" if extracted is None else extracted
        if value:
            ContactPoint.objects.create(clinic=self.clinic, client=self, channel=Channel.EMAIL, value=value)
            Consent.objects.create(
                clinic=self.clinic,
                client=self,
                channel=Channel.EMAIL,
                granted_at=FOUNDED,
                granted_source="test",
            )


class ProtocolFactory(DjangoModelFactory):
    class Meta:
        model = Protocol
        skip_postgeneration_save = True

    clinic = factory.SubFactory(ClinicFactory)
    slug = factory.Sequence(lambda n: f"protocol-{n}")
    name_en = "Anti-cellulite massage"
    name_ru = "Антицеллюлитный массаж"
    created_at = FOUNDED

    @factory.post_generation
    def phases(self, create: bool, extracted: Sequence[PhaseSpec] | None, **kwargs: Any) -> None:
        for position, phase in enumerate(extracted or (intensive(), maintenance())):
            ProtocolPhase.objects.create(
                clinic=self.clinic, protocol=self, position=position, **phase_row_values(phase)
            )

    @factory.post_generation
    def conditions(self, create: bool, extracted: dict[str, str] | None, **kwargs: Any) -> None:
        """Contraindications by condition with their strength."""
        for condition, strength in (
            extracted or {"tuberculosis": "permanent", "influenza": "temporary"}
        ).items():
            ProtocolContraindication.objects.create(
                clinic=self.clinic,
                protocol=self,
                condition=condition,
                strength=strength,
                name_en=condition.capitalize(),
            )


def prescribe(
    *,
    now: datetime = datetime(2026, 3, 2, 6, tzinfo=UTC),
    start_on: date = date(2026, 3, 2),
    phases: Sequence[PhaseSpec] | None = None,
    member: StaffMember | None = None,
    client: Client | None = None,
    protocol: Protocol | None = None,
    practitioner: StaffMember | None = None,
) -> Course:
    """Prescribe a course through the service: on Monday 2 March 2026 at eight in Riga unless told."""
    member = member or StaffMemberFactory(clinic=client.clinic if client else ClinicFactory())
    draft = CourseDraft(
        clinic=member.clinic,
        client=client or ClientFactory(clinic=member.clinic),
        protocol=protocol or ProtocolFactory(clinic=member.clinic),
        start_on=start_on,
        phases=tuple(phases or (intensive(), maintenance())),
        practitioner=practitioner,
    )
    return prescribe_course(draft=draft, by=actor_of(member), now=now)


# The name that tests of other applications look for.
CourseFactory = prescribe


def book(
    course: Course,
    on: date,
    at: time = time(10),
    *,
    now: datetime,
    minutes: int = 45,
    practitioner: StaffMember | None = None,
    room: Room | None = None,
    **options: Any,
) -> TreatmentSession:
    """Book a session at a wall time of the clinic, with the prescriber as practitioner unless told."""
    starts_at = datetime.combine(on, at, tzinfo=ZoneInfo(course.clinic.time_zone))
    return book_session(
        course=course,
        starts_at=starts_at,
        minutes=minutes,
        practitioner=practitioner or course.prescribed_by,
        room=room,
        by=actor_of(course.prescribed_by),
        now=now,
        **options,
    )


def attend(course: Course, days: Iterable[date], at: time = time(10), *, minutes: int = 45) -> None:
    """Put past sessions on record, each booked at five UTC of its day and recorded eleven hours later.

    Rows, versions and audit events are what book_session() and record_attendance() leave one after the other,
    but the course is brought up to date once, as of the last of them: what was flagged or due to be sent in
    between never was. Tests of that use the verbs.
    """
    by, zone = actor_of(course.prescribed_by), ZoneInfo(course.clinic.time_zone)
    with transaction.atomic():
        locked = lock_course(course)
        sessions = [
            _attended(locked, datetime.combine(day, at, tzinfo=zone), minutes=minutes) for day in sorted(days)
        ]
        TreatmentSession.objects.bulk_create(sessions)
        about = {"clinic_code": locked.clinic.code, "subject_kind": "course", "subject_code": locked.code}
        for session in sessions:
            locked.version += 1
            record("course.session_booked", at=session.created_at, by=by, **about)
            old = {"status": SessionStatus.BOOKED.value}
            new = {"session": str(session.code), "status": SessionStatus.ATTENDED.value}
            if session is not sessions[-1]:
                locked.version += 1
                record("course.session_attended", at=session.outcome_at, by=by, old=old, new=new, **about)
            else:
                finish_change(
                    locked,
                    action="session_attended",
                    by=by,
                    now=session.outcome_at,
                    reason=ResolvedReason.ATTENDED,
                    details=new,
                    old=old,
                )
    course.refresh_from_db()


def _attended(course: Course, starts_at: datetime, *, minutes: int) -> TreatmentSession:
    booked_at = datetime.combine(starts_at.date(), time(5), tzinfo=UTC)
    return TreatmentSession(
        clinic=course.clinic,
        course=course,
        client_id=course.client_id,
        status=SessionStatus.ATTENDED,
        on=starts_at.date(),
        starts_at=starts_at.astimezone(UTC),
        ends_at=starts_at.astimezone(UTC) + timedelta(minutes=minutes),
        practitioner_id=course.prescribed_by_id,
        is_pinned=True,
        version=2,
        created_at=booked_at,
        outcome_at=booked_at + timedelta(hours=11),
        outcome_by_id=course.prescribed_by_id,
        minutes=minutes,
    )
