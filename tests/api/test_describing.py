"""The description of the API: valid, whole, with examples that are what it describes; and the page made of it."""

import json

import jsonschema_rs
import pytest
import yaml
from django.utils import translation

from api import examples, urls
from api.documents import as_json, as_yaml, schema
from api.reference import sections
from api.serializers.exchange import ReadPrescriptionAnswer
from courses.core.plan_wire import answer_plan
from courses.core.wire import answer_assess
from imports.fhir import read_prescription

VERBS = ("get", "post", "patch")
OPERATIONS = [
    pytest.param(told, id=told["operationId"])
    for path in schema()["paths"].values()
    for verb, told in path.items()
    if verb in VERBS
]
# What was published stays.
IDS = [
    "assess",
    "clients_change",
    "clients_find",
    "clients_list",
    "clients_read",
    "clients_register",
    "clinic",
    "courses_book",
    "courses_fhir",
    "courses_list",
    "courses_pause",
    "courses_plan",
    "courses_read",
    "courses_replan",
    "courses_resume",
    "courses_slots",
    "courses_walk_in",
    "fhir_prescription",
    "flags_acknowledge",
    "flags_call",
    "flags_list",
    "flags_read",
    "flags_snooze",
    "pauses_list",
    "pauses_read",
    "pauses_remove",
    "plan",
    "practitioners_list",
    "protocols_list",
    "protocols_read",
    "reminders_list",
    "reminders_read",
    "reports_figures",
    "reports_list",
    "reports_read",
    "rooms_list",
    "sessions_arrive",
    "sessions_attend",
    "sessions_cancel",
    "sessions_confirm",
    "sessions_correct",
    "sessions_list",
    "sessions_miss",
    "sessions_move",
    "sessions_read",
    "sessions_slots",
]


def examples_of(content):
    (found,) = content.values()
    return found["schema"], found["examples"]["Example"]["value"]


def faults(shape, value):
    whole = {**shape, "components": schema()["components"]}
    return [str(error) for error in jsonschema_rs.validator_for(whole).iter_errors(value)]


def test_operations_are_those_that_were_published():
    ids = [param.values[0]["operationId"] for param in OPERATIONS]

    assert sorted(ids) == IDS
    # Addresses without an operation are the documents and the unknown.
    assert len(schema()["paths"]) == len(urls.urlpatterns) - 4


@pytest.mark.parametrize("told", OPERATIONS)
def test_operation_is_described_with_examples(told):
    assert told["summary"]
    assert told["tags"]
    assert told["security"] == [{} if told["operationId"] in ("assess", "plan") else {"token": []}]
    for status, answer in told["responses"].items():
        assert answer["description"], status
        if status != "304":
            shape, value = examples_of(answer["content"])
            assert faults(shape, value) == [], status
    if body := told.get("requestBody"):
        shape, value = examples_of(body["content"])
        assert faults(shape, value) == []


def test_examples_of_what_is_calculated_are_what_is_answered():
    assert answer_assess(examples.ASSESS) == examples.ASSESSED
    assert answer_plan(examples.PLAN) == examples.PLANNED
    assert ReadPrescriptionAnswer(read_prescription(examples.TIMING)).data == examples.READ_TIMING


def test_bodies_are_closed_and_answers_open():
    shapes = schema()["components"]["schemas"]

    assert {name for name, shape in shapes.items() if shape.get("additionalProperties") is False} == {
        name for name in shapes if name.endswith("Input")
    }


def test_description_is_served_in_both_ways(client):
    answers = {name: client.get(f"/api/v1/openapi.{name}") for name in ("json", "yaml")}

    assert answers["json"]["Content-Type"] == "application/json"
    assert json.loads(answers["json"].content) == schema() == yaml.safe_load(answers["yaml"].content)
    assert client.post("/api/v1/openapi.json").status_code == 405
    assert (as_json(), as_yaml()) == (answers["json"].content, answers["yaml"].content)


@pytest.mark.slow
@pytest.mark.parametrize(("language", "title"), [("en", "API reference"), ("ru", "Справочник API")])
def test_reference_has_every_operation(client, language, title):
    answer = client.get("/api/v1/docs/", headers={"Accept-Language": language})
    page = answer.content.decode()

    assert (answer.status_code, answer["Content-Language"]) == (200, language)
    assert f"<h1>{title}</h1>" in page
    assert [operation for operation in IDS if page.count(f'id="{operation}"') != 1] == []
    # Programs read English: so does the reader of what they answer.
    assert "Register a client" in page
    assert client.post("/api/v1/docs/").status_code == 405


def test_reference_tells_shapes_in_words():
    with translation.override("ru"):
        found = {
            operation.id: operation
            for section in sections(schema(), base_url="https://clinic.example")
            for operation in section.operations
        }

    pause = found["courses_pause"]
    assert [(field.name, field.kind, field.is_required) for field in pause.body] == [
        ("from_on", "date", True),
        ("to_on", "date, or null", False),
        ("reason", "one of bruises, illness, bleeding, travel, clinic, other", True),
        ("note", "text, at most 200 characters", False),
    ]
    assert (pause.scope, pause.verb, found["assess"].scope) == ("write", "POST", "")
    assert pause.curl.splitlines()[-1] == (
        "  https://clinic.example/api/v1/courses/7f0b8a5c-0000-4000-8000-000000000001/pause/"
    )
    assert [(field.name, field.depth) for field in found["clinic"].answer][:3] == [
        ("clinic", 0),
        ("code", 1),
        ("name", 1),
    ]
    assert "?from_on=…&to_on=…" in found["reports_figures"].curl
