import json
from copy import deepcopy
from datetime import date, timedelta
from time import process_time

import pytest

from courses.core.types import PauseSpan, SessionRecord
from courses.core.wire import (
    ASSESS_FIELDS,
    ObjectReader,
    WireError,
    answer_assess,
    loads,
    read_assess_request,
)
from tests.core.build import day

EXAMPLE = """
{ "as_of": "2026-03-10",
  "clinic": { "closed_weekdays": [7], "closures": ["2026-03-09"], "booking_lead_days": 3 },
  "course": {
    "start_on": "2026-03-02",
    "phases": [
      { "kind": "intensive", "cadence": {"frequency": 1, "period_min": 1, "period_max": 2},
        "sessions_min": 10, "sessions_max": 15, "target": null, "grace_days": 1, "lapse_days": 14 },
      { "kind": "maintenance", "cadence": {"frequency": 1, "period_min": 14, "period_max": 14},
        "duration_days": 365, "grace_days": 3, "lapse_days": 42 } ],
    "phases_ended": [],
    "restarts": [],
    "sessions": [ {"on": "2026-03-02", "status": "attended"}, {"on": "2026-03-04", "status": "no_show"},
                  {"on": "2026-03-12", "status": "booked"} ],
    "pauses": [ {"from": "2026-03-05", "to": "2026-03-06", "reason": "bruises"} ],
    "contraindications": [ {"code": "influenza", "from": "2026-03-05", "to": "2026-03-08"} ] } }
"""
ANSWER = """
{ "state": "overdue", "phase": 0, "session": 2, "due_from": "2026-03-03", "due_by": "2026-03-04",
  "gaps": [ {"phase": 0, "session": 1, "on": "2026-03-02", "due_from": "2026-03-02", "due_by": "2026-03-04",
             "gap_days": null, "verdict": "on_time", "days": 0, "cause": null} ],
  "measures": { "attended": 1, "attendance_rate": 0.5, "on_time_rate": 1.0, "early_rate": 0.0, "late_rate": 0.0,
                "slippage_days": 0, "projected_end": "2026-04-08" },
  "findings": [
    {"kind": "booked_late", "severity": "warning", "days": 4, "since": null,
     "says": "Session 2 is booked for 2026-03-12, 4 open days after its window."},
    {"kind": "overdue", "severity": "warning", "days": 2, "since": "2026-03-10", "cause": "client",
     "says": "Session 2 is 2 days overdue after the client missed or cancelled."} ],
  "next_check_on": "2026-03-11" }
"""
SMALL = {
    "as_of": "2026-03-10",
    "course": {
        "start_on": "2026-03-02",
        "phases": [
            {
                "kind": "intensive",
                "cadence": {"frequency": 1, "period_min": 1, "period_max": 2},
                "sessions_min": 2,
                "sessions_max": 3,
            },
            {
                "kind": "maintenance",
                "cadence": {"frequency": 2, "period_min": 7, "period_max": 7},
                "duration_days": 30,
            },
        ],
    },
}
GONE = object()


def changed(path, value):
    """The small request with one field set, or gone; a path is written as a refusal names it."""
    request = deepcopy(SMALL)
    *parents, last = path.replace("[", ".[").split(".")
    at = request
    for step in parents:
        at = at[int(step[1:-1])] if step.startswith("[") else at.setdefault(step, {})
    if value is GONE:
        del at[last]
    elif last.startswith("["):
        at[int(last[1:-1])] = value
    else:
        at[last] = value
    return request


def refused(request):
    with pytest.raises(WireError) as error:
        answer_assess(request)
    message = error.value.message
    assert message[0].isupper()
    assert message.endswith(".")
    assert "\n" not in str(error.value)
    return error.value.field


def read(request):
    return read_assess_request(ObjectReader(request, "", ASSESS_FIELDS))


def test_documented_example_to_the_letter():
    answer = answer_assess(loads(EXAMPLE))

    assert json.dumps(answer) == json.dumps(json.loads(ANSWER))  # the order of the names too


