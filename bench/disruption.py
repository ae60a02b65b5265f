"""disruption: five hundred sessions of one practitioner who is away for a month, planned anew and moved.

A large clinic of eleven practitioners. A sixth of the courses are intensive with ten sessions each, the others come
twice at an interval of two weeks; everybody else is booked for two thirds of the day. Measured is what the page and the
worker do between the press of the button and the last session moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from bench.harness import Figure, Goal, Size, clock_seconds
from bench.scratch import ScratchServer, create_migrated, enter, scratch_server
from bin.steps import say

if TYPE_CHECKING:
    from audit.services import Actor
    from clinics.models import Clinic, StaffMember
    from courses.core.types import PhaseSpec
    from courses.models import Course, Disruption

INTENSIVE: Final = 25
TWICE: Final = 125
SESSIONS: Final = INTENSIVE * 10 + TWICE * 2
_RUNS: Final[dict[Size, int]] = {"small": 1, "default": 3, "full": 5}
_ZONE: Final = ZoneInfo("Europe/Riga")
# A Monday, at eight in the morning; away from the next day on.
_TODAY: Final = date(2026, 3, 2)
_NOW: Final = datetime.combine(_TODAY, time(8), tzinfo=_ZONE).astimezone(UTC)
_OTHERS: Final = 10
_MINUTES: Final = 30
_SLOTS: Final = 24
_DAYS: Final = 60


def measure(size: Size) -> Iterator[Figure]:
    """Yield how long it takes until all is moved.

    Raises: RuntimeError when not every session found another slot.
    """
    with scratch_server() as server:
        yield from _measure(server, _RUNS[size])


def _measure(server: ScratchServer, runs: int) -> Iterator[Figure]:
    model = create_migrated(server, "model")
    say("  clinic ...")
    _build()
    parts: list[tuple[float, float]] = []
    for number in range(runs):
        enter(server.create(f"run{number}", template=model))
        parts.append(_one_run())
    planned, moved = (median(part[side] for part in parts) for side in (0, 1))
    yield Figure(
        name="disruption",
        work=f"{SESSIONS} sessions of {INTENSIVE + TWICE} courses planned anew and moved",
        figure=planned + moved,
        unit="s",
        goal=Goal(5, "most", of="figure"),
        note=f"by the clock, median of {runs} runs; {planned:.1f} s to plan, {moved:.1f} s to move, "
        "with flags, messages and audit",
    )


def _one_run() -> tuple[float, float]:
    """Return the seconds that planning and moving take."""
    from audit.models import ActorKind  # noqa: PLC0415  # app ready
    from audit.services import Actor  # noqa: PLC0415  # app ready
    from clinics.models import StaffMember  # noqa: PLC0415  # app ready
    from courses.services import Outage, apply_disruption, start_disruption  # noqa: PLC0415  # app ready

    member = StaffMember.objects.select_related("clinic").order_by("position")[0]
    by = Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk)
    outage = Outage(member.clinic, member, _TODAY + timedelta(days=1), _TODAY + timedelta(days=_DAYS))
    found: list[Disruption] = []

    def plan() -> None:
        found.append(start_disruption(outage=outage, by=by, now=_NOW))
        _work(found[0])

    def move() -> None:
        apply_disruption(disruption=found[0], by=by, now=_NOW)
        _work(found[0])

    seconds = clock_seconds(plan), clock_seconds(move)
    outcomes = list(found[0].sessions.values_list("outcome", flat=True))
    if outcomes != ["moved"] * SESSIONS:
        raise RuntimeError(f"of {SESSIONS} sessions only {outcomes.count('moved')} were moved")
    return seconds


def _work(disruption: Disruption) -> None:
    from clinics.jobs import work_job  # noqa: PLC0415  # app ready

    disruption.refresh_from_db()
    if disruption.job_id is not None:
        while work_job(job_id=disruption.job_id, seconds=10, clock=lambda: _NOW):
            pass


# ---------------------------------------------------------------- the clinic


def _build() -> None:
    from audit.models import ActorKind  # noqa: PLC0415  # app ready
    from audit.services import Actor  # noqa: PLC0415  # app ready
    from clinics.models import Clinic, OpeningHours, Role, Room, StaffMember, User  # noqa: PLC0415  # app ready

    clinic = Clinic.objects.create(name="Large clinic", time_zone=_ZONE.key, country="LV", created_at=_NOW)
    OpeningHours.objects.bulk_create(
        OpeningHours(clinic=clinic, weekday=weekday, opens_time=time(8), closes_time=time(20))
        for weekday in range(1, 7)
    )
    Room.objects.bulk_create(Room(clinic=clinic, name=f"Room {n}", position=n) for n in range(_OTHERS + 1))
    members = [
        StaffMember.objects.create(
            clinic=clinic,
            user=User.objects.create(email=f"staff{n}@example.com"),
            role=Role.PRESCRIBER,
            display_name=f"Practitioner {n}",
            is_treating=True,
            position=n,
        )
        for n in range(_OTHERS + 1)
    ]
    by = Actor(ActorKind.STAFF, code=members[0].code, staff_member_id=members[0].pk)
    _fill(clinic, members[1:], by=by)
    _book_all(clinic, members[0], by=by)


def _working_days() -> list[date]:
    days = (_TODAY + timedelta(days=number) for number in range(1, _DAYS))
    return [day for day in days if day.isoweekday() != 7]


def _prescribe(clinic: Clinic, phase: PhaseSpec, start_on: date, *, by: Actor) -> Course:
    from clients.models import Channel, Client, Consent, ContactPoint  # noqa: PLC0415  # app ready
    from courses.models import Protocol  # noqa: PLC0415  # app ready
    from courses.services import CourseDraft, prescribe_course  # noqa: PLC0415  # app ready

    client = Client.objects.create(clinic=clinic, given_name="Anna", family_name="Ozola", created_at=_NOW)
    address = f"client{client.pk}@example.com"
    ContactPoint.objects.create(clinic=clinic, client=client, channel=Channel.EMAIL, value=address)
    Consent.objects.create(
        clinic=clinic, client=client, channel=Channel.EMAIL, granted_at=_NOW, granted_source="reception"
    )
    protocol, _ = Protocol.objects.get_or_create(
        clinic=clinic, slug="massage", defaults={"name_en": "Massage", "created_at": _NOW}
    )
    draft = CourseDraft(clinic=clinic, client=client, protocol=protocol, start_on=start_on, phases=(phase,))
    return prescribe_course(draft=draft, by=by, now=_NOW)


def _fill(clinic: Clinic, others: list[StaffMember], *, by: Actor) -> None:
    """Book everybody but the first for two thirds of each day, with clients who come every day."""
    from bench.model_clinic import INTENSIVE as PHASE  # noqa: PLC0415  # app ready

    rng, taken = Random(7), _SLOTS * 2 // 3
    courses = [_prescribe(clinic, PHASE, _TODAY, by=by) for _ in range(len(others) * taken)]
    for day in _working_days():
        for number, person in enumerate(others):
            slots = rng.sample(range(_SLOTS), taken)
            mine = courses[number * taken : (number + 1) * taken]
            _write(clinic, person, zip(mine, [day] * taken, slots, strict=True))


def _book_all(clinic: Clinic, person: StaffMember, *, by: Actor) -> None:
    """Book the first one's sessions, each course with a slot of its own on every day that it comes."""
    from django.db import transaction  # noqa: PLC0415  # app ready

    from bench.model_clinic import INTENSIVE as PHASE  # noqa: PLC0415  # app ready
    from bench.model_clinic import MAINTENANCE  # noqa: PLC0415  # app ready
    from courses.models import ResolvedReason  # noqa: PLC0415  # app ready
    from courses.services.changes import finish_change, lock_course  # noqa: PLC0415  # app ready

    days, used = _working_days(), dict.fromkeys(_working_days(), 0)
    for number in range(INTENSIVE + TWICE):
        if number < INTENSIVE:
            coming, phase = days[number % 2 : number % 2 + 20 : 2], PHASE
        else:
            first = number % 24
            coming, phase = [days[first], days[first + 12]], MAINTENANCE
        course = _prescribe(clinic, phase, coming[0], by=by)
        _write(clinic, person, [(course, day, used[day]) for day in coming])
        for day in coming:
            used[day] += 1
        with transaction.atomic():
            reason = ResolvedReason.REBOOKED
            finish_change(
                lock_course(course), action="session_booked", by=by, now=_NOW, reason=reason, details={}
            )


def _write(clinic: Clinic, person: StaffMember, bookings: Iterable[tuple[Course, date, int]]) -> None:
    from clinics.models import Room  # noqa: PLC0415  # app ready
    from courses.models import TreatmentSession  # noqa: PLC0415  # app ready

    room = Room.objects.get(clinic=clinic, position=person.position)
    rows = []
    for course, day, slot in bookings:
        opens = datetime.combine(day, time(8), tzinfo=_ZONE).astimezone(UTC)
        starts_at = opens + slot * timedelta(minutes=_MINUTES)
        rows.append(
            TreatmentSession(
                clinic=clinic,
                course=course,
                client_id=course.client_id,
                status="booked",
                on=day,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=_MINUTES),
                practitioner=person,
                room=room,
                created_at=_NOW,
            )
        )
    TreatmentSession.objects.bulk_create(rows)
