"""The baseline of the plan bench: the cost of docs/domain.md as an OR-Tools CP-SAT model, one worker.

`plan_with_cpsat(request)` returns the `cost` of the plan operation, found without the production planner, and
`realistic_requests()` the courses it is measured on. The baseline covers what those courses need: one phase counted
in sessions, one session per period, nothing attended or pinned yet. Anything else is refused.

What helps the solver is done for it, so that the comparison is a fair one:
- sessions lie on different days, so their slots do not compete; each day enters with the fewest preferences that a
  slot of that day misses;
- going on as early as possible places the most sessions, so that number is fixed beforehand; the lateness of that
  first fit bounds the optimum's, and with it the days and the steps between them that a plan can use;
- the levels of the cost become one weighted sum. Each weight is above all that the levels below it can add up to, so
  the least sum is the lexicographic optimum: one solve, in less than half the time of a solve for each level in turn.
- of models with a literal per step, with a table per step and with elements of arrays, the first is the fastest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from ortools.sat.python import cp_model

DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60


def _minute(text: str) -> int:
    """Minutes from midnight of an `HH:MM`."""
    return int(text[:2]) * 60 + int(text[3:5])


@dataclass
class Calendar:
    """The days of one request, numbered from the first that may matter: lost days, slots, windows."""

    request: dict[str, Any]
    origin: date = field(init=False)
    _missed: dict[int, int | None] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        request = self.request
        course, clinic = request["course"], request.get("clinic", {})
        self.start_on = date.fromisoformat(course["start_on"])
        self.first_slot_at = datetime.fromisoformat(request["not_before"])
        self.origin = min(self.start_on, self.first_slot_at.date())
        self.first = (self.first_slot_at.date() - self.origin).days
        self.last = self.first + int(request.get("horizon_days", 365))
        self.closures = {date.fromisoformat(text) for text in clinic.get("closures", ())}
        self.closed_weekdays = set(clinic.get("closed_weekdays", ()))
        self.pauses = [
            (date.fromisoformat(one["from"]), date.fromisoformat(one["to"]))
            for one in course.get("pauses", ())
        ]
        self.ill = [
            (date.fromisoformat(one["from"]), date.fromisoformat(one["to"]))
            for one in course.get("contraindications", ())
        ]
        self.hours = self._by_weekday(request["hours"])
        self.practitioners = [
            (
                one["id"],
                self._by_weekday(one["hours"]) if "hours" in one else self.hours,
                [
                    (date.fromisoformat(first), date.fromisoformat(last))
                    for first, last in one.get("absences", ())
                ],
                self._by_day(one.get("busy", ())),
            )
            for one in request.get("practitioners", ())
        ]
        self.rooms = [self._by_day(one.get("busy", ())) for one in request.get("rooms", ())]
        self.client = self._by_day(request.get("client_busy", ()))
        self.minutes, self.step = request["minutes"], request.get("slot_step_minutes", 15)
        prefer = request.get("prefer", {})
        self.weekdays = set(prefer.get("weekdays", ())) or set(range(1, 8))
        self.earliest, self.latest = _minute(prefer.get("from", "00:00")), _minute(prefer.get("to", "23:59"))
        self.practitioner = prefer.get("practitioner")
        self.is_paused: list[bool] = []
        self.open_up_to: list[int] = []
        self.unpaused: list[int] = []
        self._extend(self.last + 1)

    @staticmethod
    def _by_weekday(hours: dict[str, Any]) -> dict[int, list[tuple[int, int]]]:
        return {
            int(weekday): [(_minute(first), _minute(last)) for first, last in given]
            for weekday, given in hours.items()
            if given
        }

    @staticmethod
    def _by_day(busy: Any) -> dict[date, list[tuple[int, int]]]:
        """Busy times by day, in minutes of that day."""
        by_day: dict[date, list[tuple[int, int]]] = {}
        for first_text, last_text in busy:
            first, last = datetime.fromisoformat(first_text), datetime.fromisoformat(last_text)
            day = first.date()
            while day <= last.date():
                start = first.hour * 60 + first.minute if day == first.date() else 0
                end = last.hour * 60 + last.minute if day == last.date() else MINUTES_A_DAY
                by_day.setdefault(day, []).append((start, end))
                day += DAY
        return by_day

    def _extend(self, last: int) -> None:
        """Count open days and days that are not paused up to each day."""
        day = self.origin + len(self.is_paused) * DAY
        while len(self.is_paused) <= last:
            is_paused = any(first <= day <= final for first, final in self.pauses)
            weekday = day.isoweekday()
            is_closed = weekday in self.closed_weekdays or weekday not in self.hours or day in self.closures
            self.is_paused.append(is_paused)
            self.open_up_to.append(
                (self.open_up_to[-1] if self.open_up_to else 0) + (not is_paused and not is_closed)
            )
            if not is_paused:
                self.unpaused.append(len(self.is_paused) - 1)
            day += DAY

    def is_open(self, day: int) -> bool:
        """Whether a day is neither paused nor closed."""
        while len(self.open_up_to) <= day:
            self._extend(2 * day)
        return self.open_up_to[day] > (self.open_up_to[day - 1] if day else 0)

    def due_by(self, base: int, days: int, due_from: int) -> int:
        """The last day in time for a session counted from `base`."""
        day = base
        while days:
            day += 1
            self.is_open(day)
            days -= not self.is_paused[day]
        day = max(day, due_from)
        while not self.is_open(day):
            day += 1
        return day

    def lateness(self, due_by: int, day: int) -> int:
        """Open days after `due_by`, up to and including `day`."""
        return max(0, self.open_up_to[day] - self.open_up_to[due_by])

    def missed(self, day: int) -> int | None:
        """The fewest preferences a slot of this day misses, None for a day without a slot."""
        if day not in self._missed:
            self._missed[day] = self._find_missed(day)
        return self._missed[day]

    def _find_missed(self, number: int) -> int | None:
        day = self.origin + number * DAY
        if not self.is_open(number) or any(first <= day <= last for first, last in self.ill):
            return None
        weekday = day.isoweekday()
        staff = [
            (
                name != self.practitioner if self.practitioner else False,
                hours.get(weekday, ()),
                busy.get(day, ()),
            )
            for name, hours, absences, busy in self.practitioners
            if not any(first <= day <= last for first, last in absences)
        ]
        if not self.practitioners:
            staff = [(bool(self.practitioner), self.hours[weekday], ())]
        rooms = [busy.get(day, ()) for busy in self.rooms] or [()]
        client = self.client.get(day, ())
        off_weekday = int(weekday not in self.weekdays)
        earliest_start = 0
        if number == self.first:
            earliest_start = self.first_slot_at.hour * 60 + self.first_slot_at.minute
        best: int | None = None
        for opens, closes in self.hours[weekday]:
            for start in range(opens, closes - self.minutes + 1, self.step):
                off_time = int(not self.earliest <= start <= self.latest)
                if start < earliest_start or (best is not None and off_weekday + off_time >= best):
                    continue
                end = start + self.minutes
                if any(first < end and start < last for first, last in client):
                    continue
                if not any(all(last <= start or end <= first for first, last in busy) for busy in rooms):
                    continue
                for off_practitioner, hours, busy in staff:
                    missed = off_weekday + off_time + off_practitioner
                    if (
                        (best is None or missed < best)
                        and any(first <= start and end <= last for first, last in hours)
                        and all(last <= start or end <= first for first, last in busy)
                    ):
                        best = missed
                if best == off_weekday:
                    return best
        return best


def _refuse_what_is_not_covered(request: dict[str, Any]) -> None:
    course = request["course"]
    phase = course["phases"][0]
    if len(course["phases"]) > 1 or "duration_days" in phase or phase["cadence"]["frequency"] != 1:
        raise ValueError("the baseline plans one counted phase with one session per period")
    if any(course.get(name) for name in ("sessions", "restarts", "phases_ended")):
        raise ValueError("the baseline plans courses that have not begun")
    if date.fromisoformat(request["as_of"]) > datetime.fromisoformat(request["not_before"]).date():
        raise ValueError("not_before lies before as_of")
    if any(one["to"] is None for one in course.get("pauses", ())):
        raise ValueError("the baseline plans no open-ended pause")


def plan_with_cpsat(request: dict[str, Any]) -> dict[str, Any]:
    """The cost of the optimal plan of one course.

    Raises: ValueError for a request outside of what the baseline covers; RuntimeError when the solver does not
    prove the optimum.
    """
    _refuse_what_is_not_covered(request)
    calendar = Calendar(request)
    phase = request["course"]["phases"][0]
    cadence = phase["cadence"]
    period_min, period_max = cadence["period_min"], cadence["period_max"]
    flex = cadence.get("flex_days", 0)
    least = max(period_min - flex, cadence.get("rest_days", 1))
    preferred = max(1, (period_min + period_max) // 2)
    wanted = min(request["count"], phase.get("target") or phase["sessions_max"])
    anchor = (calendar.start_on - calendar.origin).days

    # The first fit: as many sessions as any plan can have, and a bound on the lateness of the best.
    first_due_by = calendar.due_by(anchor, period_max, anchor)
    fit: list[int] = []
    late, due_from, due_by = 0, anchor, first_due_by
    for day in range(max(anchor, calendar.first), calendar.last + 1):
        if len(fit) == wanted:
            break
        if day >= due_from and calendar.missed(day) is not None:
            fit.append(day)
            late += calendar.lateness(due_by, day)
            due_from = day + least
            due_by = calendar.due_by(day, period_max + flex, due_from)
    n = len(fit)
    cost: dict[str, Any] = {"unplaced": request["count"] - n}
    if not n:
        return cost | {"days_outside": 0, "preferences_missed": 0, "gap_distance": 0, "last_on": None}
    # The open days from one session to the next are at most those its window spans and those it is late.
    span = max(period_max + flex, least) + 1
    domains: list[list[int]] = []
    for number, earliest in enumerate(fit):
        reach = calendar.open_up_to[first_due_by] + late + number * span
        days = []
        for day in range(earliest, calendar.last + 1):
            if calendar.open_up_to[day] > reach:
                break
            if calendar.missed(day) is not None:
                days.append(day)
        domains.append(days)
    window = {
        day: (day + least, calendar.due_by(day, period_max + flex, day + least))
        for day in sorted(set().union(*domains))
    }
    model = cp_model.CpModel()
    levels = _model_arcs(model, calendar, domains, window, first_due_by, late, preferred)
    # Above all that the levels below can add up to: 3 preferences a session; the days from first to last and the
    # preferred gaps; the number of the last day.
    most = (3 * n, domains[-1][-1] - domains[0][0] + n * preferred, domains[-1][-1])
    weights = [1]
    for bound in reversed(most):
        weights.insert(0, weights[0] * (bound + 1))
    model.minimize(sum(weight * level for weight, level in zip(weights, levels, strict=True)))
    solver = _solver()
    if solver.solve(model) != cp_model.OPTIMAL:
        raise RuntimeError("the solver did not prove the optimum")
    outside, missed, distance, last = (solver.value(level) for level in levels)
    return cost | {
        "days_outside": outside,
        "preferences_missed": missed,
        "gap_distance": distance,
        "last_on": (calendar.origin + last * DAY).isoformat(),
    }


def _solver() -> cp_model.CpSolver:
    """One worker, with the presolve steps left out that cost more time on these models than they save."""
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = 1
    parameters.symmetry_level = 0
    parameters.cp_model_probing_level = 0
    parameters.max_presolve_iterations = 1
    parameters.presolve_use_bva = False
    parameters.presolve_probing_deterministic_time_limit = 0
    parameters.cut_level = 0
    return solver


def _model_arcs(
    model: cp_model.CpModel,
    calendar: Calendar,
    domains: list[list[int]],
    window: dict[int, tuple[int, int]],
    first_due_by: int,
    bound: int,
    preferred: int,
) -> list[Any]:
    """The plan as a path: a literal for each step from one session's day to the next one's.

    Returns the levels of the cost in order: days outside, preferences missed, gap distance, last day.
    """
    literals: list[Any] = []
    late: list[int] = []
    missed: list[Any] = []
    distance: list[int] = []
    arriving: dict[int, list[Any]] = {}
    for day in domains[0]:
        days_late = calendar.lateness(first_due_by, day)
        if days_late <= bound:
            literal = model.new_bool_var("")
            arriving[day] = [literal]
            literals.append(literal)
            late.append(days_late)
            missed.append(calendar.missed(day))
            distance.append(0)
    model.add_exactly_one(literals)
    for before, days in pairwise(domains):
        arriving_next: dict[int, list[Any]] = {}
        for from_day in before:
            if from_day not in arriving:
                continue
            leaving = []
            due_from, due_by = window[from_day]
            for day in days:
                if day < due_from:
                    continue
                days_late = calendar.lateness(due_by, day)
                if days_late > bound:
                    break
                literal = model.new_bool_var("")
                leaving.append(literal)
                arriving_next.setdefault(day, []).append(literal)
                literals.append(literal)
                late.append(days_late)
                missed.append(calendar.missed(day))
                distance.append(abs(day - from_day - preferred))
            model.add(sum(leaving) == sum(arriving[from_day]))
        arriving = arriving_next
    total = cp_model.LinearExpr.weighted_sum
    last = [(literal, day) for day, found in arriving.items() for literal in found]
    return [
        total(literals, late),
        total(literals, missed),
        total(literals, distance),
        total([literal for literal, _ in last], [day for _, day in last]),
    ]


def realistic_requests(*, amount: int = 200, seed: int = 2026) -> list[dict[str, Any]]:
    """Courses of 15 sessions every 1-2 days, each on the calendar of a clinic with two practitioners and two rooms."""
    rng = Random(seed)
    return [_realistic_request(rng) for _ in range(amount)]


def _realistic_request(rng: Random) -> dict[str, Any]:
    as_of = date(2026, 1, 5) + rng.randrange(365) * DAY
    start_on = as_of + rng.randrange(4) * DAY
    saturday = [[["10:00", "15:00"]], []][rng.randrange(2)]
    workday = [["09:00", "13:00"], ["14:00", "19:00"]]
    hours = {str(weekday): workday for weekday in range(1, 6)} | {"6": saturday}
    closures = sorted({(start_on + rng.randrange(2, 45) * DAY).isoformat() for _ in range(rng.randrange(4))})
    course: dict[str, Any] = {
        "start_on": start_on.isoformat(),
        "phases": [
            {
                "kind": "intensive",
                "cadence": {"frequency": 1, "period_min": 1, "period_max": 2},
                "sessions_min": 10,
                "sessions_max": 15,
                "target": 15,
                "grace_days": 1,
                "lapse_days": 14,
            }
        ],
    }
    if rng.random() < 0.3:
        away = start_on + rng.randrange(5, 25) * DAY
        course["pauses"] = [
            {
                "from": away.isoformat(),
                "to": (away + rng.randrange(1, 7) * DAY).isoformat(),
                "reason": "travel",
            }
        ]
    shifts = (
        {str(weekday): [["09:00", "13:00"], ["14:00", "17:00"]] for weekday in range(1, 6)},
        {str(weekday): [["11:00", "13:00"], ["14:00", "19:00"]] for weekday in range(2, 7)},
    )
    practitioners = []
    for name, shift in zip(("anna", "boris"), shifts, strict=True):
        gone = start_on + rng.randrange(3, 40) * DAY
        practitioners.append(
            {
                "id": name,
                "hours": shift,
                "absences": [[gone.isoformat(), (gone + rng.randrange(1, 8) * DAY).isoformat()]],
                "busy": _booked(rng, start_on, load=0.75),
            }
        )
    prefer: dict[str, Any] = {"weekdays": sorted(rng.sample(range(1, 7), rng.randrange(3, 6)))}
    first = rng.choice((9, 12, 15, 16, 17))
    prefer |= {
        "from": f"{first:02d}:00",
        "to": f"{first + 2:02d}:00",
        "practitioner": rng.choice(("anna", "boris")),
    }
    return {
        "as_of": as_of.isoformat(),
        "clinic": {"closed_weekdays": [7], "closures": closures},
        "course": course,
        "not_before": f"{as_of}T{rng.choice(('09:00', '12:30'))}",
        "timezone": "Europe/Riga",
        "count": 15,
        "hours": hours,
        "practitioners": practitioners,
        "rooms": [{"id": name, "busy": _booked(rng, start_on, load=0.5)} for name in ("r1", "r2")],
        "client_busy": _booked(rng, start_on, load=0.1),
        "minutes": 45,
        "slot_step_minutes": 15,
        "horizon_days": 365,
        "prefer": prefer,
    }


def _booked(rng: Random, first: date, *, load: float) -> list[list[str]]:
    """Busy times of an hour each: the next weeks nearly full, the later ones emptier, and full days now and then."""
    busy = []
    for number in range(60):
        day = first + number * DAY
        share = 1.0 if rng.random() < 0.15 * load else load * (1 - number / 90)
        for hour in range(9, 19):
            if rng.random() < share:
                busy.append([f"{day}T{hour:02d}:00", f"{day}T{hour + 1:02d}:00"])
    return busy
