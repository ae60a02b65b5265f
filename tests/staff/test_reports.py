"""Reports: the figures of a period, each counted as the page says, and sent as they are shown."""

import csv
import re
from datetime import date, time
from io import BytesIO, StringIO

import openpyxl
import pytest
from django.conf import settings

from audit.models import AuditEvent
from clinics.models import Role
from courses.models import Course, Flag, SessionStatus, TreatmentSession
from courses.services import reassess
from reports.catalogue import CATALOGUE
from reports.core import Period, Share, usual_periods
from reports.pdf import PdfUnavailable
from reports.selectors import FindingCount, Scope, period_figures
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    StaffMemberFactory,
    attend,
    book,
    prescribe,
)
from tests.staff.conftest import NOW, START, TODAY
from tests.staff.test_today import words_of

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


@pytest.fixture
def analyst(browser_of):
    return browser_of(Role.ANALYST)


def missed(course, on, status=SessionStatus.NO_SHOW):
    """Record a session that did not take place."""
    session = book(course, on, time(12), now=START)
    TreatmentSession.objects.filter(pk=session.pk).update(status=status, outcome_at=NOW)
    # Booked in the past, which put the course back to what it was then.
    course.refresh_from_db()
    reassess(course=course, now=NOW)


@pytest.fixture
def history(clinic, make_course):
    """Two courses: attended on the 2nd and 4th (on time) with a no-show; on the 2nd and 7th (late), then cancelled."""
    anna = make_course()
    olga = make_course(given_name="Olga", at=12, attended=(2, 7))
    missed(anna, date(2026, 3, 6))
    missed(olga, date(2026, 3, 5), SessionStatus.CANCELLED_BY_CLIENT)
    return anna, olga


def test_figures_of_a_period_are_counted_as_the_page_says(clinic, history):
    figures = period_figures(Scope(clinic, MARCH, TODAY))

    # Cancelled in time is neither kept nor missed.
    assert figures.attendance == Share(4, 5)
    assert (figures.on_time, figures.early, figures.late) == (Share(3, 4), 0, 1)
    assert (figures.ran, figures.began) == (2, 2)
    flags = Flag.objects.for_clinic(clinic)
    assert sum(row.opened for row in figures.findings) == flags.count()
    assert sum(row.open_now for row in figures.findings) == flags.filter(resolved_at=None).count() > 0


def test_days_outside_the_period_and_other_clinics_count_nothing(clinic, history):
    stranger = StaffMemberFactory(clinic=ClinicFactory())
    course = prescribe(
        now=START,
        member=stranger,
        client=ClientFactory(clinic=stranger.clinic),
        protocol=ProtocolFactory(clinic=stranger.clinic),
    )
    attend(course, [date(2026, 3, 2)], time(10))

    first_days = period_figures(Scope(clinic, Period(date(2026, 3, 1), date(2026, 3, 3)), TODAY))
    april = period_figures(Scope(clinic, Period(date(2026, 4, 1), date(2026, 4, 30)), TODAY))

    assert (first_days.attendance, first_days.on_time) == (Share(2, 2), Share(2, 2))
    assert (april.attendance, april.on_time, april.ran, april.began) == (Share(0, 0), Share(0, 0), 2, 0)
    assert april.attendance.rate is None


def test_course_that_ended_ran_only_until_then(clinic, history):
    anna, _olga = history
    type(anna).objects.filter(pk=anna.pk).update(status="completed", ended_at=NOW, start_on=date(2026, 3, 2))

    ran = [
        period_figures(Scope(clinic, Period(date(2026, 3, first), date(2026, 3, last)), TODAY)).ran
        for first, last in ((1, 1), (2, 8), (9, 9), (10, 31))
    ]

    assert ran == [0, 2, 2, 1]


def test_findings_count_what_began_in_the_period_and_what_is_open(clinic, history):
    flag = Flag.objects.for_clinic(clinic).filter(resolved_at=None).first()
    Flag.objects.filter(pk=flag.pk).update(opened_at=START.replace(year=2025))

    found = {row.kind: row for row in period_figures(Scope(clinic, MARCH, TODAY)).findings}

    others = Flag.objects.for_clinic(clinic).filter(kind=flag.kind).exclude(pk=flag.pk)
    expected = FindingCount(flag.kind, others.count(), others.filter(resolved_at=None).count() + 1)
    assert found[flag.kind] == expected


