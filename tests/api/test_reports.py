"""Reports by the API: what their pages and files show, for the same days, and nothing of another clinic."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from reports.catalogue import CATALOGUE
from reports.core import Period
from reports.selectors import Scope
from tests.api.test_lists import refused
from tests.factories import ProtocolFactory, StaffMemberFactory
from tests.staff.conftest import TODAY, prescribe_to

MARCH = "from_on=2026-03-01&to_on=2026-03-31"


def table_of(answer, name):
    return next(table for table in answer.json()["tables"] if table["name"] == name)


def test_list_names_every_report(reporter):
    found = reporter.get("reports/").json()["results"]

    assert [row["slug"] for row in found] == list(CATALOGUE)
    assert found[0] == {
        "slug": "adherence",
        "title": "Adherence",
        "question": "Do sessions come when they should?",
    }


def test_words_are_in_the_language_that_is_asked_for(reporter):
    found = reporter.get("reports/", Accept_Language="ru").json()["results"]

    with translation.override("ru"):
        assert found[0]["title"] == str(CATALOGUE["adherence"].title) != "Adherence"


@pytest.mark.slow
def test_report_has_what_its_page_and_its_file_show(world, reporter):
    scope = Scope(world.clinic, Period(date(2026, 3, 1), date(2026, 3, 31)), TODAY)

    for slug, entry in CATALOGUE.items():
        answer = reporter.get(f"reports/{slug}/?{MARCH if entry.period else 'weeks=12'}")
        found = entry.build(scope)
        assert answer.status_code == 200
        assert [table["name"] for table in answer.json()["tables"]] == [table.name for table in found.tables]
        for table in found.tables:
            shown = table_of(answer, table.name)
            assert [column["title"] for column in shown["columns"]] == [
                column.title for column in table.columns
            ]
            assert [[str(cell) for cell in row] for row in shown["rows"]] == [
                [str(cell) for cell in row] for row in table.rows
            ]
        assert [(one["name"], one["value"], one["means"]) for one in answer.json()["figures"]] == [
            (one.name, one.value, one.means) for one in found.figures
        ]
        assert answer.json()["notes"] == list(found.notes)


def test_adherence_counts_by_protocol_and_practitioner(world, reporter):
    whole = reporter.get(f"reports/adherence/?{MARCH}")
    narrowed = reporter.get(
        f"reports/adherence/?{MARCH}&protocol=manual&practitioner={world.prescriber.code}"
    )
    nothing = reporter.get(f"reports/adherence/?{MARCH}&practitioner={world.owner.code}")

    assert table_of(whole, "protocols")["rows"][0][1] == table_of(narrowed, "protocols")["rows"][0][1] > 0
    told = narrowed.json()
    assert (told["from_on"], told["to_on"], told["weeks"]) == ("2026-03-01", "2026-03-31", None)
    assert (told["protocol"], told["practitioner"]) == ("manual", str(world.prescriber.code))
    assert list(refused(nothing)[1]) == ["practitioner"]


def test_without_days_it_is_about_the_period_of_the_page(reporter):
    month = reporter.get("reports/adherence/").json()
    ahead = reporter.get("reports/forecast/?weeks=4").json()

    assert (month["from_on"], month["to_on"]) == ("2026-02-08", "2026-03-09")
    assert (ahead["from_on"], ahead["weeks"]) == (None, 4)


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        (
            "adherence/?protocol=foreign",
            "protocol",
            "There is no protocol in force with this slug in this clinic.",
        ),
        (
            "adherence/?protocol=%00",
            "protocol",
            "There is no protocol in force with this slug in this clinic.",
        ),
        (
            "adherence/?practitioner={stranger}",
            "practitioner",
            "There is no practitioner with this code in this clinic.",
        ),
        (
            "adherence/?practitioner=7",
            "practitioner",
            "There is no practitioner with this code in this clinic.",
        ),
        ("adherence/?weeks=4", "weeks", "This report is about days: give from_on and to_on."),
        ("forecast/?to_on=2026-03-31", "to_on", "This report looks ahead from today: give weeks."),
        ("forecast/?weeks=5", "weeks", "Choose one of 4, 12, 26, 52."),
        ("load/?from_on=2026-02-30", "from_on", "Write a date that exists as YYYY-MM-DD."),
        ("load/?from_on=2024-01-01", "to_on", "Choose a period of 1 to 366 days."),
        ("load/?format=pdf", "format", "There is no such parameter here."),
    ],
)
def test_question_without_sense_is_refused_by_field(world, reporter, query, field, message):
    elsewhere = StaffMemberFactory()
    ProtocolFactory(clinic=elsewhere.clinic, slug="foreign")

    answer = reporter.get(f"reports/{query.format(stranger=elsewhere.code)}")

    assert refused(answer) == (400, {field: message})


def test_report_that_there_is_not_is_unknown(reporter):
    assert reporter.get("reports/profits/").status_code == 404


def test_reports_are_for_tokens_of_that_scope(reader):
    assert [reader.get(path).status_code for path in ("reports/", "reports/load/")] == [403, 403]


def test_same_report_has_the_same_etag(reporter):
    first = reporter.get(f"reports/adherence/?{MARCH}")
    again = reporter.get(f"reports/adherence/?{MARCH}", If_None_Match=first["ETag"])

    assert (again.status_code, again.content) == (304, b"")


def test_more_courses_cost_no_more_queries(world, reporter):
    path = f"reports/adherence/?{MARCH}"
    reporter.get(path)
    with CaptureQueriesContext(connection) as one:
        reporter.get(path)
    before = table_of(reporter.get(path), "protocols")["rows"][0][1]
    for number in range(2):
        prescribe_to(
            world.prescriber, world.protocol, given_name=f"Eva {number}", family_name="Ozola", at=15 + number
        )
    with CaptureQueriesContext(connection) as more:
        found = table_of(reporter.get(path), "protocols")["rows"][0][1]

    assert found > before
    assert len(one) == len(more)
