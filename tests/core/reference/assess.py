"""A slow, literal reading of the drift rules in docs/domain.md, written apart from the code it checks.

It walks day by day, keeps nothing between days that it could work out again, and finds `next_check_on` by
assessing the request anew on every later day. Days are ordinals (`date.toordinal`) inside, ISO dates outside.

Where the rules leave room, the reading taken stands at the place where it matters, as "Reading:" with the
sentence it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

HORIZON_DAYS = 800
BOOKINGS = ("booked", "confirmed", "arrived")
MISSED = ("no_show", "cancelled_late")
BY_CLIENT = ("no_show", "cancelled_late", "cancelled_by_client")
BY_CLINIC = ("cancelled_by_clinic",)


class Refused(ValueError):
    """The request breaks a rule that only the course's own history can show."""


def reference_assess(request: dict[str, Any], horizon_days: int = HORIZON_DAYS) -> dict[str, Any]:
    """Answer one assess request, without the sentences (`says`)."""
    course = Course(request)
    as_of = day_number(request["as_of"])
    answer = assess_on(course, as_of, with_projection=True)
    answer["next_check_on"] = None
    for later in range(as_of + 1, as_of + horizon_days + 1):
        if signature(assess_on(course, later, with_projection=False)) != signature(answer):
            answer["next_check_on"] = iso(later)
            break
    return answer


def signature(answer: dict[str, Any]) -> tuple[str, frozenset[tuple[str, str]]]:
    """What `next_check_on` watches: the state, and the set of (kind, severity)."""
    return answer["state"], frozenset(
        (finding["kind"], finding["severity"]) for finding in answer["findings"]
    )