def test_usual_periods_end_today_and_the_last_month_is_whole():
    assert usual_periods(date(2026, 3, 9)) == {
        "thirty": Period(date(2026, 2, 8), date(2026, 3, 9)),
        "month": Period(date(2026, 3, 1), date(2026, 3, 9)),
        "last_month": Period(date(2026, 2, 1), date(2026, 2, 28)),
        "year": Period(date(2026, 1, 1), date(2026, 3, 9)),
        "twelve": Period(date(2025, 3, 10), date(2026, 3, 9)),
    }


def test_page_shows_each_figure_with_its_meaning(analyst, history):
    words = words_of(analyst.get("/reports/?from_on=2026-03-01&to_on=2026-03-31"))

    assert "Reports Sun 1 Mar – Tue 31 Mar" in words
    assert (
        "Came to what was booked 80 % 4 of 5 sessions Nothing to compare with in the period before. "
        "Attended sessions, of those"
    ) in words
    assert "On time 75 % 3 of 4 attended; 0 early, 1 late" in words
    assert "Courses that ran 2 2 of them began 0 in the period before: +2." in words


def test_empty_period_teaches_what_will_stand_there(analyst):
    assert "Nothing happened in this period" in words_of(analyst.get("/reports/"))


@pytest.mark.parametrize(
    ("query", "field", "why"),
    [
        ("from_on=2026-03-31&to_on=2026-03-01", "to_on", "The last day is before the first."),
        ("from_on=2024-03-31&to_on=2026-03-01", "to_on", "Choose a year at most."),
        ("from_on=yesterday", "from_on", "Enter a valid date."),
    ],
)
def test_period_that_is_none_is_said_and_kept(analyst, history, query, field, why):
    response = analyst.get(f"/reports/?{query}")

    assert (response.status_code, response.context["form"].errors) == (422, {field: [why]})
    assert response.context["period"] == usual_periods(TODAY)["thirty"]


def test_export_sends_the_figures_of_the_page_and_is_put_on_record(analyst, history):
    response = analyst.get("/reports/export/?from_on=2026-03-01&to_on=2026-03-31")

    rows = list(csv.reader(StringIO(b"".join(response).decode("utf-8-sig"))))
    assert rows[:3] == [
        ["From", "To", "Figure", "Number", "Of", "Rate"],
        ["2026-03-01", "2026-03-31", "Came to what was booked", "4", "5", "0.8"],
        ["2026-03-01", "2026-03-31", "On time", "3", "4", "0.75"],
    ]
    assert 'filename="figures-2026-03-01-2026-03-31.csv"' in response["Content-Disposition"]
    event = AuditEvent.objects.get(action="figures.exported")
    assert event.new == {"from_on": "2026-03-01", "to_on": "2026-03-31", "format": "csv"}


def test_page_takes_the_same_queries_for_one_course_and_for_three(
    analyst, make_course, django_assert_num_queries, django_assert_max_num_queries
):
    make_course()
    analyst.get("/reports/")
    with django_assert_max_num_queries(30) as counted:
        analyst.get("/reports/")
    make_course(given_name="Olga", at=12)
    make_course(given_name="Inga", at=14)

    with django_assert_num_queries(len(counted.captured_queries)):
        analyst.get("/reports/")


ADHERENCE = "/reports/adherence/?from_on=2026-03-01&to_on=2026-03-31"


@pytest.mark.parametrize("slug", CATALOGUE)
def test_every_report_opens_and_teaches_when_there_is_nothing(analyst, slug):
    response = analyst.get(f"/reports/{slug}/")

    words = words_of(response)
    assert str(CATALOGUE[slug].question) in words
    assert "How this is counted" in words
    # Whoever treats is on the list before anything is booked.
    assert ("Nothing to count here yet" in words) == response.context["page"].is_empty


def test_report_shows_what_its_files_hold(analyst, history):
    table = analyst.get(ADHERENCE).context["page"].tables[0]
    sent = analyst.get("/reports/adherence/export/?from_on=2026-03-01&to_on=2026-03-31&table=months")

    rows = list(csv.reader(StringIO(b"".join(sent).decode("utf-8-sig"))))
    assert rows[0] == [column.title for column in table.columns]
    assert [row[1:5] for row in rows[1:]] == [[cell.text for cell in row.cells[:4]] for row in table.rows]
    assert rows[1] == ["2026-03-01", "4", "3", "0", "1", "0.75", "3", "3.0"]
    assert table.rows[0].head.text == "March 2026"
    assert [cell.text for cell in table.rows[0].cells] == ["4", "3", "0", "1", "75 %", "3", "3"]


