"""Which messages should exist, as tables of wall times in Riga."""

from dataclasses import replace
from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from tests.reminders.core.builders import (
    ALL_RULES,
    BOOK_NEXT,
    CHANGE,
    COMPLETED,
    DAY_BEFORE,
    HOW_WAS_IT,
    MAINTENANCE,
    MISSED,
    OVERDUE,
    PREPARATION,
    SCHEDULE,
    TWO_HOURS,
    at,
    client,
    clinic,
    course,
    desire,
    riga,
    session,
)


def rows(desired):
    return [(d.rule, riga(d.send_at), riga(d.expires_at)) for d in desired]


# ---------------------------------------------------------------- before a session


@pytest.mark.parametrize(
    ("starts", "day_before", "two_hours"),
    [
        ("2026-03-04 10:00", "2026-03-03 10:00", "2026-03-04 08:00"),
        ("2026-03-04 15:00", "2026-03-03 15:00", "2026-03-04 13:00"),
        # Clocks forward on Sunday 29 March, 03:00 to 04:00: the day before keeps the wall time.
        ("2026-03-29 12:00", "2026-03-28 12:00", "2026-03-29 10:00"),
        # Clocks back on Sunday 25 October, 04:00 to 03:00.
        ("2026-10-25 12:00", "2026-10-24 12:00", "2026-10-25 10:00"),
        ("2026-03-01 12:00", "2026-02-28 12:00", "2026-03-01 10:00"),  # month end
        ("2028-03-01 12:00", "2028-02-29 12:00", "2028-03-01 10:00"),  # leap day
        ("2027-01-01 12:00", "2026-12-31 12:00", "2027-01-01 10:00"),  # new year
    ],
)
def test_before_session_times(starts, day_before, two_hours):
    desired = desire(course(session(starts)), DAY_BEFORE, TWO_HOURS, now="2026-02-01 12:00")

    by_rule = {d.rule: riga(d.send_at) for d in desired}
    assert by_rule == {"day-before": day_before, "two-hours": two_hours}


def test_before_session_expires_before_it_starts():
    desired = desire(course(session("2026-03-04 15:00")), DAY_BEFORE, TWO_HOURS)

    assert rows(desired) == [
        ("day-before", "2026-03-03 15:00", "2026-03-03 21:00"),
        ("two-hours", "2026-03-04 13:00", "2026-03-04 13:30"),
    ]


def test_lead_of_few_minutes_expires_at_the_start():
    rule = replace(TWO_HOURS, lead_minutes=10)

    desired = desire(course(session("2026-03-04 15:00")), rule)

    assert rows(desired) == [("two-hours", "2026-03-04 14:50", "2026-03-04 15:00")]


def test_quiet_hours_move_it_earlier():
    desired = desire(course(session("2026-03-04 09:59")), TWO_HOURS)

    assert rows(desired) == [("two-hours", "2026-03-03 20:30", "2026-03-04 08:29")]


def test_quiet_hours_are_the_clients_own():
    # 13:00 in Riga is six in the morning in New York (standard time there until 8 March): quiet.
    desired = desire(
        course(session("2026-03-04 15:00")), TWO_HOURS, client=client(ZoneInfo("America/New_York"))
    )

    assert rows(desired) == [("two-hours", "2026-03-04 03:30", "2026-03-04 13:30")]


@pytest.mark.parametrize(
    "status",
    [
        "planned",
        "arrived",
        "attended",
        "no_show",
        "cancelled_late",
        "cancelled_by_client",
        "cancelled_by_clinic",
    ],
)
def test_only_awaited_sessions_are_reminded_of(status):
    awaited = desire(course(session("2026-03-04 15:00")), DAY_BEFORE)
    assert [d.session for d in awaited] == ["s-2026-03-04 15:00"]

    assert desire(course(session("2026-03-04 15:00", status)), DAY_BEFORE) == ()


def test_confirmed_session_is_awaited():
    desired = desire(course(session("2026-03-04 15:00", "confirmed", version=2)), TWO_HOURS)

    assert [(d.rule, d.revision) for d in desired] == [("two-hours", 2)]


@pytest.mark.parametrize(
    ("pause", "is_reminded"),
    [
        ((date(2026, 3, 2), date(2026, 3, 3)), True),
        ((date(2026, 3, 2), date(2026, 3, 4)), False),
        ((date(2026, 3, 4), date(2026, 3, 4)), False),
        ((date(2026, 3, 5), date(2026, 3, 9)), True),
        ((date(2026, 3, 2), None), False),
        ((date(2026, 3, 5), None), True),
    ],
)
def test_paused_days_have_no_reminders(pause, is_reminded):
    paused = course(session("2026-03-04 15:00"), status="paused", state="paused", pauses=(pause,))

    assert bool(desire(paused, DAY_BEFORE)) is is_reminded


