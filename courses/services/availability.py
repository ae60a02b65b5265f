"""What a clinic and a client leave free for sessions, as a planner wants to be told."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from clients.models import Client
from clinics.models import Absence, Clinic, OpeningHours, PractitionerHours, Room, StaffMember
from courses import convert
from courses.core.plan import Practitioner, Preferences
from courses.core.plan import Room as PlanRoom
from courses.models import BOOKED_STATUSES, Course, TreatmentSession


def clinic_side(
    clinic: Clinic,
    client: Client,
    wished: StaffMember | None,
    not_before: datetime,
    *,
    replaced: Sequence[TreatmentSession] = (),
    course: Course | None = None,
) -> dict[str, Any]:
    """Return what a plan request takes from the clinic and the client.

    Cost: six queries.
    """
    zone = convert.zone_of(clinic)
    busy = _busy_spans(clinic, client, not_before, replaced=replaced)
    wish = wished or client.prefers_practitioner
    return {
        "zone": zone,
        "not_before": not_before,
        "hours": _week_hours(
            OpeningHours.objects.for_clinic(clinic).values_list("weekday", "opens_time", "closes_time")
        ),
        "slot_step_minutes": clinic.slot_step_minutes,
        "practitioners": _practitioners(clinic, busy["practitioner"]),
        "rooms": tuple(
            PlanRoom(str(room.code), tuple(busy["room"].get(room.pk, ())))
            for room in Room.objects.for_clinic(clinic).filter(is_active=True)
        ),
        "client_busy": tuple(busy["client"].get(client.pk, ())),
        "prefer": Preferences(
            weekdays=frozenset(client.prefers_weekdays),
            from_minute=_minute(client.prefers_from_time),
            to_minute=_minute(client.prefers_to_time),
            practitioner=str(wish.code) if wish is not None and wish.is_treating else None,
        ),
    }


def _minute(at: time | None) -> int | None:
    return None if at is None else at.hour * 60 + at.minute


def _week_hours(rows: Any) -> dict[int, tuple[tuple[int, int], ...]]:
    hours: dict[int, list[tuple[int, int]]] = {}
    for weekday, opens, closes in rows:
        hours.setdefault(weekday, []).append(
            (opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute)
        )
    return {weekday: tuple(spans) for weekday, spans in hours.items()}


def _practitioners(clinic: Clinic, busy: Mapping[int, Sequence[Any]]) -> tuple[Practitioner, ...]:
    people = StaffMember.objects.for_clinic(clinic).filter(is_active=True, is_treating=True)
    hours: dict[int, list[tuple[int, time, time]]] = {}
    for row in PractitionerHours.objects.for_clinic(clinic):
        hours.setdefault(row.practitioner_id, []).append((row.weekday, row.starts_time, row.ends_time))
    away: dict[int, list[tuple[date, date]]] = {}
    for absence in Absence.objects.for_clinic(clinic):
        away.setdefault(absence.practitioner_id, []).append((absence.from_on, absence.to_on))
    return tuple(
        Practitioner(
            str(person.code),
            hours=_week_hours(hours[person.pk]) if person.pk in hours else None,
            absences=tuple(away.get(person.pk, ())),
            busy=tuple(busy.get(person.pk, ())),
        )
        for person in people
    )


def _busy_spans(
    clinic: Clinic, client: Client, not_before: datetime, *, replaced: Sequence[TreatmentSession]
) -> dict[str, dict[int, list[tuple[datetime, datetime]]]]:
    """Return when each practitioner, room and the client is taken from `not_before` on.

    Bookings about to be replaced are free again.
    """
    rows = (
        TreatmentSession.objects.for_clinic(clinic)
        .filter(
            status__in=BOOKED_STATUSES,
            on__gte=convert.local_today(clinic, not_before),
            ends_at__gt=not_before,
        )
        .exclude(pk__in=[row.pk for row in replaced if row.pk])
        .values_list("practitioner_id", "room_id", "client_id", "starts_at", "ends_at")
    )
    busy: dict[str, dict[int, list[tuple[datetime, datetime]]]] = {
        "practitioner": {},
        "room": {},
        "client": {},
    }
    for practitioner_id, room_id, client_id, starts_at, ends_at in rows:
        if starts_at is None or ends_at is None:
            continue  # a booking has a slot: the database sees to it
        if practitioner_id is not None:
            busy["practitioner"].setdefault(practitioner_id, []).append((starts_at, ends_at))
        if room_id is not None:
            busy["room"].setdefault(room_id, []).append((starts_at, ends_at))
        if client_id == client.pk:
            busy["client"].setdefault(client_id, []).append((starts_at, ends_at))
    return busy
