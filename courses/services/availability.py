"""What a clinic and a client leave free for sessions, as a planner wants to be told."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from clients.models import Client
from clinics.models import Absence, Clinic, OpeningHours, PractitionerHours, Room, StaffMember
from courses import convert
from courses.core.plan import BusyTimes, Practitioner, Preferences
from courses.core.plan import Room as PlanRoom
from courses.models import BOOKED_STATUSES, TreatmentSession

WeekHours = dict[int, tuple[tuple[int, int], ...]]


# A practitioner, a room or a client, by row id.
Party = tuple[Literal["practitioner", "room", "client"], int]
BusySpan = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class ClinicTime:
    """Hours, people, rooms and bookings of a clinic from a moment on, loaded once for any number of plans.

    `booked` are bookings by id: whom and what each takes, and when. take() adds to what is taken, so that the plans
    made after it keep out of the way.
    """

    clinic: Clinic
    zone: ZoneInfo
    not_before: datetime
    hours: WeekHours
    people: Mapping[int, Practitioner]
    rooms: Mapping[int, str]
    booked: Mapping[int, tuple[tuple[Party, ...], BusySpan]]
    _taken: dict[Party, dict[int, BusySpan]]
    _proposed: dict[Party, list[BusySpan]] = field(default_factory=dict)
    _ready: dict[Party, BusyTimes] = field(default_factory=dict)

    def take(
        self,
        client_id: int,
        starts_at: datetime,
        ends_at: datetime,
        *,
        practitioner_id: int | None,
        room_id: int | None,
    ) -> None:
        """Let nobody else be offered a time that is proposed to a client; aware instants."""
        for party in _parties(practitioner_id, room_id, client_id):
            self._proposed.setdefault(party, []).append((starts_at, ends_at))
            if party in self._ready:
                self._ready[party].add(starts_at, ends_at)

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
        free_again: dict[Party, set[int]] = {}
        for pk in freed:
            for party in self.booked[pk][0] if pk in self.booked else ():
                free_again.setdefault(party, set()).add(pk)
        wished_times = (_minute(client.prefers_from_time), _minute(client.prefers_to_time))
        if wished_times == (None, None) and times is not None:
            wished_times = times
        return {
            "zone": self.zone,
            "not_before": self.not_before,
            "hours": self.hours,
            "slot_step_minutes": self.clinic.slot_step_minutes,
            "practitioners": tuple(
                replace(person, busy=self._busy(("practitioner", pk), free_again))
                for pk, person in self.people.items()
            ),
            "rooms": tuple(
                PlanRoom(code, self._busy(("room", pk), free_again)) for pk, code in self.rooms.items()
            ),
            "client_busy": tuple(self._spans(("client", client.pk), free_again)),
            "prefer": Preferences(
                weekdays=frozenset(client.prefers_weekdays),
                from_minute=wished_times[0],
                to_minute=wished_times[1],
                practitioner=str(wish.code) if wish is not None and wish.is_treating else None,
            ),
        }

    def _busy(self, party: Party, free_again: Mapping[Party, Collection[int]]) -> BusyTimes:
        """Return when somebody is taken: worked out once for all plans, but for what this one frees of theirs."""
        if party not in self._ready:
            self._ready[party] = BusyTimes(self._spans(party, {}), self.zone)
        ready = self._ready[party]
        return ready.without(self.booked[pk][1] for pk in free_again[party]) if party in free_again else ready

    def _spans(self, party: Party, free_again: Mapping[Party, Collection[int]]) -> Iterator[BusySpan]:
        freed = free_again.get(party, ())
        for pk, span in self._taken.get(party, {}).items():
            if pk not in freed:
                yield span
        yield from self._proposed.get(party, ())


def _parties(practitioner_id: int | None, room_id: int | None, client_id: int) -> Iterator[Party]:
    if practitioner_id is not None:
        yield ("practitioner", practitioner_id)
    if room_id is not None:
        yield ("room", room_id)
    yield ("client", client_id)


def load_clinic_time(clinic: Clinic, not_before: datetime) -> ClinicTime:
    """Return what is open, worked and taken in a clinic from `not_before` on.

    Cost: six queries.
    """
    hours = OpeningHours.objects.for_clinic(clinic).values_list("weekday", "opens_time", "closes_time")
    rooms = Room.objects.for_clinic(clinic).filter(is_active=True)
    booked = _booked(clinic, not_before)
    taken: dict[Party, dict[int, BusySpan]] = {}
    for pk, (parties, span) in booked.items():
        for party in parties:
            taken.setdefault(party, {})[pk] = span
    return ClinicTime(
        clinic=clinic,
        zone=convert.zone_of(clinic),
        not_before=not_before,
        hours=_week_hours(hours),
        people=_practitioners(clinic),
        rooms={pk: str(code) for pk, code in rooms.values_list("pk", "code")},
        booked=booked,
        _taken=taken,
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


def _booked(clinic: Clinic, not_before: datetime) -> dict[int, tuple[tuple[Party, ...], BusySpan]]:
    """Return, by id, whom and what each booking takes from `not_before` on, and when."""
    rows = (
        TreatmentSession.objects.for_clinic(clinic)
        .filter(
            status__in=BOOKED_STATUSES,
            on__gte=convert.local_today(clinic, not_before),
            ends_at__gt=not_before,
        )
        .values_list("pk", "practitioner_id", "room_id", "client_id", "starts_at", "ends_at")
    )
    return {
        pk: (tuple(_parties(practitioner_id, room_id, client_id)), (starts_at, ends_at))
        for pk, practitioner_id, room_id, client_id, starts_at, ends_at in rows
        # A booking has a slot: the database sees to it.
        if starts_at is not None and ends_at is not None
    }