def test_answer_of_a_finished_course_with_a_count():
    request = changed("course.phases", [SMALL["course"]["phases"][0] | {"target": 2}])
    request["course"]["sessions"] = [
        {"on": "2026-03-02", "status": "attended"},
        {"on": "2026-03-03", "status": "attended"},
        {"on": "2026-03-12", "status": "booked"},
    ]

    answer = answer_assess(request)

    assert [answer[name] for name in ("state", "phase", "session", "due_from", "due_by")] == [
        "finished", None, None, None, None
    ]  # fmt: skip
    assert answer["findings"] == [
        {
            "kind": "misbooked",
            "severity": "warning",
            "count": 1,
            "since": None,
            "says": "1 booking lies on a closed or paused day, or after the end of the course.",
        }
    ]


def test_defaults():
    parts = read(SMALL)

    assert (parts.booking_lead_days, parts.calendar.closed_weekdays, parts.calendar.closures) == (
        3,
        set(),
        set(),
    )
    assert (parts.sessions, parts.pauses, parts.contraindications) == ((), (), ())
    assert (parts.prescription.phases_ended, parts.prescription.restarts) == ((), ())
    assert [(phase.grace_days, phase.lapse_days) for phase in parts.prescription.phases] == [(0, 14), (0, 14)]
    assert [(phase.cadence.rest_days, phase.cadence.flex_days) for phase in parts.prescription.phases] == [
        (1, 0),
        (2, 1),
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("clinic", {}),
        ("clinic.closed_weekdays", [1, 2, 3, 4, 5, 6, 6]),
        ("clinic.booking_lead_days", 0),
        ("course.phases[0].target", 3),
        ("course.phases[0].duration_days", None),
        ("course.phases[1].sessions_min", None),
        ("course.phases[0].minutes_max", None),
        ("course.phases[0].minutes_min", 30),
        ("course.phases[0].minutes_max", 45),
        ("course.phases[0].grace_days", 14),
        ("course.phases[0].cadence.rest_days", 9),
        ("course.phases[0].cadence.frequency", 2),
        ("course.pauses", [{"from": "2026-03-05", "to": None, "reason": "travel"}, {"from": "2026-03-03", "to": "2026-03-04"}]),
        ("course.pauses", [{"from": "2026-03-05", "to": "2026-03-05", "reason": ""}]),
        ("course.restarts", ["2026-03-09", "2026-03-09"]),
        ("course.sessions", [{"on": "2028-02-29", "status": "booked"}, {"on": "2028-02-29", "status": "attended"}]),
    ],
)  # fmt: skip
def test_accepted(path, value):
    assert answer_assess(changed(path, value))["state"] in {"due", "late", "overdue", "paused"}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("as_of", ["2026-02-29", "2026-13-01", "2026-3-1", "20260301", "2026-W10-1", "2026-03-01T09:00", ""]),
        ("as_of", [20260301, 1.5, True, None, [], {}, "٢٠٢٦-03-01", "2026-03-01\n", " 2026-03-01", GONE]),
        ("as_of", ["0000-01-01", "0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31"]),
        ("clinic", [None, [], "clinic", 1]),
        ("clinic.closed_weekdays", [[1, 2, 3, 4, 5, 6, 7], None, 7, "7", {"7": 1}]),
        ("clinic.booking_lead_days", [-1, 1.0, "3", True, None, 10**9]),
        ("clinic.opening_hours", [[]]),
        ("course", [None, [], GONE]),
        ("course.start_on", ["2026-02-30", None, GONE]),
        ("course.phases", [[], None, {}, GONE, [SMALL["course"]["phases"][0]] * 21]),
        ("course.phases[0]", [None, [], "intensive"]),
        ("course.phases[0].kind", ["daily", "", None, 1, GONE]),
        ("course.phases[0].cadence", [None, [], GONE]),
        ("course.phases[0].cadence.frequency", [0, 3, -1, 1.0, "1", True, None, 10**9, GONE]),
        ("course.phases[0].cadence.period_min", [0, 3, 1.0, "1", False, None, 10**30, GONE]),
        ("course.phases[0].cadence.period_max", [0, 2.0, "2", True, None, 10**9, GONE]),
        ("course.phases[0].cadence.rest_days", [0, -1, 1.5, "1", None, 10**9]),
        ("course.phases[0].cadence.flex_days", [1, -1, 0.0, "0", False, None]),
        ("course.phases[0].cadence.weeks", [1]),
        ("course.phases[0].sessions_min", [0, 4, -2, 2.0, "2", True, None, GONE]),
        ("course.phases[0].sessions_max", [0, 3.0, "3", True, None, GONE, 10**9]),
        ("course.phases[0].target", [1, 4, 2.0, "2", True]),
        ("course.phases[1].target", [1]),
        ("course.phases[1].duration_days", [0, -1, 30.0, "30", True, 10**9]),
        ("course.phases[0].grace_days", [15, -1, 1.0, "1", True, None]),
        ("course.phases[0].lapse_days", [-1, 14.0, "14", True, None, 10**9]),
        ("course.phases[0].minutes", [30]),
        ("course.phases_ended", [None, {}, "no", [{"phase": 0, "on": "2026-03-02"}] * 101]),
        ("course.restarts", [None, "2026-03-02", {}]),
        ("course.sessions", [None, {}]),
        ("course.pauses", [None, {}]),
        ("course.contraindications", [None, {}]),
        ("course.notes", ["none"]),
        ("today", ["2026-03-10"]),
    ],
)
def test_refused_fields(path, values):
    for value in values:
        assert refused(changed(path, value)) == path, value


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("clinic.closed_weekdays", [7, 8], "clinic.closed_weekdays[1]"),
        ("clinic.closed_weekdays", [True], "clinic.closed_weekdays[0]"),
        ("clinic.closures", ["2026-03-09", "2026-02-30"], "clinic.closures[1]"),
        ("course.phases[1].duration_days", None, "course.phases[1].sessions_max"),
        ("course.phases[1].duration_days", GONE, "course.phases[1].sessions_max"),
        ("course.phases[0].sessions_min", GONE, "course.phases[0].sessions_min"),
        ("course.restarts", ["2026-03-01", "soon"], "course.restarts[1]"),
        ("course.phases_ended", [{"phase": 2, "on": "2026-03-05"}], "course.phases_ended[0].phase"),
        ("course.phases_ended", [{"phase": -1, "on": "2026-03-05"}], "course.phases_ended[0].phase"),
        ("course.phases_ended", [{"phase": 0}], "course.phases_ended[0].on"),
        ("course.phases_ended", [{"phase": 0, "on": "2026-03-05"}], "course.phases_ended[0].on"),  # nothing attended
        ("course.sessions", [{"on": "2026-03-02", "status": "missed"}], "course.sessions[0].status"),
        ("course.sessions", [{"on": "2026-03-02", "status": ["attended"]}], "course.sessions[0].status"),
        ("course.sessions", [{"on": "2026-03-02"}], "course.sessions[0].status"),
        ("course.sessions", [{"status": "attended"}], "course.sessions[0].on"),
        ("course.sessions", [{"on": "2026-03-02", "status": "booked", "pinned": True}], "course.sessions[0].pinned"),
        ("course.sessions", ["2026-03-02"], "course.sessions[0]"),
        ("course.sessions", [{"on": "2026-03-02", "status": "attended"}] * 2, "course.sessions[1].on"),
        ("course.pauses", [{"from": "2026-03-05", "reason": "x"}], "course.pauses[0].to"),
        ("course.pauses", [{"from": None, "to": None}], "course.pauses[0].from"),
        ("course.pauses", [{"from": "2026-03-05", "to": "2026-03-04"}], "course.pauses[0].to"),
        ("course.pauses", [{"from": "2026-03-05", "to": "2026-03-06", "reason": None}], "course.pauses[0].reason"),
        ("course.pauses", [{"from": "2026-03-05", "to": "2026-03-06", "reason": "x" * 201}], "course.pauses[0].reason"),
        (
            "course.pauses",
            [{"from": "2026-03-06", "to": "2026-03-08"}, {"from": "2026-03-02", "to": "2026-03-06"}],
            "course.pauses[0].from",
        ),
        ("course.pauses", [{"from": "2026-03-02", "to": None}, {"from": "2026-04-02", "to": None}], "course.pauses[1].from"),
        ("course.contraindications", [{"code": "x", "from": "2026-03-02", "to": None}], "course.contraindications[0].to"),
        ("course.contraindications", [{"from": "2026-03-02", "to": "2026-03-02"}], "course.contraindications[0].code"),
        (
            "course.contraindications",
            [{"code": "x", "from": "2026-03-02", "to": "2026-03-01"}],
            "course.contraindications[0].to",
        ),
    ],
)  # fmt: skip
def test_refused_inside_lists(path, value, field):
    assert refused(changed(path, value)) == field


