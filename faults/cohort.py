"""The messages of a run: what is planned, and what may become of each, written down before anything is sent.

One client, course, session and message each is made through the services, in every clinic; the others are copies of it
with codes, names and addresses of their own. Only the rule that reminds a day before is on, and no hours are quiet: what
a run is about decides what happens, not the time of day at which it is run.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import models

from audit.models import ActorKind
from audit.services import Actor
from clients.models import Channel, Client, Consent, ContactPoint
from clinics.models import Clinic, OpeningHours, Role, StaffMember, User
from courses.convert import phase_row_values
from courses.core.types import Cadence, PhaseSpec
from courses.models import Course, Phase, PrescriptionRevision, Protocol, ProtocolPhase, TreatmentSession
from courses.services import CourseDraft, book_session, cancel_session, prescribe_course
from reminders.channels.webhook import new_secret
from reminders.core import slot_text
from reminders.models import ChannelAccount, Reminder, ReminderRule
from reminders.sealing import seal
from reminders.services import seed_rules

ZONE: Final = "Europe/Riga"
# Ten in the morning of a Monday in Riga.
PEAK: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
_PHASE: Final = PhaseSpec("intensive", Cadence.of(1, 1, 2), 10, 15, grace_days=1, lapse_days=14)
_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Planned:
    """One message that was planned: whose it is, when it is due, and the ends it may have."""

    code: str
    recipient: str
    session: str
    send_at: datetime
    fates: frozenset[str] = frozenset({"sent"})


@dataclass(slots=True)
class Cohort:
    """All planned messages of a run, by code, and their clinics."""

    planned: dict[str, Planned] = field(default_factory=dict)
    clinics: list[Clinic] = field(default_factory=list)

    def expect(self, codes: Iterable[str], *fates: str) -> None:
        """Write down that these may end otherwise than sent; to be called before the cause is set going."""
        for code in codes:
            self.planned[code] = replace(self.planned[code], fates=frozenset(fates))

    def send_by_hook(self, codes: Collection[str], port: int, *, now: datetime) -> None:
        """Let these go to the clinics' own system on a port of this machine, in place of an address of e-mail."""
        ReminderRule.objects.filter(clinic__in=self.clinics, is_active=True).update(
            channels=["email", "webhook"]
        )
        ChannelAccount.objects.bulk_create(
            ChannelAccount(
                clinic=clinic,
                channel=Channel.WEBHOOK,
                provider="webhook",
                settings={"url": f"http://127.0.0.1:{port}/hook"},
                sealed_secrets=seal({"secret": new_secret()}),
                per_minute=100_000,
                created_at=now,
                changed_at=now,
            )
            for clinic in self.clinics
        )
        rows = Reminder.objects.filter(code__in=codes)
        Consent.objects.filter(client__in=rows.values("client")).update(channel=Channel.WEBHOOK)
        rows.update(channel=Channel.WEBHOOK)

    def retime(self, codes: Iterable[str], send_at: datetime) -> None:
        """Write down that these are due at another moment."""
        for code in codes:
            self.planned[code] = replace(self.planned[code], send_at=send_at)

    def named(self, word: str) -> list[str]:
        """Return the codes of the messages whose recipient's name begins so."""
        return [code for code, one in self.planned.items() if one.recipient.startswith(f"{word}.")]


def word_client(number: int) -> str:
    """Name recipients so that the sink takes their messages."""
    return "client"


def build_cohort(
    *,
    count: int,
    at: datetime = PEAK,
    clinics: int = 10,
    word: Callable[[int], str] = word_client,
    useful: timedelta = timedelta(hours=6),
    is_checked: bool = False,
) -> Cohort:
    """Make so many messages that are due at a moment, their sessions a day later, spread over the clinics.

    `word` gives the first part of the n-th recipient's name, which the sink obeys. `is_checked`: the scheduler also
    looks after the courses, which takes its time.
    """
    cohort = Cohort()
    numbers = [range(place, count, clinics) for place in range(min(clinics, count))]
    for place, mine in enumerate(numbers):
        model = _make_model(place)
        cohort.clinics.append(model.clinic)
        names = [f"{word(number)}.{number}@example.com" for number in mine]
        for start in range(0, len(names), _BATCH):
            _copy_model(
                model, names[start : start + _BATCH], cohort, at=at, useful=useful, is_checked=is_checked
            )
    return cohort


@dataclass(frozen=True, slots=True)
class _Model:
    clinic: Clinic
    client: Client
    contact: ContactPoint
    consent: Consent
    course: Course
    revision: PrescriptionRevision
    phases: tuple[Phase, ...]
    session: TreatmentSession
    reminder: Reminder