@pytest.mark.parametrize(
    ("status", "rules"),
    [
        ("draft", set()),
        ("active", {"day-before", "two-hours"}),
        ("paused", {"day-before", "two-hours"}),
        ("completed", {"day-before", "two-hours"}),  # an extra session is still a session
        ("discontinued", set()),
    ],
)
def test_course_status_decides(status, rules):
    desired = desire(course(session("2026-03-04 15:00"), status=status))

    assert {d.rule for d in desired} == rules


# ---------------------------------------------------------------- preparation


@pytest.mark.parametrize(
    ("shows_treatment", "has_preparation", "expected"),
    [
        (True, True, [("preparation", "2026-03-02 18:00", "2026-03-03 18:00")]),
        (True, False, []),
        (False, True, []),
    ],
)
def test_preparation_needs_leave_to_show_the_treatment(shows_treatment, has_preparation, expected):
    facts = course(session("2026-03-04 15:00"), session("2026-03-06 15:00"), has_preparation=has_preparation)

    desired = desire(facts, PREPARATION, clinic=clinic(shows_treatment=shows_treatment))

    assert rows(desired) == expected


def test_preparation_is_for_the_first_session_only():
    attended = session("2026-02-27 15:00", "attended", outcome_at=at("2026-02-27 16:00"))

    desired = desire(
        course(attended, session("2026-03-04 15:00"), has_preparation=True),
        PREPARATION,
        clinic=clinic(shows_treatment=True),
    )

    assert desired == ()


# ---------------------------------------------------------------- missed


def test_missed_session_waits_an_hour():
    missed = session("2026-03-04 10:00", "no_show", outcome_at=at("2026-03-04 10:20"))

    desired = desire(course(missed), MISSED, now="2026-03-04 10:20")

    assert rows(desired) == [("missed", "2026-03-04 11:20", "2026-03-06 11:20")]


def test_missed_session_in_the_evening_waits_for_the_morning():
    missed = session("2026-03-04 19:00", "no_show", outcome_at=at("2026-03-04 20:30"))

    desired = desire(course(missed), MISSED, now="2026-03-04 20:30")

    assert rows(desired) == [("missed", "2026-03-05 08:00", "2026-03-06 21:30")]


def test_missed_session_before_an_attended_one_is_history():
    missed = session("2026-03-04 10:00", "no_show", outcome_at=at("2026-03-05 18:00"))
    attended = session("2026-03-05 10:00", "attended", outcome_at=at("2026-03-05 11:00"))

    assert desire(course(missed, attended), MISSED, now="2026-03-05 18:00") == ()


# ---------------------------------------------------------------- how a session was


def attended_at(starts, ends, **changes):
    return session(starts, "attended", ends_at=at(ends), outcome_at=at(ends), **changes)


def test_first_attended_session_is_asked_about_hours_later():
    first = attended_at("2026-03-04 10:00", "2026-03-04 10:45")
    second = attended_at("2026-03-05 10:00", "2026-03-05 10:45")

    desired = desire(course(first, second), HOW_WAS_IT, now="2026-03-05 11:00")

    assert rows(desired) == [("how-was-it", "2026-03-04 14:45", "2026-03-06 14:45")]


def test_each_attended_session_is_asked_about_where_the_rule_says_so_also_the_last():
    sessions = (
        attended_at("2026-03-04 10:00", "2026-03-04 10:45"),
        attended_at("2026-03-05 19:00", "2026-03-05 19:45"),
    )
    rule = replace(HOW_WAS_IT, is_first_only=False)

    desired = desire(
        course(*sessions, status="completed", completed_at=at("2026-03-05 20:00")),
        rule,
        now="2026-03-05 20:00",
    )

    # The second in the morning: four hours later it is quiet.
    assert rows(desired) == [
        ("how-was-it", "2026-03-04 14:45", "2026-03-06 14:45"),
        ("how-was-it", "2026-03-06 08:00", "2026-03-07 23:45"),
    ]


@pytest.mark.parametrize(
    ("sessions", "status", "now"),
    [
        (
            (session("2026-03-04 10:00", "no_show", ends_at=at("2026-03-04 10:45")),),
            "active",
            "2026-03-04 12:00",
        ),
        # One that was never booked has no end.
        ((session("2026-03-04 10:00", "attended"),), "active", "2026-03-04 12:00"),
        ((attended_at("2026-03-04 10:00", "2026-03-04 10:45"),), "discontinued", "2026-03-04 12:00"),
        # Put on record days later: nobody remembers.
        ((attended_at("2026-03-04 10:00", "2026-03-04 10:45"),), "active", "2026-03-06 14:45"),
    ],
)
def test_nobody_is_asked_about_what_was_not_or_is_long_past(sessions, status, now):
    assert desire(course(*sessions, status=status), HOW_WAS_IT, now=now) == ()


