"""The pages of exports: what is chosen is what is sent, at once or later, and wrong choices are said by their field."""

import csv
import io
import json

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from clinics.models import BackgroundJob, Closure, JobStatus, Role
from exports import services
from exports.core.choice import FORMATS
from exports.models import ExportFile, ExportSchedule, StopReason
from exports.tables import TABLES
from staff.export_forms import ExportForm
from tests.factories import StaffMemberFactory
from tests.staff.conftest import HTMX, TODAY
from tests.staff.test_access_matrix import make_file

PAGE = "/exports/"


@pytest.fixture(autouse=True)
def export_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"
    return settings.EXPORT_DIR


@pytest.fixture
def member(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.OWNER, display_name="Ilze", is_treating=False)


@pytest.fixture
def owner(member, log_in):
    return log_in(member)


def chosen(table, **fields):
    """Return what the form of a table sends as it stands, with what is changed."""
    columns = [column.name for column in TABLES[table].columns]
    return {"file_format": "csv", "variant": "plain", "columns": columns, "act": "file"} | fields


def sent(response):
    assert response.status_code == 200, response.content.decode()
    # Read to its end, it closes itself.
    return b"".join(response.streaming_content)


def cells(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def errors_of(response):
    assert response.status_code == 422
    form, schedule = response.context["form"], response.context["schedule"]
    return {**form.errors, **schedule.errors}


def test_courses_go_out_as_fhir_with_names_or_not_at_all(owner, session):
    response = owner.post(f"{PAGE}courses/", chosen("courses", file_format="fhir"))
    lines = sent(response).decode().splitlines()
    anonymous = owner.post(f"{PAGE}courses/", chosen("courses", file_format="fhir", variant="anonymous"))
    clients = owner.post(f"{PAGE}clients/", chosen("clients", file_format="fhir"))

    assert response["Content-Type"] == "application/fhir+ndjson"
    found = [json.loads(line)["identifier"]["value"] for line in lines]
    assert found == [f"urn:uuid:{session.course.code}"]
    said = "FHIR is about people by name. Choose it with names, or another format."
    assert errors_of(anonymous) == {"variant": [said]}
    assert list(errors_of(clients)) == ["file_format"]
    event = AuditEvent.objects.get(action="courses.exported")
    assert (event.new["format"], event.new["count"], event.new["anonymous"]) == ("fhir", 1, False)


@pytest.mark.slow
def test_every_table_is_sent_in_every_format(owner, session):
    for name in TABLES:
        assert owner.get(f"{PAGE}{name}/").status_code == 200
        for file_format in FORMATS:
            response = owner.post(f"{PAGE}{name}/", chosen(name, file_format=file_format))
            ending = {"semicolon": "csv"}.get(file_format, file_format)
            assert response["Content-Disposition"] == f'attachment; filename="{name}-2026-03-09.{ending}"'
            assert response["Cache-Control"] == "no-store"
            # A file of lines has its heads at least; of these there is nothing yet.
            is_bare = file_format == "jsonl" and name == "closures"
            assert bool(sent(response)) is not is_bare


def test_sent_file_is_what_was_chosen(owner, session, course):
    content = sent(
        owner.post(
            f"{PAGE}sessions/",
            chosen(
                "sessions",
                columns=["on", "status", "given_name"],
                status="attended",
                from_on="2026-03-03",
                to_on="2026-03-09",
                practitioner=str(course.practitioner.code),
                protocol=course.protocol.slug,
            ),
        )
    )

    assert cells(content) == [["Given name", "Date", "Status"], ["Anna", "2026-03-04", "attended"]]
    assert AuditEvent.objects.get(action="sessions.exported").new == {
        "format": "csv",
        "count": 1,
        "anonymous": False,
        "from_on": "2026-03-03",
        "to_on": "2026-03-09",
        "status": "attended",
        "practitioner": str(course.practitioner.code),
        "protocol": course.protocol.slug,
        "is_searched": False,
    }


def test_anonymised_variant_names_nobody(owner, course):
    response = owner.post(f"{PAGE}courses/", chosen("courses", file_format="jsonl", variant="anonymous"))

    assert response["Content-Disposition"] == 'attachment; filename="courses-anonymised-2026-03-09.jsonl"'
    row = json.loads(sent(response))
    assert "given_name" not in row
    assert str(course.code) not in row.values()


def test_workbook_opens(owner, course):
    content = sent(owner.post(f"{PAGE}clients/", chosen("clients", file_format="xlsx")))

    assert openpyxl.load_workbook(io.BytesIO(content)).active.max_row == 2


def test_searched_name_narrows_and_is_not_on_record(owner, make_course, course):
    make_course(given_name="Olga", family_name="Zaiceva", at=14)

    content = sent(owner.post(f"{PAGE}clients/", chosen("clients", columns=["family_name"], q="zaic")))

    assert cells(content) == [["Family name"], ["Zaiceva"]]
    event = AuditEvent.objects.get(action="clients.exported")
    assert event.new["is_searched"] is True
    assert "zaic" not in str(event.new).lower()


def test_russian_reader_gets_russian_heads(owner, member, course):
    type(member.user).objects.filter(pk=member.user_id).update(language="ru")

    page = owner.get(f"{PAGE}courses/")
    content = sent(owner.post(f"{PAGE}courses/", chosen("courses", columns=["status", "start_on"])))

    assert page.context["form"]["file_format"].value() == "semicolon"
    assert cells(content)[0] == ["Статус", "Начат"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"file_format": "exe"}, {"file_format"}),
        ({"variant": "both"}, {"variant"}),
        ({"columns": []}, {"columns"}),
        ({"columns": ["password"]}, {"columns"}),
        ({"from_on": "2026-02-30"}, {"from_on"}),
        ({"from_on": "2026-03-09", "to_on": "2026-03-08"}, {"to_on"}),
        ({"status": "asleep"}, {"status"}),
        ({"practitioner": "nobody"}, {"practitioner"}),
        ({"protocol": "none"}, {"protocol"}),
        (
            {"act": "regular", "frequency": "hourly", "at_time": "25:00"},
            {"frequency", "weekday", "at_time", "member"},
        ),
    ],
)
def test_wrong_choice_is_said_by_its_field(owner, course, fields, wrong):
    found = errors_of(owner.post(f"{PAGE}sessions/", chosen("sessions", **fields)))

    assert set(found) == wrong
    assert ExportFile.objects.count() == 0


