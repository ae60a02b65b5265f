from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.core.types import Gap, Measures, PauseSpan, PhaseSpec
from tests.core.build import (
    EVERY_1_2,
    FORTNIGHT,
    INTENSIVE,
    MAINTENANCE,
    TWICE_A_WEEK,
    assessed,
    counted,
    day,
    paused,
    prescribed,
    records,
)

SHORT = counted(EVERY_1_2, 1, 1, grace_days=1, lapse_days=3)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        # Attended on Saturday 7 March: due from Sunday 8, by Monday 9; grace 1, lapse 14.
        ("03-07", "resting"),
        ("03-08", "due"),
        ("03-09", "due"),
        ("03-10", "late"),
        ("03-11", "overdue"),
        ("03-15", "overdue"),  # a Sunday: L stays 5
        ("03-25", "overdue"),  # L = 14
        ("03-26", "lapsed"),
        ("06-01", "lapsed"),
    ],
)
def test_state_by_the_day(today, expected):
    assert assessed(today, None, records("03-07")).state == expected


@pytest.mark.parametrize(
    ("today", "sessions", "pauses", "expected"),
    [
        ("02-28", records(), [], "not_started"),
        ("03-01", records(), [], "not_started"),
        ("03-02", records(), [], "due"),
        ("03-05", records(), [], "late"),
        ("02-28", records("02-27"), [], "due"),  # attended before the start: the window counts from it
        ("02-27", records("02-27"), [], "resting"),
        ("02-28", records("03-01"), [], "not_started"),  # what lies ahead is not seen yet
        ("03-01", records(), [("03-01", "03-03")], "paused"),
        ("03-03", records(), [("03-01", "03-03")], "paused"),
        ("03-04", records(), [("03-01", "03-03")], "due"),
        ("03-20", records("03-04"), [("03-05", None)], "paused"),
        ("03-04", records("03-04"), [("03-05", None)], "resting"),
    ],
)
def test_state(today, sessions, pauses, expected):
    assert assessed(today, None, sessions, paused(*pauses)).state == expected


def test_state_without_grace_or_lapse():
    plan = prescribed(counted(EVERY_1_2, 10, 15, grace_days=0, lapse_days=0))

    states = [assessed(today, plan, records("03-02")).state for today in ("03-04", "03-05")]

    assert states == ["due", "lapsed"]


def test_state_on_the_day_a_phase_is_ended_is_the_next_phases():
    plan = prescribed(INTENSIVE, MAINTENANCE, ended=[(0, "03-06")])

    before = assessed("03-05", plan, records("03-02 03-04 03-06"))
    after = assessed("03-06", plan, records("03-02 03-04 03-06"))

    assert (before.phase, before.session, before.state) == (0, 3, "due")
    assert (after.phase, after.session, after.due_from, after.due_by) == (1, 1, day("03-20"), day("03-20"))
    assert [(gap.phase, gap.session) for gap in after.gaps] == [(0, 1), (0, 2), (0, 3)]


def test_finished_has_no_next_session():
    found = assessed("03-20", prescribed(SHORT), records("03-02 03-05", no_show="03-06"))

    assert found[:5] == ("finished", None, None, None, None)
    assert found.gaps == (Gap(0, 1, day("03-02"), day("03-02"), day("03-04"), None, "on_time", 0, None),)
    assert found.measures == Measures(2, 0.6667, 1.0, 0.0, 0.0, None, None)  # the second one is extra
    assert found.findings == ()
    assert found.next_check_on is None


def test_gaps_of_a_course_with_two_phases():
    plan = prescribed(counted(EVERY_1_2, 2, 2), MAINTENANCE)

    gaps = assessed("04-20", plan, records("03-02 03-07 03-20 04-04")).gaps

    assert gaps == (
        Gap(0, 1, day("03-02"), day("03-02"), day("03-04"), None, "on_time", 0, None),
        Gap(0, 2, day("03-07"), day("03-03"), day("03-04"), 5, "late", 3, "scheduling"),
        Gap(1, 1, day("03-20"), day("03-21"), day("03-21"), 13, "early", 1, None),
        Gap(1, 2, day("04-04"), day("04-03"), day("04-03"), 15, "late", 1, "scheduling"),
    )


