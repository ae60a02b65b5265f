"""The plan operation by exhaustive search, written from docs/domain.md alone.

Slow and plain on purpose: every set of dates is tried, every session is judged by walking the course from its
first day, and nothing is shared with `courses.core`. Small requests only: a handful of sessions, some twenty days.

`reference_plan(request)` takes the JSON request of the plan operation, already known to be valid, with `not_before`
on `as_of` or later, and returns the JSON response without `why` and `notes`. Each reading of a sentence that allows
more than one stands in a comment headed READING, with the sentence it rests on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
BOOKINGS = ("booked", "confirmed", "arrived")


@dataclass(frozen=True)
class Phase:
    """One phase of the prescription with its defaults filled in."""

    frequency: int
    period_min: int
    period_max: int
    rest: int
    flex: int
    amount: int | None
    duration: int | None

    @property
    def preferred_gap(self) -> int:
        """The preferred days from one session to the next."""
        return max(1, (self.period_min + self.period_max) // 2 // self.frequency)


@dataclass(frozen=True)
class State:
    """Where the course stands after some sessions: immutable, so that a search can branch."""

    phase: int = 0
    in_phase: tuple[date, ...] = ()
    since_restart: tuple[date, ...] = ()
    restart: date | None = None
    e: date | None = None
    closed_by: date | None = None  # the latest end or last day of an earlier phase
    last: date | None = None
    restarts_seen: int = 0


@dataclass(frozen=True)
class Verdict:
    """What a session on a date is: its phase and number, its window, how far outside it lies."""

    phase: int | None
    number: int | None
    due_from: date | None = None
    early: int = 0
    late: int = 0
    distance: int = 0


@dataclass
class Found:
    """The best plan so far and its cost as one comparable tuple."""

    key: tuple[Any, ...] | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _phase(given: dict[str, Any]) -> Phase:
    cadence = given["cadence"]
    frequency, period_min, period_max = cadence["frequency"], cadence["period_min"], cadence["period_max"]
    rest, flex = cadence.get("rest_days"), cadence.get("flex_days")
    if rest is None:
        rest = max(1, period_min // frequency - 1) if frequency > 1 else 1
    if flex is None:
        flex = min(1, period_min - 1) if frequency > 1 else 0
    amount = given.get("target")
    if amount is None:
        amount = given.get("sessions_max")
    return Phase(frequency, period_min, period_max, rest, flex, amount, given.get("duration_days"))


class Course:
    """The prescription, the calendar of lost days, and the walk through the sessions."""

    def __init__(self, request: dict[str, Any]) -> None:
        course, clinic = request["course"], request.get("clinic") or {}
        self.as_of = _day(request["as_of"])
        self.start_on = _day(course["start_on"])
        self.phases = [_phase(given) for given in course["phases"]]
        # "a weekday without hours is closed"
        self.closed_weekdays = set(clinic.get("closed_weekdays") or ()) | {
            weekday for weekday in range(1, 8) if not request["hours"].get(str(weekday))
        }
        self.closures = {_day(text) for text in clinic.get("closures") or ()}
        self.pauses = [
            (_day(pause["from"]), _day(pause["to"]) if pause.get("to") else None)
            for pause in course.get("pauses") or ()
        ]
        # "Restarts and ends dated after the as-of date are ignored."
        self.restarts = sorted(on for on in map(_day, course.get("restarts") or ()) if on <= self.as_of)
        self.ends: dict[int, date] = {}
        for end in course.get("phases_ended") or ():
            on = _day(end["on"])
            if on <= self.as_of:
                self.ends[end["phase"]] = min(on, self.ends.get(end["phase"], on))
        self._passed: dict[tuple[date, int], date] = {}

    # -- days

    def is_paused(self, day: date) -> bool:
        """An open-ended pause counts from its start up to the as-of date, no further."""
        return any(first <= day <= (self.as_of if last is None else last) for first, last in self.pauses)

    def is_closed(self, day: date) -> bool:
        return day.isoweekday() in self.closed_weekdays or day in self.closures

    def is_open_to_client(self, day: date) -> bool:
        return not self.is_paused(day) and not self.is_closed(day)

    def passed(self, base: date, days: int) -> date:
        """The day on which `days` days that are not paused have passed since `base`."""
        if (base, days) not in self._passed:
            day, left = base, days
            while left:
                day += DAY
                left -= not self.is_paused(day)
            self._passed[base, days] = day
        return self._passed[base, days]

    # -- windows

    def due_from(self, state: State) -> date:
        """The due_from column of the window table."""
        phase, d, n = self.phases[state.phase], state.since_restart, len(state.since_restart)
        if n >= phase.frequency:
            # d[n+1-f] counts from 1, so it is the f-th from the end.
            first = d[n - phase.frequency]
            return max(first + (phase.period_min - phase.flex) * DAY, d[-1] + phase.rest * DAY)
        if n >= 1:
            return d[-1] + phase.rest * DAY
        if state.restart is not None:
            return state.restart
        if state.e is not None:
            return state.e + max(1, phase.period_min // phase.frequency) * DAY
        return self.start_on

    def due_by(self, state: State) -> date:
        """The due_by column of the window table, with its three rules below it."""
        phase, d, n = self.phases[state.phase], state.since_restart, len(state.since_restart)
        if n:
            # READING: "`period_max + flex` days from ..., or `⌈period_max / f⌉` days from `d[n]`, the later": the
            # later of two days, each found by counting days that are not paused from its own base.
            base = d[n - phase.frequency] if n >= phase.frequency else d[0]
            share = -(-phase.period_max // phase.frequency)
            day = max(self.passed(base, phase.period_max + phase.flex), self.passed(d[-1], share))
        elif state.restart is not None:
            day = self.passed(state.restart, phase.period_max)
        elif state.e is not None:
            day = self.passed(state.e, phase.period_max)
        else:
            day = self.passed(self.start_on, phase.period_max)
        day = max(day, self.due_from(state))
        while not self.is_open_to_client(day):
            day += DAY
        return day

    def lateness(self, due_by: date, day: date) -> int:
        """The days open to the client after due_by, up to and including `day`."""
        count = 0
        while due_by < day:
            due_by += DAY
            count += self.is_open_to_client(due_by)
        return count

    # -- phases

    def last_day(self, state: State) -> date | None:
        """The last day of the current phase, None without a duration or while it has no start."""
        phase = self.phases[state.phase]
        # "A phase starts at `e` of the table, else at its first attended session."
        start = state.e if state.e is not None else (state.in_phase[0] if state.in_phase else None)
        return (
            self.passed(start, phase.duration) if phase.duration is not None and start is not None else None
        )

    def completed_by(self, state: State, day: date, *, is_session: bool) -> date | None:
        """The date the current phase ended on as seen on `day`, None while it is not complete."""
        phase, last_day, end = self.phases[state.phase], self.last_day(state), self.ends.get(state.phase)
        if phase.amount is not None and len(state.in_phase) >= phase.amount:
            return state.last
        if last_day is not None and self.due_from(state) > last_day:
            # READING: "from the moment it is known, when the next `due_from` would lie past that last day": the phase
            # is complete with the session (or the start) after which it is known, so also before a prescriber's
            # end of that same day; and it "ran out", so the next phase counts from its last day.
            return last_day
        # "a session on that very day still belongs to it, the state of that day is already the next phase's"
        # READING: a planned session on that very day is a session on that very day.
        if end is not None and (end < day or (end == day and not is_session)):
            # "an end of a phase that was already complete has no effect"
            return last_day if last_day is not None and last_day < end else end
        if last_day is not None and last_day < day:
            return last_day
        return None

    def settle(self, state: State, day: date, *, is_session: bool) -> State:
        """Move on to the first phase not complete on `day`."""
        while state.phase < len(self.phases):
            ended = self.completed_by(state, day, is_session=is_session)
            if ended is None:
                break
            closed_by = max(ended, state.closed_by or ended)
            state = State(
                phase=state.phase + 1,
                e=max(closed_by, state.last or closed_by),
                closed_by=closed_by,
                last=state.last,
                restarts_seen=state.restarts_seen,
            )
        return state

    def ready(self, state: State, day: date) -> State:
        """The state as a session on `day` meets it: restarts up to that day done, complete phases left."""
        while state.restarts_seen < len(self.restarts) and self.restarts[state.restarts_seen] <= day:
            on = self.restarts[state.restarts_seen]
            # READING: "a session on that very day is `d[1]`" and, of an end, "a session on that very day still belongs
            # to it": on a day with both, the phase that is ending restarts first.
            state = replace(self.settle(state, on, is_session=True), restarts_seen=state.restarts_seen + 1)
            if state.phase < len(self.phases):
                state = replace(state, restart=on, since_restart=())
        return self.settle(state, day, is_session=True)

    def session(self, state: State, day: date) -> tuple[State, Verdict]:
        """Count a session on `day`: the state after it, and what it is."""
        state = self.ready(state, day)
        if state.phase == len(self.phases):
            # "what is attended later is extra: it ... has no gap": no window, so nothing outside one, and no
            # preferred gap to be distant from.
            return replace(state, last=day), Verdict(None, None)
        phase, due_from = self.phases[state.phase], self.due_from(state)
        late = self.lateness(self.due_by(state), day)
        from_prescriber = not state.since_restart and (state.restart is not None or state.e is None)
        # "early ... (never where the window comes from a restart or from `start_on`)"
        early = 0 if from_prescriber else max(0, (due_from - day).days)
        distance = 0 if state.last is None else abs((day - state.last).days - phase.preferred_gap)
        verdict = Verdict(state.phase, len(state.in_phase) + 1, due_from, early, late, distance)
        state = replace(
            state,
            in_phase=(*state.in_phase, day),
            since_restart=(*state.since_restart, day),
            last=day,
        )
        return state, verdict


class Slots:
    """The slots of each day."""

    def __init__(self, request: dict[str, Any], course: Course) -> None:
        self.request = request
        self.course = course
        self.zone = ZoneInfo(request.get("timezone") or "UTC")
        self.not_before = self.instant(request["not_before"])
        self.first_day = self.not_before.astimezone(self.zone).date()
        self.minutes = timedelta(minutes=request["minutes"])
        self.step = timedelta(minutes=request.get("slot_step_minutes") or 15)
        # READING: "practitioners, rooms (absent or empty: only hours and closures bind)": one nameless resource that
        # is always there.
        self.practitioners = request.get("practitioners") or [{"id": None}]
        self.rooms = request.get("rooms") or [{"id": None}]
        self.contraindications = [
            (_day(given["from"]), _day(given["to"]) if given.get("to") else date.max)
            for given in request["course"].get("contraindications") or ()
        ]

    def instant(self, text: str) -> datetime:
        """A time as an instant; without an offset it is the clinic's wall time."""
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=self.zone)).astimezone(UTC)

    def on_clock(self, day: date, clock: str) -> datetime:
        """A time of day on a date; 24:00 is the midnight that ends it."""
        return self.instant(f"{day + DAY}T00:00" if clock == "24:00" else f"{day}T{clock}")

    def intervals(self, hours: dict[str, Any], day: date) -> list[tuple[datetime, datetime]]:
        """Opening intervals of a day, in order."""
        return sorted(
            (self.on_clock(day, first), self.on_clock(day, last))
            for first, last in hours.get(str(day.isoweekday())) or ()
        )

    @staticmethod
    def lies_within(start: datetime, end: datetime, intervals: list[tuple[datetime, datetime]]) -> bool:
        """Whether the whole length lies in the intervals.

        READING: "its whole length lies within clinic and practitioner hours": hours that touch are one stretch.
        """
        reached = start
        for first, last in intervals:
            if first <= reached < last:
                reached = last
        return end <= reached

    def is_free(self, busy: list[list[str]] | None, start: datetime, end: datetime) -> bool:
        """Whether no busy time, half-open, meets the slot."""
        return not any(self.instant(first) < end and start < self.instant(last) for first, last in busy or ())

    def allows_day(self, day: date) -> bool:
        """No closure, no pause (an open-ended one has no end here), no active contraindication."""
        is_paused = any(first <= day and (last is None or day <= last) for first, last in self.course.pauses)
        is_contraindicated = any(first <= day <= last for first, last in self.contraindications)
        return not self.course.is_closed(day) and not is_paused and not is_contraindicated

    def missed(self, start: datetime, practitioner: str | None) -> int:
        """Preferences a slot misses: one each for weekday, time and practitioner."""
        prefer = self.request.get("prefer") or {}
        local = start.astimezone(self.zone)
        count = 0
        if prefer.get("weekdays"):
            count += local.isoweekday() not in prefer["weekdays"]
        earliest, latest = prefer.get("from"), prefer.get("to")
        if earliest or latest:
            # READING: a time with one end only is open at the other.
            is_in = (
                time.fromisoformat(earliest or "00:00")
                <= local.time()
                <= time.fromisoformat(latest or "23:59")
            )
            count += not is_in
        if prefer.get("practitioner"):
            count += practitioner != prefer["practitioner"]
        return count

    def best(self, day: date) -> tuple[int, datetime, datetime, str | None, str | None] | None:
        """The slot of a day that any plan using this day takes: missed, start, end, practitioner, room.

        One session a day makes the slots of a plan independent of each other, so fewest preferences missed, then
        the earliest start, practitioner and room in the order given, day by day, is the same for the whole plan.
        """
        options = []
        clinic_hours = self.intervals(self.request["hours"], day)
        for first, last in clinic_hours if self.allows_day(day) else ():
            # READING: "on a multiple of the slot step from the start of an opening interval": the interval it starts in.
            start = first
            while start < last:
                end = start + self.minutes
                if (
                    start >= self.not_before
                    and self.lies_within(start, end, clinic_hours)
                    and self.is_free(self.request.get("client_busy"), start, end)
                ):
                    for number, who in enumerate(self.practitioners):
                        if self.can_treat(who, day, start, end):
                            for where, room in enumerate(self.rooms):
                                if self.is_free(room.get("busy"), start, end):
                                    missed = self.missed(start, who["id"])
                                    options.append((missed, start, number, where, end))
                start += self.step
        if not options:
            return None
        missed, start, number, where, end = min(options)
        return missed, start, end, self.practitioners[number]["id"], self.rooms[where]["id"]

    def can_treat(self, who: dict[str, Any], day: date, start: datetime, end: datetime) -> bool:
        """Whether a practitioner works, is there and is free."""
        hours = who.get("hours")
        # "`hours` of a practitioner narrow the clinic's": without any, the clinic's hold.
        works = hours is None or self.lies_within(start, end, self.intervals(hours, day))
        is_absent = any(_day(first) <= day <= _day(last) for first, last in who.get("absences") or ())
        return works and not is_absent and self.is_free(who.get("busy"), start, end)


