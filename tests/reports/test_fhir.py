"""A course as FHIR: which status becomes which, valid and complete bundles, bounded queries."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from fhir.resources.bundle import Bundle
from pydantic import ValidationError

from clients.models import Client
from clinics.models import Clinic, StaffMember
from courses.models import Course, Flag, Protocol, TreatmentSession
from courses.services import acknowledge_flag, end_phase, pause_course, record_no_show
from reminders.models import Reminder
from reports.fhir import course_bundle, course_bundles, resources, words
from tests.factories import RoomFactory, actor_of, attend, book, prescribe
from tests.reports.fhir_checks import check_bundle, check_courses, resources_of

RIGA = ZoneInfo("Europe/Riga")
NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
NOON = datetime(2026, 3, 4, 10, tzinfo=UTC)


def row(status, **values):
    """A visit of 4 March at noon, not saved anywhere."""
    slot = {"starts_at": NOON, "ends_at": NOON.replace(minute=45), "created_at": NOON, "outcome_at": NOON}
    return TreatmentSession(status=status, on=date(2026, 3, 4), **slot | values)


def unsaved_course():
    clinic = Clinic(name="Kalnina", time_zone="Europe/Riga")
    protocol = Protocol(clinic=clinic, slug="manual", name_en="Massage")
    return Course(clinic=clinic, client=Client(clinic=clinic, given_name="Anna"), protocol=protocol)


def visit(session, **staff):
    placed = resources.Session(session, request=None, number=2, room="Room 1")
    return resources.visit(unsaved_course(), placed, staff, RIGA)


@pytest.mark.parametrize(
    ("status", "kind", "outside", "client"),
    [
        ("planned", "Appointment", "proposed", "needs-action"),
        ("booked", "Appointment", "booked", "needs-action"),
        ("confirmed", "Appointment", "booked", "accepted"),
        ("arrived", "Appointment", "arrived", "accepted"),
        ("no_show", "Appointment", "noshow", "accepted"),
        ("cancelled_late", "Appointment", "cancelled", "declined"),
        ("cancelled_by_client", "Appointment", "cancelled", "declined"),
        ("cancelled_by_clinic", "Appointment", "cancelled", "accepted"),
    ],
)
def test_status_of_a_visit_in_fhirs_words(status, kind, outside, client):
    found = visit(row(status))

    assert (found["resourceType"], found["status"]) == (kind, outside)
    assert found["participant"][0]["status"] == client
    assert (found["start"], found["end"]) == ("2026-03-04T12:00:00+02:00", "2026-03-04T12:45:00+02:00")


def test_attended_visit_is_a_procedure_with_what_was_recorded():
    found = visit(
        row("attended", minutes=40, pain_before=6, pain_after=0, reaction="bruises", treatments=["massage"])
    )

    assert (found["resourceType"], found["status"]) == ("Procedure", "completed")
    assert found["extension"] == [
        {"url": words.SESSION_NUMBER, "valueUnsignedInt": 2},
        {"url": words.MINUTES, "valueUnsignedInt": 40},
        {"url": words.PAIN_BEFORE, "valueUnsignedInt": 6},
        {"url": words.PAIN_AFTER, "valueUnsignedInt": 0},
        {"url": words.TREATMENT, "valueCode": "massage"},
    ]
    assert found["complication"][0]["concept"]["coding"] == [{"system": words.REACTION, "code": "bruises"}]
    assert found["location"] == {"display": "Room 1"}


def test_visit_without_a_time_says_its_day_only():
    attended = visit(row("attended", starts_at=None, ends_at=None))
    planned = visit(row("planned", starts_at=None, ends_at=None))
    missed = visit(row("no_show", starts_at=None, ends_at=None))

    assert attended["occurrenceDateTime"] == "2026-03-04"
    assert planned["requestedPeriod"] == [{"start": "2026-03-04", "end": "2026-03-04"}]
    # An appointment without a time can be proposed or cancelled, not missed.
    assert (missed["resourceType"], missed["status"]) == ("Procedure", "not-done")


def test_cancellation_says_by_whom_and_why():
    found = visit(row("cancelled_by_clinic", cancel_reason="Anna is ill"))

    assert found["cancellationReason"] == {
        "coding": [
            {"system": words.SESSION_STATUS, "code": "cancelled_by_clinic"},
            {"system": words.CANCELLATION, "code": "prov"},
        ],
        "text": "Anna is ill",
    }
    assert found["cancellationDate"] == "2026-03-04T12:00:00+02:00"


@pytest.mark.parametrize(
    ("state", "outside"),
    [
        ("due", "preparation"), ("claimed", "in-progress"), ("sent", "completed"), ("failed", "stopped"),
        ("expired", "not-done"), ("cancelled", "not-done"), ("suppressed", "not-done"), ("uncertain", "unknown"),
    ],
)  # fmt: skip
def test_message_says_that_it_went_out_and_never_what_it_said(state, outside):
    course = unsaved_course()
    message = Reminder(state=state, trigger="before_session", channel="email", decision_reason="stale")

    found = resources.communication(course, message, course.code, RIGA)

    assert found["status"] == outside
    assert found["statusReason"]["coding"] == [{"system": words.NOT_SENT, "code": "stale"}]
    assert "payload" not in found


@pytest.mark.parametrize("name", ["Anna\r\nBEGIN:X", "\x00Anna\x07", " Anna\t", "Anna\x85\x9b", "\r\n"])
def test_name_holds_no_control_characters(name):
    clinic = Clinic(name=name)
    client = Client(clinic=clinic, given_name=name)

    found = [resources.patient(client, [], clinic), resources.organization(clinic)]
    found += [resources.practitioner(StaffMember(clinic=clinic, display_name=name))]

    bundle = {"resourceType": "Bundle", "type": "collection"}
    bundle["entry"] = [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in found]
    Bundle.model_validate(bundle)
    said = [found[0].get("name", [{"given": [""]}])[0]["given"][0], found[1].get("name", "")]
    assert all(one == one.strip() and one.isprintable() for one in said)


@pytest.fixture
def course(db):
    """Two sessions attended, one missed, one booked in a room, one pause, one drift that somebody cares for."""
    course = prescribe()
    by, room = actor_of(course.prescribed_by), RoomFactory(clinic=course.clinic)
    attend(course, [date(2026, 3, 2), date(2026, 3, 4)])
    missed = book(course, date(2026, 3, 6), time(11), now=datetime(2026, 3, 5, 8, tzinfo=UTC))
    record_no_show(session=missed, by=by, now=datetime(2026, 3, 6, 12, tzinfo=UTC))
    book(course, date(2026, 3, 16), time(11), now=NOW, room=room)
    acknowledge_flag(
        flag=Flag.objects.filter(course=course, resolved_at=None)[0], by=by, now=NOW, note="Calls"
    )
    pause_course(
        course=course, from_on=date(2026, 3, 20), to_on=date(2026, 3, 22), reason="travel", by=by, now=NOW
    )
    course.refresh_from_db()
    return course


@pytest.mark.slow
def test_bundle_is_valid_complete_and_comes_back(course):
    assert check_courses(Course.objects.filter(pk=course.pk), now=NOW) == 1

    bundle = course_bundle(course, now=NOW)
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert kinds == {
        "CarePlan", "ServiceRequest", "PlanDefinition", "Organization", "Patient", "Practitioner",
        "PractitionerRole", "Procedure", "Appointment", "DetectedIssue", "Flag", "Communication",
    }  # fmt: skip
    assert [request["status"] for request in resources_of(bundle, "ServiceRequest")] == ["active", "active"]
    first = resources_of(bundle, "ServiceRequest")[0]["id"]
    assert [done["basedOn"] for done in resources_of(bundle, "Procedure")] == [
        [{"reference": f"urn:uuid:{first}"}]
    ] * 2
    assert [one["status"] for one in resources_of(bundle, "Appointment")] == ["noshow", "booked"]
    done = [kept for one in resources_of(bundle, "DetectedIssue") for kept in one.get("mitigation", [])]
    assert [kept["note"] for kept in done if "note" in kept] == [[{"text": "Calls"}]]
    marks = {one["extension"][0]["valueReference"]["reference"] for one in resources_of(bundle, "Flag")}
    assert marks == {f"urn:uuid:{one['id']}" for one in resources_of(bundle, "DetectedIssue")}


@pytest.mark.slow
def test_phase_that_was_ended_is_completed_and_comes_back(course):
    attend(course, [date(2026, 3, day) for day in range(23, 32)])
    course.refresh_from_db()
    later = datetime(2026, 4, 1, 8, tzinfo=UTC)
    attend(course, [date(2026, 4, 1)])
    end_phase(
        course=course, by=actor_of(course.prescribed_by), now=later, on=date(2026, 4, 1), reason="enough"
    )

    assert check_courses(Course.objects.filter(pk=course.pk), now=later) == 1
    bundle = course_bundle(course, now=later)
    assert [one["status"] for one in resources_of(bundle, "ServiceRequest")] == ["completed", "active"]


def test_check_finds_what_is_not_fhir():
    bundle = {"resourceType": "Bundle", "type": "collection"}
    broken = {"resourceType": "CarePlan", "id": "1", "status": "active", "intent": "order"}
    bundle["entry"] = [{"fullUrl": "urn:uuid:1", "resource": broken}]

    with pytest.raises(ValidationError, match="subject"):
        check_bundle(bundle)


@pytest.mark.slow
def test_many_courses_take_no_more_queries_than_one(course):
    def count():
        with CaptureQueriesContext(connection) as queries:
            list(course_bundles(Course.objects.all(), now=NOW))
        return len(queries)

    one = count()
    prescribe(member=course.prescribed_by)
    prescribe(member=course.prescribed_by)

    assert count() == one