def _make_model(number: int) -> _Model:
    """Found a clinic with one client whose message is due at the peak, through the services; then call that off."""
    now = PEAK - timedelta(days=1)
    clinic, doctor, protocol = _found_clinic(number, now)
    by = Actor(ActorKind.STAFF, code=doctor.code, staff_member_id=doctor.pk)
    client = Client.objects.create(clinic=clinic, given_name="Anna", family_name="Model", created_at=now)
    owner = {"clinic": clinic, "client": client, "channel": Channel.EMAIL}
    contact = ContactPoint.objects.create(**owner, value=f"model.{number}@example.com")
    consent = Consent.objects.create(**owner, granted_at=now, granted_source="reception")
    course = prescribe_course(
        draft=CourseDraft(
            clinic=clinic, client=client, protocol=protocol, start_on=PEAK.date(), phases=(_PHASE,)
        ),
        by=by,
        now=now,
    )
    session = book_session(
        course=course,
        starts_at=PEAK + timedelta(days=1),
        minutes=45,
        practitioner=None,
        room=None,
        by=by,
        now=now,
    )
    course.refresh_from_db()
    session.refresh_from_db()
    revision = PrescriptionRevision.objects.get(course=course)
    model = _Model(
        *(clinic, client, contact, consent, course, revision),
        phases=tuple(Phase.objects.filter(revision=revision)),
        session=session,
        reminder=Reminder.objects.get(course=course, rule__slug="day-before"),
    )
    cancel_session(
        session=TreatmentSession.objects.select_related("course__clinic").get(pk=session.pk),
        whose="clinic",
        by=by,
        now=now,
    )
    return model


def _found_clinic(number: int, now: datetime) -> tuple[Clinic, StaffMember, Protocol]:
    clinic = Clinic.objects.create(
        name=f"Clinic {number}",
        time_zone=ZONE,
        country="LV",
        phone="+37120000000",
        created_at=now,
        quiet_from_time=time(0),
        quiet_to_time=time(0),
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(clinic=clinic, weekday=weekday, opens_time=time(8), closes_time=time(20))
        for weekday in range(1, 8)
    )
    doctor = StaffMember.objects.create(
        clinic=clinic,
        user=User.objects.create(email=f"doctor{number}@example.com"),
        role=Role.PRESCRIBER,
        display_name="Doctor",
        is_treating=True,
    )
    protocol = Protocol.objects.create(clinic=clinic, slug="massage", name_en="Massage", created_at=now)
    ProtocolPhase.objects.create(clinic=clinic, protocol=protocol, position=0, **phase_row_values(_PHASE))
    seed_rules(clinic=clinic, now=now)
    ReminderRule.objects.filter(clinic=clinic).exclude(slug="day-before").update(is_active=False)
    return clinic, doctor, protocol


def _copy_model(
    model: _Model, recipients: list[str], cohort: Cohort, *, at: datetime, useful: timedelta, is_checked: bool
) -> None:
    starts_at = at + timedelta(days=1)
    on = starts_at.astimezone(ZoneInfo(ZONE)).date()
    number = len(recipients)
    check_at = {} if is_checked else {"next_check_at": None}
    clients = _save([_new(model.client) for _ in recipients])
    _save([_new(model.contact, client=c, value=to) for c, to in zip(clients, recipients, strict=True)])
    _save([_new(model.consent, client=client) for client in clients])
    courses = _save([_new(model.course, client=client, **check_at) for client in clients])
    revisions = _save([_new(model.revision, course=course) for course in courses])
    _save([_new(phase, revision=revision) for revision in revisions for phase in model.phases])
    sessions = _save(
        [
            _new(
                model.session,
                course=course,
                client=course.client,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=45),
                on=on,
            )
            for course in courses
        ]
    )
    reminders = _save(
        [
            _new(
                model.reminder,
                course=session.course,
                client=session.client,
                session=session,
                subject_key=f"session:{session.code}",
                about=slot_text(starts_at),
                send_at=at,
                expires_at=min(at + useful, starts_at),
            )
            for session in sessions
        ]
    )
    assert len(reminders) == number, "a message for each recipient"
    for row, to, session in zip(reminders, recipients, sessions, strict=True):
        cohort.planned[str(row.code)] = Planned(str(row.code), to, str(session.code), at)


def _new(row: models.Model, **values: Any) -> Any:
    """Return an unsaved copy of a row with a code of its own and other values."""
    fresh = copy(row)
    fresh._state = copy(row._state)
    fresh._state.fields_cache = dict(row._state.fields_cache)
    fresh.pk, fresh._state.adding = None, True
    if hasattr(fresh, "code"):
        fresh.code = uuid.uuid4()
    for name, value in values.items():
        setattr(fresh, name, value)
    return fresh


def _save(rows: list[Any]) -> list[Any]:
    type(rows[0])._default_manager.bulk_create(rows)
    return rows