def test_unknown_table_is_not_there(owner):
    assert owner.get(f"{PAGE}passwords/").status_code == 404
    assert owner.post(f"{PAGE}passwords/", {}).status_code == 404


def test_owners_tables_are_not_an_analysts(browser_of, member):
    analyst = browser_of(Role.ANALYST)

    assert analyst.get(f"{PAGE}audit/").status_code == 403
    assert analyst.post(f"{PAGE}people/", chosen("people")).status_code == 403
    assert "/exports/people/" not in analyst.get(PAGE).content.decode()
    file = make_file(member)
    ExportFile.objects.update(choice={**ExportFile.objects.get().choice, "table": "people"})
    assert analyst.get(f"{PAGE}files/{file}/").status_code == 404


def test_log_has_no_anonymised_variant(owner, course):
    found = errors_of(owner.post(f"{PAGE}audit/", chosen("audit", variant="anonymous")))

    assert set(found) == {"variant"}


def test_address_of_a_list_fills_the_form(owner, course):
    address = f"?show=overdue&protocol={course.protocol.slug}&order=-client&practitioner=nonsense&page=3"

    form = owner.get(f"{PAGE}courses/{address}").context["form"]

    assert (form["show"].value(), form["protocol"].value(), form["order"].value()) == (
        "overdue",
        course.protocol.slug,
        "-client",
    )
    assert form["practitioner"].value() is None
    assert isinstance(form, ExportForm)