def test_workbook_has_a_sheet_for_every_table(analyst, history):
    response = analyst.get("/reports/adherence/export/?from_on=2026-03-01&to_on=2026-03-31&format=xlsx")

    book = openpyxl.load_workbook(BytesIO(b"".join(response)))
    assert book.sheetnames == ["months", "protocols", "practitioners"]
    assert [cell.value for cell in book["protocols"][2]][1:6] == [4, 3, 0, 1, 0.75]


def test_pdf_holds_the_page_or_says_why_not(analyst, history, monkeypatch):
    pages = []
    monkeypatch.setattr("staff.views.reports.render_pdf", lambda html: pages.append(html) or b"%PDF-")
    made = analyst.get("/reports/no-shows/export/?format=pdf")

    def refuse(html):
        raise PdfUnavailable("PDFs cannot be made on this server.")

    monkeypatch.setattr("staff.views.reports.render_pdf", refuse)
    refused = analyst.get("/reports/no-shows/export/?format=pdf", follow=True)

    assert (made.content, made["Content-Type"]) == (b"%PDF-", "application/pdf")
    assert "By weekday and hour" in pages[0]
    assert refused.redirect_chain[0][0].startswith("/reports/no-shows/?from_on=")
    assert "PDFs cannot be made on this server. Print the page instead" in words_of(refused)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_pdf_draws_the_charts_of_the_page(analyst, history, monkeypatch, language):
    pages = []
    monkeypatch.setattr("staff.views.reports.render_pdf", lambda html: pages.append(html) or b"%PDF-")
    analyst.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    query = "?from_on=2026-03-01&to_on=2026-03-31"

    for report, marks in (("adherence", "<rect"), ("retention", "<circle")):
        page = analyst.get(f"/reports/{report}/{query}").content.decode()
        analyst.get(f"/reports/{report}/export/{query}&format=pdf")
        printed = pages.pop()

        charts = re.findall(r"<svg.*?</svg>", printed, re.DOTALL)
        assert len(charts) == page.count("data-chart=") > 0
        assert all(marks in chart for chart in charts)
        # A number with a decimal comma is none to whatever draws it.
        assert not re.search(r' (x|y|d|r|cx|cy|width|height)="[^"]*,', "".join(charts))


def test_export_of_a_report_is_put_on_record(analyst, history):
    person = history[0].practitioner.code
    # Read to its end, which closes the file.
    b"".join(analyst.get(f"/reports/drift/export/?format=xlsx&protocol=manual&practitioner={person}"))

    event = AuditEvent.objects.get(action="report.exported")
    assert event.new == {
        "report": "drift",
        "format": "xlsx",
        "from_on": "2026-02-08",
        "to_on": "2026-03-09",
        "protocol": "manual",
        "practitioner": str(person),
    }


def test_filters_narrow_the_report_and_stay_in_its_links(analyst, clinic, history):
    other = StaffMemberFactory(clinic=clinic, is_treating=True)

    page = analyst.get(f"{ADHERENCE}&protocol=manual&practitioner={other.code}").context["page"]

    assert (page.is_empty, page.filters) == (True, f"Anti-cellulite massage, {other.display_name}")
    links = [page.xlsx_url, page.tables[0].csv_url, page.links[0].url, page.others[1].url]
    assert all(f"practitioner={other.code}" in link and "protocol=manual" in link for link in links)


def test_report_that_does_not_exist_is_not_found(analyst):
    assert analyst.get("/reports/profits/").status_code == 404
    assert analyst.get("/reports/adherence/export/?format=exe").status_code == 400


def test_page_says_when_courses_are_still_to_be_counted(analyst, history):
    Course.objects.update(verdict_digest="")

    assert "2 courses from before the last update are still to be counted" in words_of(analyst.get(ADHERENCE))


@pytest.mark.parametrize("slug", CATALOGUE)
def test_report_takes_the_same_queries_for_one_course_and_for_three(
    analyst, make_course, slug, django_assert_num_queries, django_assert_max_num_queries
):
    make_course()
    analyst.get(f"/reports/{slug}/")
    with django_assert_max_num_queries(40) as counted:
        analyst.get(f"/reports/{slug}/")
    make_course(given_name="Olga", at=12)
    make_course(given_name="Inga", at=14)

    with django_assert_num_queries(len(counted.captured_queries)):
        analyst.get(f"/reports/{slug}/")
