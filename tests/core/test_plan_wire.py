"""The plan operation on JSON: the whole answer of one request, and every refusal by its field."""

import copy

import pytest

from courses.core.plan import search
from courses.core.plan_wire import MAX_COUNT, answer_plan
from courses.core.wire import WireError

MORNING = [["09:00", "12:00"]]
REQUEST = {
    "as_of": "2026-03-10",
    "clinic": {"closed_weekdays": [7]},
    "course": {
        "start_on": "2026-03-02",
        "phases": [
            {
                "kind": "intensive",
                "cadence": {"frequency": 1, "period_min": 1, "period_max": 2},
                "sessions_min": 3,
                "sessions_max": 15,
            }
        ],
        "sessions": [
            {"on": "2026-03-09", "status": "attended"},
            {
                "on": "2026-03-13",
                "status": "booked",
                "pinned": True,
                "start": "2026-03-13T10:30",
                "room": "r9",
            },
        ],
    },
    "not_before": "2026-03-10T09:30",
    "timezone": "Europe/Riga",
    "count": 2,
    "hours": {"1": MORNING, "2": MORNING, "4": MORNING, "5": [["14:00", "24:00"]]},
    "practitioners": [
        {"id": "anna", "hours": {"2": MORNING}, "absences": [["2026-03-12", "2026-03-13"]], "busy": []},
        {"id": "boris", "busy": [["2026-03-12T09:00", "2026-03-12T07:15Z"]]},
    ],
    "rooms": [{"id": "r1"}],
    "minutes": 45,
    "prefer": {"weekdays": [2], "from": "10:00", "to": "11:00", "practitioner": "anna"},
}


def with_value(path, value):
    """The request with one value set, `path` being keys and indexes."""
    changed = copy.deepcopy(REQUEST)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def test_plan_answers_with_slots_cost_and_notes():
    assert answer_plan(REQUEST) == {
        "sessions": [
            {
                "phase": 0,
                "session": 2,
                "start": "2026-03-10T10:00:00+02:00",
                "end": "2026-03-10T10:45:00+02:00",
                "practitioner": "anna",
                "room": "r1",
                "pinned": False,
                "days_outside": 0,
                "preferences_missed": 0,
                "why": ["Due from 2026-03-10 to 2026-03-12."],
            },
            {
                "phase": 0,
                "session": 3,
                "start": "2026-03-12T10:00:00+02:00",
                "end": "2026-03-12T10:45:00+02:00",
                "practitioner": "boris",
                "room": "r1",
                "pinned": False,
                "days_outside": 0,
                "preferences_missed": 2,
                "why": [
                    "Due from 2026-03-11 to 2026-03-12.",
                    "The clinic is closed on 2026-03-11.",
                    "Not on a preferred weekday.",
                    "Not with the preferred practitioner.",
                ],
            },
            {
                "phase": 0,
                "session": 4,
                "start": "2026-03-13T10:30",
                "end": None,
                "practitioner": None,
                "room": "r9",
                "pinned": True,
                "days_outside": 0,
                "preferences_missed": 0,
                "why": ["Due from 2026-03-13 to 2026-03-16.", "Pinned to its place by a person."],
            },
        ],
        "cost": {
            "unplaced": 0,
            "days_outside": 0,
            "preferences_missed": 2,
            "gap_distance": 1,
            "last_on": "2026-03-12",
        },
        "notes": [],
    }


def test_plan_needs_neither_practitioners_nor_rooms_nor_a_zone():
    given = {name: REQUEST[name] for name in ("as_of", "course", "not_before", "count", "hours", "minutes")}

    answer = answer_plan(given)

    planned = answer["sessions"][0]
    assert (planned["start"], planned["practitioner"], planned["room"]) == (
        "2026-03-10T09:30:00+00:00",
        None,
        None,
    )


