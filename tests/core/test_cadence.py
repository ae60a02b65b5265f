from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinics.core import ClinicCalendar
from courses.core.cadence import ClientDays
from courses.core.types import Cadence, PauseSpan, PhaseSpec
from tests.core.build import (
    EVERY_1_2,
    FORTNIGHT,
    INTENSIVE,
    MAINTENANCE,
    THRICE_A_WEEK,
    TWICE_A_WEEK,
    counted,
    day,
    paused,
    prescribed,
    progress_on,
    window,
    written,
)


@pytest.mark.parametrize(
    ("frequency", "period_min", "period_max", "rest_days", "flex_days"),
    [
        (1, 1, 2, 1, 0),
        (1, 2, 2, 1, 0),
        (1, 2, 3, 1, 0),
        (2, 7, 7, 2, 1),
        (3, 7, 7, 1, 1),
        (1, 14, 14, 1, 0),
        (2, 1, 2, 1, 0),
        (4, 7, 7, 1, 1),
    ],
)
def test_cadence_defaults(frequency, period_min, period_max, rest_days, flex_days):
    cadence = Cadence.of(frequency, period_min, period_max)

    assert cadence == Cadence(frequency, period_min, period_max, rest_days, flex_days)


def test_cadence_keeps_what_is_prescribed():
    assert Cadence.of(2, 7, 7, rest_days=1, flex_days=0) == Cadence(2, 7, 7, 1, 0)


@pytest.mark.parametrize(
    ("cadence", "attended", "pauses", "expected"),
    [
        (EVERY_1_2, "03-02 03-04", [], ("03-05", "03-06")),
        (EVERY_1_2, "03-06", [], ("03-07", "03-09")),  # Sunday 8 is closed
        (EVERY_1_2, "03-07", [], ("03-08", "03-09")),
        (EVERY_1_2, "03-04", [("03-05", "03-07")], ("03-05", "03-09")),
        (EVERY_1_2, "03-04", [("03-05", "03-05"), ("03-07", "03-07")], ("03-05", "03-09")),
        (EVERY_1_2, "03-04", [("03-02", "03-05")], ("03-05", "03-07")),  # the pause began before
        (EVERY_1_2, "03-04", [("03-06", "03-06")], ("03-05", "03-07")),
        (EVERY_1_2, "03-04", [("03-07", "03-09")], ("03-05", "03-06")),  # begins after the window
        (EVERY_1_2, "03-06", [("03-09", "03-10")], ("03-07", "03-11")),  # rolls past Sunday into the pause
        (EVERY_1_2, "", [], ("03-02", "03-04")),
        (TWICE_A_WEEK, "03-02", [], ("03-04", "03-10")),
        (TWICE_A_WEEK, "03-02 03-05", [], ("03-08", "03-10")),
        (
            TWICE_A_WEEK,
            "03-02 03-09",
            [],
            ("03-11", "03-13"),
        ),  # four days from the last are later than the 10th
        (TWICE_A_WEEK, "03-02 03-05 03-09", [], ("03-11", "03-13")),
        (THRICE_A_WEEK, "03-02 03-06 03-10", [], ("03-11", "03-13")),
        (THRICE_A_WEEK, "03-02 03-03 03-04", [], ("03-08", "03-10")),
        (FORTNIGHT, "03-20", [], ("04-03", "04-03")),
        (Cadence.of(1, 1, 2, rest_days=5), "03-02", [], ("03-07", "03-07")),
        (Cadence.of(1, 1, 2, rest_days=6), "03-02", [], ("03-08", "03-09")),
        (Cadence.of(1, 7, 7, flex_days=2), "03-02", [], ("03-07", "03-11")),
        (EVERY_1_2, "2028-02-28", [], ("2028-02-29", "2028-03-01")),
        (EVERY_1_2, "12-31", [], ("2027-01-01", "2027-01-02")),
    ],
)
def test_window(cadence, attended, pauses, expected):
    plan = prescribed(counted(cadence, 10, 15))

    progress = progress_on((attended or "03-02").split()[-1], plan, attended, paused(*pauses))

    assert window(progress) == expected


def test_window_of_the_next_phase():
    plan = prescribed(counted(EVERY_1_2, 1, 1), MAINTENANCE)

    progress = progress_on("03-20", plan, "03-20")

    assert (progress.index, window(progress)) == (1, ("04-03", "04-03"))


@pytest.mark.parametrize(
    ("restarts", "attended", "expected"),
    [
        ("03-10", "03-02", ("03-10", "03-12")),
        ("03-10", "03-02 03-10", ("03-11", "03-12")),  # on that very day it is the first of the new count
        ("03-10", "03-02 03-10 03-12", ("03-13", "03-14")),
        ("03-10 03-12", "03-02 03-10", ("03-12", "03-14")),
        ("03-11", "03-02", ("03-03", "03-04")),  # dated after the as-of date
    ],
)
def test_window_restarted(restarts, attended, expected):
    today = "03-10" if restarts == "03-11" else "03-12"

    assert window(progress_on(today, prescribed(restarts=restarts), attended)) == expected


