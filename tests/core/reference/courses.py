"""Random assess requests: valid by docs/domain.md, and bent towards trouble.

`random_request(rng)` is a function of the generator's state alone, so a seed names a request. A request is
built as a course is lived: a prescription, a history that keeps or breaks it, an as-of date near something
that matters, then bookings, pauses, closures, restarts and ends around it.
"""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from tests.core.reference.assess import Calendar, Course, Walk, iso

# The cadences that clinics prescribe, then shapes at the edges: as many sessions as days, wide periods, long
# rests.
CADENCES = [
    (1, 1, 2), (1, 2, 2), (1, 2, 3), (2, 7, 7), (3, 7, 7), (1, 14, 14),
    (1, 1, 1), (1, 3, 5), (1, 7, 10), (1, 28, 28), (2, 1, 3), (2, 2, 2), (2, 5, 9), (2, 14, 14), (3, 3, 3),
    (3, 10, 14), (4, 3, 6), (5, 7, 7), (7, 7, 7),
]  # fmt: skip
OUTCOMES = [
    "no_show",
    "no_show",
    "cancelled_late",
    "cancelled_late",
    "cancelled_by_client",
    "cancelled_by_clinic",
]
BOOKINGS = ["booked", "booked", "confirmed", "arrived"]
# Around leap days, year ends and nothing in particular.
YEARS = [(date(2024, 1, 20), 60), (date(2025, 11, 1), 90), (date(2026, 3, 1), 365), (date(2028, 2, 1), 40)]


def random_request(rng: Random) -> dict[str, Any]:
    """A valid request; about half of them have something wrong with the course."""
    base, spread = rng.choice(YEARS)
    start_on = base.toordinal() + rng.randrange(spread)
    phases = [random_phase(rng) for _ in range(rng.choice([1, 1, 2, 2, 2, 3]))]
    attended, sessions = random_history(rng, phases, start_on)
    as_of = random_as_of(rng, phases, attended, start_on)
    sessions += random_bookings(rng, phases, attended, as_of)
    rng.shuffle(sessions)
    course: dict[str, Any] = {"start_on": iso(start_on), "phases": phases, "sessions": sessions}
    course["pauses"] = random_pauses(rng, start_on, as_of)
    course["restarts"] = random_restarts(rng, attended, start_on, as_of)
    course["contraindications"] = random_contraindications(rng, as_of)
    request = {"as_of": iso(as_of), "clinic": random_clinic(rng, start_on, as_of), "course": course}
    course["phases_ended"] = random_ends(rng, request, attended, start_on, as_of)
    leave_out_what_is_empty(rng, request)
    return request


