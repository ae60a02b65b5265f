"""Settings, Import: a file is looked at, checked, imported and undone from its page."""

import io
from datetime import timedelta
from functools import partial

import openpyxl
import pytest
import time_machine
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile

from clients.models import Client
from clinics.jobs import work_job, work_jobs
from clinics.models import BackgroundJob, Role
from courses.models import Course
from imports.files import MOST_BYTES
from imports.models import ImportBatch, ImportRow
from staff.views import imports as views
from tests.factories import ClientFactory
from tests.staff.conftest import HTMX, NOW
from tests.staff.test_today import words_of

LIST = "/settings/imports/"
CLIENTS = "Имя;Телефон;Что-то\nAnna;20000001;x\nOlga;20000002;y\n;20000003;z\n"


@pytest.fixture(autouse=True)
def workers_clock(monkeypatch):
    """Let what the page works itself live on the Monday of the tests, which a server's clock knows nothing of."""
    monkeypatch.setattr(views, "work_job", partial(work_job, clock=lambda: NOW))


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER, display_name="Ilze")


def upload(browser, content, *, kind="clients", name="list.csv"):
    content = content.encode() if isinstance(content, str) else content
    return browser.post(LIST, {"kind": kind, "file": SimpleUploadedFile(name, content)})


def checked(browser, answer, **columns):
    """Check every row of an uploaded file, with the columns as shown unless others are chosen."""
    page = browser.get(answer["Location"])
    form = page.context["form"]
    shown = {name: form[name].value() for name in form.fields}
    return browser.post(f"{answer['Location']}check/", shown | columns)


def test_file_is_checked_imported_and_undone(owner, clinic):
    uploaded = upload(owner, CLIENTS)
    at = uploaded["Location"]
    first = owner.get(at)
    checked(owner, uploaded)
    before = Client.objects.count()
    page = owner.get(at)
    refused = owner.get(f"{at}?show=new")
    owner.post(f"{at}apply/")
    done = owner.get(at)

    assert "B: Телефон (20000001)" in words_of(first)
    assert first.context["form"]["phone"].value() == 1
    assert before == 0
    words = words_of(page)
    assert "2 new, 1 refused" in words
    assert "Given name: Give the client" in words
    assert "Import: 2 new" in words
    assert [(row.number, row.words) for row in refused.context["rows"]] == [
        (2, "Anna · 20000001"),
        (3, "Olga · 20000002"),
    ]
    assert sorted(Client.objects.values_list("given_name", flat=True)) == ["Anna", "Olga"]
    assert "2 made" in words_of(done)
    assert "Anna" not in words_of(done)
    assert "Spreadsheet imported" in words_of(owner.get("/settings/audit/"))

    asked = owner.get(f"{at}undo/")
    owner.post(f"{at}undo/")

    assert "The clients that it made are removed" in words_of(asked)
    assert (Client.objects.count(), words_of(owner.get(at)).count("2 undone") > 0) == (0, True)
    assert "Undone" in words_of(owner.get(LIST))


def test_columns_are_chosen_by_hand_and_wrong_ones_named(owner):
    uploaded = upload(owner, "a;b\nAnna;20000001\n")

    missing = checked(owner, uploaded)
    twice = checked(owner, uploaded, given_name="0", phone="0")
    checked(owner, uploaded, given_name="0", phone="1")

    assert (missing.status_code, twice.status_code) == (422, 422)
    assert missing.context["form"].errors == {
        "given_name": [
            "A column is needed for one of these: Given name, Name, given name first, Name, family name first."
        ]
    }
    assert set(twice.context["form"].errors) == {"given_name", "phone"}
    assert ImportBatch.objects.get().status == "checked"
    assert ImportRow.objects.get().outcome == "new"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "There is nothing in this file"),
        (b"name\n", "There is nothing in this file"),
        (b"x" * (MOST_BYTES + 1), "The file is too large."),
        (b"\xd0\xcf\x11\xe0 old", "This is an old Excel file."),
        (b"a\n" + b"1\n" * 20_001, "The file has too many rows."),
    ],
)
def test_what_is_no_table_is_refused_in_words(owner, content, words):
    answer = upload(owner, content)

    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors["file"])
    assert not ImportBatch.objects.exists()


def test_courses_come_from_excel(owner, clinic, protocol, prescriber):
    client = ClientFactory(clinic=clinic)
    address = client.contact_points.get().value
    book = openpyxl.Workbook()
    book.active.append(["E-mail", "Протокол", "Начало", "Даты", "Врач"])
    book.active.append(
        [address, protocol.name_ru, NOW.date().replace(day=2), "02.03.2026, 04.03.2026", "Dr Ozola"]
    )
    content = io.BytesIO()
    book.save(content)

    uploaded = upload(owner, content.getvalue(), kind="courses", name="courses.xlsx")
    checked(owner, uploaded)
    page = owner.get(uploaded["Location"])
    owner.post(f"{uploaded['Location']}apply/")

    assert "From then on the clinic's messages go out for these courses" in words_of(page)
    course = Course.objects.get()
    assert (course.prescribed_by, course.attended_count) == (prescriber, 2)


def test_long_work_shows_how_far_it_is_and_ends_by_itself(owner, monkeypatch):
    monkeypatch.setattr(views, "work_job", lambda **options: None)
    uploaded = upload(owner, CLIENTS)
    at = uploaded["Location"]
    checked(owner, uploaded)

    page = owner.get(at)
    part = owner.get(at, headers=HTMX)
    work_jobs(clock=lambda: NOW)
    done = owner.get(at, headers=HTMX)

    assert 'hx-trigger="every 5s"' in page.content.decode()
    assert "Every row is being checked. Nothing is changed yet." in words_of(page)
    assert "0 of 3" in words_of(part)
    assert "<html" not in part.content.decode()
    assert done["HX-Refresh"] == "true"


def test_failed_work_says_why_and_goes_on(owner, monkeypatch):
    monkeypatch.setattr(views, "work_job", lambda **options: None)
    uploaded = upload(owner, CLIENTS)
    checked(owner, uploaded)
    member = BackgroundJob.objects.get().started_by
    type(member).objects.filter(pk=member.pk).update(is_active=False)
    work_jobs(clock=lambda: NOW)
    type(member).objects.filter(pk=member.pk).update(is_active=True)

    page = owner.get(uploaded["Location"])
    owner.post(f"{uploaded['Location']}go-on/")
    work_jobs(clock=lambda: NOW)

    assert "Whoever began this import has no access any more." in words_of(page)
    assert ImportBatch.objects.get().status == "checked"
    assert BackgroundJob.objects.get().status == "done"


def test_refusals_are_said_and_the_file_can_be_thrown_away(owner, browser_of, clinic):
    uploaded = upload(owner, CLIENTS)
    at = uploaded["Location"]

    too_early = owner.post(f"{at}apply/")
    thrown = owner.post(f"{at}discard/")
    again = upload(owner, CLIENTS)["Location"]
    checked(owner, {"Location": again})
    owner.post(f"{again}apply/")
    kept = owner.post(f"{again}discard/")
    with time_machine.travel(NOW + timedelta(days=31), tick=False):
        other = browser_of(Role.OWNER)
        late = other.post(f"{again}undo/")

    def said(answer):
        return [str(message) for message in get_messages(answer.wsgi_request)][-1]

    assert said(too_early) == "This import is uploaded. Look at it again."
    assert said(thrown) == "The file is thrown away. Nothing was imported."
    assert said(kept) == "This import is imported. Look at it again."
    assert said(late) == "This was imported more than 30 days ago and stays."
    assert ImportBatch.objects.get().status == "applied"
