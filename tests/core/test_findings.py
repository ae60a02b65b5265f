from dataclasses import replace

import pytest

from courses.core.types import Finding
from tests.core.build import (
    EVERY_1_2,
    FORTNIGHT,
    INTENSIVE,
    MAINTENANCE,
    assessed,
    counted,
    day,
    finding,
    paused,
    prescribed,
    records,
)

LONG_GRACE = counted(EVERY_1_2, 10, 15, grace_days=3, lapse_days=5)


def kinds(assessment):
    return [one.kind for one in assessment.findings]


@pytest.mark.parametrize(
    ("today", "days", "severity"),
    [("03-10", None, ""), ("03-11", 2, "warning"), ("03-13", 4, "warning"), ("03-14", 5, "serious")],
)
def test_overdue(today, days, severity):
    found = finding(assessed(today, None, records("03-07")), "overdue")

    expected = Finding(
        "overdue", severity, days=days, since=day("03-11"), cause="scheduling", limit=1, session=2
    )
    assert found == (None if days is None else expected)


@pytest.mark.parametrize(
    ("others", "cause"),
    [
        ({"no_show": "03-09"}, "client"),
        ({"no_show": "03-07"}, "scheduling"),
        ({"no_show": "03-12"}, "scheduling"),
    ],
)
def test_overdue_cause(others, cause):
    assert finding(assessed("03-11", None, records("03-07", **others)), "overdue").cause == cause


@pytest.mark.parametrize(("today", "days"), [("03-25", None), ("03-26", 15), ("03-29", 17)])
def test_lapsed(today, days):
    found = finding(assessed(today, None, records("03-07", cancelled_by_clinic="03-09")), "lapsed")

    expected = Finding(
        "lapsed", "serious", days=days, since=day("03-26"), cause="clinic", limit=14, session=2
    )
    assert found == (None if days is None else expected)


@pytest.mark.parametrize(
    ("today", "plan", "attended", "pauses", "days"),
    [
        # Attended on the 2nd, paused from the 3rd: interrupted after 2 + 14 days.
        ("03-18", prescribed(), "03-02", [("03-03", "03-31")], None),
        ("03-19", prescribed(), "03-02", [("03-03", "03-31")], 17),
        ("03-19", prescribed(), "03-02", [("03-03", None)], 17),
        ("03-19", prescribed(), "", [("03-03", "03-31")], None),  # nothing to be away from
        ("03-19", prescribed(), "03-02", [("03-03", "03-18")], 17),  # due again, forgiven by the pause
        ("03-22", prescribed(), "03-02", [("03-03", "03-18")], 20),
        ("03-24", prescribed(), "03-02", [("03-03", "03-18")], None),  # overdue says more
        ("03-19", prescribed(restarts="03-10"), "03-02", [("03-03", "03-31")], None),
        ("03-27", prescribed(restarts="03-10"), "03-02", [("03-03", "03-31")], 17),
        ("03-27", prescribed(start="04-20", restarts="03-01"), "", [], None),  # before the start
    ],
)
def test_interrupted(today, plan, attended, pauses, days):
    found = finding(assessed(today, plan, records(attended), paused(*pauses)), "interrupted")

    assert found == (None if days is None else Finding("interrupted", "notice", days=days, limit=16))


@pytest.mark.parametrize(
    ("today", "plan", "sessions", "pauses", "expected"),
    [
        # The first session is due from Friday 20 March, the clinic books three days ahead.
        ("03-16", prescribed(start="03-20"), records(), [], None),
        ("03-17", prescribed(start="03-20"), records(), [], ("notice", 0, "03-17")),
        ("03-19", prescribed(start="03-20"), records(), [], ("notice", 2, "03-17")),
        ("03-20", prescribed(start="03-20"), records(), [], ("warning", 3, "03-17")),
        ("03-23", prescribed(start="03-20"), records(), [], ("warning", 6, "03-17")),
        ("03-20", prescribed(start="03-20"), records(booked="03-20"), [], None),
        ("03-20", prescribed(start="03-20"), records(confirmed="04-20"), [], None),
        ("03-20", prescribed(start="03-20"), records(arrived="03-20"), [], None),
        ("03-20", prescribed(start="03-20"), records(planned="03-20"), [], ("warning", 3, "03-17")),
        ("03-20", prescribed(start="03-20"), records(booked="03-19"), [], ("warning", 3, "03-17")),
        # In a pause with an end the day after it takes the place of an earlier due_from.
        ("03-06", prescribed(), records("03-02"), [("03-03", "03-10")], None),
        ("03-08", prescribed(), records("03-02"), [("03-03", "03-10")], ("notice", 0, "03-08")),
        ("03-10", prescribed(), records("03-02"), [("03-03", "03-10")], ("notice", 2, "03-08")),
        ("03-10", prescribed(start="03-20"), records(), [("03-03", "03-10")], None),
        ("03-10", prescribed(start="03-12"), records(), [("03-03", "03-10")], ("notice", 1, "03-09")),
        ("03-10", prescribed(), records("03-02"), [("03-03", None)], None),
    ],
)
def test_unbooked(today, plan, sessions, pauses, expected):
    found = finding(assessed(today, plan, sessions, paused(*pauses)), "unbooked")

    assert (found and (found.severity, found.days, found.since)) == (
        expected and (*expected[:2], day(expected[2]))
    )