@pytest.mark.parametrize(
    ("on", "pauses", "verdict", "days"),
    [
        ("03-05", [], "on_time", 0),
        ("03-06", [], "on_time", 0),
        ("03-07", [], "late", 1),
        ("03-08", [], "late", 1),  # a Sunday counts for nothing
        ("03-09", [], "late", 2),
        ("03-09", [("03-07", "03-07")], "late", 1),
        ("03-09", [("03-05", "03-07")], "on_time", 0),
        ("03-09", [("03-05", None)], "on_time", 0),
    ],
)
def test_verdict(on, pauses, verdict, days):
    gap = assessed("03-20", None, records(f"03-04 {on}"), paused(*pauses)).gaps[1]

    assert (gap.verdict, gap.days) == (verdict, days)


def test_verdict_early_in_spite_of_a_pause():
    plan = prescribed(counted(FORTNIGHT, 3, 3))

    gap = assessed("03-20", plan, records("03-02 03-14"), paused(("03-03", "03-10"))).gaps[1]

    assert (gap.verdict, gap.days, gap.due_from, gap.due_by) == ("early", 2, day("03-16"), day("03-24"))


@pytest.mark.parametrize(
    ("others", "cause"),
    [
        ({}, "scheduling"),
        ({"no_show": "03-04"}, "client"),
        ({"cancelled_late": "03-04"}, "client"),
        ({"cancelled_by_client": "03-04"}, "client"),
        ({"cancelled_by_clinic": "03-04"}, "clinic"),
        ({"cancelled_by_clinic": "03-04", "no_show": "03-05"}, "both"),
        ({"no_show": "03-02"}, "scheduling"),  # not after the session before
        ({"no_show": "03-06"}, "client"),  # on the day judged
        ({"no_show": "03-07"}, "scheduling"),
        ({"planned": "03-04", "booked": "03-05"}, "scheduling"),
    ],
)
def test_cause_of_a_late_gap(others, cause):
    gap = assessed("03-20", None, records("03-02 03-06", **others)).gaps[1]

    assert (gap.verdict, gap.cause) == ("late", cause)


def test_cause_of_a_late_first_session():
    gap = assessed("03-20", None, records("03-06", cancelled_by_clinic="02-20")).gaps[0]

    assert (gap.verdict, gap.days, gap.cause) == ("late", 2, "clinic")


def test_measures_count_up_to_today():
    sessions = records("03-02 03-04 03-05 03-09 03-20", no_show="03-07 03-30", cancelled_late="03-08")

    measures = assessed("03-10", None, sessions).measures

    # The 9th is one day late: the window of the 5th ends on Saturday 7, Sunday is closed.
    assert measures == Measures(4, 0.6667, 0.75, 0.0, 0.25, 1, day("04-01"))


def test_measures_with_nothing_to_divide_by():
    assert assessed("03-02").measures == Measures(0, None, None, None, None, 0, day("04-03"))


