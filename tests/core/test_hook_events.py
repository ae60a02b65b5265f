"""What a change is called outside, and when a call is tried again."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from hooks.core import (
    EVENTS,
    MOST_TRIES,
    TRIED_FOR,
    course_event,
    event_id,
    next_try_at,
    rest_after,
    session_event,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "is_moved", "event"),
    [
        (None, "booked", False, "session.booked"),
        ("planned", "booked", True, "session.booked"),
        (None, "attended", False, "session.attended"),
        (None, "planned", False, None),
        ("planned", "planned", True, None),
        ("booked", "booked", True, "session.moved"),
        ("booked", "booked", False, None),
        ("confirmed", "booked", True, "session.moved"),
        ("confirmed", "booked", False, "session.corrected"),
        ("booked", "confirmed", False, "session.confirmed"),
        ("confirmed", "arrived", False, "session.arrived"),
        ("arrived", "booked", False, "session.corrected"),
        ("arrived", "attended", False, "session.attended"),
        ("booked", "no_show", False, "session.missed"),
        ("booked", "cancelled_late", False, "session.cancelled"),
        ("confirmed", "cancelled_by_client", False, "session.cancelled"),
        ("planned", "cancelled_by_clinic", False, "session.cancelled"),
        ("attended", "no_show", False, "session.corrected"),
        ("attended", "attended", True, "session.corrected"),
        ("attended", "attended", False, None),
        ("cancelled_by_client", "booked", False, "session.corrected"),
        ("booked", "planned", False, "session.corrected"),
    ],
)
def test_change_of_a_session_has_one_name(before, after, is_moved, event):
    assert session_event(before, after, is_moved=is_moved) == event
    assert event is None or event in EVENTS


def test_verbs_that_concern_nobody_outside_have_no_name():
    assert [course_event(action) for action in ("plan_applied", "condition_recorded", "waiting_began")] == [
        None
    ] * 3
    assert course_event("pause_removed") == "course.resumed"


def test_event_is_known_by_what_it_is_about():
    assert event_id("session.booked", "a:1") == event_id("session.booked", "a:1")
    assert len({event_id(event, key) for event in EVENTS for key in ("a:1", "a:2")}) == 2 * len(EVENTS)


@pytest.mark.parametrize("salt", [0, 2**127 + 12345, 2**128 - 1])
def test_tries_come_ever_later_for_about_a_day(salt):
    moments = [NOON]
    while at := next_try_at(tries=len(moments), first_at=NOON, now=moments[-1], salt=salt):
        moments.append(at)

    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert timedelta(seconds=30) <= pauses[0] <= timedelta(seconds=36)
    assert pauses[:9] == sorted(pauses[:9])
    assert max(pauses) <= timedelta(hours=4.8)
    assert timedelta(hours=19) < moments[-1] - NOON <= TRIED_FOR
    assert 12 <= len(moments) <= MOST_TRIES


def test_endpoint_rests_ever_longer_up_to_five_minutes():
    assert [int(rest_after(failures).total_seconds()) for failures in (1, 2, 3, 7, 500)] == [
        5, 10, 20, 300, 300,
    ]  # fmt: skip
