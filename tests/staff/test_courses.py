"""The list of courses: search, filters, order, pages, and the export of exactly what is shown."""

import csv
import io
from contextlib import closing
from datetime import time

import openpyxl
import pytest

from audit.models import AuditEvent
from clinics.models import Role
from courses.services import discontinue_course, pause_course
from tests.factories import ProtocolFactory, StaffMemberFactory, actor_of, book, maintenance, prescribe
from tests.staff.conftest import HTMX, NOW, START, TODAY
from tests.staff.lists import look_for
from tests.staff.test_today import words_of


def exported(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def family_names(browser, address):
    """Return the family names of the list's clients in its order."""
    page = browser.get(address, headers=HTMX)
    return [line.course.client.family_name for line in page.context["lines"]]


def test_list_shows_progress_state_and_next_window(reception, course):
    book(course, TODAY, time(11), now=NOW)

    words = words_of(reception.get("/courses/"))

    assert "Anna Berzina Dr Ozola Anti-cellulite massage" in words
    assert "2 of 10–15 Overdue" in words
    assert "Thu 5 Mar – Fri 6 Mar Booked: Mon 9 Mar, 11:00" in words


def test_list_names_the_phase_where_no_amount_tells_it(reception, prescriber, protocol):
    prescribe(now=START, member=prescriber, protocol=protocol, phases=[maintenance()])

    words = words_of(reception.get("/courses/"))

    assert "Anti-cellulite massage, maintenance" in words
    assert "0 sessions Due Nothing booked" in words


def test_list_without_courses_teaches(reception):
    assert "No course runs yet Register a client" in words_of(reception.get("/courses/"))


@pytest.mark.parametrize("text", ["anna", "BERZINA", "berz ann", "zin"])
def test_search_finds_any_part_of_a_name(reception, course, text):
    assert family_names(reception, look_for(reception, "/courses/", text)) == ["Berzina"]


def test_search_finds_nobody(reception, course):
    assert "No course matches" in words_of(reception.get(look_for(reception, "/courses/", "olga")))


def test_filters_narrow_the_list(reception, make_course, prescriber, clinic):
    _going, paused, stopped = (
        make_course(family_name=name, at=at) for name, at in (("A", 9), ("B", 12), ("C", 15))
    )
    by = actor_of(prescriber)
    pause_course(course=paused, from_on=TODAY, to_on=None, reason="illness", by=by, now=NOW)
    discontinue_course(course=stopped, reason="moved away", by=by, now=NOW)
    ProtocolFactory(clinic=clinic, slug="other")
    other = StaffMemberFactory(clinic=clinic)

    assert family_names(reception, "/courses/?order=client") == ["A", "B"]
    assert family_names(reception, "/courses/?show=paused") == ["B"]
    assert family_names(reception, "/courses/?show=discontinued") == ["C"]
    assert family_names(reception, "/courses/?show=all&order=client") == ["A", "B", "C"]
    assert family_names(reception, "/courses/?protocol=manual&order=client") == ["A", "B"]
    assert family_names(reception, "/courses/?protocol=other") == []
    assert family_names(reception, f"/courses/?practitioner={other.code}") == []


@pytest.mark.parametrize(
    ("order", "names"), [("client", ["A", "B"]), ("-client", ["B", "A"]), ("attended", ["B", "A"])]
)
def test_order_of_the_address(reception, make_course, order, names):
    make_course(family_name="A", attended=(2, 4), at=9)
    make_course(family_name="B", attended=(2,), at=12)

    assert family_names(reception, f"/courses/?order={order}") == names


def test_sorted_column_says_so_and_turns_round(reception, course):
    page = reception.get("/courses/?order=client").content.decode()

    assert 'aria-sort="ascending"><a href="?order=-client"' in page


def test_htmx_gets_the_list_alone(reception, course):
    posted = reception.post("/courses/", {"q": "anna"}, headers=HTMX, follow=True)
    page = posted.content.decode()

    assert page.lstrip().startswith('<section id="courses"')


def test_list_takes_the_same_queries_for_one_course_and_for_three(
    reception, make_course, django_assert_num_queries
):
    make_course(family_name="A", at=9)
    reception.get("/courses/")
    with django_assert_num_queries(QUERIES_OF_A_LIST):
        reception.get("/courses/")

    make_course(family_name="B", at=12)
    make_course(family_name="C", at=15)

    with django_assert_num_queries(QUERIES_OF_A_LIST):
        reception.get("/courses/")


# Login session, user, membership, saved views, keys of the page, courses, phases, flags, bookings, seven for
# ribbons (the calendar is known by then), protocols and treating members to choose from, both numbers of the menu.
QUERIES_OF_A_LIST = 19


# ---------------------------------------------------------------- export


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER)