@pytest.mark.parametrize("name", ["not_before", "count", "hours", "minutes", "as_of", "course"])
def test_plan_refuses_a_request_without(name):
    given = {key: value for key, value in REQUEST.items() if key != name}

    with pytest.raises(WireError) as refused:
        answer_plan(given)

    assert (refused.value.field, refused.value.message) == (name, "Give this field, it is required.")


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (["minute"], 45, "minute"),
        (["minutes"], 0, "minutes"),
        (["minutes"], 1441, "minutes"),
        (["minutes"], "45", "minutes"),
        (["count"], -1, "count"),
        (["count"], MAX_COUNT + 1, "count"),
        (["count"], True, "count"),
        (["slot_step_minutes"], 0, "slot_step_minutes"),
        (["horizon_days"], -1, "horizon_days"),
        (["horizon_days"], 10**9, "horizon_days"),
        (["timezone"], "Europe/Atlantis", "timezone"),
        (["timezone"], "../etc/passwd", "timezone"),
        (["timezone"], "Europe", "timezone"),
        (["timezone"], "localtime", "timezone"),
        (["timezone"], "", "timezone"),
        (["not_before"], "2026-03-10", "not_before"),
        (["not_before"], "2026-02-30T09:00", "not_before"),
        (["not_before"], "2026-03-10T24:00", "not_before"),
        (["not_before"], None, "not_before"),
        (["hours"], [], "hours"),
        (["hours"], {}, "hours"),
        (["hours"], {"7": MORNING}, "hours"),
        (["hours", "8"], MORNING, "hours.8"),
        (["hours", "monday"], MORNING, "hours.monday"),
        (["hours", "1"], "09:00-12:00", "hours.1"),
        (["hours", "1"], [["09:00"]], "hours.1[0]"),
        (["hours", "1"], [["12:00", "09:00"]], "hours.1[0]"),
        (["hours", "1"], [["09:00", "12:00"], ["13:00", "13:00"]], "hours.1[1]"),
        (["hours", "1"], [["9:00", "12:00"]], "hours.1[0][0]"),
        (["hours", "1"], [["24:00", "24:00"]], "hours.1[0][0]"),
        (["practitioners"], {}, "practitioners"),
        (["practitioners", 0, "name"], "Anna", "practitioners[0].name"),
        (["practitioners", 0], {"hours": {}}, "practitioners[0].id"),
        (["practitioners", 1, "id"], "anna", "practitioners[1].id"),
        (["practitioners", 1, "id"], "", "practitioners[1].id"),
        (["practitioners", 0, "hours", "1"], [["12:00", "09:00"]], "practitioners[0].hours.1[0]"),
        (["practitioners", 0, "hours", "1"], [["09:00", "25:00"]], "practitioners[0].hours.1[0][1]"),
        (["practitioners", 0, "absences"], [["2026-03-13", "2026-03-12"]], "practitioners[0].absences[0]"),
        (["practitioners", 0, "absences"], [["2026-03-13", "2026-03-32"]], "practitioners[0].absences[0][1]"),
        (
            ["practitioners", 0, "busy"],
            [["2026-03-13T10:00", "2026-03-13T10:00"]],
            "practitioners[0].busy[0]",
        ),
        (["practitioners", 0, "busy"], [["2026-03-13T10:00", "11:00"]], "practitioners[0].busy[0][1]"),
        (["rooms", 0, "hours"], {}, "rooms[0].hours"),
        (["rooms"], [{"id": "r1"}, {"id": "r1"}], "rooms[1].id"),
        (["client_busy"], [["2026-03-13T10:00", "2026-03-13T09:00"]], "client_busy[0]"),
        (["prefer", "weekdays"], [8], "prefer.weekdays[0]"),
        (["prefer", "to"], "09:00", "prefer.to"),
        (["prefer", "from"], "10", "prefer.from"),
        (["prefer", "room"], "r1", "prefer.room"),
        (["course", "sessions", 1, "start"], "10:30", "course.sessions[1].start"),
        (["course", "sessions", 1, "start"], "2026-03-14T10:30", "course.sessions[1].start"),
        (["course", "sessions", 1, "end"], "2026-03-13T10:30", "course.sessions[1].end"),
        (["course", "phases", 0, "cadence", "period_min"], 3, "course.phases[0].cadence.period_min"),
    ],
)
def test_plan_refuses_by_field(path, value, field):
    with pytest.raises(WireError) as refused:
        answer_plan(with_value(path, value))

    assert refused.value.field == field
    assert refused.value.message.endswith(".")


TOO_LARGE = {
    "error": {
        "field": "count",
        "message": "Plan fewer sessions at a time, or lower horizon_days: there are too many ways to compare.",
    }
}


@pytest.mark.parametrize(("most_places", "most_steps"), [(2, 1_000_000), (1_000, 100)])
def test_plan_refuses_what_can_lie_in_too_many_ways(monkeypatch, most_places, most_steps):
    monkeypatch.setattr(search, "MOST_PLACES", most_places)

    with pytest.raises(WireError) as refused:
        answer_plan(REQUEST, most_steps=most_steps)

    assert refused.value.as_json() == TOO_LARGE