def test_unbooked_is_not_said_of_who_is_overdue():
    assert kinds(assessed("03-10", None, records("03-07"))) == ["unbooked"]
    assert kinds(assessed("03-11", None, records("03-07"))) == ["overdue"]


@pytest.mark.parametrize(
    ("today", "booked", "pauses", "days"),
    [
        # Attended on Wednesday 4: due by Friday 6, grace 1.
        ("03-04", "03-07", [], None),
        ("03-04", "03-08", [], None),  # a Sunday: one open day lies between
        ("03-04", "03-09", [], 2),
        ("03-04", "03-20 03-09", [], 2),  # the earliest counts
        ("03-07", "03-09", [], None),  # from today on only one open day is left
        ("03-07", "03-10", [], 3),
        ("03-10", "03-12", [], 5),  # overdue by now, and still two days to wait
        ("03-10", "03-11", [], None),
        ("03-04", "03-10", [("03-09", "03-09")], 2),
        ("03-04", "03-12", [("03-04", "03-04")], None),  # paused
    ],
)
def test_booked_late(today, booked, pauses, days):
    found = finding(assessed(today, None, records("03-04", booked=booked), paused(*pauses)), "booked_late")

    assert (found and (found.severity, found.days)) == (days and ("warning", days))


@pytest.mark.parametrize(
    ("booked", "pauses", "closures", "count"),
    [
        ("03-05", [], "", None),
        ("03-08", [], "", 1),
        ("03-08 03-15", [], "", 2),
        ("03-05 03-06", [], "03-06", 1),
        ("03-05", [("03-05", "03-05")], "", 1),
        ("03-06", [("03-05", "03-05")], "", None),
        ("04-06", [("03-05", None)], "", 1),  # an open-ended pause has no end here
        ("03-01", [], "", None),  # past: unrecorded, no longer misbooked
    ],
)
def test_misbooked_on_a_lost_day(booked, pauses, closures, count):
    found = assessed("03-04", None, records("03-02", booked=booked), paused(*pauses), closures=closures)

    assert finding(found, "misbooked") == (count and Finding("misbooked", "warning", count=count))


@pytest.mark.parametrize(
    ("plan", "today", "sessions", "count"),
    [
        (prescribed(counted(EVERY_1_2, 2, 2)), "03-03", records("03-02", booked="03-04"), None),
        (prescribed(counted(EVERY_1_2, 2, 2)), "03-03", records("03-02", booked="03-04 03-06"), 1),
        (prescribed(counted(EVERY_1_2, 1, 1)), "03-03", records("03-02", booked="03-04 03-06"), 2),
        (
            prescribed(replace(MAINTENANCE, duration_days=20)),
            "03-03",
            records("03-02", booked="03-17 03-23"),
            1,
        ),
        # ended today: who comes today still belongs to the phase
        (prescribed(INTENSIVE, ended=[(0, "03-04")]), "03-04", records("03-02", booked="03-04"), None),
        (prescribed(INTENSIVE, ended=[(0, "03-04")]), "03-04", records("03-02", booked="03-04 03-05"), 1),
        (prescribed(INTENSIVE, ended=[(0, "03-04")]), "03-05", records("03-02", booked="03-05"), 1),
    ],
)
def test_misbooked_after_the_course(plan, today, sessions, count):
    assert finding(assessed(today, plan, sessions), "misbooked") == (
        count and Finding("misbooked", "warning", count=count)
    )


@pytest.mark.parametrize(
    ("today", "attended", "booked", "days"),
    [
        ("03-20", "03-02 03-16", "", None),
        ("03-20", "03-02 03-14", "", 2),
        ("03-31", "03-02 03-14 03-28", "", None),  # only the latest counts
        ("03-03", "03-02", "03-16", None),
        ("03-03", "03-02", "03-15", 1),
        ("03-03", "03-02", "03-16 03-27", 3),  # chained through the bookings
        ("03-20", "03-02 03-14", "03-27", 2),
        ("03-20", "03-02 03-14", "03-24", 4),
        ("03-03", "", "03-02", None),
        ("02-20", "", "02-25", None),  # nothing is too soon after nothing
    ],
)
def test_too_frequent(today, attended, booked, days):
    plan = prescribed(counted(FORTNIGHT, 9, 9, lapse_days=40))

    found = assessed(today, plan, records(attended, booked=booked))

    assert finding(found, "too_frequent") == (days and Finding("too_frequent", "notice", days=days))


