"""Every operation: who gets what, who is turned away and how, and what a list costs."""

from contextlib import contextmanager
from datetime import time, timedelta

import jsonschema_rs
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, reverse

from api import urls
from api.documents import schema
from api.examples import TIMING
from api.views.base import ClinicApiView, ListView
from audit.models import AuditEvent
from clients.models import Client, Consent
from clinics.models import Scope
from courses import convert
from courses.models import TreatmentSession
from courses.services import pause_course
from courses.validators import phase_values
from tests.api.conftest import NOW, TODAY, WEDNESDAY
from tests.factories import (
    ProtocolFactory,
    RoomFactory,
    StaffMemberFactory,
    actor_of,
    book,
    prescribe,
)
from tests.staff.conftest import prescribe_to

pytestmark = pytest.mark.django_db

VIEWS = {
    found.name: found.callback.view_class
    for found in urls.urlpatterns
    if isinstance(found, URLPattern) and hasattr(found.callback, "view_class")
}
OPERATIONS = {
    told.id: (name, verb, told)
    for name, view in VIEWS.items()
    for verb, told in getattr(view, "operations", {}).items()
}
# Which row of the world an address names.
NAMED = {
    "client": "client",
    "protocol": "protocol",
    "course": "course",
    "session": "later",
    "pause": "pause",
    "flag": "flag",
    "reminder": "reminder",
}


def bodies(world):
    """Return a body for each operation that takes one, and the query of those that need one."""
    anna = {"given_name": "Eva", "contacts": {"email": {"address": "eva@example.com", "allowed": True}}}
    slot = {"starts_at": "2026-03-12T09:00:00+02:00"}
    people = {"practitioner": str(world.prescriber.code), "room": str(world.room.code)}
    return {
        "clients_register": anna,
        "clients_find": {"text": "anna"},
        "clients_change": {"prefers_weekdays": [1, 2], "quiet_from_time": "22:00", "quiet_to_time": "07:00"},
        "courses_book": slot | people | {"minutes": 45},
        "courses_walk_in": {"on": "2026-03-07", "reaction": "none"},
        "courses_pause": {"from_on": "2026-03-20", "reason": "travel"},
        "courses_resume": {},
        "courses_replan": {"digest": "", "policy": "shift"},
        "sessions_confirm": {},
        "sessions_arrive": {},
        "sessions_attend": {"minutes": 45, "reaction": "none", "pain_before": 4},
        "sessions_miss": {},
        "sessions_cancel": {"whose": "client", "reason": "Has a fever."},
        "sessions_move": slot,
        "sessions_correct": {"status": "no_show", "reason": "Mixed up."},
        "pauses_remove": {},
        "flags_acknowledge": {"note": "Calls back."},
        "flags_snooze": {"until_on": "2026-03-12"},
        "flags_call": {"outcome": "reached"},
        "fhir_prescription": TIMING,
        "reports_figures": "?from_on=2026-03-01&to_on=2026-03-31",
    }


def address(world, name, row=None):
    """Return the path of a route below the API's root, naming the row of the world, or another."""
    pattern = next(found.pattern for found in urls.urlpatterns if getattr(found, "name", "") == name)
    if "report" in pattern.converters:
        return reverse(f"api:{name}", args=["adherence"]).removeprefix("/api/v1/")
    if "code" not in pattern.converters:
        return reverse(f"api:{name}").removeprefix("/api/v1/")
    code = (row or getattr(world, NAMED[name.partition("-")[0]])).code
    return reverse(f"api:{name}", args=[code]).removeprefix("/api/v1/")


def ask(program, world, operation, row=None):
    name, verb, _told = OPERATIONS[operation]
    path, body = address(world, name, row), bodies(world).get(operation, {})
    if verb == "GET":
        return program.get(path + (body or ""))
    return program.send(verb.lower(), path, body)


def prepare(world, program, operation):
    """Bring the world to where a verb makes sense."""
    if operation in ("sessions_arrive", "sessions_attend", "sessions_miss", "sessions_correct"):
        world.later = world.session
    if operation == "sessions_correct":
        program.post(address(world, "session-attend"), {})
    if operation == "courses_resume":
        values = {"from_on": TODAY, "to_on": None, "reason": "illness"}
        pause_course(course=world.course, by=actor_of(world.prescriber), now=NOW, **values)


CLINIC_OPERATIONS = sorted(name for name, (_route, _verb, told) in OPERATIONS.items() if told.scope)