@pytest.mark.parametrize(
    ("plan", "today", "attended", "pauses", "expected"),
    [
        (prescribed(counted(EVERY_1_2, 1, 3)), "03-02", "", [], "03-06"),
        (prescribed(counted(EVERY_1_2, 1, 3, target=2)), "03-02", "", [], "03-04"),
        (prescribed(counted(EVERY_1_2, 1, 3)), "02-20", "", [], "03-06"),
        (prescribed(counted(EVERY_1_2, 1, 3)), "03-08", "", [], "03-13"),  # on from Monday 9
        (prescribed(counted(EVERY_1_2, 1, 3)), "03-02", "", [("03-02", "03-03")], "03-09"),
        (prescribed(counted(EVERY_1_2, 1, 3)), "03-10", "", [("03-02", None)], "03-16"),
        (prescribed(counted(TWICE_A_WEEK, 1, 4)), "03-02", "", [], "03-18"),
        (prescribed(counted(TWICE_A_WEEK, 1, 4)), "03-05", "03-02 03-05", [], "03-13"),
        (prescribed(MAINTENANCE), "03-02", "", [], "2027-03-02"),
        (prescribed(MAINTENANCE), "03-05", "03-05", [], "2027-03-05"),
        (prescribed(MAINTENANCE), "03-20", "03-05", [("03-10", "03-14")], "2027-03-10"),
        (prescribed(PhaseSpec("intensive", EVERY_1_2, 9, 9, None, 4)), "03-02", "03-02", [], "03-06"),
        (prescribed(PhaseSpec("intensive", EVERY_1_2, 9, 9, None, 40)), "03-02", "03-02", [], "03-18"),
        (prescribed(PhaseSpec("intensive", TWICE_A_WEEK, 9, 9, None, 9)), "03-02", "", [], "03-11"),
        (prescribed(counted(FORTNIGHT, 1, 1), start="2028-02-29"), "2028-02-20", "", [], "2028-02-29"),
        (prescribed(counted(EVERY_1_2, 1, 3), start="12-31"), "12-30", "", [], "2027-01-04"),
    ],
)
def test_projected_end(plan, today, attended, pauses, expected):
    assert assessed(today, plan, records(attended), paused(*pauses)).measures.projected_end == day(expected)


def test_slippage_leaves_out_what_follows_nothing():
    plan = prescribed(restarts="03-16")
    # The 6th is late against the start, which does not count, the 11th by two days: due by Monday 9.
    # The restart forgets them; the 20th is late against it, which does not count either, the 24th by one
    # day: its window ends on a Sunday, so on Monday 23.
    sessions = records("03-06 03-11 03-20 03-24")

    slippage = [
        assessed(today, plan, sessions).measures.slippage_days
        for today in ("03-10", "03-11", "03-20", "03-24")
    ]

    assert slippage == [0, 2, 0, 1]


def test_slippage_of_a_later_phase_counts_its_first_session():
    plan = prescribed(counted(EVERY_1_2, 1, 1), MAINTENANCE)

    assert assessed("03-20", plan, records("03-02 03-20")).measures.slippage_days == 4


@given(seed=st.integers(0, 10_000))
def test_order_of_input_does_not_matter(seed):
    rng = Random(seed)
    words = ["attended", "booked", "no_show", "cancelled_by_clinic", "planned", "confirmed"]
    sessions = [
        session
        for number in sorted(rng.sample(range(1, 29), 12))
        for session in records(**{rng.choice(words): f"03-{number:02}"})
    ]
    pauses = paused(("03-04", "03-06"), ("03-15", "03-15"), ("03-25", None))
    shuffled, turned = rng.sample(sessions, len(sessions)), rng.sample(pauses, len(pauses))

    assert assessed("03-20", None, shuffled, turned) == assessed("03-20", None, sessions, pauses)


@given(
    attended=st.sets(st.integers(1, 30), min_size=2, max_size=9),
    first=st.integers(1, 30),
    length=st.integers(0, 10),
    cadence=st.sampled_from([EVERY_1_2, TWICE_A_WEEK, FORTNIGHT]),
)
def test_a_pause_never_increases_lateness(attended, first, length, cadence):
    plan = prescribed(counted(cadence, 20, 20))
    sessions = records(" ".join(f"03-{number:02}" for number in sorted(attended)))
    pause = PauseSpan(day(f"03-{first:02}"), day(f"03-{first:02}").replace(day=min(31, first + length)))

    without, with_pause = assessed("04-10", plan, sessions), assessed("04-10", plan, sessions, [pause])

    pairs = list(zip(without.gaps, with_pause.gaps, strict=True))
    late = [(a.days if a.verdict == "late" else 0, b.days if b.verdict == "late" else 0) for a, b in pairs]
    assert all(paused_days <= days for days, paused_days in late)
    assert [a.due_from for a, _ in pairs] == [b.due_from for _, b in pairs]
    assert all(gap.due_by >= gap.due_from for gap in with_pause.gaps)
