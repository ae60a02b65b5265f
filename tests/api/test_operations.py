import json
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from redis import RedisError
from rest_framework.exceptions import ValidationError as RefusedError
from rest_framework.throttling import ScopedRateThrottle

from api.errors import answer_error
from courses.core.wire import WireError
from courses.errors import CourseError

# Requests are counted in the cache, which is Redis where there is one.
pytestmark = pytest.mark.servers

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
        ("/api/v1/plan/", PLAN | {"rooms": [{"id": "\ud800"}]}, "rooms[0].id"),
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


def refusal(message, field="request"):
    return {"error": {"field": field, "message": message}}


def test_a_body_over_a_megabyte_is_refused(client):
    answer = client.post("/api/v1/assess/", data=" " * 1_000_001, content_type="application/json")

    assert answer.status_code == 413
    assert answer.json() == refusal("Send at most one megabyte.")


@pytest.mark.parametrize("path", ["/api/v1/assess/", "/api/v1/plan/"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_reading_an_operation_is_a_wrong_verb(client, path, language):
    answer = client.get(path, headers={"Accept-Language": language})

    assert answer.status_code == 405
    assert answer.json() == refusal("Use POST.")
    assert answer["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/plan", "/api/v1/plan/more/", "/api/v1/visits/"])
def test_unknown_address_is_answered_in_the_same_shape(client, path):
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 404
        assert answer.json() == refusal("There is nothing at this address.")


def test_wish_for_another_format_is_answered_in_the_same_shape(client):
    answer = client.post("/api/v1/plan/", headers={"Accept": "application/xml"})

    assert answer.status_code == 406
    assert list(answer.json()["error"]) == ["field", "message"]


@pytest.fixture
def once_a_minute(monkeypatch):
    cache.clear()
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"assess": "1/min", "plan": "1/min"})
    yield
    cache.clear()


@pytest.mark.parametrize(("path", "body"), [("/api/v1/assess/", EXAMPLE), ("/api/v1/plan/", PLAN)])
def test_too_many_requests_are_told_how_long_to_wait(client, once_a_minute, path, body):
    first, second = post(client, path, body), post(client, path, body)

    assert (first.status_code, second.status_code) == (200, 429)
    seconds = second["Retry-After"]
    assert second.json() == refusal(f"Wait {seconds} seconds, then try again.")
    assert 0 < int(seconds) <= 60


def test_address_in_a_header_is_not_believed(client, once_a_minute):
    answers = [
        client.post("/api/v1/assess/", data="{}", content_type="text/plain", headers={"X-Forwarded-For": n})
        for n in ("192.0.2.1", "192.0.2.2")
    ]

    assert [answer.status_code for answer in answers] == [400, 429]


def test_requests_are_answered_where_they_cannot_be_counted(client, monkeypatch, caplog):
    def broken(*arguments, **options):
        raise RedisError("gone")

    monkeypatch.setattr(ScopedRateThrottle.cache, "get", broken)

    assert post(client, "/api/v1/assess/", EXAMPLE).status_code == 200
    assert "cannot be counted" in caplog.text


def full(message, code, field="request", **fields):
    return {"error": {"field": field, "message": message, "code": code, "fields": fields}}


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (CourseError("No.", code="no"), 409, full("No.", "no")),
        (CourseError("No.", code="no", fields={"on": "Bad."}), 409, full("Bad.", "no", "on", on="Bad.")),
        (
            ValidationError({"on": ["Too", "late."], "room": ["Full."]}),
            400,
            full("Too late.", "invalid", "on", on="Too late.", room="Full."),
        ),
        (ValidationError("Too late."), 400, full("Too late.", "invalid")),
        (
            RefusedError({"contacts": {"email": {"address": ["Wrong."]}}, "days": {2: ["Odd."]}}),
            400,
            full(
                "Wrong.",
                "invalid",
                "contacts.email.address",
                **{"contacts.email.address": "Wrong.", "days[2]": "Odd."},
            ),
        ),
        (PermissionDenied(), 403, full("This is not for you.", "permission_denied")),
        (WireError("as_of", "Bad."), 400, full("Bad.", "bad_input", "as_of", as_of="Bad.")),
    ],
)
def test_every_refusal_has_one_shape(error, status, body):
    answer = answer_error(error, {})
    plain = answer_error(error, {"view": SimpleNamespace(answers_plainly=True)})

    assert (answer.status_code, answer.data) == (status, body)
    told = {name: body["error"][name] for name in ("field", "message")}
    assert (plain.status_code, plain.data) == (status, {"error": told})


def test_fault_is_left_to_the_framework():
    assert answer_error(RuntimeError("broken"), {}) is None
