"""What goes to other programs and comes from them: FHIR both ways, calendar files."""

import json
from datetime import date, time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from ical.calendar_stream import IcsCalendarStream

from audit.models import AuditEvent
from clients.models import Client
from clinics.models import Clinic, Role
from courses.models import Course, TreatmentSession
from courses.services import set_target
from reports.fhir import course_bundle
from tests.core.test_fhir import request
from tests.factories import actor_of, attend, book
from tests.reports.fhir_checks import check_bundle
from tests.staff.conftest import NOW, TODAY
from tests.staff.test_today import words_of

URL = "/courses/new/fhir/"
HOSTILE = "Anna\r\nATTENDEE:mailto:x@example.com\x00\u2028BEGIN:VEVENT\x85"


@pytest.fixture
def analyst(browser_of):
    return browser_of(Role.ANALYST)


@pytest.fixture
def doctor(log_in, prescriber):
    return log_in(prescriber)


def upload(browser, resource, **more):
    content = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
    return browser.post(URL, {"file": SimpleUploadedFile("course.json", content), **more})


# ---------------------------------------------------------------- out


@pytest.mark.slow
def test_course_goes_out_as_fhir_and_the_trail_says_so(analyst, course):
    response = analyst.get(f"/courses/{course.code}/export/fhir/")

    assert response["Content-Type"] == "application/fhir+json"
    assert response["Content-Disposition"] == f'attachment; filename="course-{course.code}.json"'
    assert check_bundle(json.loads(response.content)) == course_bundle(course, now=NOW)
    event = AuditEvent.objects.get(action="course.exported")
    assert (event.subject_code, event.new) == (course.code, {"format": "fhir"})


def test_course_page_offers_the_files_to_those_who_may_take_them(analyst, reception, course):
    address = f"/courses/{course.code}/"

    assert f"{address}export/fhir/" in analyst.get(address).content.decode()
    assert f"{address}export/fhir/" not in reception.get(address).content.decode()


def test_visits_of_a_course_are_neutral_events_whatever_names_hold(analyst, course, session):
    Client.objects.filter(pk=course.client_id).update(given_name=HOSTILE.replace("\x00", ""))
    Clinic.objects.filter(pk=course.clinic_id).update(name=HOSTILE.replace("\x00", ""), sender_name="")
    TreatmentSession.objects.filter(pk=session.pk).update(note=HOSTILE.replace("\x00", ""))

    response = analyst.get(f"/courses/{course.code}/export/calendar/")

    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    text = response.content.decode()
    assert text.split("\r\n").count("BEGIN:VEVENT") == 3
    assert "ATTENDEE:" not in [line[:9] for line in text.split("\r\n")]
    events = IcsCalendarStream.calendar_from_ics(text).events
    assert [event.dtstart.isoformat() for event in events] == [
        "2026-03-02T10:00:00+02:00", "2026-03-04T10:00:00+02:00", "2026-03-09T11:00:00+02:00",
    ]  # fmt: skip
    assert {event.summary for event in events} == {
        "Appointment: Anna ATTENDEE:mailto:x@example.com BEGIN:VEVENT"
    }
    assert "massage" not in text.lower()
    assert AuditEvent.objects.get(action="course.exported").new == {"format": "ics"}


def test_practitioner_takes_own_visits_of_some_days(doctor, prescriber, course, session, room):
    late = book(course, date(2026, 4, 20), time(11), now=NOW, room=room)

    usual = IcsCalendarStream.calendar_from_ics(doctor.get("/me/export/sessions/").content.decode()).events
    asked = doctor.get("/me/export/sessions/?from_on=2026-03-03&to_on=2026-04-20")

    assert [event.uid.split("@")[0] for event in usual] == [str(session.code)]
    events = IcsCalendarStream.calendar_from_ics(asked.content.decode()).events
    assert [event.uid.split("@")[0] for event in events][-2:] == [str(session.code), str(late.code)]
    assert len(events) == 3
    assert "Anna" not in asked.content.decode()
    assert asked["Content-Disposition"] == 'attachment; filename="sessions-2026-03-03-2026-04-20.ics"'
    event = AuditEvent.objects.filter(action="sessions.exported").latest("pk")
    assert (event.subject_code, event.new["to_on"]) == (prescriber.code, "2026-04-20")


def test_days_that_cannot_be_read_are_a_bad_request(doctor, course):
    assert doctor.get("/me/export/sessions/?from_on=2026-03-03&to_on=2026-03-02").status_code == 400
    assert doctor.get("/me/export/sessions/?from_on=x").status_code == 400