def test_export_holds_exactly_what_is_shown(owner, make_course):
    make_course(family_name="A", at=9)
    make_course(family_name="B", attended=(2,), at=12)
    address = look_for(owner, "/courses/", "anna", order="-client").removeprefix("/courses/")

    rows = exported(owner.get(f"/courses/export/{address}&format=csv"))

    assert [row["Family name"] for row in rows] == family_names(owner, f"/courses/{address}") == ["B", "A"]
    assert rows[1] | {"Course": "", "Client": "", "Protocol": "", "Practitioner, code": ""} == {
        "Course": "",
        "Client": "",
        "Given name": "Anna",
        "Family name": "A",
        "Protocol": "",
        "Status": "active",
        "State": "resting",
        "Started on": "2026-03-02",
        "Phase": "intensive",
        "Attended": "2",
        "Sessions at least": "10",
        "Sessions at most": "15",
        "Target": "",
        "Due from": "2026-03-05",
        "Due by": "2026-03-06",
        "Next booking": "",
        "Attendance rate": "1.0",
        "On time rate": "1.0",
        "Days late in all": "0",
        "Projected end": "2026-04-01",
        "Practitioner": "Dr Ozola",
        "Practitioner, code": "",
        "Ended": "",
        "Why it ended": "",
        "Findings": "unbooked",
    }


def test_export_as_xlsx_holds_the_same_cells(owner, course):
    content = b"".join(owner.get("/courses/export/?format=xlsx").streaming_content)
    rows = exported(owner.get("/courses/export/?format=csv"))

    book_ = openpyxl.load_workbook(io.BytesIO(content))
    head, values = book_.active.iter_rows(values_only=True)
    cells = {
        name: "" if value is None else str(value).removesuffix(" 00:00:00")
        for name, value in zip(head, values, strict=True)
    }
    numbers = {"Attendance rate": "1.0", "On time rate": "1.0"}
    assert cells | numbers == rows[0]


def test_export_is_named_by_its_day_and_may_not_be_cached(owner, course):
    with closing(owner.get("/courses/export/?format=xlsx")) as response:
        pass

    assert response["Content-Disposition"] == 'attachment; filename="courses-2026-03-09.xlsx"'
    assert response["Cache-Control"] == "no-store"


def test_export_is_on_record_without_what_was_searched(owner, course):
    query = look_for(owner, "/courses/", "anna", show="all").removeprefix("/courses/")
    exported(owner.get(f"/courses/export/{query}&format=csv"))

    event = AuditEvent.objects.get(action="courses.exported")
    assert event.new == {
        "format": "csv",
        "count": 1,
        "anonymous": False,
        "from_on": None,
        "to_on": None,
        "show": "all",
        "is_searched": True,
    }


def test_export_in_another_format_is_refused(owner, course):
    assert owner.get("/courses/export/?format=exe").status_code == 400


def test_only_who_may_export_is_offered_it(owner, reception, course):
    assert "/courses/export/" in owner.get("/courses/").content.decode()
    assert "/courses/export/" not in reception.get("/courses/").content.decode()
