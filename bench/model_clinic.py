"""A model clinic with a month of history, made through the services; copies of it fill the scratch databases.

Days pass one after the other: courses are prescribed, planned and told to their clients, most sessions are attended,
some are missed or cancelled and planned anew, morning and evening the tick runs and messages go out into nothing. So every
row, flag and message is one that the application itself would have left.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from audit.models import ActorKind
from audit.services import Actor
from bench.null_channel import NULL
from clients.models import Channel, Client, Consent, ContactPoint
from clinics.models import Clinic, OpeningHours, Role, Room, StaffMember, User
from courses.convert import phase_row_values
from courses.core.types import Cadence, PhaseSpec
from courses.models import BOOKED_STATUSES, Course, Protocol, ProtocolPhase, TreatmentSession
from courses.services import (
    CourseDraft,
    apply_plan,
    cancel_session,
    pause_course,
    prescribe_course,
    propose_plan,
    record_attendance,
    record_no_show,
)
from reminders.services import drain, run_tick

DAY: Final = timedelta(days=1)
ZONE: Final = "Europe/Riga"
# A Wednesday. What is measured happens after nine in the morning of it, before the nudges of ten; the history ends the evening before.
TODAY: Final = date(2026, 3, 11)
COURSES: Final = 25
SESSIONS: Final = 15
_HISTORY_DAYS: Final = 26

INTENSIVE: Final = PhaseSpec(
    "intensive",
    Cadence.of(1, 1, 2),
    10,
    SESSIONS,
    grace_days=1,
    lapse_days=14,
    minutes_min=30,
    minutes_max=45,
)
MAINTENANCE: Final = PhaseSpec(
    "maintenance",
    Cadence.of(1, 14, 14),
    duration_days=365,
    grace_days=3,
    lapse_days=42,
    minutes_min=30,
    minutes_max=45,
)


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """Return a wall time of the model clinic as an aware instant in UTC."""
    return datetime.combine(day, time(hour, minute), tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def build_model_clinic(*, seed: int = 2026) -> Clinic:
    """Make the clinic in the current database, which must have no other; return it."""
    rng = Random(seed)
    first = TODAY - _HISTORY_DAYS * DAY
    clinic, by = _found_clinic(now=local(first, 8))
    starts = sorted(rng.randrange(_HISTORY_DAYS) for _ in range(COURSES))
    for number in range(_HISTORY_DAYS):
        day = first + number * DAY
        for _ in range(starts.count(number)):
            _begin_course(clinic, by=by, on=day, rng=rng)
        _tick(local(day, 9))
        _live_a_day(clinic, by=by, day=day, rng=rng)
        _tick(local(day, 20))
    return clinic


def _found_clinic(*, now: datetime) -> tuple[Clinic, Actor]:
    clinic = Clinic.objects.create(
        name="Model clinic", time_zone=ZONE, country="LV", phone="+37120000000", created_at=now
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(clinic=clinic, weekday=weekday, opens_time=time(9), closes_time=time(19))
        for weekday in range(1, 7)
    )
    Room.objects.bulk_create(Room(clinic=clinic, name=f"Room {n}", position=n) for n in range(1, 4))
    members = [
        StaffMember.objects.create(
            clinic=clinic,
            user=User.objects.create(email=f"staff{n}@example.com"),
            role=Role.PRESCRIBER,
            display_name=f"Practitioner {n}",
            is_treating=True,
            position=n,
        )
        for n in range(1, 4)
    ]
    protocol = Protocol.objects.create(
        clinic=clinic, slug="anti-cellulite", name_en="Anti-cellulite massage", created_at=now
    )
    ProtocolPhase.objects.bulk_create(
        ProtocolPhase(clinic=clinic, protocol=protocol, position=position, **phase_row_values(phase))
        for position, phase in enumerate((INTENSIVE, MAINTENANCE))
    )
    return clinic, Actor(ActorKind.STAFF, code=members[0].code, staff_member_id=members[0].pk)


def _begin_course(clinic: Clinic, *, by: Actor, on: date, rng: Random) -> None:
    now = local(on, 8, rng.randrange(60))
    number = Client.objects.count() + 1
    client = Client.objects.create(
        clinic=clinic,
        given_name="Anna",
        family_name=f"Ozola {number}",
        search_text=f"anna ozola {number} client{number}@example.com",
        created_at=now,
    )
    ContactPoint.objects.create(
        clinic=clinic, client=client, channel=Channel.EMAIL, value=f"client{number}@example.com"
    )
    Consent.objects.create(
        clinic=clinic, client=client, channel=Channel.EMAIL, granted_at=now, granted_source="reception"
    )
    draft = CourseDraft(
        clinic=clinic,
        client=client,
        protocol=Protocol.objects.get(clinic=clinic),
        start_on=on,
        phases=(INTENSIVE, MAINTENANCE),
    )
    course = prescribe_course(draft=draft, by=by, now=now)
    _plan(course, by=by, now=now, count=SESSIONS)


def _plan(course: Course, *, by: Actor, now: datetime, count: int) -> None:
    course.refresh_from_db()
    if count:
        proposal = propose_plan(course=course, now=now, count=count)
        apply_plan(course=course, proposal=proposal, by=by, now=now)


def _live_a_day(clinic: Clinic, *, by: Actor, day: date, rng: Random) -> None:
    booked = TreatmentSession.objects.filter(clinic=clinic, on=day, status__in=BOOKED_STATUSES)
    booked = booked.select_related("course__clinic", "course__client").order_by("starts_at", "pk")
    # Asked anew each time: what is missed may be made up for on the same day.
    while session := booked.first():
        assert session.starts_at is not None, "a booking has its slot"
        fate = rng.random()
        before, after = session.starts_at - timedelta(hours=1), session.starts_at + timedelta(hours=1)
        if fate < 0.86:
            record_attendance(session=session, by=by, now=after, minutes=45)
        elif fate < 0.93:
            record_no_show(session=session, by=by, now=after)
            _make_up(session.course, by=by, now=after, rng=rng)
        else:
            cancel_session(session=session, whose="client", by=by, now=before)
            _make_up(session.course, by=by, now=before, rng=rng)


def _make_up(course: Course, *, by: Actor, now: datetime, rng: Random) -> None:
    """After a miss: half of the courses are planned anew, some are paused first, the others stay as they are."""
    course.refresh_from_db()
    fate = rng.random()
    if fate < 0.15:
        today = now.astimezone(ZoneInfo(ZONE)).date()
        if not course.pauses.exists():
            pause_course(
                course=course, from_on=today + DAY, to_on=today + 5 * DAY, reason="illness", by=by, now=now
            )
    if fate < 0.5:
        booked = course.sessions.filter(status__in=BOOKED_STATUSES, starts_at__gt=now).count()
        _plan(course, by=by, now=now, count=min(SESSIONS, booked + 1))


def _tick(now: datetime) -> None:
    run_tick(now=now)
    drain(clock=lambda: now, factories=NULL)
