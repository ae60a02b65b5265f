"""The best slot of each day: hours, absences, busy times and wishes; nothing here depends on another day.

A session of a course never shares a day with another one, and practitioners, rooms and the client are free
or not whatever happens on other days. So the whole choice of time, practitioner and room comes down to one best
slot for each day, and the search is left with dates alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from operator import itemgetter
from typing import Final, Literal, NamedTuple

from clinics.core import ClinicCalendar, to_utc
from courses.core.cadence import NEVER
from courses.core.plan.busy import (
    DAY_SECONDS,
    FREE,
    Times,
    busy_times,
    joined,
    seconds_of,
    whole_seconds,
)
from courses.core.plan.effort import Effort
from courses.core.plan.requests import DAY_MINUTES, MinuteSpan, PlanRequest

_TAKEN: Final = -1  # in place of a room

# Why a day holds no session, from the most to the least lasting reason.
Block = Literal["closed", "paused", "contraindicated", "too_soon", "absent", "full"]


class Slot(NamedTuple):
    """A free slot: POSIX seconds, indexes into practitioners and rooms (None when there are none to choose)."""

    start: int
    end: int
    practitioner: int | None
    room: int | None
    missed: int


class Option(NamedTuple):
    """A start that hours allow: seconds since the day's first instant, ordered from the best to the worst."""

    missed: int
    start: int
    practitioner: int