@pytest.mark.parametrize(
    ("attended", "days"),
    [
        ("03-02 03-06 03-11", None),  # 2 and 2 days late
        ("03-02 03-06 03-12", 5),
        ("03-06 03-12", None),  # against the start: not counted
    ],
)
def test_behind(attended, days):
    found = assessed("03-12", prescribed(LONG_GRACE), records(attended))

    assert finding(found, "behind") == (days and Finding("behind", "warning", days=days, limit=4))


@pytest.mark.parametrize(
    ("others", "count"),
    [
        ({"no_show": "03-05"}, None),
        ({"no_show": "03-05 03-06"}, 2),
        ({"no_show": "03-05", "cancelled_late": "03-06"}, 2),
        ({"no_show": "03-04 03-06"}, None),  # on the day of the last attended one
        ({"no_show": "03-05 03-09"}, None),  # not yet
        ({"no_show": "03-05", "cancelled_by_client": "03-06", "cancelled_by_clinic": "03-07"}, None),
        ({"no_show": "03-01 03-02 03-03"}, None),
    ],
)
def test_missed_streak(others, count):
    found = assessed("03-08", None, records("03-04", **others))

    assert finding(found, "missed_streak") == (
        count and Finding("missed_streak", "warning", count=count, limit=2)
    )


@pytest.mark.parametrize(
    ("low", "high", "target", "attended", "count"),
    [
        (2, 3, None, "03-02", None),
        (2, 3, None, "03-02 03-03", 2),
        (2, 4, None, "03-02 03-03 03-04", 3),
        (2, 3, 3, "03-02 03-03", None),
        (3, 3, None, "03-02 03-03", None),
    ],
)
def test_decision_due(low, high, target, attended, count):
    plan = prescribed(counted(EVERY_1_2, low, high, target=target))

    found = finding(assessed("03-04", plan, records(attended)), "decision_due")

    assert found == (count and Finding("decision_due", "notice", count=count, limit=high))


@pytest.mark.parametrize(("booked", "count"), [("03-04", None), ("03-03", 1), ("03-02 03-03 03-09", 2)])
def test_unrecorded(booked, count):
    found = assessed("03-04", None, records(booked=booked))

    assert finding(found, "unrecorded") == (count and Finding("unrecorded", "notice", count=count))


@pytest.mark.parametrize(
    ("booked", "spans", "count"),
    [
        ("03-10", [("03-05", "03-09")], None),
        ("03-09", [("03-05", "03-09")], 1),
        ("03-05", [("03-05", "03-09")], 1),
        ("03-04", [("03-05", "03-09")], None),
        ("03-03", [("03-01", "03-09")], None),  # past
        ("03-06 03-09", [("03-05", "03-07"), ("03-06", "03-09")], 2),
        ("06-09", [("03-05", None)], 1),
        ("03-06 03-10 03-12", [("03-12", "03-12"), ("03-06", "03-06"), ("03-05", "03-09")], 2),
        ("03-06 03-08", [("03-05", "03-08"), ("03-06", "03-06")], 2),  # one inside another
        ("03-03 03-06", [("03-01", "03-09")], 1),  # one of them past
    ],
)
def test_contraindicated(booked, spans, count):
    found = assessed("03-04", None, records(booked=booked), contraindicated=spans)

    assert finding(found, "contraindicated") == (count and Finding("contraindicated", "serious", count=count))


@pytest.mark.parametrize(("count", "expected"), [(0, []), (2, ["off_protocol"])])
def test_off_protocol(count, expected):
    assert kinds(assessed("03-02", None, records("03-02", booked="03-03"), off_protocol=count)) == expected


def test_finished_keeps_three_kinds_only():
    plan = prescribed(counted(FORTNIGHT, 2, 2))
    sessions = records("03-02 03-10", no_show="03-11 03-12", booked="03-12 03-25")

    found = assessed("03-20", plan, sessions, contraindicated=[("03-25", "03-25")], off_protocol=1)

    assert found.state == "finished"
    assert kinds(found) == ["contraindicated", "misbooked", "unrecorded"]


def test_findings_are_sorted_by_kind():
    sessions = records("03-04 03-06 03-12", no_show="03-14 03-16", booked="03-11 03-29")

    found = assessed("03-20", None, sessions, contraindicated=[("03-29", "03-29")], off_protocol=1)

    assert kinds(found) == [
        "booked_late",
        "contraindicated",
        "misbooked",
        "missed_streak",
        "off_protocol",
        "overdue",
        "unrecorded",
    ]