# ---------------------------------------------------------------- overdue


def overdue(*sessions, **changes):
    return course(*sessions, state="overdue", overdue_since=date(2026, 3, 9), **changes)


def test_overdue_repeats_up_to_its_cap():
    desired = desire(overdue(), OVERDUE, now="2026-03-09 00:00")

    assert [(d.occurrence, riga(d.send_at), riga(d.expires_at)) for d in desired] == [
        (0, "2026-03-09 10:00", "2026-03-11 10:00"),
        (1, "2026-03-12 10:00", "2026-03-14 10:00"),
        (2, "2026-03-15 10:00", "2026-03-17 10:00"),
    ]


def test_overdue_for_long_does_not_end_in_several_at_once():
    daily = replace(OVERDUE, repeat_days=1)

    desired = desire(overdue(), daily, now="2026-03-10 12:00")

    assert [(d.occurrence, riga(d.expires_at)) for d in desired] == [
        (1, "2026-03-11 10:00"),
        (2, "2026-03-13 10:00"),
    ]


@pytest.mark.parametrize("state", ["due", "late", "lapsed", "paused", "resting", "not_started", "finished"])
def test_only_overdue_courses_are_nudged(state):
    facts = course(state=state, overdue_since=date(2026, 3, 9))

    assert desire(facts, OVERDUE, now="2026-03-09 00:00") == ()


@pytest.mark.parametrize(
    ("starts", "status"),
    [
        ("2026-03-11 10:00", "booked"),
        ("2026-03-11 10:00", "confirmed"),
        ("2026-03-09 00:00", "arrived"),
        ("2026-03-05 10:00", "booked"),  # not recorded yet: perhaps the client came
    ],
)
def test_overdue_course_with_a_booking_is_left_alone(starts, status):
    booked = overdue(session(starts, status))

    assert desire(booked, OVERDUE, now="2026-03-09 00:00") == ()
    assert len(desire(overdue(), OVERDUE, now="2026-03-09 00:00")) == 3


# ---------------------------------------------------------------- book next, maintenance


def test_book_next_comes_a_booking_lead_before_due():
    desired = desire(course(due_from=date(2026, 3, 10), due_by=date(2026, 3, 12)), BOOK_NEXT)

    assert rows(desired) == [("book-next", "2026-03-07 10:00", "2026-03-13 00:00")]
    assert desired[0].is_anchored is False


def test_book_next_waits_while_the_reception_may_be_booking():
    desired = desire(course(), BOOK_NEXT, now="2026-03-04 11:00")

    assert rows(desired) == [("book-next", "2026-03-04 13:00", "2026-03-07 00:00")]
    assert desired[0].is_anchored is True


def test_book_next_ends_when_late():
    assert len(desire(course(), BOOK_NEXT, now="2026-03-06 18:59")) == 1
    # Two hours later would be quiet, the morning after too late.
    assert desire(course(), BOOK_NEXT, now="2026-03-06 19:00") == ()
    assert desire(course(), BOOK_NEXT, now="2026-03-07 00:00") == ()


@pytest.mark.parametrize(("kind", "rule"), [("intensive", "book-next"), ("maintenance", "maintenance")])
def test_phase_kind_chooses_the_message(kind, rule):
    facts = course(due_from=date(2026, 3, 10), due_by=date(2026, 3, 12), phase_kind=kind)

    assert [d.rule for d in desire(facts, BOOK_NEXT, MAINTENANCE)] == [rule]


def test_booked_course_needs_no_booking():
    assert desire(course(session("2026-03-04 15:00")), BOOK_NEXT) == ()


def test_cancelled_booking_asks_anew():
    before = desire(course(), BOOK_NEXT)
    cancelled = session("2026-03-05 10:00", "cancelled_by_client", outcome_at=at("2026-03-01 09:00"))
    after = desire(course(cancelled), BOOK_NEXT)

    assert before[0].about != after[0].about


# ---------------------------------------------------------------- schedule


def test_schedule_is_told_three_minutes_after_the_change():
    desired = desire(course(session("2026-03-04 15:00"), told=frozenset(), was_told=False), SCHEDULE)

    assert rows(desired) == [("schedule", "2026-03-01 12:03", "2026-03-02 12:03")]


def test_schedule_that_was_told_is_not_told_again():
    told = course(session("2026-03-04 15:00"))

    assert desire(told, SCHEDULE, CHANGE) == ()


def test_attended_session_is_no_change_of_schedule():
    told = frozenset({("s1", at("2026-03-01 10:00")), ("s2", at("2026-03-04 15:00"))})
    attended = session("2026-03-01 10:00", "attended", code="s1", outcome_at=at("2026-03-01 11:00"))
    ahead = session("2026-03-04 15:00", code="s2")

    assert desire(course(attended, ahead, told=told), SCHEDULE, CHANGE) == ()