def test_restart_counts_a_frequency_anew_and_keeps_the_amount():
    plan = prescribed(counted(TWICE_A_WEEK, 4, 4), restarts="03-16")

    progress = progress_on("03-17", plan, "03-02 03-05 03-17")

    assert (progress.taken, progress.recent) == (3, (day("03-17").toordinal(),))
    assert window(progress) == ("03-19", "03-25")


@pytest.mark.parametrize(
    ("on", "early"),
    [("03-03", 0), ("03-05", 1), ("03-06", 0)],
)
def test_earliness(on, early):
    attended = "03-02 03-05" if on == "03-05" else "03-02"
    progress = progress_on("03-06", prescribed(counted(EVERY_1_2, 10, 15)), attended)

    assert progress.earliness(day(on).toordinal()) == early


@pytest.mark.parametrize("restarts", ["", "03-10"])
def test_nothing_is_too_soon_after_nothing(restarts):
    progress = progress_on("03-10", prescribed(start="03-12", restarts=restarts))

    assert progress.earliness(day("03-01").toordinal()) == 0


def test_first_session_of_a_later_phase_can_be_early():
    progress = progress_on("03-20", prescribed(counted(EVERY_1_2, 1, 1), MAINTENANCE), "03-20")

    assert progress.earliness(day("04-01").toordinal()) == 2


TWO = counted(EVERY_1_2, 2, 3)
WEEK = PhaseSpec("maintenance", EVERY_1_2, duration_days=7)
LAST = PhaseSpec("maintenance", FORTNIGHT, 1, 1)


@pytest.mark.parametrize(
    ("phases", "today", "attended", "ended", "pauses", "expected"),
    [
        # by its amount: the most, or the target
        ((TWO, LAST), "03-04", "03-02 03-04", (), [], (0, "03-05")),
        ((TWO, LAST), "03-06", "03-02 03-04 03-06", (), [], (1, "03-20")),
        ((counted(EVERY_1_2, 2, 3, target=2), LAST), "03-04", "03-02 03-04", (), [], (1, "03-18")),
        # by its duration, which starts with the first session and does not count paused days
        ((WEEK, LAST), "03-09", "03-02", (), [], (0, "03-03")),
        ((WEEK, LAST), "03-10", "03-02", (), [], (1, "03-23")),
        ((WEEK, LAST), "03-11", "03-02", (), [("03-04", "03-05")], (0, "03-03")),
        ((WEEK, LAST), "03-12", "03-02", (), [("03-04", "03-05")], (1, "03-25")),
        ((WEEK, LAST), "03-30", "", (), [], (0, "03-02")),
        # from the moment it is known that no session fits any more: the 9th is the last day
        ((WEEK, LAST), "03-08", "03-02 03-08", (), [], (0, "03-09")),
        ((WEEK, LAST), "03-09", "03-02 03-09", (), [], (1, "03-23")),
        # whichever is reached first
        (
            (PhaseSpec("intensive", EVERY_1_2, 2, 2, None, 7), LAST),
            "03-03",
            "03-02 03-03",
            (),
            [],
            (1, "03-17"),
        ),
        ((PhaseSpec("intensive", EVERY_1_2, 2, 2, None, 7), LAST), "03-10", "03-02", (), [], (1, "03-23")),
        # by a prescriber: that day is already the next phase's, a session on it still the old one's
        ((TWO, LAST), "03-03", "03-02", [(0, "03-04")], [], (0, "03-03")),
        ((TWO, LAST), "03-04", "03-02", [(0, "03-04")], [], (1, "03-18")),
        ((TWO, LAST), "03-04", "03-02 03-04", [(0, "03-04")], [], (1, "03-18")),
        ((TWO, LAST), "03-05", "03-02 03-05", [(0, "03-04")], [], ("complete", "")),
        # an end of what was complete has no effect
        ((counted(EVERY_1_2, 1, 1), LAST), "03-04", "03-02", [(0, "03-04")], [], (1, "03-16")),
        ((WEEK, LAST), "03-12", "03-02", [(0, "03-12")], [], (1, "03-23")),
        # several at once: a phase of five days has no room for a fortnight's first session
        (
            (TWO, PhaseSpec("maintenance", FORTNIGHT, duration_days=5), LAST),
            "03-06",
            "03-02 03-04 03-06",
            (),
            [],
            (2, "03-25"),
        ),
        ((TWO, LAST), "03-06", "03-02 03-03 03-04 03-06", (), [], ("complete", "")),
        ((WEEK,), "03-10", "03-02", (), [], ("complete", "")),
    ],
)
def test_phases(phases, today, attended, ended, pauses, expected):
    progress = progress_on(today, prescribed(*phases, ended=ended), attended, paused(*pauses))

    found = ("complete", "") if progress.is_complete else (progress.index, written(progress.due_from))
    assert found == expected


