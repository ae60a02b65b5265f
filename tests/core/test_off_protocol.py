"""Lengths and orders that break the protocol."""

from datetime import date

import pytest

from courses.core.off_protocol import PhaseLimits, PracticeRecord, count_off_protocol, is_in_order
from courses.core.types import Gap

DAY = date(2026, 3, 2)
ORDER = ("bed", "manual", "massage")


def gap(session=1, phase=0):
    return Gap(phase, session, DAY, DAY, DAY, None, "on_time", 0, None)


@pytest.mark.parametrize(("minutes", "count"), [(29, 1), (30, 0), (60, 0), (61, 1), (None, 0)])
def test_length_lies_within_the_phase(minutes, count):
    practice = [PracticeRecord(DAY, minutes, ())]

    found = count_off_protocol(practice, [gap()], limits=[PhaseLimits(30, 60)], same_day_order=())

    assert found == count


@pytest.mark.parametrize(
    ("session", "expected"), [(1, (20, 20)), (2, (20, 25)), (3, (20, 30)), (9, (20, 30))]
)
def test_length_rises_by_session_number_and_stays_at_the_last(session, expected):
    assert PhaseLimits(20, 60, (20, 25, 30)).range_of(session) == expected


def test_phase_without_lengths_and_extra_sessions_have_no_limit():
    practice = [PracticeRecord(DAY, 500, ())]

    assert count_off_protocol(practice, [gap()], limits=[PhaseLimits(None, None)], same_day_order=()) == 0
    assert count_off_protocol(practice, [], limits=[PhaseLimits(30, 60)], same_day_order=()) == 0


@pytest.mark.parametrize(
    ("treatments", "ordered"),
    [
        ((), True),
        (("bed", "massage"), True),
        (("massage", "bed"), False),
        (("bath", "bed", "tea", "manual"), True),
        (("manual", "manual"), True),
    ],
)
def test_order_binds_the_treatments_that_it_names(treatments, ordered):
    assert is_in_order(treatments, ORDER) is ordered


def test_session_off_in_length_and_order_counts_once():
    practice = [PracticeRecord(DAY, 10, ("massage", "bed"))]

    assert count_off_protocol(practice, [gap()], limits=[PhaseLimits(30, 60)], same_day_order=ORDER) == 1