def random_phase(rng: Random) -> dict[str, Any]:
    frequency, period_min, period_max = rng.choice(CADENCES[: rng.choice([6, len(CADENCES)])])
    cadence = {"frequency": frequency, "period_min": period_min, "period_max": period_max}
    if rng.random() < 0.25:
        cadence["rest_days"] = rng.randint(1, period_max // frequency + rng.choice([0, 0, 1, 3]))
    if rng.random() < 0.25:
        cadence["flex_days"] = rng.randrange(period_min)
    phase: dict[str, Any] = {"kind": rng.choice(["intensive", "maintenance"]), "cadence": cadence}
    amount = rng.choice(
        ["count", "range", "range", "range", "range", "target", "target", "duration", "both", "both"]
    )
    if amount != "duration":
        low = rng.choice([1, 1, 2, 2, 3, 4, 6, 8, 10, 15])
        high = low if amount == "count" else low + rng.choice([1, 2, 3, 5])
        if amount == "both" and rng.random() < 0.3:
            high = low
        phase |= {"sessions_min": low, "sessions_max": high}
        if amount == "target" or (amount == "both" and rng.random() < 0.3):
            phase["target"] = rng.randint(low, high)
        elif rng.random() < 0.5:
            phase["target"] = None
    if amount in ("duration", "both"):
        phase["duration_days"] = rng.choice([1, 3, 7, 10, 14, 21, 30, 45, 60, 60, 90, 90, 180, 365, 365])
    grace = rng.choice([None, 0, 1, 1, 2, 3, 5])
    lapse = rng.choice([None, 0, 1, 2, 4, 7, 14, 20, 42])
    if grace is not None:
        phase["grace_days"] = grace
    if lapse is not None:
        phase["lapse_days"] = max(lapse, grace or 0)
    if rng.random() < 0.1:
        phase |= {"minutes_min": 30, "minutes_max": 45}
    return phase


def random_step(rng: Random, phase: dict[str, Any], habit: str) -> int:
    """Days from one session to the next, for someone with this habit."""
    cadence = phase["cadence"]
    shortest = max(1, cadence["period_min"] // cadence["frequency"])
    longest = max(shortest, -(-cadence["period_max"] // cadence["frequency"]))
    step = rng.randint(shortest, longest)
    if habit == "mixed":
        habit = rng.choice(["kept", "kept", "kept", "early", "late", "lapsed"])
    if habit == "early":
        return max(1, step - rng.randint(1, 3))
    if habit == "late":
        return step + rng.randint(1, cadence["period_max"] + phase.get("grace_days", 0) + 2)
    if habit == "lapsed":
        return step + phase.get("lapse_days", 14) + rng.randint(0, 2 * cadence["period_max"] + 3)
    return step


def random_history(
    rng: Random, phases: list[dict[str, Any]], start_on: int
) -> tuple[list[int], list[dict[str, Any]]]:
    """The days attended, oldest first, and the sessions with an outcome: not cut at any as-of date."""
    attended: list[int] = []
    sessions: list[dict[str, Any]] = []
    habit = rng.choice(["kept", "kept", "early", "late", "mixed", "mixed"])
    misses = rng.choice([0, 0, 0.1, 0.5])
    day = start_on + rng.choice([0, 0, 0, 0, 1, 2, 5, 12, -1, -4])
    last = len(phases) - 1
    for index, phase in enumerate(phases):
        amount = phase.get("target") or phase.get("sessions_max") or rng.randint(1, 6)
        stops = rng.random() < (0.45 if index < last else 0.88)
        if stops:
            sessions_here = rng.randint(0, amount - 1)
        else:
            sessions_here = amount + (rng.choice([0, 2]) if index == last else 0)
        for _ in range(sessions_here):
            attended.append(day)
            step = random_step(rng, phase, habit)
            while rng.random() < misses:
                sessions.append(session(day + rng.randint(0, step), rng.choice(OUTCOMES)))
            day += step
        if stops:
            break
    if rng.random() < 0.3:
        sessions += [
            session(day + rng.randint(-2, 6), rng.choice(OUTCOMES[: rng.choice([4, 6])]))
            for _ in range(rng.randint(1, 4))
        ]
    sessions += [session(on, "attended") for on in attended]
    return attended, sessions


def session(on: int, status: str) -> dict[str, Any]:
    return {"on": iso(on), "status": status}


def random_as_of(rng: Random, phases: list[dict[str, Any]], attended: list[int], start_on: int) -> int:
    """A day near a session, mostly the last one, or near where the rules change their mind after it."""
    if not attended or rng.random() < 0.05:
        return start_on + rng.choice([-20, -4, -3, -1, 0, 1, 2, 4, 9, 16, 30, 70])
    anchor = attended[-1] if rng.random() < 0.75 else rng.choice(attended)
    phase = rng.choice(phases)
    longest = phase["cadence"]["period_max"]
    grace, lapse = phase.get("grace_days", 0), phase.get("lapse_days", 14)
    offset = rng.choice(
        [0, 1, 2, longest, longest, longest + grace, longest + lapse, 2 * longest + lapse, 3 * longest]
    )
    return anchor + max(0, offset + rng.randint(-3, 3)) + rng.choice([0] * 8 + [1, 2, 6, 40])


def random_bookings(
    rng: Random, phases: list[dict[str, Any]], attended: list[int], as_of: int
) -> list[dict[str, Any]]:
    found = []
    if rng.random() < 0.55:
        day = as_of + rng.choice([0, 0, 1, 1, 2, 3, 5, 8, 14, 30])
        phase, habit = rng.choice(phases), rng.choice(["kept", "kept", "early", "late"])
        for _ in range(rng.choice([1, 1, 2, 3, 6])):
            found.append(session(day, rng.choice(BOOKINGS)))
            day += random_step(rng, phase, habit) if rng.random() < 0.97 else 0
    if rng.random() < 0.15:
        found += [
            session(as_of - rng.randint(1, 15), rng.choice(BOOKINGS)) for _ in range(rng.choice([1, 1, 2]))
        ]
    if rng.random() < 0.2:
        found += [session(as_of + rng.randint(-8, 20), "planned") for _ in range(rng.choice([1, 3]))]
    if attended and rng.random() < 0.05:
        found.append(session(rng.choice(attended), rng.choice(BOOKINGS)))
    return found


def random_pauses(rng: Random, start_on: int, as_of: int) -> list[dict[str, Any]]:
    """Pauses that share no day; at most one is open-ended, and it is the last."""
    spans: list[tuple[int, int | None]] = []
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 3])):
        start = rng.choice(
            [
                rng.randint(start_on - 3, max(start_on, as_of)),
                as_of - rng.randint(0, 9),
                as_of + rng.randint(0, 9),
            ]
        )
        length = rng.choice([0, 0, 1, 2, 4, 7, 14, 30])
        spans.append((start, None if rng.random() < 0.25 else start + length))
    if rng.random() < 0.12:
        start = as_of - rng.randint(0, 40)
        spans.append((start, None if rng.random() < 0.4 else as_of + rng.randint(0, 12)))
    kept: list[tuple[int, int | None]] = []
    for start, end in sorted(spans, key=lambda span: span[0]):
        before = kept[-1][1] if kept else start - 1
        if before is not None and before < start:
            kept.append((start, end))
    rng.shuffle(kept)
    reasons = ["bruises", "illness", "bleeding", "travel", "clinic"]
    return [{"from": iso(start), "to": iso(end), "reason": rng.choice(reasons)} for start, end in kept]


def random_restarts(rng: Random, attended: list[int], start_on: int, as_of: int) -> list[str | None]:
    days = []
    for _ in range(rng.choice([0, 0, 0, 0, 1, 1, 2])):
        near = [
            as_of,
            as_of - rng.randint(0, 6),
            as_of + rng.randint(1, 20),
            rng.randint(start_on, max(start_on, as_of)),
        ]
        days.append(rng.choice(near + ([rng.choice(attended)] * 2 if attended else [])))
    return [iso(day) for day in days]


def random_contraindications(rng: Random, as_of: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        start = as_of + rng.randint(-10, 15)
        found.append(
            {
                "code": rng.choice(["influenza", "fever"]),
                "from": iso(start),
                "to": iso(start + rng.choice([0, 2, 9])),
            }
        )
    return found


def random_clinic(rng: Random, start_on: int, as_of: int) -> dict[str, Any]:
    closures: set[int] = set()
    for _ in range(rng.choice([0, 0, 1, 2, 4])):
        first = rng.choice([rng.randint(start_on, max(start_on, as_of)), as_of + rng.randint(-6, 12)])
        closures.update(range(first, first + rng.choice([1, 1, 2, 10])))
    weekdays = rng.choice([[], [], [7], [7], [6, 7], rng.sample(range(1, 8), rng.randint(1, 6))])
    clinic: dict[str, Any] = {"closed_weekdays": weekdays, "closures": [iso(day) for day in sorted(closures)]}
    if rng.random() < 0.4:
        clinic["booking_lead_days"] = rng.choice([0, 1, 3, 7, 14])
    return clinic


def random_ends(
    rng: Random, request: dict[str, Any], attended: list[int], start_on: int, as_of: int
) -> list[dict[str, Any]]:
    """Ends by a prescriber: of the phase then current, or of one already complete; some after the as-of date.

    An end of a phase before it began would be refused, so the walk is asked which phase has begun. While a
    pause is open-ended, a later phase that has begun today may not have begun yet as seen from a later day:
    then only the first phase, begun with its first session, is ended.
    """
    ends: list[dict[str, Any]] = []
    if not attended:
        return ends
    first = max(start_on, attended[0])
    has_open_pause = any(pause["to"] is None for pause in request["course"]["pauses"])
    days = []
    for _ in range(rng.choice([0, 0, 0, 0, 0, 1, 1, 2, 3])):
        near = [rng.choice(attended), as_of, as_of - rng.randint(0, 9), as_of + rng.randint(1, 20)]
        days.append(max(first, rng.choice([*near, rng.randint(first, max(first, as_of))])))
    for day in sorted(days):
        now = Walk(
            Course({**request, "course": {**request["course"], "phases_ended": ends}}),
            Calendar(Course(request), day),
            until=day,
            bookings=[],
        ).now
        is_running = now.phase < len(request["course"]["phases"])
        if has_open_pause:
            begun = 0
        elif is_running and (now.e is None or now.e <= day):
            begun = now.phase
        else:
            begun = now.phase - 1
        ends.append({"phase": rng.choice([begun, begun, begun, rng.randint(0, begun)]), "on": iso(day)})
    rng.shuffle(ends)
    return ends


def leave_out_what_is_empty(rng: Random, request: dict[str, Any]) -> None:
    """Drop fields that say what their default says, now and then."""
    for owner, key in [
        *(
            (request["course"], key)
            for key in ("sessions", "pauses", "restarts", "contraindications", "phases_ended")
        ),
        (request["clinic"], "closed_weekdays"),
        (request["clinic"], "closures"),
        (request, "clinic"),
    ]:
        if not owner[key] and rng.random() < 0.4:
            del owner[key]