def test_text_with_half_a_character_is_refused():
    whole = [{"code": "\N{GRINNING FACE}", "from": "2026-03-02", "to": "2026-03-02"}]
    half = [{"code": "\ud83d", "from": "2026-03-02", "to": "2026-03-02"}]

    assert answer_assess(changed("course.contraindications", whole))["state"] == "overdue"
    assert refused(changed("course.contraindications", half)) == "course.contraindications[0].code"


def test_more_than_three_thousand_sessions_are_refused():
    sessions = [{"on": "2026-03-05", "status": "no_show"}] * 3_000
    request = changed("course.sessions", sessions)

    assert answer_assess(request)["measures"]["attendance_rate"] == 0.0
    assert refused(changed("course.sessions", [*sessions, sessions[0]])) == "course.sessions"


@pytest.mark.slow
def test_thousands_of_bookings_and_contraindications_are_assessed_in_time():
    days = [str(date(2026, 1, 1) + timedelta(days=n)) for n in range(3_000)]
    # Lapsed long ago, so that nothing turns on any of the days that are looked at ahead.
    request = changed("as_of", "2026-12-01")
    request["course"]["sessions"] = [{"on": day, "status": "booked"} for day in days]
    request["course"]["contraindications"] = [{"code": "x", "from": day, "to": day} for day in days] * 3

    started = process_time()
    answer = answer_assess(request)

    assert answer["next_check_on"] is None
    assert [found["count"] for found in answer["findings"] if found["kind"] == "contraindicated"] == [2666]
    assert process_time() - started < 30


