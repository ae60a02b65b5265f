"""A client's right to their data: everything as a file, and its erasure."""

import io
import json
import zipfile
from datetime import time, timedelta

import pytest
from django.apps import apps

from audit.models import AuditEvent
from clients.links import new_link
from clients.models import AccessLink, Client, ErasureRequest, LinkPurpose
from clients.services import ask_for_erasure
from clinics.models import Role
from courses.models import Course, Flag, Pause, ReactionReport, Waiting
from courses.services import (
    acknowledge_flag,
    cancel_session,
    reassess,
    record_call,
    record_contraindication,
    wait_for_earlier,
)
from reminders.models import Answer, KeptMessage, Reminder
from tests.factories import actor_of, book
from tests.staff.conftest import NOW, TODAY
from tests.staff.lists import look_for
from tests.staff.test_today import words_of


@pytest.fixture
def person(clinic, session):
    """Anna, who was treated twice, is booked today, and wrote an answer."""
    client = session.client
    Client.objects.filter(pk=client.pk).update(health_notes="=cmd() <b>back</b>")
    Answer.objects.create(
        clinic=clinic, client=client, kind="other", via="sms", answered_at=NOW, text="I will be late"
    )
    client.refresh_from_db()
    return client


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER, display_name="Ilze")


def test_everything_is_handed_over_as_data_and_as_a_page(owner, person):
    response = owner.post(f"/clients/{person.code}/export/")

    assert "Berzina" not in response["Content-Disposition"]
    files = zipfile.ZipFile(io.BytesIO(response.content))
    data = json.loads(files.read("client.json"))
    assert (data["client"]["family_name"], data["client"]["health_notes"]) == (
        "Berzina",
        "=cmd() <b>back</b>",
    )
    assert [session["status"] for session in data["courses"][0]["sessions"]] == [
        "attended", "attended", "booked",
    ]  # fmt: skip
    assert data["answers"][0]["text"] == "I will be late"
    assert {row["trigger"] for row in data["messages"]} >= {"schedule"}
    assert [row["channel"] for row in data["permissions"]] == ["email"]
    page = files.read("client.html").decode()
    assert "<h1>Anna Berzina</h1>" in page
    assert "&lt;b&gt;back&lt;/b&gt;" in page
    assert AuditEvent.objects.get(action="client.exported").subject_code == person.code


def test_only_an_owner_is_offered_the_file(owner, reception, person):
    assert "All data as a file" in words_of(owner.get(f"/clients/{person.code}/"))
    assert "All data as a file" not in words_of(reception.get(f"/clients/{person.code}/"))


SECRETS = (
    "Anna",
    "Berzina",
    "example.com",
    "back pain",
    "I will be late",
    "moved to Riga",
    "fell ill",
    "=cmd()",
)


def everything(clinic):
    """Return all that the database holds of a clinic, as one text."""
    found = []
    for label in ("audit", "clients", "courses", "reminders"):
        for model in apps.get_app_config(label).get_models():
            names = {field.name for field in model._meta.fields}
            if "clinic" in names:
                found += list(model.objects.filter(clinic=clinic).values())
            elif "clinic_code" in names:
                found += list(model.objects.filter(clinic_code=clinic.code).values())
    return str(found)


@pytest.fixture
def talked_about(person, session, prescriber, clinic):
    """Anna with words everywhere: notes, reasons, a finding with a call, a kept mail, a link."""
    by = actor_of(prescriber)
    course = session.course
    ahead = book(course, TODAY + timedelta(days=4), time(11), now=NOW)
    cancel_session(session=session, whose="client", by=by, now=NOW, reason="fell ill")
    course.sessions.filter(status="attended").update(note="Anna: back pain", correction_reason="not Berzina")
    reassess(course=course, now=NOW)
    flag = Flag.objects.filter(course=course, resolved_at=None).first()
    record_call(flag=flag, outcome="reached", by=by, now=NOW, note="Anna fell ill")
    acknowledge_flag(flag=flag, by=by, now=NOW, note="back pain")
    record_contraindication(
        client=person, condition="influenza", from_on=TODAY, to_on=TODAY, by=by, now=NOW, note="Anna fell ill"
    )
    ReactionReport.objects.create(
        clinic=clinic, session=course.sessions.filter(status="attended").first(), reaction="bruises",
        note="Anna: back pain", needs_person=True, reported_at=NOW,
    )  # fmt: skip
    wait_for_earlier(session=ahead, by=by, now=NOW)
    ask_for_erasure(client=person, by=by, now=NOW)
    Pause.objects.create(clinic=clinic, course=course, from_on=TODAY, to_on=TODAY, reason="travel",
                         note="moved to Riga", created_at=NOW)  # fmt: skip
    row = Reminder.objects.filter(course=course, state="due").first()
    Reminder.objects.filter(pk=row.pk).update(message_id="<1@example.com>")
    KeptMessage.objects.create(
        clinic=clinic, message_id="<1@example.com>", from_header="c@clinic.test", to_header="anna@example.com",
        subject="Hello Anna", text="Dear Anna", kept_at=NOW,
    )  # fmt: skip
    Reminder.objects.filter(pk=row.pk).update(message_id="1")
    KeptMessage.objects.update(message_id="1")
    _token, link = new_link(clinic_id=clinic.pk, client_id=person.pk, purpose=LinkPurpose.SESSION,
                            subject_key=f"session:{ahead.code}", reminder_code=None, now=NOW,
                            expires_at=NOW + timedelta(days=9))  # fmt: skip
    AccessLink.objects.create(**link._asdict())
    return ahead


def test_erasure_leaves_counts_and_no_person(owner, person, talked_about, clinic):
    assert [word for word in SECRETS if word not in everything(clinic)] == []
    page = words_of(owner.get(f"/clients/{person.code}/erase/"))
    assert "1 course is stopped." in page
    assert "1 session is cancelled." in page

    response = owner.post(f"/clients/{person.code}/erase/", {"name": " anna  berzina"}, follow=True)

    assert "data are erased." in words_of(response)
    assert "need a person" not in words_of(response)
    assert [word for word in SECRETS if word in everything(clinic)] == []
    waiting = (ErasureRequest, ReactionReport)
    assert [model.objects.filter(handled_at=None).count() for model in waiting] == [0, 0]
    assert not Waiting.objects.filter(ended_at=None).exists()
    course = Course.objects.get()
    assert (course.status, course.sessions.filter(status="attended").count()) == ("discontinued", 2)
    talked_about.refresh_from_db()
    assert talked_about.status == "cancelled_by_clinic"
    assert not Reminder.objects.filter(client=person, state__in=("due", "claimed")).exists()
    assert not AccessLink.objects.filter(revoked_at=None).exists()
    assert AuditEvent.objects.get(action="client.erased").subject_code == person.code
    assert owner.get(f"/clients/{person.code}/").status_code == 404
    assert "Erased client" in words_of(owner.get(f"/courses/{course.code}/"))
    assert "Nobody by that name" in words_of(owner.get(look_for(owner, "/clients/", "berzina")))


def test_erasure_asks_for_the_name(owner, person):
    response = owner.post(f"/clients/{person.code}/erase/", {"name": "Anna"})

    assert response.status_code == 422
    assert "This is not the name of the client" in words_of(response)
    assert 'value="Anna"' in response.content.decode()
    person.refresh_from_db()
    assert person.erased_at is None
