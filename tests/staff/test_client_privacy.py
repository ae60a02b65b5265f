"""A client's right to their data: everything as a file, and its erasure."""

import io
import json
import zipfile

import pytest

from audit.models import AuditEvent
from clients.models import Client
from clinics.models import Role
from reminders.models import Answer
from tests.staff.conftest import NOW
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