@pytest.mark.parametrize(
    ("period_max", "sessions_max", "is_refused"),
    [(3660, 100, False), (3660, 101, True), (36, 10_000, False), (37, 10_000, True)],
)
def test_phase_of_absurd_length(period_max, sessions_max, is_refused):
    request = changed("course.phases[0].sessions_max", sessions_max)
    request["course"]["phases"][0]["cadence"]["period_max"] = period_max

    if is_refused:
        assert refused(request) == "course.phases[0].sessions_max"
    else:
        assert answer_assess(request)["measures"]["projected_end"] > "2980"


def test_latest_dates_and_largest_sizes_are_answered():
    request = changed("as_of", "2999-12-31")
    cadence = {"frequency": 3660, "period_min": 3660, "period_max": 3660, "flex_days": 0, "rest_days": 3660}
    request["course"] = {
        "start_on": "2999-12-31",
        "phases": [
            {
                "kind": "intensive",
                "cadence": cadence,
                "sessions_min": 1,
                "sessions_max": 100,
                "lapse_days": 3660,
            },
            *[{"kind": "maintenance", "cadence": cadence, "duration_days": 36_600}] * 19,
        ],
        "sessions": [{"on": "2999-12-31", "status": "attended"}],
        "phases_ended": [{"phase": 0, "on": "2999-12-31"}],
    }

    assert answer_assess(request)["measures"]["projected_end"] == "3100-03-17"