def kept_sessions(request: dict[str, Any], as_of: date, first_day: date) -> list[dict[str, Any]]:
    """The bookings that stay, by date.

    READING: "bookings from not_before on are planned anew unless "pinned": true; pinned ones, those from as_of up to
    not_before, and arrived ones are kept and counted, by date": both borders are compared by date, so an unpinned
    booking on the day of not_before is planned anew, whatever its time. "unrecorded ones before as_of are ignored"
    holds for every booking, pinned and arrived ones too. `planned` is not a booking, so it is never kept. Two on one
    day come by their starts, one without a start first.
    """
    kept = []
    for given in request["course"].get("sessions") or ():
        on = _day(given["on"])
        stays = given.get("pinned") or given["status"] == "arrived" or on < first_day
        if given["status"] in BOOKINGS and on >= as_of and stays:
            kept.append(given)
    return sorted(kept, key=lambda given: (given["on"], given.get("start") or ""))


def reference_plan(request: dict[str, Any]) -> dict[str, Any]:
    """Plan by trying every set of dates.

    Returns the response without `why` and `notes`. Kept sessions are in it, by date, with `pinned` true.
    Cost: exponential in the days of the horizon that have a slot.
    """
    course = Course(request)
    slots = Slots(request, course)
    first_day = slots.first_day
    if first_day < course.as_of:
        raise ValueError("not_before lies before as_of")
    count = request["count"]
    horizon = request.get("horizon_days")
    last_slot_day = first_day + (365 if horizon is None else horizon) * DAY
    attended = sorted(
        _day(given["on"])
        for given in request["course"].get("sessions") or ()
        # "Outcomes dated after the as-of date are ignored"
        if given["status"] == "attended" and _day(given["on"]) <= course.as_of
    )
    kept = kept_sessions(request, course.as_of, first_day)
    kept_days = {_day(given["on"]) for given in kept}
    candidates = {}
    day = first_day
    while day <= last_slot_day:
        # "one session of a course per day"
        slot = None if day in kept_days or day in attended else slots.best(day)
        if slot is not None:
            candidates[day] = slot
        day += DAY

    state = State()
    for on in attended:
        state, _ = course.session(state, on)
    found = Found()
    days = sorted({*candidates, *kept_days})

    def finish(rows: list[dict[str, Any]]) -> None:
        planned = [row for row in rows if not row["pinned"]]
        key = (
            count - len(planned),
            sum(row["days_outside"] for row in rows),
            sum(row["preferences_missed"] for row in rows),
            sum(row["distance"] for row in rows),
            planned[-1]["on"] if planned else None,
            [row["on"] for row in planned],
        )
        if found.key is None or key < found.key:
            found.key, found.rows = key, rows

    def search(position: int, state: State, rows: list[dict[str, Any]]) -> None:
        placed = sum(not row["pinned"] for row in rows)
        left = min(count - placed, sum(day in candidates for day in days[position:]))
        least = (
            count - placed - left,
            sum(row["days_outside"] for row in rows),
            sum(row["preferences_missed"] for row in rows),
            sum(row["distance"] for row in rows),
        )
        if found.key is not None and least > found.key[:4]:
            return  # a session on every day left, and none of them adding to any cost, were still a worse plan
        if position == len(days):
            finish(rows)
            return
        day = days[position]
        if day in kept_days:
            for given in (one for one in kept if _day(one["on"]) == day):
                state, verdict = course.session(state, day)
                # "nor so that a pinned session directly after it is early"
                if rows and not rows[-1]["pinned"] and verdict.early:
                    return
                rows = [*rows, pinned_row(given, verdict)]
            search(position + 1, state, rows)
            return
        if placed < count:
            after, verdict = course.session(state, day)
            # "never before its due_from", also where a session would not be called early.
            if verdict.due_from is not None and day >= verdict.due_from:
                search(position + 1, after, [*rows, planned_row(day, verdict, candidates[day], slots.zone)])
        search(position + 1, state, rows)

    search(0, state, [])
    assert found.key is not None, "the plan without any session is always possible"
    unplaced, outside, missed, distance, last_on, _ = found.key
    return {
        "sessions": [
            {name: value for name, value in row.items() if name not in ("on", "distance")}
            for row in found.rows
        ],
        "cost": {
            # READING: "sessions that found no slot ..., or that the prescription no longer asks for": of the `count`
            # sessions to place; a pinned one past the end of the course is not among them.
            "unplaced": unplaced,
            "days_outside": outside,
            "preferences_missed": missed,
            "gap_distance": distance,
            "last_on": None if last_on is None else last_on.isoformat(),
        },
    }


def pinned_row(given: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    """A kept session: its slot "returned as given", no preference counted ("per planned session")."""
    return {
        "on": _day(given["on"]),
        "phase": verdict.phase,
        "session": verdict.number,
        "start": given.get("start"),
        "end": given.get("end"),
        "practitioner": given.get("practitioner"),
        "room": given.get("room"),
        "pinned": True,
        "days_outside": verdict.early + verdict.late,
        "preferences_missed": 0,
        "distance": verdict.distance,
    }


def planned_row(
    day: date,
    verdict: Verdict,
    slot: tuple[int, datetime, datetime, str | None, str | None],
    zone: ZoneInfo,
) -> dict[str, Any]:
    """A planned session with the best slot of its day."""
    missed, start, end, practitioner, room = slot
    return {
        "on": day,
        "phase": verdict.phase,
        "session": verdict.number,
        "start": start.astimezone(zone).isoformat(),
        "end": end.astimezone(zone).isoformat(),
        "practitioner": practitioner,
        "room": room,
        "pinned": False,
        "days_outside": verdict.late,
        "preferences_missed": missed,
        "distance": verdict.distance,
    }