def test_own_visits_are_those_of_nobody_else(reception, session):
    assert b"BEGIN:VEVENT" not in reception.get("/me/export/sessions/?from_on=2026-03-01").content
    assert "My sessions for a calendar" not in words_of(reception.get("/me/"))


# ---------------------------------------------------------------- in


def value_of(response, name):
    """Return what a field of the filled sheet says."""
    phases = response.context["phases"]
    if name in response.context["form"].fields:
        return response.context["form"][name].value()
    number, field = name.split(".")
    return phases[int(number)].form[field].value()


@pytest.mark.slow
def test_file_of_a_course_fills_the_sentence_and_saves_nothing(doctor, course):
    response = upload(doctor, course_bundle(course, now=NOW))

    assert response.status_code == 200
    assert value_of(response, "client") == str(course.client.code)
    assert value_of(response, "protocol") == str(course.protocol.code)
    assert value_of(response, "start_on") == course.start_on
    shown = [
        value_of(response, f"0.{name}")
        for name in ("sessions_min", "sessions_max", "period_min", "period_max")
    ]
    assert shown == [10, 15, 1, 2]
    assert [value_of(response, f"1.{name}") for name in ("period_min", "duration", "duration_unit")] == [
        14,
        1,
        "years",
    ]
    # As usual for the rhythm is left empty.
    assert value_of(response, "0.grace_days") == ""
    # The dates are there at once, since nothing lacks.
    assert "10–15 sessions, every 1–2 days, 30–60 minutes; then every 2 weeks for 1 year" in words_of(
        response
    )
    assert response.context["preview"]["lines"]
    assert "Read from the file. Look it over: nothing is saved yet." in words_of(response)
    assert Course.objects.count() == 1


@pytest.mark.slow
def test_text_may_be_pasted_and_what_is_left_out_is_said(doctor, prescriber, course):
    attend(course, [date(2026, 3, day) for day in (5, 6)])
    set_target(course=course, target=12, by=actor_of(prescriber), now=NOW)
    sent = course_bundle(Course.objects.get(pk=course.pk), now=NOW)
    sent["entry"][0]["resource"]["status"] = "revoked"

    response = doctor.post(URL, {"text": json.dumps(sent)})

    words = words_of(response)
    assert "CarePlan" not in words
    assert "has the status revoked; it would begin anew here." in words
    assert "The number of sessions decided on is left out" in words


def test_plain_request_keeps_the_client_that_was_chosen_before(doctor, course):
    response = upload(doctor, request(), client=course.client.code, protocol="")

    assert (value_of(response, "client"), value_of(response, "protocol")) == (str(course.client.code), "")
    assert value_of(response, "start_on") == TODAY


def test_client_of_another_clinic_is_not_taken(doctor, course):
    sent = course_bundle(course, now=NOW)
    stranger = Client.objects.create(clinic=_other_clinic(), given_name="Olga", created_at=NOW)
    text = json.dumps(sent).replace(str(course.client.code), str(stranger.code))

    response = doctor.post(URL, {"text": text})

    assert value_of(response, "client") == ""
    assert "Olga" not in response.content.decode()


def _other_clinic():
    return Clinic.objects.create(name="Elsewhere", time_zone="Europe/Riga", created_at=NOW)


def test_what_cannot_be_kept_is_named_by_its_path(doctor, course):
    response = upload(doctor, request(periodUnit="mo", frequencyMax=3))

    assert response.status_code == 422
    assert [path for path, _sentence in response.context["refusals"]] == [
        "ServiceRequest.occurrenceTiming.repeat.frequencyMax",
        "ServiceRequest.occurrenceTiming.repeat.periodUnit",
    ]
    assert "A course keeps one frequency." in words_of(response)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "This is no JSON that can be read."),
        (b"<b>", "This is no JSON that can be read."),
        (b" " * (2 * 1024 * 1024 + 1), "The file is too large."),
    ],
)
def test_file_that_is_no_fhir_is_refused(doctor, clinic, content, said):
    response = upload(doctor, content)

    assert response.status_code == 422
    assert said in words_of(response)


def test_nothing_handed_in_is_asked_for(doctor, clinic):
    response = doctor.post(URL, {"text": ""})

    assert response.status_code == 422
    assert "Choose a file, or paste its text." in words_of(response)


def test_more_phases_than_the_sheet_has_are_refused_rather_than_cut(doctor, clinic):
    many = {"resourceType": "Bundle", "entry": [{"resource": request()} for _ in range(9)]}

    response = upload(doctor, many)

    assert response.status_code == 422
    assert "At most 8 phases fit here." in words_of(response)
