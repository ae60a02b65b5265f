import json

import pytest

EXAMPLE = {
    "as_of": "2026-03-10",
    "clinic": {"closed_weekdays": [7], "closures": ["2026-03-09"], "booking_lead_days": 3},
    "course": {
        "start_on": "2026-03-02",
        "phases": [
            {
                "kind": "intensive",
                "cadence": {"frequency": 1, "period_min": 1, "period_max": 2},
                "sessions_min": 10,
                "sessions_max": 15,
                "target": None,
                "grace_days": 1,
                "lapse_days": 14,
            }
        ],
        "sessions": [{"on": "2026-03-02", "status": "attended"}],
    },
}
PLAN = EXAMPLE | {
    "not_before": "2026-03-10T09:00",
    "timezone": "Europe/Riga",
    "count": 2,
    "hours": {"2": [["09:00", "13:00"]], "3": [["09:00", "13:00"]]},
    "minutes": 45,
}


def post(client, path, body):
    return client.post(path, data=json.dumps(body), content_type="application/json")


def test_assess_answers_without_login_or_database(client):
    answer = post(client, "/api/v1/assess/", EXAMPLE)

    assert answer.status_code == 200
    assert answer.json()["state"] == "overdue"
    assert [finding["kind"] for finding in answer.json()["findings"]] == ["overdue"]


def test_plan_answers_slots_with_the_clinics_offset(client):
    answer = post(client, "/api/v1/plan/", PLAN)

    assert [session["start"] for session in answer.json()["sessions"]] == [
        "2026-03-10T09:00:00+02:00",
        "2026-03-11T09:00:00+02:00",
    ]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/v1/assess/", EXAMPLE | {"as_of": "2026-02-30"}, "as_of"),
        ("/api/v1/assess/", EXAMPLE | {"surplus": 1}, "surplus"),
        ("/api/v1/plan/", PLAN | {"count": "2"}, "count"),
        ("/api/v1/plan/", EXAMPLE, "not_before"),
    ],
)
def test_bad_input_is_answered_by_field(client, path, body, field):
    answer = post(client, path, body)

    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"]["field"] == field


def test_plan_takes_no_more_work_than_the_settings_allow(client, settings):
    settings.PLAN_MOST_STEPS = 10

    answer = post(client, "/api/v1/plan/", PLAN)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "field": "count",
            "message": "Plan fewer sessions at a time, or lower horizon_days: there are too many ways to compare.",
        }
    }


@pytest.mark.parametrize("body", ["", "{", "[]", '{"as_of": 1e999}', '{"as_of": "2026-03-10", "as_of": 1}'])
def test_text_that_is_no_request_is_refused(client, body):
    answer = client.post("/api/v1/assess/", data=body, content_type="text/plain")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_a_body_over_a_megabyte_is_refused(client):
    answer = client.post("/api/v1/assess/", data=" " * 1_000_001, content_type="application/json")

    assert answer.status_code == 413


def test_reading_an_operation_is_a_wrong_verb(client):
    assert client.get("/api/v1/assess/").status_code == 405
    assert client.get("/api/v1/plan/").status_code == 405