@contextmanager
def taken_back():
    """Take back what is done inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_every_operation_is_in_these_tests(world):
    sends = {name for name, (_route, verb, told) in OPERATIONS.items() if verb != "GET" and told.scope}
    clinic_views = {name for name, view in VIEWS.items() if issubclass(view, ClinicApiView)}

    assert sends - set(bodies(world)) == set()
    assert {route for route, _verb, told in OPERATIONS.values() if told.scope} == clinic_views
    assert len(OPERATIONS) == sum(len(getattr(view, "operations", {})) for view in VIEWS.values())


@pytest.mark.slow
def test_every_operation_answers_as_it_is_described(world, reader, writer, reporter, exporter):
    programs = {"read": reader, "write": writer, "reports": reporter, "export": exporter}
    described = {
        (verb, told["operationId"]): told
        for path in schema()["paths"].values()
        for verb, told in path.items()
    }
    wrong = {}

    for operation in CLINIC_OPERATIONS:
        if operation == "courses_replan":
            continue
        _name, verb, told = OPERATIONS[operation]
        with taken_back():
            prepare(world, writer, operation)
            answer = ask(programs[told.scope], world, operation)
            (content,) = described[verb.lower(), operation]["responses"][str(told.status)]["content"].values()
            shape = {**content["schema"], "components": schema()["components"]}
            errors = [str(error) for error in jsonschema_rs.validator_for(shape).iter_errors(answer.json())]
            if answer.status_code != told.status or errors or answer["Cache-Control"] != "no-store":
                wrong[operation] = (answer.status_code, answer.json(), errors)

    assert wrong == {}


@pytest.mark.slow
def test_row_of_another_clinic_is_unknown(world, stranger):
    answers = {
        operation: ask(stranger, world, operation)
        for operation in CLINIC_OPERATIONS
        if OPERATIONS[operation][0].partition("-")[0] in NAMED
    }

    assert len(answers) == 28
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code != 404} == {}
    assert {answer.json()["error"]["code"] for answer in answers.values()} == {"not_found"}


def test_list_of_another_clinic_holds_nothing_of_this_one(world, stranger):
    lists = [name for name, view in VIEWS.items() if issubclass(view, ListView)]

    found = {row["code"] for name in lists for row in stranger.get(address(world, name)).json()["results"]}
    own = {row["code"] for row in stranger.get("practitioners/").json()["results"]}

    assert len(lists) == 9
    assert found == own
    assert str(world.prescriber.code) not in own
    assert stranger.post("clients/find/", {"text": "anna"}).json() == {"results": [], "is_complete": True}
    assert stranger.get(f"sessions/?course={world.course.code}").json()["results"] == []


def test_row_of_another_clinic_cannot_be_named_in_a_body(world, writer):
    elsewhere = RoomFactory()
    body = {"starts_at": "2026-03-12T09:00:00+02:00", "minutes": 45, "room": str(elsewhere.code)}

    answer = writer.post(f"courses/{world.course.code}/book/", body)

    message = "There is nothing with this code in this clinic."
    assert (answer.status_code, answer.json()["error"]["fields"]) == (400, {"room": message})
    assert TreatmentSession.objects.filter(room=elsewhere).count() == 0


@pytest.mark.slow
def test_token_does_only_what_it_was_made_for(world, reader, writer, reporter, exporter, client):
    holders = {"read": reader, "write": writer, "reports": reporter, "export": exporter}
    enough = {"read": {"read", "write"}, "write": {"write"}, "reports": {"reports"}, "export": {"export"}}
    wrong = {}

    for operation in CLINIC_OPERATIONS:
        route, verb, told = OPERATIONS[operation]
        bare = client.generic(verb, f"/api/v1/{address(world, route)}")
        refused = {
            name for name, holder in holders.items() if ask(holder, world, operation).status_code == 403
        }
        if refused != set(holders) - enough[told.scope] or bare.status_code != 401:
            wrong[operation] = (refused, bare.status_code)

    assert wrong == {}


def test_wrong_verb_says_which_are_right(world, reader):
    wrong = {}

    for name, view in VIEWS.items():
        verbs = set(getattr(view, "operations", {}))
        if not verbs or not issubclass(view, ClinicApiView):
            continue
        path = f"/api/v1/{address(world, name)}"
        for verb in {"PUT", "DELETE", "POST", "GET"} - verbs:
            answer = reader.browser.generic(verb, path)
            allowed = set(answer.headers.get("Allow", "").split(", ")) - {"HEAD", "OPTIONS"}
            if (answer.status_code, allowed) != (405, verbs):
                wrong[name, verb] = (answer.status_code, allowed)
        asked = reader.browser.options(path)
        if (asked.status_code, asked.content) != (204, b""):
            wrong[name, "OPTIONS"] = asked.status_code

    assert wrong == {}


@pytest.mark.slow
def test_list_costs_the_same_whatever_its_length(world, reader):
    for number in (1, 2):
        RoomFactory(clinic=world.clinic, name=f"Room {number + 1}")
        StaffMemberFactory(clinic=world.clinic, role="practitioner", is_treating=True)
        ProtocolFactory(clinic=world.clinic)
        course = prescribe_to(world.prescriber, world.protocol, given_name=f"Ilga {number}", at=15 + number)
        book(course, WEDNESDAY, time(15 + number), now=NOW, room=world.room)
        values = {"from_on": TODAY, "to_on": TODAY, "reason": "illness"}
        pause_course(course=course, by=actor_of(world.prescriber), now=NOW, **values)
    # The first request of an hour is put down.
    reader.get("clinic/")
    costs = {}

    for name, view in VIEWS.items():
        for size in (1, 3) if issubclass(view, ListView) else ():
            with CaptureQueriesContext(connection) as queries:
                rows = reader.get(f"{address(world, name)}?page_size={size}").json()["results"]
            costs.setdefault(name, []).append((len(rows), len(queries)))

    # The token and the rows; what belongs to them; and of clients that they were read.
    few, more, most = [(1, 2), (3, 2)], [(1, 3), (3, 3)], [(1, 5), (3, 5)]
    assert costs == {
        "practitioners": few,
        "rooms": few,
        "clients": most,
        "protocols": more,
        "courses": more,
        "sessions": few,
        "pauses": few,
        "flags": few,
        "reminders": few,
    }


def test_names_and_addresses_stand_under_clients_only(world, reader):
    Client.objects.filter(pk=world.client.pk).update(given_name="Canaryan", family_name="Canaryova")
    paths = [
        address(world, route)
        for route, verb, told in OPERATIONS.values()
        if verb == "GET" and told.scope == Scope.READ and not route.startswith("client")
    ]

    texts = {path: reader.get(path).content.decode() for path in paths}

    assert "Canaryan" in reader.get(f"clients/{world.client.code}/").content.decode()
    assert [path for path, text in texts.items() if "Canary" in text or "@" in text] == []


def test_reading_clients_is_on_record_under_the_token(world, reader):
    reader.get(f"clients/{world.client.code}/")
    reader.get("clients/")
    reader.post("clients/find/", {"text": "karl"})

    events = AuditEvent.objects.filter(actor_kind="token", actor_code=reader.token.code).order_by("pk")
    assert [(event.action, event.subject_code, event.new) for event in events] == [
        ("client.read", world.client.code, {}),
        ("clients.listed", world.clinic.code, {"count": 2}),
        ("clients.listed", world.clinic.code, {"count": 1}),
    ]


def test_client_is_changed_as_far_as_named(world, writer):
    path = f"clients/{world.client.code}/"
    body = {
        "prefers_weekdays": [1, 3],
        "prefers_practitioner": str(world.prescriber.code),
        "quiet_from_time": "22:00",
        "quiet_to_time": "07:00",
        "contacts": {"sms": {"address": "+371 20 000 000", "allowed": True}, "email": {"allowed": False}},
    }
    before = writer.get(path).json()

    answer = writer.patch(path, body)
    refused = writer.patch(path, {"contacts": {"email": {"address": "nowhere", "allowed": True}}})
    half = writer.patch(path, {"contacts": {"sms": {}}})

    changed = {name: value for name, value in answer.json().items() if before[name] != value}
    assert changed == {
        "prefers_weekdays": [1, 3],
        "prefers_practitioner": str(world.prescriber.code),
        "quiet_from_time": "22:00",
        "quiet_to_time": "07:00",
        "contacts": [
            {"channel": "email", "address": before["contacts"][0]["address"], "is_working": True},
            {"channel": "sms", "address": "+37120000000", "is_working": True},
        ],
        "allowed": ["sms"],
    }
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "email")
    assert (half.status_code, half.json()["error"]["field"]) == (400, "contacts.sms.allowed")
    assert Consent.objects.filter(client=world.client, granted_source="api").count() == 1


def test_plan_is_booked_as_it_was_shown_or_not_at_all(world, writer):
    path = f"courses/{world.other.code}/"
    shown = writer.get(f"{path}plan/?policy=shift&not_before=2026-03-10T07:00:00Z").json()
    asked = {"policy": "shift", "not_before": "2026-03-10T07:00:00Z"}

    other = writer.post(f"{path}replan/", asked | {"digest": "0" * 24})
    booked = writer.post(f"{path}replan/", asked | {"digest": shown["digest"]})

    assert (other.status_code, other.json()["error"]["code"]) == (409, "stale_plan")
    assert booked.status_code == 200
    sessions = writer.get(f"sessions/?course={world.other.code}&status=booked").json()["results"]
    starts = [planned["starts_at"] for planned in shown["sessions"]]
    assert [session["starts_at"] for session in sessions] == starts[: len(sessions)]
    assert len(sessions) > 3
    # Lowering the prescription takes a person.
    assert writer.get(f"{path}plan/?policy=drop").json()["error"]["code"] == "nothing_to_drop"
    assert writer.post(f"{path}replan/", {"digest": "x", "policy": "drop"}).status_code == 400


def test_refusal_of_a_verb_says_why(world, writer):
    writer.post(f"sessions/{world.later.code}/cancel/", {"whose": "client"})
    double = {"starts_at": "2026-03-09T11:00:00+02:00", "minutes": 45, "room": str(world.room.code)}

    again = writer.post(f"sessions/{world.later.code}/cancel/", {"whose": "client"})
    taken = writer.post(f"courses/{world.other.code}/book/", double)
    early = writer.post(f"sessions/{world.later.code}/attend/")

    said = "This session is recorded already: cancelled by the client. If that is wrong, correct it on its course."
    assert (again.status_code, again.json()) == (
        409,
        {
            "error": {
                "field": "status",
                "message": said,
                "code": "transition_refused",
                "fields": {"status": said},
            }
        },
    )
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "slot_taken")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "transition_refused")


@pytest.mark.slow
def test_course_is_led_from_the_first_call_to_its_messages(world, writer, clock):
    anna = {"given_name": "Eva", "contacts": {"email": {"address": "eva@example.com", "allowed": True}}}
    registered = writer.post("clients/", anna)
    client = Client.objects.get(code=registered.json()["code"])
    # Prescribing takes a person.
    course = prescribe_for(world, client)
    path = f"courses/{course.code}/"

    slot = writer.get(f"{path}slots/").json()["slots"][-1]
    wanted = {name: slot[name] for name in ("starts_at", "practitioner", "room")}
    session = writer.post(f"{path}book/", wanted | {"minutes": 45}).json()
    booked = writer.get(path).json()
    confirmed = writer.post(f"sessions/{session['code']}/confirm/").json()
    clock.move_to(TreatmentSession.objects.get(code=session["code"]).starts_at)
    writer.post(f"sessions/{session['code']}/arrive/")
    attended = writer.post(f"sessions/{session['code']}/attend/", {"minutes": 45, "reaction": "none"}).json()

    assert registered["Location"] == f"/api/v1/clients/{client.code}/"
    assert (session["status"], confirmed["status"], attended["status"]) == ("booked", "confirmed", "attended")
    assert (booked["attended_count"], writer.get(path).json()["attended_count"]) == (0, 1)
    flags = writer.get(f"flags/?course={course.code}&is_open=true").json()["results"]
    assert [flag["kind"] for flag in flags] == ["unbooked"]
    reminders = writer.get(f"reminders/?client={client.code}").json()["results"]
    assert "before_session" in {reminder["trigger"] for reminder in reminders}
    assert {reminder["session"] for reminder in reminders} >= {session["code"]}
    assert AuditEvent.objects.filter(actor_code=writer.token.code, subject_code=course.code).count() == 4


def prescribe_for(world, client):
    return prescribe(
        now=NOW,
        start_on=TODAY,
        member=world.prescriber,
        client=client,
        protocol=world.protocol,
        practitioner=world.prescriber,
    )


def test_bundle_of_an_unchanged_course_is_a_bare_304(world, exporter, writer, clock):
    path = f"courses/{world.course.code}/fhir/"
    first = exporter.get(path)
    clock.shift(timedelta(minutes=1))
    later = exporter.get(path)
    same = exporter.get(path, If_None_Match=first["ETag"])
    writer.post(f"sessions/{world.session.code}/confirm/")
    changed = exporter.get(path, If_None_Match=first["ETag"])

    assert first.json()["timestamp"] != later.json()["timestamp"]
    assert first["ETag"] == later["ETag"] == same["ETag"]
    assert first["ETag"].startswith('W/"')
    assert (same.status_code, same.content, changed.status_code) == (304, b"", 200)


def test_course_goes_out_as_fhir_and_its_prescription_comes_back(world, exporter, reader):
    answer = exporter.get(f"courses/{world.course.code}/fhir/")
    bundle = answer.json()
    read = reader.post("fhir/prescription/", bundle).json()
    sent = {"data": '{"repeat": {"frequency": "often"}}', "content_type": "application/fhir+json"}
    refused = reader.browser.post("/api/v1/fhir/prescription/", **sent)

    assert (answer["Content-Type"], bundle["resourceType"]) == ("application/fhir+json", "Bundle")
    phases = convert.load_facts([world.course])[world.course.pk].prescription.phases
    assert read["phases"] == [phase_values(phase) for phase in phases]
    assert (read["client"], read["start_on"]) == (str(world.client.code), "2026-03-02")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid")
    assert list(refused.json()["error"]["fields"]) == ["Timing.repeat.period"]
    event = AuditEvent.objects.get(actor_code=exporter.token.code)
    assert (event.action, event.subject_code, event.new) == (
        "course.exported",
        world.course.code,
        {"format": "fhir"},
    )