class DaySlots:
    """Finds the best slot of a day, remembering what it found; days are ordinals of the clinic's dates."""

    def __init__(self, request: PlanRequest, calendar: ClinicCalendar, effort: Effort | None = None) -> None:
        self._effort = effort or Effort()
        self._request = request
        self._calendar = calendar
        self.first_day = request.first_on.toordinal()
        self.last_day = self.first_day + request.horizon_days
        self._not_before = whole_seconds(request.not_before)
        self._length = request.minutes * 60
        self._people = len(request.practitioners) or 1
        self._midnights: dict[int, int] = {}
        self._weekly: dict[int, tuple[Option, ...]] = {}
        self._working: dict[int, frozenset[int]] = {}
        self._found: dict[int, Slot | None] = {}
        self._next: dict[int, int] = {}
        # Without ends of their own: kept sessions may lie before the first day of the plan and after its last.
        self._paused = _joined_days((pause.from_on, pause.to_on) for pause in request.pauses)
        self._barred = _joined_days((found.from_on, found.to_on) for found in request.contraindications)
        self._absent = [frozenset(self._days(p.absences)) for p in request.practitioners]
        self._busy = [busy_times(person.busy, request.zone) for person in request.practitioners]
        self._rooms = [busy_times(room.busy, request.zone) for room in request.rooms]
        self._client = busy_times(request.client_busy, request.zone)

    def best(self, day: int) -> Slot | None:
        """Return the slot with the fewest preferences missed, then the earliest, first practitioner, first room."""
        try:
            return self._found[day]
        except KeyError:
            slot = self._found[day] = None if self._barrier(day) else self._search(day)
            return slot

    def next_day(self, day: int) -> int:
        """Return the first day with a slot on or after a day, NEVER when there is none."""
        day = start = max(day, self.first_day)
        while day <= self.last_day:
            known = self._next.get(day)
            if known is not None:
                day = known
                break
            if self.best(day) is not None:
                break
            day += 1
        else:
            day = NEVER
        self._next[start] = day
        return day

    def block(self, day: int) -> Block | None:
        """Return why a day has no slot, None when it has one."""
        barrier = self._barrier(day)
        if barrier or self.best(day):
            return barrier
        if self._absent and all(day in self._absent[person] for person in self._workers(day)):
            return "absent"
        return "too_soon" if day == self.first_day and not self._later_options(day) else "full"

    def lost(self, day: int) -> Block | None:
        """Return why a kept session should not lie on a day, None when it may."""
        barrier = self._barrier(day)
        return None if barrier == "too_soon" else barrier

    def missed_by(self, day: int, slot: Slot) -> tuple[bool, bool, bool]:
        """Return whether a slot misses the preferred weekday, time and practitioner."""
        return (
            self._misses_weekday(day),
            self._misses_time(day, slot.start - self._midnight(day)),
            self._misses_practitioner(slot.practitioner or 0),
        )

    def _barrier(self, day: int) -> Block | None:
        if not self._calendar.opens_on(day):
            return "closed"
        if self._paused.meet(day, day + 1):
            return "paused"
        if self._barred.meet(day, day + 1):
            return "contraindicated"
        return None if self.first_day <= day <= self.last_day else "too_soon"

    def _search(self, day: int) -> Slot | None:
        midnight, length = self._midnight(day), self._length
        absent = [day in days for days in self._absent] or [False]
        busy = [times.near(day) for times in self._busy] or [FREE]
        rooms = [times.near(day) for times in self._rooms]
        client = self._client.near(day)
        # The room of a start is the same for everybody.
        rooms_at: dict[int, int | None] = {}
        found, looked_at = None, 0
        for missed, offset, person in self._options(day):
            looked_at += 1
            start = midnight + offset
            end = start + length
            if absent[person] or start < self._not_before or busy[person].meet(start, end):
                continue
            if start not in rooms_at:
                taken = client.meet(start, end)
                rooms_at[start] = _TAKEN if taken else _free_room(rooms, start, end)
            room = rooms_at[start]
            if room != _TAKEN:
                found = Slot(start, end, person if self._busy else None, room, missed)
                break
        # In steps, see `effort`: some of them for what was prepared for the day.
        self._effort.spend(looked_at + len(rooms_at) * len(rooms) // 2 + len(busy) + len(rooms))
        return found

    def _later_options(self, day: int) -> bool:
        midnight = self._midnight(day)
        return any(midnight + option.start >= self._not_before for option in self._options(day))

    def _workers(self, day: int) -> frozenset[int]:
        """Return who works on a day, by their hours alone."""
        weekday = day % 7 or 7
        working = self._working.get(weekday)
        # Where the clocks turn a slot may fall into the hour that is left out.
        if working is None or self._turns(day):
            working = frozenset(option.practitioner for option in self._options(day))
            if not self._turns(day):
                self._working[weekday] = working
        return working

    def _turns(self, day: int) -> bool:
        """Return whether the clocks turn on a day."""
        return self._midnight(day + 1) - self._midnight(day) != DAY_SECONDS

    def _options(self, day: int) -> tuple[Option, ...]:
        if self._turns(day):
            # Each wall time has to be placed by itself.
            return self._make_options(day)
        weekday = day % 7 or 7
        options = self._weekly.get(weekday)
        if options is None:
            options = self._weekly[weekday] = self._make_options(day)
        return options

    def _make_options(self, day: int) -> tuple[Option, ...]:
        request, weekday, length = self._request, day % 7 or 7, self._length
        opening = self._instants(day, request.hours.get(weekday, ()))
        clinic = joined(opening)
        step = request.slot_step_minutes * 60
        # A slot may begin in one opening interval and end in another that touches it.
        every = {start for opens, closes in opening for start in range(opens, closes, step)}
        fits = [start for start in every if clinic.hold(start, start + length)]
        starts = [(self._misses_time(day, start), start) for start in fits]
        other_day = self._misses_weekday(day)
        options: list[Option] = []
        for person in range(self._people):
            missed = other_day + self._misses_practitioner(person)
            hours = request.practitioners[person].hours if request.practitioners else None
            fitting = starts
            if hours is not None:
                working = joined(self._instants(day, hours.get(weekday, ())))
                fitting = [timed for timed in starts if working.hold(timed[1], timed[1] + length)]
            options += [Option(missed + other_time, start, person) for other_time, start in fitting]
        options.sort()
        self._effort.spend(len(options))
        return tuple(options)

    def _misses_weekday(self, day: int) -> bool:
        weekdays = self._request.prefer.weekdays
        return bool(weekdays) and (day % 7 or 7) not in weekdays

    def _misses_time(self, day: int, start: int) -> bool:
        prefer = self._request.prefer
        if prefer.from_minute is None and prefer.to_minute is None:
            return False
        if self._turns(day):
            wall = datetime.fromtimestamp(self._midnight(day) + start, self._request.zone)
            start = wall.hour * 3600 + wall.minute * 60 + wall.second
        to_minute = DAY_MINUTES if prefer.to_minute is None else prefer.to_minute
        return not (prefer.from_minute or 0) * 60 <= start <= to_minute * 60

    def _misses_practitioner(self, person: int) -> bool:
        wanted, people = self._request.prefer.practitioner, self._request.practitioners
        return wanted is not None and not (people and people[person].id == wanted)

    def _instants(self, day: int, spans: Iterable[MinuteSpan]) -> list[tuple[int, int]]:
        return [
            (self._since_midnight(day, opens), self._since_midnight(day, closes)) for opens, closes in spans
        ]

    def _since_midnight(self, day: int, minute: int) -> int:
        if minute == DAY_MINUTES:
            return self._midnight(day + 1) - self._midnight(day)
        wall = time(*divmod(minute, 60))
        return seconds_of(to_utc(date.fromordinal(day), wall, self._request.zone)) - self._midnight(day)

    def _midnight(self, day: int) -> int:
        midnight = self._midnights.get(day)
        if midnight is None:
            midnight = seconds_of(to_utc(date.fromordinal(day), time(), self._request.zone))
            self._midnights[day] = midnight
        return midnight

    def _days(self, spans: Iterable[tuple[date, date]]) -> Iterator[int]:
        """Yield each day of inclusive date ranges that lies within reach of the plan once, in order."""
        day = self.first_day
        for from_on, to_on in sorted(spans, key=itemgetter(0)):
            until = min(to_on.toordinal(), self.last_day)
            day = max(day, from_on.toordinal())
            if day <= until:
                yield from range(day, until + 1)
                day = until + 1


def _joined_days(spans: Iterable[tuple[date, date | None]]) -> Times:
    """Return inclusive date ranges, endless ones among them, as spans of ordinals."""
    return joined(
        (first.toordinal(), NEVER if last is None else last.toordinal() + 1) for first, last in spans
    )


def _free_room(rooms: Sequence[Times], start: int, end: int) -> int | None:
    """Return the first room that is free, None when there is none to choose, _TAKEN when none is free."""
    if not rooms:
        return None
    return next((room for room, times in enumerate(rooms) if not times.meet(start, end)), _TAKEN)