def test_what_a_list_was_searched_for_comes_along(owner, course):
    address = owner.post("/clients/", {"q": "berz"})["Location"]

    form = owner.get(f"{PAGE}clients/?{address.partition('?')[2]}").context["form"]

    assert form["q"].value() == "berz"


def test_lists_lead_to_their_exports(owner, make_course, session):
    make_course(given_name="Olga", at=14)
    for address, link in (
        ("/courses/?show=all", "/exports/courses/?show=all"),
        ("/attention/?show=new", "/exports/findings/?show=new"),
        ("/messages/?channel=email", "/exports/messages/?channel=email&amp;show=coming"),
        ("/clients/", "/exports/clients/"),
    ):
        assert f'href="{link}"' in owner.get(address).content.decode(), address


def test_who_may_not_export_is_not_led_there(reception, session):
    for address in ("/courses/", "/attention/", "/messages/", "/clients/"):
        assert "/exports/" not in reception.get(address).content.decode()


# ---------------------------------------------------------------- large files


@pytest.fixture
def one_at_once(monkeypatch):
    monkeypatch.setattr(services, "AT_ONCE_ROWS", 1)


def test_large_file_is_made_and_found_on_the_page(owner, session, one_at_once):
    response = owner.post(f"{PAGE}sessions/", chosen("sessions"), follow=True)

    assert response.redirect_chain == [(PAGE, 302)]
    export = ExportFile.objects.get()
    assert f"/exports/files/{export.code}/" in response.content.decode()
    fetched = owner.get(f"{PAGE}files/{export.code}/")
    assert fetched["Content-Disposition"] == 'attachment; filename="sessions-2026-03-09.csv"'
    assert len(cells(sent(fetched))) == 4


def test_large_file_of_a_searched_name_is_refused(owner, make_course, course, one_at_once):
    make_course(family_name="Ozola", at=14)

    found = errors_of(owner.post(f"{PAGE}clients/", chosen("clients", q="anna")))

    assert set(found) == {"q"}


def test_file_that_is_being_made_is_polled_until_it_is_not(owner, session, one_at_once, monkeypatch):
    monkeypatch.setattr("staff.views.exports._WAITED_SECONDS", 0)
    owner.post(f"{PAGE}sessions/", chosen("sessions"))

    making = owner.get(PAGE, headers=HTMX)
    BackgroundJob.objects.update(
        status=JobStatus.FAILED,
        error_code="disk_full",
        ended_at=ExportFile.objects.get().created_at,
        lease_until=None,
    )
    failed = owner.get(PAGE, headers=HTMX)

    assert (making.status_code, failed.status_code) == (200, 286)
    assert 'hx-trigger="every 5s"' in making.content.decode()
    body = failed.content.decode()
    assert "hx-trigger" not in body
    assert "The server&#x27;s disk is full." in body


def test_failed_file_is_tried_again(owner, session, one_at_once, monkeypatch):
    monkeypatch.setattr("staff.views.exports._WAITED_SECONDS", 0)
    owner.post(f"{PAGE}sessions/", chosen("sessions"))
    export = ExportFile.objects.get()
    BackgroundJob.objects.update(
        status=JobStatus.FAILED, error_code="disk_full", ended_at=export.created_at, lease_until=None
    )

    response = owner.post(f"{PAGE}files/{export.code}/again/")

    assert response.status_code == 302
    assert BackgroundJob.objects.get().status == JobStatus.WAITING


def test_removed_file_is_gone_at_once(
    owner, member, course, export_folder, django_capture_on_commit_callbacks
):
    code = make_file(member)

    with django_capture_on_commit_callbacks(execute=True):
        response = owner.post(f"{PAGE}files/{code}/remove/")

    assert response.status_code == 302
    assert list(export_folder.iterdir()) == []
    assert owner.get(f"{PAGE}files/{code}/").status_code == 404
    assert AuditEvent.objects.filter(action="export.removed").count() == 1


