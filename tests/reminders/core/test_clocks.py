"""Messages over changes of clocks and odd dates: one each, at the wall time that people expect."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.core import desired_reminders
from tests.reminders.core.builders import (
    BOOK_NEXT,
    COMPLETED,
    DAY_BEFORE,
    MAINTENANCE,
    MISSED,
    OVERDUE,
    TWO_HOURS,
    at,
    client,
    clinic,
    course,
    desire,
    riga,
    session,
)

BERLIN, NEW_YORK, LORD_HOWE = (
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
)
NEVER_QUIET = (time(8), time(8))


def wanted(starts, zone, *rules, lead_days=None):
    """Return when the messages before a session go, as wall times of the clinic with their offset."""
    rules = rules or (DAY_BEFORE,)
    if lead_days:
        rules = tuple(replace(rule, lead_days=lead_days) for rule in rules)
    starts_at = at(starts, zone)
    facts = course(session(starts_at=starts_at, on=starts_at.astimezone(zone).date(), code="s1"))
    desired = desired_reminders(
        course=facts,
        rules=rules,
        clinic=clinic(zone=zone),
        client=client(zone, NEVER_QUIET),
        now=starts_at - timedelta(days=30),
    )
    return [f"{d.send_at.astimezone(zone):%Y-%m-%d %H:%M%z}" for d in desired]


@pytest.mark.parametrize(
    ("zone", "starts", "day_before"),
    [
        # Forward in Berlin on 28 March 2027 at two, back on 31 October at three: by an hour.
        (BERLIN, "2027-03-28 09:00", "2027-03-27 09:00+0100"),
        (BERLIN, "2027-03-29 09:00", "2027-03-28 09:00+0200"),
        (BERLIN, "2027-03-29 02:30", "2027-03-28 03:30+0200"),  # there is no half past two on the 28th
        (BERLIN, "2027-10-31 09:00", "2027-10-30 09:00+0200"),
        (BERLIN, "2027-11-01 09:00", "2027-10-31 09:00+0100"),
        (BERLIN, "2027-11-01 02:30", "2027-10-31 02:30+0200"),  # the first of two
        # Forward in New York on 14 March 2027 at two, back on 7 November at two.
        (NEW_YORK, "2027-03-14 09:00", "2027-03-13 09:00-0500"),
        (NEW_YORK, "2027-03-15 09:00", "2027-03-14 09:00-0400"),
        (NEW_YORK, "2027-03-15 02:30", "2027-03-14 03:30-0400"),
        (NEW_YORK, "2027-11-07 09:00", "2027-11-06 09:00-0400"),
        (NEW_YORK, "2027-11-08 01:30", "2027-11-07 01:30-0400"),
        # Lord Howe turns by half an hour: back on 4 April 2027 at two, forward on 3 October at two.
        (LORD_HOWE, "2027-04-04 09:00", "2027-04-03 09:00+1100"),
        (LORD_HOWE, "2027-04-05 01:45", "2027-04-04 01:45+1100"),
        (LORD_HOWE, "2027-10-03 09:00", "2027-10-02 09:00+1030"),
        (LORD_HOWE, "2027-10-04 02:15", "2027-10-03 02:45+1100"),  # no quarter past two on the 3rd
    ],
)
def test_a_day_before_keeps_the_wall_time(zone, starts, day_before):
    assert wanted(starts, zone) == [day_before]


@pytest.mark.parametrize(
    ("zone", "starts", "two_hours"),
    [
        (BERLIN, "2027-03-28 04:00", "2027-03-28 01:00+0100"),  # 02:00 to 03:00 does not exist
        (BERLIN, "2027-10-31 04:00", "2027-10-31 02:00+0100"),  # the second of two
        (NEW_YORK, "2027-03-14 04:00", "2027-03-14 01:00-0500"),
        (NEW_YORK, "2027-11-07 03:00", "2027-11-07 01:00-0500"),
        (LORD_HOWE, "2027-04-04 03:00", "2027-04-04 01:30+1100"),  # the first of two
        (LORD_HOWE, "2027-10-03 03:00", "2027-10-03 00:30+1030"),
    ],
)
def test_two_hours_before_are_two_hours(zone, starts, two_hours):
    assert wanted(starts, zone, TWO_HOURS) == [two_hours]


@given(
    st.datetimes(
        min_value=datetime(2027, 1, 1),  # noqa: DTZ001  # Hypothesis wants its bounds naive
        max_value=datetime(2028, 12, 31),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE]),
    st.sampled_from([1, 2, 7]),
)
def test_one_message_each_whatever_the_clocks_do(starts_at, zone, lead_days):
    starts_at = starts_at.replace(second=0, microsecond=0)
    local = f"{starts_at.astimezone(zone):%Y-%m-%d %H:%M}"

    found = wanted(local, zone, DAY_BEFORE, lead_days=lead_days)

    assert len(found) == 1
    wall = datetime.strptime(found[0], "%Y-%m-%d %H:%M%z")
    days = at(local, zone).astimezone(zone).date() - wall.date()
    assert days == timedelta(days=lead_days)


# ---------------------------------------------------------------- odd dates


@pytest.mark.parametrize(
    ("starts", "lead_days", "expected"),
    [
        ("2028-03-01 12:00", 1, "2028-02-29 12:00"),
        ("2028-02-29 12:00", 1, "2028-02-28 12:00"),
        ("2027-03-01 12:00", 1, "2027-02-28 12:00"),
        ("2028-03-31 12:00", 31, "2028-02-29 12:00"),
        ("2027-01-01 12:00", 1, "2026-12-31 12:00"),
        ("2027-01-01 12:00", 2, "2026-12-30 12:00"),
        ("2027-05-01 12:00", 1, "2027-04-30 12:00"),
    ],
)
def test_days_before_over_ends_of_months_and_years(starts, lead_days, expected):
    rule = replace(DAY_BEFORE, lead_days=lead_days)

    desired = desire(course(session(starts)), rule, now="2026-02-01 12:00")

    assert [riga(d.send_at) for d in desired] == [expected]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (date(2028, 2, 27), ["2028-02-27 10:00", "2028-03-01 10:00", "2028-03-04 10:00"]),
        (date(2027, 2, 27), ["2027-02-27 10:00", "2027-03-02 10:00", "2027-03-05 10:00"]),
        (date(2026, 12, 30), ["2026-12-30 10:00", "2027-01-02 10:00", "2027-01-05 10:00"]),
        # Clocks forward on 28 March: ten stays ten.
        (date(2027, 3, 26), ["2027-03-26 10:00", "2027-03-29 10:00", "2027-04-01 10:00"]),
    ],
)
def test_overdue_repeats_over_ends_of_months_and_years(since, expected):
    facts = course(state="overdue", overdue_since=since)

    desired = desire(facts, OVERDUE, now=f"{since.isoformat()} 00:00")

    assert [riga(d.send_at) for d in desired] == expected


# ---------------------------------------------------------------- boundaries of the other triggers


@pytest.mark.parametrize(
    ("due_from", "expected"),
    [
        (date(2028, 3, 4), "2028-02-29 10:00"),
        (date(2027, 1, 2), "2026-12-29 10:00"),
        (date(2027, 3, 31), "2027-03-27 10:00"),
    ],
)
def test_maintenance_comes_four_days_before_it_is_due(due_from, expected):
    facts = course(phase_kind="maintenance", state="resting", due_from=due_from, due_by=due_from)

    assert [riga(d.send_at) for d in desire(facts, MAINTENANCE)] == [expected]


@pytest.mark.parametrize(
    ("state", "is_asked"),
    [
        ("not_started", True),
        ("resting", True),
        ("due", True),
        ("late", True),
        ("overdue", False),
        ("lapsed", False),
        ("paused", False),
        ("finished", False),
        ("", False),
    ],
)
@pytest.mark.parametrize(("rule", "kind"), [(BOOK_NEXT, "intensive"), (MAINTENANCE, "maintenance")])
def test_states_in_which_a_client_is_asked_to_book(rule, kind, state, is_asked):
    facts = course(phase_kind=kind, state=state, due_from=date(2026, 3, 10), due_by=date(2026, 3, 20))

    assert bool(desire(facts, rule)) is is_asked


@pytest.mark.parametrize(
    ("now", "count"),
    [("2026-03-04 10:19", 1), ("2026-03-06 11:19", 1), ("2026-03-06 11:20", 0), ("2026-03-06 11:21", 0)],
)
def test_missed_session_is_written_about_while_of_use(now, count):
    missed = session("2026-03-04 10:00", "no_show", outcome_at=at("2026-03-04 10:20"))

    assert len(desire(course(missed), MISSED, now=now)) == count


@pytest.mark.parametrize(
    "status", ["cancelled_late", "cancelled_by_client", "cancelled_by_clinic", "attended"]
)
def test_only_a_no_show_was_missed(status):
    other = session("2026-03-04 10:00", status, outcome_at=at("2026-03-04 10:20"))

    assert desire(course(other), MISSED, now="2026-03-04 10:20") == ()


@pytest.mark.parametrize(
    ("now", "count"),
    [("2026-03-04 11:00", 1), ("2026-03-07 11:59", 1), ("2026-03-07 12:00", 0), ("2026-03-07 12:01", 0)],
)
def test_completed_course_is_thanked_for_while_of_use(now, count):
    done = course(status="completed", state="finished", completed_at=at("2026-03-04 11:00"))

    assert len(desire(done, COMPLETED, now=now)) == count


@pytest.mark.parametrize("status", ["active", "paused", "discontinued", "draft"])
def test_only_a_completed_course_is_thanked_for(status):
    assert desire(course(status=status, completed_at=at("2026-03-04 11:00")), COMPLETED) == ()
