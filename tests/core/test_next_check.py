from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.core.assess import assess
from courses.core.next_check import CHECK_WITHIN_DAYS
from courses.core.types import PhaseSpec
from courses.core.wire import ASSESS_FIELDS, ObjectReader, read_assess_request
from tests.core.build import (
    EVERY_1_2,
    MAINTENANCE,
    assessed,
    counted,
    day,
    paused,
    prescribed,
    records,
)
from tests.core.reference.courses import random_request

SHORT = counted(EVERY_1_2, 1, 1)


@pytest.mark.parametrize(
    ("today", "plan", "sessions", "pauses", "expected"),
    [
        ("02-20", prescribed(), records(), [], "02-27"),  # unbooked
        ("02-20", prescribed(), records(booked="03-02"), [], "03-02"),  # due
        ("02-27", prescribed(), records(), [], "03-02"),
        ("03-07", prescribed(), records("03-07", booked="03-20"), [], "03-08"),  # due
        ("03-08", prescribed(), records("03-07"), [], "03-10"),  # late
        ("03-10", prescribed(), records("03-07"), [], "03-11"),  # overdue
        ("03-11", prescribed(), records("03-07"), [], "03-14"),  # serious: L = 5
        ("03-14", prescribed(), records("03-07"), [], "03-26"),  # lapsed: L = 15
        ("03-26", prescribed(), records("03-07"), [], None),
        (
            "03-26",
            prescribed(),
            records("03-07", booked="04-20"),
            [],
            "04-18",
        ),  # booked_late lasts until then
        ("04-18", prescribed(), records("03-07", booked="04-20"), [], "04-21"),  # unrecorded
        ("04-21", prescribed(), records("03-07", booked="04-20"), [], None),
        ("03-04", prescribed(), records("03-04", booked="03-10"), [("03-06", "03-08")], "03-05"),
        ("03-05", prescribed(), records("03-04", booked="03-10"), [("03-06", "03-08")], "03-06"),
        ("03-06", prescribed(), records("03-04", booked="03-10"), [("03-06", "03-08")], "03-09"),
        ("03-05", prescribed(), records("03-04"), [("03-05", None)], "03-21"),  # interrupted
        ("03-21", prescribed(), records("03-04"), [("03-05", None)], None),
        ("03-05", prescribed(), records("03-04"), [("03-05", "03-20")], "03-18"),  # unbooked after the pause
        ("03-02", prescribed(SHORT), records("03-02"), [], None),
        ("03-02", prescribed(SHORT), records("03-02", booked="03-09"), [], "03-10"),
        # what is dated ahead comes into sight on its day
        ("03-11", prescribed(), records("03-07 03-13"), [], "03-13"),
        ("03-11", prescribed(ended=[(0, "03-12")]), records("03-07"), [], "03-12"),
        ("03-11", prescribed(restarts="03-12"), records("03-07"), [], "03-12"),
        ("03-14", prescribed(), records("03-07", no_show="03-13 03-16"), [], "03-16"),
        # a phase runs out: overdue since the 5th until the course is over
        (
            "03-16",
            prescribed(PhaseSpec("maintenance", EVERY_1_2, duration_days=20)),
            records("03-02"),
            [],
            "03-21",
        ),
        (
            "03-21",
            prescribed(PhaseSpec("maintenance", EVERY_1_2, duration_days=20)),
            records("03-02"),
            [],
            "03-23",
        ),
    ],
)
def test_next_check(today, plan, sessions, pauses, expected):
    found = assessed(today, plan, sessions, paused(*pauses))

    assert found.next_check_on == (expected and day(expected))


@pytest.mark.parametrize(("ahead", "found"), [(CHECK_WITHIN_DAYS, True), (CHECK_WITHIN_DAYS + 1, False)])
def test_next_check_looks_800_days_ahead(ahead, found):
    start = day("03-02") + timedelta(days=ahead)

    # Booked for its first day, so that nothing but the start itself changes the answer.
    assessment = assessed("03-02", prescribed(start=str(start)), records(booked=str(start)), closed=())

    assert assessment.state == "not_started"
    assert assessment.next_check_on == (start if found else None)


def answered(parts, on):
    return assess(
        parts.prescription,
        parts.sessions,
        parts.pauses,
        parts.contraindications,
        parts.calendar,
        parts.booking_lead_days,
        today=on,
    )


def signature(assessment):
    return assessment.state, {(one.kind, one.severity) for one in assessment.findings}


@given(seed=st.integers(0, 1_000_000))
def test_next_check_is_what_a_walk_finds(seed):
    parts = read_assess_request(ObjectReader(random_request(Random(seed)), "", ASSESS_FIELDS))
    today = parts.as_of
    found = answered(parts, today)
    ahead = (found.next_check_on - today).days if found.next_check_on else 60

    later = [signature(answered(parts, today + timedelta(days=days))) for days in range(1, ahead + 1)]

    changed = [one != signature(found) for one in later]
    assert changed == [False] * (ahead - 1) + [found.next_check_on is not None]


def test_an_open_pause_revives_a_phase_that_seemed_over():
    # After the session on the 10th the next is due on the 24th, past the last day, the 15th: the course is over.
    # The open pause from the 11th on pushes that last day ahead; on the 19th, with 5 days left, it reaches the 24th.
    plan = prescribed(PhaseSpec("maintenance", MAINTENANCE.cadence, duration_days=13))
    sessions, pauses = records("03-02 03-10"), paused(("03-11", None))

    states = [assessed(today, plan, sessions, pauses).state for today in ("03-10", "03-18", "03-19", "03-20")]

    assert states == ["finished", "finished", "paused", "paused"]
    assert assessed("03-10", plan, sessions, pauses).next_check_on == day("03-19")