@pytest.mark.parametrize("status", ["cancelled_by_client", "cancelled_by_clinic", "cancelled_late"])
def test_cancelled_session_changes_the_schedule(status):
    told = frozenset({("s1", at("2026-03-04 15:00"))})
    cancelled = session("2026-03-04 15:00", status, code="s1", outcome_at=at("2026-03-01 11:00"))

    desired = desire(course(cancelled, told=told), SCHEDULE, CHANGE)

    assert rows(desired) == [("change", "2026-03-01 12:03", "2026-03-02 12:03")]


def test_moved_session_changes_what_the_schedule_says():
    first = desire(course(session("2026-03-04 15:00", code="s1"), told=frozenset(), was_told=False), SCHEDULE)
    moved = desire(course(session("2026-03-04 16:00", code="s1"), told=frozenset(), was_told=False), SCHEDULE)

    assert first[0].about != moved[0].about


@pytest.mark.parametrize(
    ("told", "was_told", "rule"),
    [
        (None, False, "schedule"),
        ("2026-03-04 16:00", True, "change"),
        # A client who was told that nothing is booked hears of a change, not of a first schedule.
        (None, True, "change"),
    ],
)
def test_first_schedule_and_its_changes_are_two_messages(told, was_told, rule):
    slots = frozenset({("s1", at(told))} if told else ())
    facts = course(session("2026-03-04 15:00", code="s1"), told=slots, was_told=was_told)

    assert [d.rule for d in desire(facts, SCHEDULE, CHANGE)] == [rule]


def test_booking_on_a_day_closed_since_is_neither_reminded_of_nor_told():
    booked = session("2026-03-04 15:00", code="s1")
    closed = session("2026-03-04 15:00", code="s1", is_closed=True)
    told = frozenset({("s1", at("2026-03-04 15:00"))})
    assert {d.rule for d in desire(course(booked, told=told))} == {"day-before", "two-hours"}

    assert desire(course(closed, told=told)) == ()
    assert desire(course(closed, told=frozenset(), was_told=False)) == ()


@pytest.mark.parametrize("status", ["cancelled_by_clinic", "booked"])
def test_what_becomes_of_a_booking_on_a_closed_day_is_told(status):
    told = frozenset({("s1", at("2026-03-04 15:00"))})
    moved = session("2026-03-05 15:00" if status == "booked" else "2026-03-04 15:00", status, code="s1")

    assert "change" in {d.rule for d in desire(course(moved, told=told))}


def test_schedule_never_outlives_the_slots_it_is_about():
    desired = desire(course(session("2026-03-01 12:30"), told=frozenset(), was_told=False), SCHEDULE)

    assert rows(desired) == [("schedule", "2026-03-01 12:03", "2026-03-01 12:30")]


# ---------------------------------------------------------------- completed


def test_completed_course_is_thanked_for_once():
    done = course(status="completed", state="finished", completed_at=at("2026-03-04 11:00"))

    assert rows(desire(done, now="2026-03-04 11:00")) == [
        ("completed", "2026-03-04 12:00", "2026-03-07 12:00")
    ]
    assert [d.about for d in desire(done, COMPLETED, now="2026-03-04 11:00")] == ["completed"]


# ---------------------------------------------------------------- channels, expiry


@pytest.mark.parametrize(
    ("reachable", "channel"),
    [(("email", "sms"), "email"), (("sms",), "sms"), (("email",), "email"), ((), "email")],
)
def test_first_channel_on_which_the_client_can_be_reached(reachable, channel):
    desired = desire(course(session("2026-03-04 15:00")), DAY_BEFORE, client=client(reachable=reachable))

    assert [d.channel for d in desired] == [channel]


@pytest.mark.parametrize(
    ("now", "count"), [("2026-03-03 20:59", 1), ("2026-03-03 21:00", 0), ("2026-03-03 21:01", 0)]
)
def test_nothing_that_has_expired_is_wanted(now, count):
    assert len(desire(course(session("2026-03-04 15:00")), DAY_BEFORE, now=now)) == count


def test_order_is_that_of_sending():
    facts = course(session("2026-03-06 15:00"), session("2026-03-04 15:00"))

    desired = desire(facts, *ALL_RULES)

    assert [riga(d.send_at) for d in desired] == sorted(riga(d.send_at) for d in desired)
    assert len(desired) == 4


def test_no_quiet_hours_at_all():
    never = client(quiet=(time(8), time(8)))

    desired = desire(course(session("2026-03-04 08:30")), TWO_HOURS, client=never)

    assert rows(desired) == [("two-hours", "2026-03-04 06:30", "2026-03-04 07:00")]