@pytest.mark.parametrize(
    ("ends", "field"),
    [
        ([(0, "2026-03-02")], None),  # on the day it begins
        ([(0, "2026-03-01")], "course.phases_ended[0].on"),
        ([(1, "2026-03-04"), (0, "2026-03-03")], None),
        ([(1, "2026-03-03"), (0, "2026-03-03")], None),
        ([(1, "2026-03-03"), (0, "2026-03-04")], "course.phases_ended[0].on"),
        ([(0, "2026-03-03"), (0, "2026-03-08")], None),  # without effect
        ([(1, "2026-03-08")], "course.phases_ended[0].on"),
        ([(0, "2026-03-20"), (1, "2026-03-25")], None),  # after the as-of date, ignored but checked
        ([(1, "2026-03-25")], "course.phases_ended[0].on"),
    ],
)
def test_end_of_a_phase_before_it_began(ends, field):
    request = changed("course.sessions", [{"on": "2026-03-02", "status": "attended"}])
    request["course"]["phases_ended"] = [{"phase": phase, "on": on} for phase, on in ends]

    if field is None:
        assert answer_assess(request)["measures"]["attended"] == 1
    else:
        assert refused(request) == field


@pytest.mark.parametrize("request_", [None, [], "text", 1, True])
def test_refused_request_that_is_no_object(request_):
    assert refused(request_) == "request"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[1, 2",
        b'{"as_of": NaN}',
        b'{"as_of": Infinity}',
        b"\xff\xfe",
        b"{} {}",
        b"[" * 100_000,
        b'{"as_of": ' + b"1" * 5_000 + b"}",
    ],
)
def test_refused_text_that_is_no_json(text):
    with pytest.raises(WireError) as error:
        loads(text)

    assert error.value.field == "request"
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"as_of": "2026-03-10", "as_of": "2026-03-11"}', "as_of"),
        (
            '{"as_of": "2026-03-10", "course": {"start_on": 1, "phases": [], "start_on": 2}}',
            "course.start_on",
        ),
    ],
)
def test_refused_repeated_names(text, field):
    assert refused(loads(text)) == field


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("as of", '"as of"'),
        ("a\nb", '"a\\nb"'),
        ("\ud800", '"\\ud800"'),
        ("", '""'),
        ("x" * 90, f'"{"x" * 60}"'),
    ],
)
def test_unknown_names_stay_on_one_line(name, field):
    assert refused(SMALL | {name: 1}) == field


def test_error_as_json():
    with pytest.raises(WireError) as error:
        answer_assess(changed("course.phases[0].cadence.period_min", 3))

    assert error.value.as_json() == {
        "error": {
            "field": "course.phases[0].cadence.period_min",
            "message": "Give at most period_max, which is 2.",
        }
    }
    assert str(error.value) == "course.phases[0].cadence.period_min: Give at most period_max, which is 2."


def test_byte_order_mark_is_no_error():
    assert loads(b"\xef\xbb\xbf{}") == {}


def test_booking_details_are_read_for_planning_only():
    booking = {
        "on": "2026-03-12",
        "status": "arrived",
        "pinned": True,
        "start": "2026-03-12T09:00",
        "end": None,
        "practitioner": "anna",
        "room": "r1",
    }
    request = changed("course.sessions", [booking])
    request["course"]["pauses"] = [{"from": "2026-03-20", "to": None}]

    parts = read_assess_request(ObjectReader(request, "", ASSESS_FIELDS), booking_details=True)

    assert parts.sessions == (
        SessionRecord(day("03-12"), "arrived", True, "2026-03-12T09:00", None, "anna", "r1"),
    )
    assert parts.pauses == (PauseSpan(day("03-20"), None),)
    assert refused(request) == "course.sessions[0].pinned"