def day_number(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def iso(day: int | None) -> str | None:
    return None if day is None else date.fromordinal(day).isoformat()


# ------------------------------------------------------------------------------------- the request, read once


class Phase:
    def __init__(self, raw: dict[str, Any]) -> None:
        cadence = raw["cadence"]
        self.frequency: int = cadence["frequency"]
        self.period_min: int = cadence["period_min"]
        self.period_max: int = cadence["period_max"]
        # "Defaults: rest_days = max(1, period_min // frequency - 1) and flex_days = min(1, period_min - 1)
        # when frequency > 1, else 1 and 0."
        if self.frequency > 1:
            rest, flex = max(1, self.period_min // self.frequency - 1), min(1, self.period_min - 1)
        else:
            rest, flex = 1, 0
        self.rest: int = cadence.get("rest_days", rest)
        self.flex: int = cadence.get("flex_days", flex)
        self.sessions_min: int | None = raw.get("sessions_min")
        self.sessions_max: int | None = raw.get("sessions_max")
        self.target: int | None = raw.get("target")
        self.duration: int | None = raw.get("duration_days")
        self.grace: int = raw.get("grace_days", 0)
        self.lapse: int = raw.get("lapse_days", 14)
        # "It is complete at its amount: `target`, else `sessions_max`, attended".
        self.amount: int | None = self.target if self.target is not None else self.sessions_max


class Course:
    def __init__(self, request: dict[str, Any]) -> None:
        clinic, course = request.get("clinic", {}), request["course"]
        self.closed_weekdays: list[int] = clinic.get("closed_weekdays", [])
        self.closures = [day_number(text) for text in clinic.get("closures", [])]
        self.lead: int = clinic.get("booking_lead_days", 3)
        self.start_on = day_number(course["start_on"])
        self.phases = [Phase(raw) for raw in course["phases"]]
        self.ends = sorted((day_number(end["on"]), end["phase"]) for end in course.get("phases_ended", []))
        self.restarts = sorted(day_number(text) for text in course.get("restarts", []))
        self.sessions = sorted((day_number(s["on"]), s["status"]) for s in course.get("sessions", []))
        self.pauses = [
            (day_number(pause["from"]), day_number(pause["to"]) if pause["to"] is not None else None)
            for pause in course.get("pauses", [])
        ]
        self.contraindications = [
            (day_number(item["from"]), day_number(item["to"])) for item in course.get("contraindications", [])
        ]


# ------------------------------------------------------------------------------------------ days and counting


class Calendar:
    """Which days are paused, closed, lost or open, seen from one as-of date."""

    def __init__(self, course: Course, today: int) -> None:
        self.course, self.today = course, today

    def pause_on(self, day: int) -> tuple[int, int | None] | None:
        for start, end in self.course.pauses:
            if start <= day and (end is None or day <= end):
                return start, end
        return None

    def is_paused(self, day: int) -> bool:
        # "An open-ended pause counts from its start up to the as-of date, no further." A pause with an end
        # counts in full, also the part of it that is still ahead.
        pause = self.pause_on(day)
        return pause is not None and (pause[1] is not None or day <= self.today)

    def is_closed(self, day: int) -> bool:
        return (
            day in self.course.closures or date.fromordinal(day).isoweekday() in self.course.closed_weekdays
        )

    def is_open(self, day: int) -> bool:
        return not self.is_paused(day) and not self.is_closed(day)

    def after_unpaused(self, day: int, count: int) -> int:
        """The day on which `count` days that are not paused have passed since `day`."""
        while count > 0:
            day += 1
            if not self.is_paused(day):
                count -= 1
        return day

    def first_open(self, day: int) -> int:
        while not self.is_open(day):
            day += 1
        return day

    def open_days(self, after: int, up_to: int) -> Iterator[int]:
        return (day for day in range(after + 1, up_to + 1) if self.is_open(day))

    def lateness(self, due_by: int, day: int) -> int:
        return sum(1 for _ in self.open_days(due_by, day))


@dataclass(frozen=True)
class Window:
    due_from: int
    due_by: int
    follows_nothing: bool  # it comes from a restart or from `start_on`


# ----------------------------------------------------------------------------------- walking through a course


@dataclass
class Standing:
    """Where the course stands after some days of the walk."""

    phase: int = 0  # the number of phases once the course is complete
    e: int | None = None  # `e` of the window table; none in the first phase
    last_day: int | None = None  # of the phase's duration, once it has a start
    restarted_on: int | None = None  # the last restart in this phase
    in_phase: int = 0  # attended in this phase, also before its restarts
    dates: list[int] = field(default_factory=list)  # d[1..n]: attended in this phase since its last restart
    late_days: list[int] = field(default_factory=list)  # L of those of `dates` that slippage counts
    last_attended: int | None = None  # in the whole course
    ended_on: list[int] = field(default_factory=list)  # days on which a prescriber ended a phase
    ran_out_on: list[int] = field(default_factory=list)  # last days of phases that ran out
    gaps: list[dict[str, Any]] = field(default_factory=list)
    booking_earliness: list[int] = field(default_factory=list)  # of the bookings that have a window
    booking_is_extra: list[bool] = field(default_factory=list)  # of every booking: is the course complete?


class Walk:
    """Goes through the days of one course up to `until`; `bookings` are taken as if they were attended."""

    def __init__(self, course: Course, calendar: Calendar, until: int, bookings: list[int]) -> None:
        self.course, self.calendar, self.today = course, calendar, calendar.today
        self.now = Standing()
        # "Outcomes dated after the as-of date are ignored." "Restarts and ends dated after the as-of date are
        # ignored."
        attended = [day for day, status in course.sessions if status == "attended" and day <= self.today]
        restarts = [day for day in course.restarts if day <= self.today]
        ends = [(day, phase) for day, phase in course.ends if day <= self.today]
        first_day = min([course.start_on, until, *attended, *restarts, *bookings, *(day for day, _ in ends)])
        for day in range(first_day, until + 1):
            self.run_out(day)
            # Reading: on one day a restart comes first, then the session ("a session on that very day is `d[1]`"),
            # then the end of a phase ("a session on that very day still belongs to it"). So the phase current at
            # a restart on the day of an end is the phase that ends: else that day's session were not `d[1]`.
            if day in restarts:
                self.restart(day)
            if day in attended:
                self.attend(day, is_booking=False)
            for booked in bookings:
                if booked == day:
                    self.attend(day, is_booking=True)
            for ended, phase in ends:
                if ended == day:
                    self.end(day, phase)

    @property
    def spec(self) -> Phase:
        return self.course.phases[self.now.phase]

    @property
    def is_complete(self) -> bool:
        return self.now.phase == len(self.course.phases)

    def window(self) -> Window:
        """The window of the next session of the current phase."""
        now, spec = self.now, self.spec
        after = self.calendar.after_unpaused
        f, d, n = spec.frequency, now.dates, len(now.dates)
        a_share = -(-spec.period_max // f)  # ⌈period_max / f⌉
        if n >= f:
            first = d[n - f]  # d[n+1-f], counted from 1
            due_from = max(first + spec.period_min - spec.flex, d[-1] + spec.rest)
            due_by = max(after(first, spec.period_max + spec.flex), after(d[-1], a_share))
        elif n >= 1:
            due_from = d[-1] + spec.rest
            due_by = max(after(d[0], spec.period_max + spec.flex), after(d[-1], a_share))
        elif now.restarted_on is not None:
            due_from = now.restarted_on
            due_by = after(now.restarted_on, spec.period_max)
        elif now.e is not None:
            due_from = now.e + max(1, spec.period_min // f)
            due_by = after(now.e, spec.period_max)
        else:
            due_from = self.course.start_on
            due_by = after(self.course.start_on, spec.period_max)
        due_by = self.calendar.first_open(max(due_by, due_from))
        return Window(
            due_from, due_by, follows_nothing=n == 0 and (now.restarted_on is not None or now.e is None)
        )

    def run_out(self, day: int) -> None:
        """Complete phases whose last day lies before `day`."""
        while not self.is_complete and self.now.last_day is not None and self.now.last_day < day:
            self.now.ran_out_on.append(self.now.last_day)
            self.next_phase()
            self.settle()

    def restart(self, day: int) -> None:
        if not self.is_complete:
            self.now.restarted_on, self.now.dates, self.now.late_days = day, [], []

    def attend(self, day: int, *, is_booking: bool) -> None:
        now = self.now
        if is_booking:
            now.booking_is_extra.append(self.is_complete)
        if self.is_complete:
            # "what is attended later is extra: it counts in `attended` and the attendance rate, and has no
            # gap."
            now.last_attended = day
            return
        window = self.window()
        early = 0 if window.follows_nothing else max(0, window.due_from - day)
        late = self.calendar.lateness(window.due_by, day)
        if is_booking:
            now.booking_earliness.append(early)
        else:
            now.gaps.append(self.gap(day, window, early, late))
        if not window.follows_nothing:
            now.late_days.append(late)
        now.dates.append(day)
        now.in_phase += 1
        now.last_attended = day
        if now.e is None and now.last_day is None and self.spec.duration is not None:
            # "A phase starts at `e` of the table, else at its first attended session."
            now.last_day = self.calendar.after_unpaused(day, self.spec.duration)
        self.settle()

    def gap(self, day: int, window: Window, early: int, late: int) -> dict[str, Any]:
        before = self.now.last_attended
        return {
            "phase": self.now.phase,
            "session": self.now.in_phase + 1,
            "on": iso(day),
            "due_from": iso(window.due_from),
            "due_by": iso(window.due_by),
            "gap_days": None if before is None else day - before,
            "verdict": "early" if early else "late" if late else "on_time",
            "days": early or late,
            "cause": cause(self.course, before, day) if late and not early else None,
        }

    def end(self, day: int, phase: int) -> None:
        """A prescriber ends a phase; "an end of a phase that was already complete has no effect"."""
        if phase < self.now.phase:
            return
        # "Refused as bad input: an end of a phase before it began".
        # Reading: a phase begins where it "starts": a later one at `e` and once it is the current one, the
        # first "at its first attended session".
        has_begun = self.now.in_phase > 0 if self.now.e is None else day >= self.now.e
        if phase > self.now.phase or not has_begun:
            raise Refused(f"phase {phase} had not begun on {iso(day)}")
        self.now.ended_on.append(day)
        self.next_phase()
        self.settle()

    def settle(self) -> None:
        """Complete phases that have their amount, or whose next session would be due past their last day."""
        while not self.is_complete:
            has_amount = self.spec.amount is not None and self.now.in_phase >= self.spec.amount
            # "or, from the moment it is known, when the next `due_from` would lie past that last day".
            # Reading: that is running out, known beforehand: such a phase too is "an earlier phase that ran
            # out", and its last day is part of `e`. A phase that has its amount has no next `due_from`, so
            # its amount comes first.
            has_no_room = self.now.last_day is not None and self.window().due_from > self.now.last_day
            if not has_amount and not has_no_room:
                return
            if not has_amount and self.now.last_day is not None:
                self.now.ran_out_on.append(self.now.last_day)
            self.next_phase()

    def next_phase(self) -> None:
        now = self.now
        now.phase += 1
        now.restarted_on, now.in_phase, now.dates, now.late_days, now.last_day = None, 0, [], [], None
        # "`e` = the latest of the last attended date, the day a prescriber ended an earlier phase, the last
        # day of an earlier phase that ran out"
        attended = [] if now.last_attended is None else [now.last_attended]
        now.e = max([*attended, *now.ended_on, *now.ran_out_on])
        if not self.is_complete and self.spec.duration is not None:
            now.last_day = self.calendar.after_unpaused(now.e, self.spec.duration)


def cause(course: Course, attended_before: int | None, judged: int) -> str:
    """Whose doing it was.

    "from the outcomes dated after the attended session before, up to and including the day judged"
    """
    statuses = [
        status
        for day, status in course.sessions
        if (attended_before is None or day > attended_before) and day <= judged
    ]
    by_client = any(status in BY_CLIENT for status in statuses)
    by_clinic = any(status in BY_CLINIC for status in statuses)
    if by_client and by_clinic:
        return "both"
    return "client" if by_client else "clinic" if by_clinic else "scheduling"


# ------------------------------------------------------------------------------------- the answer for one day


def assess_on(course: Course, today: int, *, with_projection: bool) -> dict[str, Any]:
    """The whole answer as of `today`, apart from `next_check_on`."""
    calendar = Calendar(course, today)
    walk = Walk(course, calendar, until=today, bookings=[])
    window = None if walk.is_complete else walk.window()
    state = state_on(course, calendar, walk, window, today)
    slippage = None if window is None else sum(walk.now.late_days)
    answer: dict[str, Any] = {
        "state": state,
        "phase": None if window is None else walk.now.phase,
        "session": None if window is None else walk.now.in_phase + 1,
        "due_from": None if window is None else iso(window.due_from),
        "due_by": None if window is None else iso(window.due_by),
        "gaps": walk.now.gaps,
        "measures": measures(course, walk.now.gaps, today)
        | {"slippage_days": slippage, "projected_end": None},
    }
    # "windows chained through the bookings": the same walk again, the bookings from today on taken as
    # attended.
    booked = bookings_from(course, today)
    chain = Walk(course, calendar, until=booked[-1], bookings=booked) if booked else None
    found = findings_in_any_state(course, calendar, today, chain)
    if window is not None:
        found += findings_while_running(course, calendar, walk, window, state, today, chain)
        if with_projection:
            answer["measures"]["projected_end"] = iso(projected_end(calendar, walk, window, today))
    answer["findings"] = sorted(found, key=lambda finding: finding["kind"])
    return answer


def state_on(course: Course, calendar: Calendar, walk: Walk, window: Window | None, today: int) -> str:
    if window is None:
        return "finished"
    if calendar.pause_on(today) is not None:
        return "paused"
    if today < course.start_on and walk.now.last_attended is None:
        return "not_started"
    if today < window.due_from:
        return "resting"
    late = calendar.lateness(window.due_by, today)
    if late == 0:
        return "due"
    if late <= walk.spec.grace:
        return "late"
    return "overdue" if late <= walk.spec.lapse else "lapsed"


def outcomes(course: Course, today: int) -> list[tuple[int, str]]:
    """Sessions with an outcome, up to today: "Outcomes dated after the as-of date are ignored"."""
    return [(day, s) for day, s in course.sessions if day <= today and s not in BOOKINGS and s != "planned"]


def bookings_from(course: Course, today: int) -> list[int]:
    return [day for day, status in course.sessions if status in BOOKINGS and day >= today]


def rate(part: int, whole: int) -> float | None:
    return None if whole == 0 else round(part / whole, 4)


def measures(course: Course, gaps: list[dict[str, Any]], today: int) -> dict[str, Any]:
    statuses = [status for _, status in outcomes(course, today)]
    attended = statuses.count("attended")
    verdicts = [gap["verdict"] for gap in gaps]
    return {
        "attended": attended,
        "attendance_rate": rate(attended, attended + sum(statuses.count(status) for status in MISSED)),
        "on_time_rate": rate(verdicts.count("on_time"), len(verdicts)),
        "early_rate": rate(verdicts.count("early"), len(verdicts)),
        "late_rate": rate(verdicts.count("late"), len(verdicts)),
    }


def projected_end(calendar: Calendar, walk: Walk, window: Window, today: int) -> int:
    """The projected end of the current phase. Spends the walk: its dates are carried into the future."""
    now, spec = walk.now, walk.spec
    next_on = calendar.first_open(max(today, window.due_from))
    ends: list[int] = []
    if spec.duration is not None:
        ends.append(
            now.last_day if now.last_day is not None else calendar.after_unpaused(next_on, spec.duration)
        )
    if spec.amount is not None:
        on = next_on
        now.dates.append(on)
        for _ in range(spec.amount - now.in_phase - 1):
            on = walk.window().due_by
            now.dates.append(on)
        ends.append(on)
    return min(ends)


# --------------------------------------------------------------------------------------------------- findings


def finding(kind: str, severity: str, *, since: int | None = None, **magnitude: Any) -> dict[str, Any]:
    return {"kind": kind, "severity": severity, **magnitude, "since": iso(since)}


def findings_in_any_state(
    course: Course, calendar: Calendar, today: int, chain: Walk | None
) -> list[dict[str, Any]]:
    """`unrecorded`, `contraindicated` and `misbooked`: "in state finished only" these."""
    found = []
    booked = bookings_from(course, today)
    unrecorded = sum(1 for day, status in course.sessions if status in BOOKINGS and day < today)
    if unrecorded:
        found.append(finding("unrecorded", "notice", count=unrecorded))
    contraindicated = sum(
        1 for day in booked if any(start <= day <= end for start, end in course.contraindications)
    )
    if contraindicated:
        found.append(finding("contraindicated", "serious", count=contraindicated))
    if chain is not None:
        # "an open-ended pause has no end here": `pause_on` gives it none. A booking on a lost day and after
        # the course is complete is still one booking.
        misbooked = sum(
            1
            for day, is_extra in zip(booked, chain.now.booking_is_extra, strict=True)
            if is_extra or calendar.is_closed(day) or calendar.pause_on(day) is not None
        )
        if misbooked:
            found.append(finding("misbooked", "warning", count=misbooked))
    return found


def findings_while_running(
    course: Course, calendar: Calendar, walk: Walk, window: Window, state: str, today: int, chain: Walk | None
) -> list[dict[str, Any]]:
    """The kinds that need a next session."""
    return [
        *findings_on_lateness(course, calendar, walk, window, state, today),
        *findings_on_bookings(course, calendar, walk, window, state, today),
        *findings_on_history(course, walk, today, chain),
    ]


def findings_on_lateness(
    course: Course, calendar: Calendar, walk: Walk, window: Window, state: str, today: int
) -> list[dict[str, Any]]:
    """`overdue`, `lapsed` and `interrupted`."""
    found = []
    now, spec = walk.now, walk.spec
    late = calendar.lateness(window.due_by, today)

    if state == "overdue":
        since = first_day_later_than(calendar, window, spec.grace, today)
        severity = "serious" if late > 2 * spec.period_max else "warning"
        why = cause(course, now.last_attended, today)
        found.append(finding("overdue", severity, since=since, days=late, cause=why))

    if state == "lapsed":
        since = first_day_later_than(calendar, window, spec.lapse, today)
        why = cause(course, now.last_attended, today)
        found.append(finding("lapsed", "serious", since=since, days=late, cause=why))

    # "the last restart" is the course's, also one of an earlier phase.
    anchors = [day for day in course.restarts if day <= today]
    if now.last_attended is not None:
        anchors.append(now.last_attended)
    if state in ("paused", "resting", "due", "late") and anchors:
        away = today - max(anchors)
        if away > spec.period_max + spec.lapse:
            found.append(finding("interrupted", "notice", days=away))
    return found


def findings_on_bookings(
    course: Course, calendar: Calendar, walk: Walk, window: Window, state: str, today: int
) -> list[dict[str, Any]]:
    """`unbooked` and `booked_late`."""
    found = []
    booked = bookings_from(course, today)

    if not booked:
        due_from = None
        if state in ("not_started", "resting", "due", "late"):
            due_from = window.due_from
        elif state == "paused":
            _, pause_end = calendar.pause_on(today) or (None, None)
            if pause_end is not None:
                due_from = max(window.due_from, pause_end + 1)
        if due_from is not None and today >= due_from - course.lead:
            severity = "notice" if today < due_from else "warning"
            since = due_from - course.lead
            found.append(finding("unbooked", severity, since=since, days=today - since))

    if booked and state != "paused":
        first_booked = booked[0]
        still_lost = sum(1 for _ in calendar.open_days(max(window.due_by, today), first_booked))
        if still_lost > walk.spec.grace:
            found.append(
                finding("booked_late", "warning", days=calendar.lateness(window.due_by, first_booked))
            )
    return found


def findings_on_history(course: Course, walk: Walk, today: int, chain: Walk | None) -> list[dict[str, Any]]:
    """`too_frequent`, `behind`, `missed_streak` and `decision_due`."""
    found = []
    now, spec = walk.now, walk.spec

    earliness = [gap["days"] for gap in now.gaps[-1:] if gap["verdict"] == "early"]
    if chain is not None:
        earliness += chain.now.booking_earliness
    if any(days > 0 for days in earliness):
        found.append(finding("too_frequent", "notice", days=max(earliness)))

    slippage = sum(now.late_days)
    if slippage > 2 * spec.period_max:
        found.append(finding("behind", "warning", days=slippage))

    missed = sum(
        1
        for day, status in outcomes(course, today)
        if status in MISSED and (now.last_attended is None or day > now.last_attended)
    )
    if missed >= 2:
        found.append(finding("missed_streak", "warning", count=missed))

    has_range = (
        spec.sessions_min is not None
        and spec.sessions_max is not None
        and spec.sessions_min < spec.sessions_max
    )
    if has_range and now.in_phase >= spec.sessions_min and spec.target is None:
        found.append(finding("decision_due", "notice", count=now.in_phase))
    return found


def first_day_later_than(calendar: Calendar, window: Window, limit: int, today: int) -> int:
    """The first day with L above `limit`."""
    return next(
        day for day in range(window.due_by + 1, today + 1) if calendar.lateness(window.due_by, day) > limit
    )
