"""What is sent has to be what it says it is, to the letter; and each answer says what is left."""

import pytest
from django.core.cache import cache
from rest_framework.throttling import ScopedRateThrottle

from api.serializers.base import read_instant

pytestmark = pytest.mark.django_db


def send(program, path, text, content_type="application/json"):
    return program.browser.post(f"/api/v1/{path}", data=text, content_type=content_type)


def told(answer):
    error = answer.json()["error"]
    return answer.status_code, error["field"], error["code"]


@pytest.mark.parametrize(
    ("text", "content_type", "expected"),
    [
        ("{", "application/json", (400, "request", "parse_error")),
        ("[]", "application/json", (400, "request", "invalid")),
        ('"text"', "application/json", (400, "request", "invalid")),
        ("null", "application/json", (400, "request", "invalid")),
        ("[" * 100_000, "application/json", (400, "request", "parse_error")),
        ('{"given_name": 1e999}', "application/json", (400, "given_name", "invalid")),
        ('{"given_name": NaN}', "application/json", (400, "request", "parse_error")),
        ('{"given_name": "A", "given_name": "B"}', "application/json", (400, "request", "parse_error")),
        ('{"given_name": "\\ud800"}', "application/json", (400, "request", "parse_error")),
        ('{"given_name": "\\u0000"}', "application/json", (400, "given_name", "invalid")),
        ('{"given_name": 7}', "application/json", (400, "given_name", "invalid")),
        ('{"given_nam": "A"}', "application/json", (400, "given_nam", "invalid")),
        ('{"given_name": "A", "birth_on": "2026-02-30"}', "application/json", (400, "birth_on", "invalid")),
        ('{"given_name": "A", "birth_on": "0001-01-01"}', "application/json", (400, "birth_on", "invalid")),
        (
            '{"given_name": "A", "contacts": {"email": {"allowed": "yes"}}}',
            "application/json",
            (400, "contacts.email.allowed", "invalid"),
        ),
        (
            '{"given_name": "A", "prefers_weekdays": [1, "2"]}',
            "application/json",
            (400, "prefers_weekdays[1]", "invalid"),
        ),
        (
            '{"given_name": "A", "prefers_weekdays": [true]}',
            "application/json",
            (400, "prefers_weekdays[0]", "invalid"),
        ),
        (
            '{"given_name": "A", "prefers_from_time": "7:00"}',
            "application/json",
            (400, "prefers_from_time", "invalid"),
        ),
        ('{"given_name": "A"}', "text/plain", (415, "request", "unsupported_media_type")),
        ("given_name=A", "application/x-www-form-urlencoded", (415, "request", "unsupported_media_type")),
        (" " * 1_000_001, "application/json", (413, "request", "too_large")),
    ],
)
def test_body_without_sense_is_refused(world, writer, text, content_type, expected):
    assert told(send(writer, "clients/", text, content_type)) == expected


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-10T09:00:00+02:00", "2026-03-10T07:00:00+00:00"),
        ("2026-03-10t09:00z", "2026-03-10T09:00:00+00:00"),
        ("2026-03-10T09:00:00.5Z", "2026-03-10T09:00:00.500000+00:00"),
        ("2026-03-10T09:00:00", None),
        ("2026-03-10", None),
        ("20260310T0900Z", None),
        ("2026-03-10T09:00:00+25:00", None),
        ("2026-13-10T09:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        (7, None),
    ],
)
def test_moment_has_an_offset(text, moment):
    found = read_instant(text)

    assert (found.isoformat() if found else None) == moment


def test_every_answer_says_what_is_left(world, reader, monkeypatch):
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"token": "2/min"})
    cache.clear()

    answers = [reader.get("clinic/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit"] for answer in answers] == [
        '"token";r=1;t=60',
        '"token";r=0;t=60',
        '"token";r=0;t=60',
    ]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"token";q=2;w=60'}
    assert answers[2]["Retry-After"] == "60"


def test_answer_is_json_whatever_is_accepted(world, reader):
    answer = reader.get("clinic/", Accept="text/html")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_head_is_what_get_would_be(world, reader):
    path = f"/api/v1/sessions/{world.later.code}/"

    head, got = reader.browser.head(path), reader.browser.get(path)

    assert (head.status_code, head.content, head["ETag"]) == (200, b"", got["ETag"])
