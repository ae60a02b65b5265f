"""Quiet hours over midnight, over both changes of clocks, in zones that differ from the clinic's."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.core import QUIET_MARGIN, QuietHours, desired_reminders, move_earlier, move_later, quiet_span
from tests.reminders.core.builders import (
    DAY_BEFORE,
    RIGA,
    TWO_HOURS,
    ClientFacts,
    at,
    clinic,
    course,
    session,
)

NIGHT = QuietHours(time(21), time(8), RIGA)
# Berlin and New York turn by an hour, Lord Howe by half of one, Kolkata never.
ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")]
)
_FIRST = datetime(2026, 1, 1)  # noqa: DTZ001  # Hypothesis wants its bounds naive
_LAST = datetime(2027, 12, 31)  # noqa: DTZ001
INSTANTS = st.datetimes(min_value=_FIRST, max_value=_LAST, timezones=st.just(UTC))
TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))
# Quiet for the whole day but an hour at the least: what a settings page allows.
QUIETS = st.builds(QuietHours, TIMES, TIMES, ZONES).filter(
    lambda q: (
        (q.to_time.hour * 60 + q.to_time.minute - q.from_time.hour * 60 - q.from_time.minute) % 1440 <= 1200
    )
)


@pytest.mark.parametrize(
    ("instant", "earlier", "later"),
    [
        ("2026-03-04 20:59", "2026-03-04 20:59", "2026-03-04 20:59"),
        ("2026-03-04 21:00", "2026-03-04 20:30", "2026-03-05 08:00"),
        ("2026-03-04 21:01", "2026-03-04 20:30", "2026-03-05 08:00"),
        ("2026-03-05 00:00", "2026-03-04 20:30", "2026-03-05 08:00"),
        ("2026-03-05 07:59", "2026-03-04 20:30", "2026-03-05 08:00"),
        ("2026-03-05 08:00", "2026-03-05 08:00", "2026-03-05 08:00"),
        ("2026-03-05 08:01", "2026-03-05 08:01", "2026-03-05 08:01"),
        # The nights of both changes of clocks.
        ("2026-03-29 04:30", "2026-03-28 20:30", "2026-03-29 08:00"),
        ("2026-10-25 03:30", "2026-10-24 20:30", "2026-10-25 08:00"),
    ],
)
def test_moving_out_of_the_night(instant, earlier, later):
    assert move_earlier(at(instant), quiet=NIGHT) == at(earlier)
    assert move_later(at(instant), quiet=NIGHT) == at(later)


def test_quiet_hours_within_a_day():
    noon = QuietHours(time(12), time(14), RIGA)

    assert move_later(at("2026-03-04 13:00"), quiet=noon) == at("2026-03-04 14:00")
    assert move_earlier(at("2026-03-04 13:00"), quiet=noon) == at("2026-03-04 11:30")
    assert move_later(at("2026-03-04 23:00"), quiet=noon) == at("2026-03-04 23:00")


def test_gap_shorter_than_the_margin():
    nearly_all_day = QuietHours(time(8, 10), time(8), RIGA)

    assert move_earlier(at("2026-03-04 12:00"), quiet=nearly_all_day) == at("2026-03-04 08:00")
    assert move_later(at("2026-03-04 12:00"), quiet=nearly_all_day) == at("2026-03-05 08:00")


def test_end_of_quiet_hours_that_the_clocks_skip():
    # Berlin has no 02:30 on 29 March 2026: quiet until 03:30, an hour later by the wall.
    berlin = QuietHours(time(21), time(2, 30), ZoneInfo("Europe/Berlin"))

    later = move_later(datetime(2026, 3, 29, 0, 0, tzinfo=UTC), quiet=berlin)

    assert later == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@given(INSTANTS, QUIETS)
def test_moved_messages_are_never_quiet(instant, quiet):
    earlier, later = move_earlier(instant, quiet=quiet), move_later(instant, quiet=quiet)

    assert quiet_span(earlier, quiet=quiet) is None
    assert quiet_span(later, quiet=quiet) is None
    assert earlier <= instant <= later


@given(INSTANTS, QUIETS)
def test_moving_is_no_further_than_needed(instant, quiet):
    later = move_later(instant, quiet=quiet)

    if later != instant:
        assert quiet_span(later - timedelta(seconds=1), quiet=quiet) is not None
        assert later - instant <= timedelta(hours=22)
    else:
        assert quiet_span(instant, quiet=quiet) is None


@given(INSTANTS, QUIETS, st.sampled_from([DAY_BEFORE, TWO_HOURS]))
def test_before_session_is_wanted_once_in_time_and_never_quiet(starts_at, quiet, rule):
    starts_at = starts_at.replace(second=0, microsecond=0)
    facts = course(session(starts_at=starts_at, code="s1"))

    desired = desired_reminders(
        course=facts,
        rules=(rule,),
        clinic=clinic(zone=quiet.zone),
        client=ClientFacts(quiet, frozenset({"email"})),
        now=starts_at - timedelta(days=7),
    )

    assert len(desired) == 1
    assert desired[0].send_at < desired[0].expires_at <= starts_at
    assert quiet_span(desired[0].send_at, quiet=quiet) is None


def test_margin_leaves_a_tick_and_a_queue_enough_time():
    assert timedelta(minutes=10) <= QUIET_MARGIN <= timedelta(hours=1)