def test_list_asks_no_more_for_three_files_than_for_one(owner, member, course, django_assert_num_queries):
    make_file(member)
    with CaptureQueriesContext(connection) as asked:
        owner.get(PAGE)
    for _ in range(2):
        make_file(member)

    with django_assert_num_queries(len(asked)):
        owner.get(PAGE)


# ---------------------------------------------------------------- regular files


def regular(member, **fields):
    return (
        chosen(
            "sessions",
            act="regular",
            frequency="weekly",
            weekday="3",
            at_time="06:30",
            member=str(member.code),
        )
        | fields
    )


def test_regular_file_is_set_up_and_listed(owner, clinic, course):
    analyst = StaffMemberFactory(clinic=clinic, role=Role.ANALYST, display_name="Marta")

    response = owner.post(f"{PAGE}sessions/", regular(analyst, variant="anonymous"), follow=True)

    schedule = ExportSchedule.objects.get()
    assert (schedule.member, schedule.frequency, schedule.weekday) == (analyst, "weekly", 3)
    assert schedule.choice["anonymous"] is True
    body = response.content.decode()
    assert "Wednesday, 06:30 · Marta" in body
    assert "Next: Wed 11 Mar, 06:30" in body
    assert AuditEvent.objects.get(action="export.scheduled").new["member"] == str(analyst.code)


def test_regular_file_goes_only_to_who_may_have_it(owner, clinic, course):
    receptionist = StaffMemberFactory(clinic=clinic, role=Role.RECEPTIONIST)

    assert set(errors_of(owner.post(f"{PAGE}sessions/", regular(receptionist)))) == {"member"}


def test_analyst_sets_up_files_for_nobody_else(browser_of, member, course):
    analyst = browser_of(Role.ANALYST)

    assert set(errors_of(analyst.post(f"{PAGE}sessions/", regular(member)))) == {"member"}


def test_regular_file_of_a_searched_name_is_refused(owner, member, course):
    fields = regular(member) | chosen("clients", act="regular", q="anna")

    assert set(errors_of(owner.post(f"{PAGE}clients/", fields))) == {"q"}


def test_regular_file_is_ended_by_its_recipient_or_an_owner(owner, member, clinic, log_in, course):
    analyst, other = (StaffMemberFactory(clinic=clinic, role=Role.ANALYST) for _ in range(2))
    owner.post(f"{PAGE}sessions/", regular(analyst))
    schedule = ExportSchedule.objects.get()
    address = f"{PAGE}regular/{schedule.code}/stop/"

    assert log_in(other).post(address).status_code == 403
    assert log_in(analyst).post(address).status_code == 302

    schedule.refresh_from_db()
    assert schedule.stop_reason == StopReason.REMOVED
    assert "/stop/" not in owner.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("address", "table"),
    [
        ("protocols/", "protocols/"),
        ("people/", "people/"),
        ("closures/?from_on=2026-04-01", "closures/"),
        ("audit/?from_on=2026-03-01&action=course.prescribed", "audit/?from_on=2026-03-01"),
    ],
)
def test_lists_lead_to_their_export(owner, session, address, table):
    Closure.objects.create(clinic=session.clinic, from_on=TODAY, to_on=TODAY, reason="Repairs")

    response = owner.get(f"/settings/{address}")

    assert response.status_code == 200
    assert f'href="{PAGE}{table}"' in response.content.decode()


def test_reports_name_the_exports(owner, session):
    words = owner.get("/reports/").content.decode()

    # Beside the menu's own link.
    assert (
        words.count(f'href="{PAGE}"')
        == owner.get("/settings/people/").content.decode().count(f'href="{PAGE}"') + 1
    )


def test_who_may_not_export_is_led_to_no_export(session, log_in):
    prescriber = session.course.prescribed_by

    words = log_in(prescriber).get("/settings/protocols/").content.decode()

    assert "Protocols" in words
    assert PAGE not in words
