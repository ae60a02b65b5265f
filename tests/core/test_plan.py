"""Where the planner puts sessions, and which cost decides: dates worked out by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from courses.core.plan import PlanCost, Practitioner, Preferences, Reason, Room, plan
from courses.core.types import ContraindicationSpan, PauseSpan, PhaseEnd, PhaseSpec, SessionRecord
from tests.core.plan_requests import RIGA, attended, days_of, march, phase, pinned, request

FREE_DAY = phase(1, 2, 3)
WIDE = phase(1, 2, 4)


def at(day, hour, minute=0, month=3):
    return datetime(2026, month, day, hour, minute, tzinfo=RIGA)


@pytest.mark.parametrize(
    ("wanted", "days"),
    [
        # Placed before preferred: only Wednesday suits, yet all three days are taken.
        (request(phase(), horizon_days=2, prefer=Preferences(frozenset({3}))), march(2, 3, 4)),
        # In the window before preferred: Friday suits, two days after the window.
        (request(phase(), count=1, prefer=Preferences(frozenset({5}))), march(2)),
        # Preferred before well spaced.
        (
            request(FREE_DAY, count=1, sessions=attended(2), prefer=Preferences(frozenset({4}))),
            march(5),
        ),
        # Well spaced before early.
        (request(WIDE, count=1, sessions=attended(2)), march(5)),
        # As far from the best spacing on either side of a closed day: the earlier last date.
        (request(WIDE, count=1, sessions=attended(2), closures=march(5)), march(4)),
        # The same last date and the same gaps in another order: the earliest dates in order.
        (request(WIDE, count=2, sessions=(*attended(2), *pinned(13))), march(5, 9)),
    ],
)
def test_plan_decides_by_the_first_cost_that_differs(wanted, days):
    assert days_of(plan(wanted)) == days


@pytest.mark.parametrize(
    ("phases", "count", "days"),
    [
        ([phase()], 7, march(2, 3, 4, 5, 6, 7, 9)),
        # From Tuesday on, each third session falls on a Saturday, and no gap is longer than two days.
        ([phase(3, 7, 7)], 6, march(3, 5, 7, 9, 11, 13)),
        ([phase(2, 7, 7)], 4, march(3, 6, 9, 12)),
        ([phase(1, 14, 14)], 2, march(2, 16)),
        # One phase after the other; from Tuesday on no gap is stretched by a Sunday.
        ([phase(1, 1, 1, 2), phase(1, 2, 2, 1), phase(1, 3, 3, 2)], 5, march(3, 4, 6, 9, 12)),
        # A phase of four days ends by its duration; what follows counts from its last day, Friday.
        (
            [PhaseSpec("intensive", phase().cadence, duration_days=4), phase(1, 7, 7)],
            6,
            march(2, 3, 4, 5, 6, 13),
        ),
    ],
)
def test_plan_follows_the_cadence_of_each_phase(phases, count, days):
    assert days_of(plan(request(*phases, count=count))) == days


def test_plan_before_a_pinned_session_leaves_it_its_rest():
    found = plan(request(FREE_DAY, count=2, sessions=(*attended(2), *pinned(6))))

    assert [(session.on.day, session.session, session.pinned) for session in found.sessions] == [
        (4, 2, False),
        (6, 3, True),
        (9, 4, False),
    ]
    assert found.cost == PlanCost(0, 0, 0, 1, date(2026, 3, 9))


def test_plan_counts_an_early_pinned_session_outside_its_window():
    found = plan(request(FREE_DAY, count=0, sessions=(*attended(2), *pinned(3))))

    assert found.cost == PlanCost(0, 1, 0, 1, None)
    assert found.notes == (Reason("session_early", 1, on=date(2026, 3, 3)),)
    assert found.notes[0].says == "The session kept on 2026-03-03 is 1 day before its window."


def test_plan_counts_a_late_pinned_session_and_one_after_the_course():
    found = plan(request(phase(amount=2), count=0, sessions=(*attended(2), *pinned(7, 20))))

    assert [(session.session, session.days_outside) for session in found.sessions] == [(2, 3), (None, 0)]
    assert [note.says for note in found.notes] == [
        "The session kept on 2026-03-07 is 3 days after its window.",
        "Booked for 2026-03-20, after the end of the course.",
    ]


@pytest.mark.parametrize(
    ("booking", "kept"),
    [
        (SessionRecord(date(2026, 3, 3), "booked"), False),  # unrecorded, before the as-of date
        (SessionRecord(date(2026, 3, 4), "booked"), True),
        (SessionRecord(date(2026, 3, 5), "confirmed"), True),
        (SessionRecord(date(2026, 3, 6), "booked"), False),
        (SessionRecord(date(2026, 3, 6), "arrived"), True),
        (SessionRecord(date(2026, 3, 9), "booked", pinned=True), True),
        (SessionRecord(date(2026, 3, 9), "planned", pinned=True), False),
        (SessionRecord(date(2026, 3, 9), "attended"), False),  # an outcome after the as-of date
    ],
)
def test_plan_keeps_bookings_up_to_not_before_and_pinned_ones(booking, kept):
    wanted = request(as_of=date(2026, 3, 4), not_before=at(6, 9), sessions=(booking,), count=0)

    assert [session.kept for session in plan(wanted).sessions] == ([booking] if kept else [])


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"closures": march(3, 4)}, "closed"),
        ({"pauses": (PauseSpan(date(2026, 3, 3), date(2026, 3, 4)),)}, "paused"),
        ({"contraindications": (ContraindicationSpan("flu", *march(3, 4)),)}, "contraindicated"),
        ({"practitioners": (Practitioner("anna", None, ((date(2026, 3, 3), date(2026, 3, 4)),)),)}, "absent"),
        ({"client_busy": ((at(3, 0), at(5, 0)),)}, "full"),
        ({"rooms": (Room("one", ((at(3, 9, 30), at(4, 11, 30)),)),)}, "full"),
    ],
)
def test_plan_leaves_out_days_that_cannot_hold_a_session(given, cause):
    found = plan(request(count=1, sessions=attended(2), **given))

    assert days_of(found) == march(5)
    assert found.planned[0].why[1] == Reason(cause, 2, dates=tuple(march(3, 4)))


@pytest.mark.parametrize(
    ("pause_to", "days", "unplaced"), [(date(2026, 3, 5), march(3, 6, 7), 0), (None, march(3), 2)]
)
def test_plan_takes_an_open_pause_as_without_end(pause_to, days, unplaced):
    pauses = (PauseSpan(date(2026, 3, 4), pause_to),)

    found = plan(request(sessions=attended(2), pauses=pauses))

    assert (days_of(found), found.cost.unplaced) == (days, unplaced)


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"closures": march(3, 12)}, "closed"),
        ({"pauses": (PauseSpan(date(2026, 3, 3), None),)}, "paused"),
        (
            {"contraindications": tuple(ContraindicationSpan("influenza", day, day) for day in march(3, 12))},
            "contraindicated",
        ),
    ],
)
def test_plan_says_of_kept_sessions_that_they_lie_on_lost_days(given, cause):
    # Before the first day that is planned, and after the last one.
    kept = (SessionRecord(date(2026, 3, 3), "booked"), *pinned(12))

    found = plan(request(sessions=kept, not_before=at(5, 9), horizon_days=4, **given))

    lost = [note for note in found.notes if note.kind == "session_lost"]
    assert lost == [Reason("session_lost", on=day, cause=cause) for day in march(3, 12)]


def test_plan_says_what_made_a_session_late():
    found = plan(request(count=1, sessions=attended(2), client_busy=((at(3, 0), at(6, 0)),)))

    assert [note.says for note in found.notes] == [
        "The session on 2026-03-06 is 2 days after its window: there was no free time before."
    ]
    assert [reason.says for reason in found.planned[0].why] == [
        "Due from 2026-03-03 to 2026-03-04.",
        "There is no free time on 2026-03-03–2026-03-05.",
        "Lies 2 days after its window.",
    ]


def test_plan_blames_no_closed_day_where_a_day_of_the_window_was_free():
    # The 4th was free, but leaves the pinned session three days late; the 6th leaves it one.
    found = plan(request(phase(1, 2, 2), count=1, sessions=(*attended(2), *pinned(10)), closures=march(5)))

    assert days_of(found) == march(6)
    assert found.notes[0] == Reason("session_late", 1, on=date(2026, 3, 6), cause="spacing")


def test_plan_calls_no_window_over_that_has_days_left():
    # Due from the 3rd to the 7th: three of these days are past, two are full. The 8th is a Sunday.
    found = plan(
        request(
            phase(1, 1, 5),
            count=1,
            sessions=attended(2),
            not_before=at(6, 9),
            client_busy=((at(6, 0), at(8, 0)),),
        )
    )

    assert found.notes == (Reason("session_late", 1, on=date(2026, 3, 9), cause="full"),)


def test_plan_tells_sessions_not_asked_for_from_those_without_a_slot():
    asked = plan(request(phase(amount=2), count=4))
    fitted = plan(request(phase(), count=4, horizon_days=2))

    both = plan(request(phase(amount=2), phase(amount=3), count=9, horizon_days=2))

    assert asked.notes == (Reason("not_asked", 2),)
    assert fitted.notes == (Reason("no_slot", 1, on=date(2026, 3, 4)),)
    assert both.notes == (Reason("no_slot", 2, on=date(2026, 3, 4)), Reason("not_asked", 4))
    assert [found.cost.unplaced for found in (asked, fitted, both)] == [2, 1, 6]


@pytest.mark.parametrize(
    ("barred", "says"),
    [
        ({"closures": march(*range(1, 32))}, "the clinic is closed until then."),
        ({"pauses": (PauseSpan(date(2026, 3, 1), None),)}, "the course is paused until then."),
        ({"client_busy": ((at(2, 0), at(31, 0)),)}, "there is no free time until then."),
    ],
)
def test_plan_says_what_bars_every_day_that_is_left(barred, says):
    found = plan(request(phase(), count=3, horizon_days=20, **barred))

    assert [note.says for note in found.notes] == [f"3 sessions found no slot up to 2026-03-22: {says}"]


def test_plan_fits_most_sessions_into_a_phase_that_runs_out():
    short = PhaseSpec("intensive", FREE_DAY.cadence, duration_days=6)

    found = plan(request(short, count=9))

    # Starting on Monday leaves room up to Sunday, two days apart; a start on Tuesday would reach Monday the 9th.
    assert days_of(found) == march(3, 5, 7, 9)
    assert found.cost.unplaced == 5


def test_plan_counts_from_a_restart_but_never_before_it():
    wanted = request(FREE_DAY, as_of=date(2026, 3, 9), restarts=march(9), sessions=attended(2))

    found = plan(replace(wanted, not_before=at(9, 9)))

    assert [(session.on, session.session) for session in found.planned] == [
        (date(2026, 3, 9), 2),
        (date(2026, 3, 11), 3),
        (date(2026, 3, 13), 4),
    ]


def test_plan_gives_the_day_of_a_phases_end_to_that_phase():
    ended = (PhaseEnd(0, date(2026, 3, 3)),)
    wanted = request(
        phase(), phase(1, 7, 7), as_of=date(2026, 3, 3), ended=ended, sessions=attended(2), count=2
    )

    found = plan(replace(wanted, not_before=at(3, 9)))

    assert [(session.on.day, session.phase) for session in found.planned] == [(3, 0), (10, 1)]


def test_plan_takes_the_earliest_start_then_practitioner_then_room():
    busy = ((at(2, 9), at(2, 10)),)
    wanted = request(
        count=1,
        practitioners=(Practitioner("anna", None, (), busy), Practitioner("boris"), Practitioner("clara")),
        rooms=(Room("one", busy), Room("two"), Room("three")),
    )

    session = plan(wanted).planned[0]

    assert (session.start, session.practitioner, session.room) == (at(2, 9), "boris", "two")


def test_plan_prefers_time_and_practitioner_over_an_early_start():
    wanted = request(
        count=1,
        practitioners=(Practitioner("anna"), Practitioner("boris", {1: ((630, 720),)})),
        prefer=Preferences(frozenset({2}), 600, 660, "boris"),
        horizon_days=0,
    )

    session = plan(wanted).planned[0]

    # Hours of a practitioner narrow the clinic's: steps still count from nine, so half past ten is no start.
    assert (session.start, session.practitioner, session.preferences_missed) == (at(2, 11), "boris", 1)
    assert [reason.kind for reason in session.why] == ["window", "missed_weekday"]


@pytest.mark.parametrize(
    ("busy", "start"),
    [
        (((at(2, 8), at(2, 9)),), at(2, 9)),  # half-open: what ends at nine leaves nine free
        (((at(2, 8), at(2, 9, 1)),), at(2, 10)),
        (((at(2, 10), at(2, 11)),), at(2, 9)),
        (((at(2, 9, 59), at(2, 11)),), at(2, 11)),
    ],
)
def test_plan_starts_where_nothing_overlaps(busy, start):
    assert plan(request(count=1, client_busy=busy)).planned[0].start == start


@pytest.mark.parametrize(("hour", "minute", "start"), [(9, 0, 9), (9, 1, 10), (11, 0, 11)])
def test_plan_starts_not_before_the_time_given(hour, minute, start):
    assert plan(request(count=1, not_before=at(2, hour, minute))).planned[0].start == at(2, start)


def test_plan_starts_no_fraction_of_a_second_too_early():
    moment = timedelta(milliseconds=1)
    busy = ((at(3, 8), at(3, 9) + moment),)

    late = plan(request(count=1, not_before=at(2, 9) + moment)).planned[0]
    after = plan(request(count=1, not_before=at(3, 8), as_of=date(2026, 3, 3), client_busy=busy)).planned[0]

    assert (late.start, after.start) == (at(2, 10), at(3, 10))


def test_plan_goes_to_the_next_day_after_the_last_start_of_today():
    found = plan(request(count=1, not_before=at(2, 11, 1)))

    assert found.planned[0].start == at(3, 9)
    assert found.planned[0].why[1] == Reason("too_soon", 1, dates=(date(2026, 3, 2),))


@pytest.mark.parametrize(
    ("month", "day", "busy_until", "starts"),
    [
        # Clocks go from 3:00 to 4:00: after 2:00 the next full hour is 4:00.
        (3, 29, None, "2026-03-29T02:00:00+02:00"),
        (3, 29, "2026-03-29T01:00:00+00:00", "2026-03-29T04:00:00+03:00"),
        # Clocks go from 4:00 back to 3:00, so three o'clock comes twice.
        (10, 25, "2026-10-25T00:00:00+00:00", "2026-10-25T03:00:00+03:00"),
        (10, 25, "2026-10-25T01:00:00+00:00", "2026-10-25T03:00:00+02:00"),
        (10, 25, "2026-10-25T02:00:00+00:00", "2026-10-25T04:00:00+02:00"),
    ],
)
def test_plan_counts_real_hours_when_the_clocks_turn(month, day, busy_until, starts):
    on = date(2026, month, day)
    busy = (
        ((datetime(2026, month, day, tzinfo=RIGA), datetime.fromisoformat(busy_until)),) if busy_until else ()
    )
    night = request(
        count=1,
        start_on=on,
        as_of=on,
        not_before=at(day, 0, month=month),
        hours={7: ((120, 360),)},
        client_busy=busy,
    )

    session = plan(night).planned[0]

    assert session.start.isoformat() == starts
    assert session.end.astimezone(UTC) - session.start.astimezone(UTC) == timedelta(hours=1)


def test_plan_ends_its_horizon_with_a_whole_day():
    found = plan(request(phase(1, 7, 7), count=2, horizon_days=7))
    short = plan(request(phase(1, 7, 7), count=2, horizon_days=6))

    assert (days_of(found), days_of(short)) == (march(2, 9), march(2))


def test_plan_over_the_end_of_february_in_a_leap_year():
    on = date(2028, 2, 28)
    wanted = request(
        phase(1, 1, 1), start_on=on, as_of=on, not_before=datetime(2028, 2, 28, 9, tzinfo=RIGA), count=3
    )

    assert days_of(plan(wanted)) == [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]


def test_plan_without_hours_is_refused():
    with pytest.raises(ValueError, match="At least one weekday must be open"):
        plan(request(hours={}))
