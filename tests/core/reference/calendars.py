"""Seeded random requests of the plan operation, small enough for the exhaustive reference.

Everything a request may carry turns up: every cadence of docs/domain.md and others, phases so short that they
change inside a plan, durations that run out, ends, restarts, pauses with and without an end, closures,
contraindications, sessions of every status, bookings kept and moved, practitioners and rooms with busy times,
preferences, several opening intervals, odd slot steps, and zones whose clocks turn inside the plan.
All requests are valid; `not_before` is never before `as_of`.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.core.reference.plan import Course, State

DAY = timedelta(days=1)
CADENCES = (
    {"frequency": 1, "period_min": 1, "period_max": 2},
    {"frequency": 1, "period_min": 2, "period_max": 2},
    {"frequency": 1, "period_min": 2, "period_max": 3},
    {"frequency": 2, "period_min": 7, "period_max": 7},
    {"frequency": 3, "period_min": 7, "period_max": 7},
    {"frequency": 1, "period_min": 14, "period_max": 14},
)
# The dates around which plans turn: clocks, month ends, leap days, the turn of the year.
AROUND = (
    date(2026, 3, 2),
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2026, 10, 25),
    date(2026, 11, 1),
    date(2027, 1, 1),
    date(2028, 2, 29),
)
ZONES = (
    "Europe/Riga",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Cairo",
    "UTC",
)
STEPS = (5, 7, 10, 15, 20, 25, 30, 45, 60, 90)
LENGTHS = (10, 15, 25, 30, 45, 50, 60, 90, 120)


def _chance(rng: Random, probability: float) -> bool:
    return rng.random() < probability


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def random_cadence(rng: Random) -> dict[str, int]:
    """A cadence of the table as often as any other."""
    if _chance(rng, 0.6):
        cadence = dict(rng.choice(CADENCES))
    else:
        period_min = rng.randint(1, 6)
        period_max = period_min + rng.choice((0, 0, 1, 2))
        cadence = {
            "frequency": rng.randint(1, min(4, period_max)),
            "period_min": period_min,
            "period_max": period_max,
        }
    if _chance(rng, 0.25):
        cadence["rest_days"] = rng.randint(1, 3)
    if _chance(rng, 0.25):
        cadence["flex_days"] = rng.randint(0, min(2, cadence["period_min"] - 1))
    return cadence


def random_phase(rng: Random) -> dict[str, Any]:
    """A phase with a tiny amount, a tiny duration, or both."""
    phase: dict[str, Any] = {"kind": rng.choice(("intensive", "maintenance")), "cadence": random_cadence(rng)}
    kind = rng.choice(("counted", "counted", "timed", "both"))
    if kind != "timed":
        low = rng.choice((1, 2, 3, 5, 8))
        high = low + rng.choice((0, 0, 1, 3))
        phase |= {"sessions_min": low, "sessions_max": high}
        phase["target"] = rng.randint(low, high) if _chance(rng, 0.5) else None
    if kind != "counted":
        phase["duration_days"] = rng.choice((rng.randint(1, 6), rng.randint(5, 20), rng.randint(15, 45)))
    if _chance(rng, 0.5):
        phase |= {"grace_days": rng.randint(0, 3), "lapse_days": rng.randint(3, 14)}
    return phase


def random_hours(rng: Random, *, is_clinic: bool) -> dict[str, list[list[str]]]:
    """Opening hours by weekday: none to three intervals a day, touching now and then, in any order."""
    hours: dict[str, list[list[str]]] = {}
    opens, closes = (0, 24 * 12) if _chance(rng, 0.1) else (7 * 12, 21 * 12)
    for weekday in range(1, 8):
        if _chance(rng, 0.92 if weekday < 6 else 0.5):
            borders = sorted(rng.sample(range(opens, closes + 1), 2 * rng.choice((1, 1, 2, 3))))
            if len(borders) == 4 and _chance(rng, 0.2):
                borders[2] = borders[1]
            hours[str(weekday)] = [
                [_clock(first * 5), _clock(last * 5)]
                for first, last in zip(borders[::2], borders[1::2], strict=True)
            ]
            if _chance(rng, 0.1):
                hours[str(weekday)].reverse()
        elif _chance(rng, 0.3):
            hours[str(weekday)] = []
    if is_clinic and not any(hours.values()):
        hours["3"] = [["09:00", "13:00"], ["14:00", "19:00"]]
    return hours


def random_busy(rng: Random, first: date, days: int, amount: int) -> list[list[str]]:
    """Busy times inside the plan, a few of them longer than a day."""
    busy = []
    for _ in range(rng.randint(0, amount)):
        day, start = first + rng.randint(0, days) * DAY, rng.randint(6 * 12, 20 * 12) * 5
        if _chance(rng, 0.1):
            busy.append(
                [
                    f"{day}T{_clock(start)}",
                    f"{day + rng.randint(1, 3) * DAY}T{_clock(rng.randint(0, 287) * 5)}",
                ]
            )
        else:
            busy.append(
                [f"{day}T{_clock(start)}", f"{day}T{_clock(min(start + rng.randint(1, 72) * 5, 1435))}"]
            )
    return busy


def random_practitioners(rng: Random, first: date, days: int) -> list[dict[str, Any]]:
    """One to three practitioners, with or without hours of their own."""
    staff = []
    for name in rng.sample(("anna", "boris", "clara"), rng.randint(1, 3)):
        one: dict[str, Any] = {"id": name}
        if _chance(rng, 0.6):
            one["hours"] = random_hours(rng, is_clinic=False)
        if _chance(rng, 0.4):
            gone = first + rng.randint(-2, days) * DAY
            one["absences"] = [[gone.isoformat(), (gone + rng.randint(0, 4) * DAY).isoformat()]]
        if _chance(rng, 0.6):
            one["busy"] = random_busy(rng, first, days, 4)
        staff.append(one)
    return staff


def random_preferences(rng: Random, staff: list[dict[str, Any]]) -> dict[str, Any]:
    """Some of the preferences, each wide or narrow."""
    prefer: dict[str, Any] = {}
    if _chance(rng, 0.6):
        prefer["weekdays"] = sorted(rng.sample(range(1, 8), rng.randint(1, 5)))
    if _chance(rng, 0.6):
        first, last = sorted(rng.sample(range(7 * 12, 21 * 12), 2))
        prefer |= {"from": _clock(first * 5), "to": _clock(last * 5)}
        if _chance(rng, 0.2):
            del prefer[rng.choice(("from", "to"))]
    if staff and _chance(rng, 0.5):
        prefer["practitioner"] = rng.choice(staff)["id"]
    return prefer


def _past_sessions(rng: Random, start_on: date, as_of: date) -> list[dict[str, Any]]:
    """What happened up to the as-of date, at most one attended session a day."""
    sessions: list[dict[str, Any]] = []
    day = max(start_on, as_of - rng.choice((2, 5, 9, 16)) * DAY) + rng.choice((0, 0, 0, 1, -1)) * DAY
    most = rng.choice((0, 1, 2, 3, 5, 9))
    while day <= as_of and len(sessions) < most:
        status = rng.choice(
            ("attended",) * 7 + ("no_show", "cancelled_late", "cancelled_by_client", "cancelled_by_clinic")
        )
        sessions.append({"on": day.isoformat(), "status": status})
        if status != "attended" and _chance(rng, 0.3):
            sessions.append({"on": day.isoformat(), "status": "attended"})
        day += rng.choice((1, 1, 2, 2, 3, 5, 7)) * DAY
    if _chance(rng, 0.15):
        gone = as_of - rng.randint(1, 4) * DAY
        sessions.append(
            {
                "on": gone.isoformat(),
                "status": rng.choice(("booked", "arrived", "planned")),
                "pinned": _chance(rng, 0.5),
            }
        )
    return sessions


def _bookings(
    rng: Random, as_of: date, not_before: date, days: int, staff: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Bookings from the as-of date on, mostly on days of their own, some past the horizon."""
    latest = (not_before - as_of).days + days + 3
    offsets = rng.sample(range(latest + 1), min(latest + 1, rng.choice((0, 0, 1, 1, 2, 3))))
    if offsets and _chance(rng, 0.05):
        offsets.append(offsets[0])
    bookings = []
    for offset in offsets:
        on = as_of + offset * DAY
        booking: dict[str, Any] = {
            "on": on.isoformat(),
            "status": rng.choice(("booked", "booked", "confirmed")),
        }
        if _chance(rng, 0.65):
            booking["pinned"] = _chance(rng, 0.9)
        if _chance(rng, 0.1):
            booking["status"] = rng.choice(("arrived", "planned"))
        if _chance(rng, 0.5):
            booking |= {"start": f"{on}T10:00", "end": f"{on}T10:45"}
            if staff and _chance(rng, 0.7):
                booking["practitioner"] = staff[0]["id"]
        bookings.append(booking)
    return bookings


