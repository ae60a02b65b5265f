"""What a clinic and a client leave free for sessions, as a planner wants to be told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from clients.models import Client
from clinics.models import Absence, Clinic, OpeningHours, PractitionerHours, Room, StaffMember
from courses import convert
from courses.core.plan import Practitioner, Preferences
from courses.core.plan import Room as PlanRoom
from courses.models import BOOKED_STATUSES, TreatmentSession

WeekHours = dict[int, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A time that is taken: by the session with this id, else by one that is only proposed."""

    session_id: int | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ClinicTime:
    """Hours, people, rooms and bookings of a clinic from a moment on, loaded once for any number of plans.

    People, rooms and what is `taken` of them and of clients are by row id; take() adds to it, so that the plans made
    after it keep out of the way.
    """

    clinic: Clinic
    zone: ZoneInfo
    not_before: datetime
    hours: WeekHours
    people: Mapping[int, Practitioner]
    rooms: Mapping[int, str]
    taken: dict[tuple[str, int], list[Taken]]

    def take(
        self,
        client_id: int,
        starts_at: datetime,
        ends_at: datetime,
        *,
        practitioner_id: int | None,
        room_id: int | None,
    ) -> None:
        """Let nobody else be offered a time that is proposed to a client; aware instants in UTC."""
        span = Taken(None, starts_at, ends_at)
        for kind, pk in (("practitioner", practitioner_id), ("room", room_id), ("client", client_id)):
            if pk is not None:
                self.taken.setdefault((kind, pk), []).append(span)

    def side_for(
        self,
        client: Client,
        wished: StaffMember | None = None,
        *,
        freed: Collection[int] = (),
        times: tuple[int, int] | None = None,
    ) -> dict[str, Any]:
        """Return what a plan request takes from the clinic and the client.

        freed: ids of the bookings about to be replaced, whose times are free again. times: minutes of the day, from
        and to, that are preferred where the client wishes no others.
        """
        wish = wished or client.prefers_practitioner
        wished_times = (_minute(client.prefers_from_time), _minute(client.prefers_to_time))
        if wished_times == (None, None) and times is not None:
            wished_times = times
        return {
            "zone": self.zone,
            "not_before": self.not_before,
            "hours": self.hours,
            "slot_step_minutes": self.clinic.slot_step_minutes,
            "practitioners": tuple(
                replace(person, busy=self._busy("practitioner", pk, freed))
                for pk, person in self.people.items()
            ),
            "rooms": tuple(PlanRoom(code, self._busy("room", pk, freed)) for pk, code in self.rooms.items()),
            "client_busy": self._busy("client", client.pk, freed),
            "prefer": Preferences(
                weekdays=frozenset(client.prefers_weekdays),
                from_minute=wished_times[0],
                to_minute=wished_times[1],
                practitioner=str(wish.code) if wish is not None and wish.is_treating else None,
            ),
        }

    def _busy(self, kind: str, pk: int, freed: Collection[int]) -> tuple[tuple[datetime, datetime], ...]:
        return tuple(
            (span.starts_at, span.ends_at)
            for span in self.taken.get((kind, pk), ())
            if span.session_id not in freed
        )


def load_clinic_time(clinic: Clinic, not_before: datetime) -> ClinicTime:
    """Return what is open, worked and taken in a clinic from `not_before` on.

    Cost: six queries.
    """
    hours = OpeningHours.objects.for_clinic(clinic).values_list("weekday", "opens_time", "closes_time")
    rooms = Room.objects.for_clinic(clinic).filter(is_active=True)
    return ClinicTime(
        clinic=clinic,
        zone=convert.zone_of(clinic),
        not_before=not_before,
        hours=_week_hours(hours),
        people=_practitioners(clinic),
        rooms={pk: str(code) for pk, code in rooms.values_list("pk", "code")},
        taken=_taken(clinic, not_before),
    )


def clinic_side(
    clinic: Clinic,
    client: Client,
    wished: StaffMember | None,
    not_before: datetime,
    *,
    replaced: Sequence[TreatmentSession] = (),
) -> dict[str, Any]:
    """Return what one plan request takes from the clinic and the client.

    Cost: as load_clinic_time().
    """
    freed = {row.pk for row in replaced if row.pk}
    return load_clinic_time(clinic, not_before).side_for(client, wished, freed=freed)


def _minute(at: time | None) -> int | None:
    return None if at is None else at.hour * 60 + at.minute


def _week_hours(rows: Any) -> WeekHours:
    hours: dict[int, list[tuple[int, int]]] = {}
    for weekday, opens, closes in rows:
        hours.setdefault(weekday, []).append(
            (opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute)
        )
    return {weekday: tuple(spans) for weekday, spans in hours.items()}


def _practitioners(clinic: Clinic) -> dict[int, Practitioner]:
    people = StaffMember.objects.for_clinic(clinic).filter(is_active=True, is_treating=True)
    hours: dict[int, list[tuple[int, time, time]]] = {}
    for row in PractitionerHours.objects.for_clinic(clinic):
        hours.setdefault(row.practitioner_id, []).append((row.weekday, row.starts_time, row.ends_time))
    away: dict[int, list[tuple[date, date]]] = {}
    for absence in Absence.objects.for_clinic(clinic):
        away.setdefault(absence.practitioner_id, []).append((absence.from_on, absence.to_on))
    return {
        person.pk: Practitioner(
            str(person.code),
            hours=_week_hours(hours[person.pk]) if person.pk in hours else None,
            absences=tuple(away.get(person.pk, ())),
        )
        for person in people
    }


def _taken(clinic: Clinic, not_before: datetime) -> dict[tuple[str, int], list[Taken]]:
    """Return what is booked of each practitioner, room and client from `not_before` on."""
    rows = (
        TreatmentSession.objects.for_clinic(clinic)
        .filter(
            status__in=BOOKED_STATUSES,
            on__gte=convert.local_today(clinic, not_before),
            ends_at__gt=not_before,
        )
        .values_list("pk", "practitioner_id", "room_id", "client_id", "starts_at", "ends_at")
    )
    taken: dict[tuple[str, int], list[Taken]] = {}
    for pk, practitioner_id, room_id, client_id, starts_at, ends_at in rows:
        if starts_at is None or ends_at is None:
            continue  # a booking has a slot: the database sees to it
        span = Taken(pk, starts_at, ends_at)
        for kind, key in (("practitioner", practitioner_id), ("room", room_id), ("client", client_id)):
            if key is not None:
                taken.setdefault((kind, key), []).append(span)
    return taken