def test_restart_and_end_on_one_day():
    plan = prescribed(TWO, LAST, ended=[(0, "03-04")], restarts="03-04")

    progress = progress_on("03-04", plan, "03-02")

    assert (progress.index, written(progress.due_from)) == (1, "03-18")


def test_restart_in_a_later_phase_before_its_first_session():
    plan = prescribed(counted(EVERY_1_2, 1, 1), MAINTENANCE, restarts="03-10")

    progress = progress_on("03-10", plan, "03-02")

    assert (progress.index, window(progress)) == (1, ("03-10", "03-24"))


def test_session_before_an_earlier_phase_has_run_out_belongs_to_the_next():
    # After the session on the 8th none fits into the week any more: its last day, the 9th, is what counts.
    plan = prescribed(PhaseSpec("intensive", Cadence.of(1, 3, 3), duration_days=7), counted(EVERY_1_2, 2, 2))

    progress = progress_on("03-09", plan, "03-02 03-08 03-09")

    assert (progress.index, progress.taken, written(progress.due_from)) == (1, 1, "03-10")


def test_visit_tells_how_a_session_lay_in_its_window():
    progress = progress_on("03-04", prescribed(counted(EVERY_1_2, 2, 2)), "03-02")
    on = day("03-06").toordinal()

    assert progress.visit(on) == (0, 2, on - 3, on - 2, 0, 2)
    assert progress.slippage == 0  # the phase is complete: nothing is counted any more
    assert progress.visit(on + 1) is None


def test_copy_goes_its_own_way():
    progress = progress_on("03-02", prescribed(), "03-02")
    other = progress.copy()

    other.attend(day("03-04").toordinal())

    assert (progress.taken, other.taken) == (1, 2)
    assert progress.key() != other.key()
    assert progress.copy().key() == progress.key()
    assert (window(progress), window(other)) == (("03-03", "03-04"), ("03-05", "03-06"))


ORDINAL = st.integers(739_000, 739_030)


@st.composite
def client_days(draw):
    borders = sorted(draw(st.sets(ORDINAL, max_size=6)))
    spans = list(zip(borders[::2], borders[1::2], strict=False))
    pauses = [PauseSpan(date.fromordinal(a), date.fromordinal(b)) for a, b in spans]
    if draw(st.booleans()):
        pauses.append(PauseSpan(date.fromordinal(max([739_000, *borders]) + 1), None))
    calendar = ClinicCalendar(
        draw(st.sets(st.integers(1, 7), max_size=6)),
        draw(st.sets(ORDINAL.map(date.fromordinal), max_size=8)),
    )
    return ClientDays(calendar, pauses[::-1], today=date.fromordinal(draw(ORDINAL))), pauses


@given(client_days(), ORDINAL, st.integers(1, 12))
def test_client_days_count_as_a_walk_does(made, start, n):
    days, pauses = made
    today = date.fromordinal(days.today)

    def is_paused(number):
        on = date.fromordinal(number)
        return any(
            p.from_on <= on <= (p.to_on or max(today, p.from_on)) and (p.to_on or on <= today) for p in pauses
        )

    ahead = range(start + 1, start + 250)
    unpaused = [number for number in ahead if not is_paused(number)]
    open_days = [number for number in unpaused if days.calendar.opens_on(number)]

    assert days.after_unpaused(start, n) == unpaused[n - 1]
    assert days.first_open(start + 1) == open_days[0]
    assert days.nth_open(start, n) == open_days[n - 1]
    assert days.open_between(start, start + 2 * n) == sum(number <= start + 2 * n for number in open_days)
    assert days.open_between(start, start - n) == 0
    assert [number for number in ahead[:60] if days.is_open(number)] == [
        n for n in open_days if n < start + 61
    ]
    assert (days.pause_on(start) is not None) is is_paused(start)


@pytest.mark.parametrize(
    ("today", "expected"),
    [("03-04", "03-06"), ("03-05", "03-07"), ("03-07", "03-09"), ("03-20", "03-23")],
)
def test_open_ended_pause_counts_up_to_the_as_of_date(today, expected):
    progress = progress_on(today, prescribed(), "03-04", paused(("03-05", None)))

    assert written(progress.due_by()) == expected


def test_nothing_is_bookable_in_an_open_ended_pause():
    days = ClientDays(ClinicCalendar(), paused(("03-10", None)), today=day("03-02"))

    assert [days.is_bookable(day(on).toordinal()) for on in ("03-09", "03-10", "04-10")] == [
        True,
        False,
        False,
    ]
    assert days.is_open(day("04-10").toordinal())


@pytest.mark.parametrize("phases", [(INTENSIVE,), (INTENSIVE, MAINTENANCE)])
def test_fifteenth_session_completes_the_intensive_phase(phases):
    plan = prescribed(*phases)
    attended = " ".join(f"03-{number:02}" for number in range(2, 31, 2))

    progress = progress_on("03-30", plan, attended, closed=())

    assert progress.is_complete is (len(phases) == 1)
    assert progress.index == len(phases) - 1