def _pauses(rng: Random, start_on: date, days: int) -> list[dict[str, Any]]:
    """Pauses apart from each other, the last one open-ended now and then."""
    pauses: list[dict[str, Any]] = []
    day = start_on + rng.randint(0, 8) * DAY
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        last = day + rng.randint(0, 4) * DAY
        pauses.append(
            {
                "from": day.isoformat(),
                "to": last.isoformat(),
                "reason": rng.choice(("bruises", "illness", "travel")),
            }
        )
        day = last + rng.randint(1, max(1, days)) * DAY
    if pauses and _chance(rng, 0.12):
        pauses[-1]["to"] = None
    return pauses


def random_plan_request(rng: Random, *, horizon: int = 22, count: int = 5) -> dict[str, Any]:
    """A valid plan request with at most `horizon` days to search and at most `count` sessions to place."""
    as_of = rng.choice(AROUND) + rng.randint(-12, 4) * DAY
    start_on = as_of - rng.choice((-4, -1, 0, 0, 1, 3, 6, 10, 16)) * DAY
    not_before = as_of + rng.choice((0, 0, 0, 0, 1, 3)) * DAY
    days = rng.choice((rng.randint(min(3, horizon), horizon), horizon))
    span = max(0, (not_before - start_on).days + days)
    staff = random_practitioners(rng, not_before, days) if _chance(rng, 0.6) else []
    rooms = [
        {"id": f"r{number}", "busy": random_busy(rng, not_before, days, 4)}
        for number in range(rng.choice((0, 0, 1, 2)))
    ]
    past = _past_sessions(rng, start_on, as_of) if start_on <= as_of else []
    sessions = past + _bookings(rng, as_of, not_before, days, staff)
    if _chance(rng, 0.3):
        rng.shuffle(sessions)
    course: dict[str, Any] = {
        "start_on": start_on.isoformat(),
        "phases": [random_phase(rng) for _ in range(rng.choice((1, 1, 2, 2, 3)))],
        "sessions": sessions,
        "pauses": _pauses(rng, start_on, span),
    }
    if _chance(rng, 0.25):
        course["restarts"] = sorted(
            {(start_on + rng.randint(0, 14) * DAY).isoformat() for _ in range(rng.choice((1, 1, 2)))}
        )
    if _chance(rng, 0.25):
        ill = not_before + rng.randint(-3, days) * DAY
        course["contraindications"] = [
            {"code": "influenza", "from": ill.isoformat(), "to": (ill + rng.randint(0, 4) * DAY).isoformat()}
        ]
    hours = random_hours(rng, is_clinic=True)
    request: dict[str, Any] = {
        "as_of": as_of.isoformat(),
        "course": course,
        "not_before": f"{not_before}T{_clock(rng.choice((0, 9 * 60, 13 * 60 + 10, 20 * 60)))}",
        "timezone": rng.choice(ZONES),
        "count": rng.randint(0, count) if _chance(rng, 0.3) else count,
        "hours": hours,
        "minutes": rng.choice(LENGTHS),
        "slot_step_minutes": rng.choice(STEPS),
        "horizon_days": days,
    }
    open_weekdays = [int(weekday) for weekday, given in hours.items() if given]
    if _chance(rng, 0.7):
        closures = {(start_on + rng.randint(0, span) * DAY).isoformat() for _ in range(rng.randint(0, 4))}
        shut = rng.sample(range(1, 8), rng.randint(0, 2))
        if set(open_weekdays) <= set(shut):
            shut = []
        request["clinic"] = {"closed_weekdays": sorted(shut), "closures": sorted(closures)}
    if staff:
        request["practitioners"] = staff
    if rooms:
        request["rooms"] = rooms
    if _chance(rng, 0.3):
        request["client_busy"] = random_busy(rng, not_before, days, 5)
    if _chance(rng, 0.5):
        request["prefer"] = random_preferences(rng, staff)
    attended = sorted(date.fromisoformat(one["on"]) for one in past if one["status"] == "attended")
    if attended and _chance(rng, 0.35):
        course["phases_ended"] = _ends(rng, request, attended)
    return request


def _ends(rng: Random, request: dict[str, Any], attended: list[date]) -> list[dict[str, Any]]:
    """Ends of phases, each on a day on which its phase has begun; now and then one after the as-of date."""
    first = attended[0] + rng.randint(0, 12) * DAY
    ends = [{"phase": 0, "on": first.isoformat()}]
    second = first + rng.randint(0, 6) * DAY
    if len(request["course"]["phases"]) == 1 or not _chance(rng, 0.4):
        return ends
    course = Course(
        request | {"as_of": second.isoformat(), "course": request["course"] | {"phases_ended": ends}}
    )
    state = State()
    for on in attended:
        if on <= second:
            state, _ = course.session(state, on)
    state = course.settle(course.ready(state, second), second, is_session=False)
    has_begun = state.phase > 1 or (state.phase == 1 and state.e is not None and state.e <= second)
    return [*ends, {"phase": 1, "on": second.isoformat()}] if has_begun else ends
