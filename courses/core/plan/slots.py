"""The best slot of each day: hours, absences, busy times and wishes; nothing here depends on another day.

A session of a course never shares a day with another one, and practitioners, rooms and the client are free
or not whatever happens on other days. So the whole choice of time, practitioner and room comes down to one best
slot for each day, and the search is left with dates alone.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

from clinics.core import ClinicCalendar, to_utc
from courses.core.plan.requests import DAY_MINUTES, BusySpan, MinuteSpan, PlanRequest, WeekHours

DAY_SECONDS = 24 * 60 * 60

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


Busy = dict[int, list[tuple[int, int]]]


class DaySlots:
    """Finds the best slot of a day, remembering what it found; days are ordinals of the clinic's dates."""

    def __init__(self, request: PlanRequest, calendar: ClinicCalendar) -> None:
        self._request = request
        self._calendar = calendar
        self.first_day = request.first_on.toordinal()
        self.last_day = self.first_day + request.horizon_days
        self._not_before = _seconds(request.not_before)
        self._length = request.minutes * 60
        self._people = len(request.practitioners) or 1
        self._midnights: dict[int, int] = {}
        self._weekly: dict[int, tuple[Option, ...]] = {}
        self._found: dict[int, Slot | None] = {}
        self._paused = frozenset(self._days((p.from_on, p.to_on) for p in request.pauses))
        self._barred = frozenset(self._days((c.from_on, c.to_on) for c in request.contraindications))
        self._absent = [frozenset(self._days(p.absences)) for p in request.practitioners]
        self._busy = [self._by_day(p.busy) for p in request.practitioners]
        self._rooms = [self._by_day(room.busy) for room in request.rooms]
        self._client = self._by_day(request.client_busy)

    def best(self, day: int) -> Slot | None:
        """Return the slot with the fewest preferences missed, then the earliest, first practitioner, first room."""
        try:
            return self._found[day]
        except KeyError:
            slot = self._found[day] = None if self._barrier(day) else self._search(day)
            return slot

    def block(self, day: int) -> Block | None:
        """Return why a day has no slot, None when it has one."""
        barrier = self._barrier(day)
        if barrier or self.best(day):
            return barrier
        if self._absent and all(day in absent or not self._works(p, day) for p, absent in enumerate(self._absent)):
            return "absent"
        return "too_soon" if day == self.first_day and not self._later_options(day) else "full"

    def _barrier(self, day: int) -> Block | None:
        if not self._calendar.opens_on(day):
            return "closed"
        if day in self._paused:
            return "paused"
        if day in self._barred:
            return "contraindicated"
        return None if self.first_day <= day <= self.last_day else "too_soon"

    def _search(self, day: int) -> Slot | None:
        midnight, length = self._midnight(day), self._length
        client = self._client.get(day, ())
        absent = [day in days for days in self._absent] or [False]
        busy = [spans.get(day, ()) for spans in self._busy] or [()]
        rooms = [spans.get(day, ()) for spans in self._rooms]
        for missed, offset, person in self._options(day):
            start = midnight + offset
            end = start + length
            if absent[person] or start < self._not_before or _meets(client, start, end):
                continue
            if _meets(busy[person], start, end):
                continue
            practitioner = person if self._busy else None
            if not rooms:
                return Slot(start, end, practitioner, None, missed)
            for room, spans in enumerate(rooms):
                if not _meets(spans, start, end):
                    return Slot(start, end, practitioner, room, missed)
        return None

    def _later_options(self, day: int) -> bool:
        midnight = self._midnight(day)
        return any(midnight + option.start >= self._not_before for option in self._options(day))

    def _works(self, person: int, day: int) -> bool:
        return any(option.practitioner == person for option in self._options(day))

    def _options(self, day: int) -> tuple[Option, ...]:
        if self._midnight(day + 1) - self._midnight(day) != DAY_SECONDS:
            # The clocks turn on this day: each wall time has to be placed by itself.
            return self._make_options(day)
        weekday = day % 7 or 7
        options = self._weekly.get(weekday)
        if options is None:
            options = self._weekly[weekday] = self._make_options(day)
        return options

    def _make_options(self, day: int) -> tuple[Option, ...]:
        request, weekday, length = self._request, day % 7 or 7, self._length
        opening = self._instants(day, request.hours.get(weekday, ()))
        clinic = _joined(opening)
        step = request.slot_step_minutes * 60
        starts = {start for opens, closes in opening for start in range(opens, closes - length + 1, step)}
        # Steps may run past an interval into one that touches it, as the length only has to lie within hours.
        starts |= {start for opens, closes in opening for start in range(opens, closes, step)}
        options = []
        for person in range(self._people):
            hours = request.practitioners[person].hours if request.practitioners else None
            working = clinic if hours is None else _joined(self._instants(day, hours.get(weekday, ())))
            options += [
                Option(self._missed(day, start, person), start, person)
                for start in starts
                if _within(clinic, start, start + length) and _within(working, start, start + length)
            ]
        return tuple(sorted(options))

    def _missed(self, day: int, start: int, person: int) -> int:
        prefer = self._request.prefer
        missed = 0
        if prefer.weekdays and (day % 7 or 7) not in prefer.weekdays:
            missed += 1
        if prefer.from_minute is not None or prefer.to_minute is not None:
            wall = datetime.fromtimestamp(self._midnight(day) + start, self._request.zone)
            minute = wall.hour * 60 + wall.minute + wall.second / 60
            from_minute = 0 if prefer.from_minute is None else prefer.from_minute
            to_minute = DAY_MINUTES if prefer.to_minute is None else prefer.to_minute
            missed += not from_minute <= minute <= to_minute
        if prefer.practitioner is not None:
            people = self._request.practitioners
            missed += not (people and people[person].id == prefer.practitioner)
        return missed

    def _instants(self, day: int, spans: Iterable[MinuteSpan]) -> list[tuple[int, int]]:
        midnight = self._midnight(day)
        return [(self._instant(day, opens) - midnight, self._instant(day, closes) - midnight) for opens, closes in spans]

    def _instant(self, day: int, minute: int) -> int:
        if minute == DAY_MINUTES:
            return self._midnight(day + 1)
        return _seconds(to_utc(date.fromordinal(day), time(*divmod(minute, 60)), self._request.zone))

    def _midnight(self, day: int) -> int:
        midnight = self._midnights.get(day)
        if midnight is None:
            midnight = self._midnights[day] = _seconds(to_utc(date.fromordinal(day), time(), self._request.zone))
        return midnight

    def _days(self, spans: Iterable[tuple[date, date | None]]) -> Iterator[int]:
        """Yield the days of inclusive date ranges that lie within reach of the plan."""
        for from_on, to_on in spans:
            until = self.last_day if to_on is None else min(to_on.toordinal(), self.last_day)
            yield from range(max(from_on.toordinal(), self.first_day), until + 1)

    def _by_day(self, spans: Iterable[BusySpan]) -> Busy:
        """Return half-open busy spans in POSIX seconds by each local day that they touch."""
        busy: Busy = {}
        zone = self._request.zone
        for from_at, to_at in spans:
            first = max(from_at.astimezone(zone).toordinal(), self.first_day)
            last = min(to_at.astimezone(zone).toordinal(), self.last_day)
            for day in range(first, last + 1):
                busy.setdefault(day, []).append((_seconds(from_at), _seconds(to_at)))
        return busy


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _meets(spans: Iterable[tuple[int, int]], start: int, end: int) -> bool:
    return any(from_at < end and start < to_at for from_at, to_at in spans)


def _within(spans: Iterable[tuple[int, int]], start: int, end: int) -> bool:
    return any(opens <= start and end <= closes for opens, closes in spans)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans with those that touch or overlap made one."""
    joined: list[tuple[int, int]] = []
    for opens, closes in sorted(spans):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((opens, closes))
    return joined
