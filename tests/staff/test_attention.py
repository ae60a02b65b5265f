"""The worklist: which findings it shows, its filters, and what is done about one in place."""

from datetime import date, time, timedelta
from urllib.parse import urlencode

import pytest

from clients.models import Channel, ContactPoint
from clinics.models import Role
from courses.models import Flag, FlagCall, FlagKind
from courses.services import reassess
from tests.factories import StaffMemberFactory, book
from tests.staff.conftest import HTMX, NOW, TODAY
from tests.staff.test_today import words_of


@pytest.fixture
def flag(course):
    """The course is overdue: due by Friday the 6th, two open days ago."""
    reassess(course=course, now=NOW)
    return Flag.objects.get(course=course, kind=FlagKind.OVERDUE)


def url(flag, verb):
    return f"/attention/{flag.code}/{verb}/"


def test_worklist_says_what_why_and_whom_to_call(reception, flag):
    ContactPoint.objects.create(
        clinic=flag.clinic, client=flag.course.client, channel=Channel.SMS, value="+37120000001"
    )

    words = words_of(reception.get("/attention/"))

    assert "2 days overdue since today" in words
    assert "Session 3 is 2 days overdue." in words
    assert "Booked late or not at all" in words
    assert "Anna Berzina Anti-cellulite massage · Dr Ozola" in words
    assert "+371 20 000 001" in words
    assert "Nothing booked" in words


def test_worklist_shows_the_next_booking(reception, flag):
    book(flag.course, date(2026, 3, 10), time(12), now=NOW)

    assert "Booked: Tue 10 Mar" in words_of(reception.get("/attention/"))


def test_empty_worklist_says_so(reception, make_course):
    assert "No course to watch yet" in words_of(reception.get("/attention/"))

    Flag.objects.filter(course=make_course()).update(resolved_at=NOW, resolved_reason="attended")

    assert "All courses are on course" in words_of(reception.get("/attention/"))


def test_filters_live_in_the_address(reception, flag):
    shown = words_of(reception.get("/attention/?kind=overdue&severity=warning&cause=scheduling"))
    hidden = words_of(reception.get("/attention/?kind=lapsed"))

    assert "2 days overdue" in shown
    assert "2 days overdue" not in hidden
    assert "Nothing matches these filters" in hidden


def test_filter_by_practitioner(reception, flag, clinic):
    other = StaffMemberFactory(clinic=clinic, role=Role.PRACTITIONER)

    shown = words_of(reception.get(f"/attention/?practitioner={flag.course.practitioner.code}"))
    hidden = words_of(reception.get(f"/attention/?practitioner={other.code}"))

    assert "2 days overdue" in shown
    assert "2 days overdue" not in hidden


def test_htmx_gets_the_list_alone(reception, flag):
    page = reception.get("/attention/?kind=overdue", headers=HTMX).content.decode()

    assert page.lstrip().startswith('<section id="worklist"')


def test_worklist_takes_the_same_queries_for_one_flag_and_for_three(
    reception, make_course, django_assert_num_queries
):
    def overdue(name, at):
        reassess(course=make_course(family_name=name, at=at), now=NOW)

    overdue("A", 9)
    reception.get("/attention/")
    with django_assert_num_queries(QUERIES_OF_A_LIST):
        reception.get("/attention/")

    overdue("B", 12)
    overdue("C", 14)

    with django_assert_num_queries(QUERIES_OF_A_LIST):
        reception.get("/attention/")


# Login session, user, membership, saved views, keys of the page, flags, calls, telephones, nine for ribbons (the
# calendar is known by then), bookings, treating members to choose from, both numbers of the menu, two for what
# clients ask.
QUERIES_OF_A_LIST = 21


def test_worklist_has_pages(reception, flag, make_course, monkeypatch):
    reassess(course=make_course(family_name="B", at=12), now=NOW)
    monkeypatch.setattr("staff.views.attention.PAGE_SIZE", 1)

    words = words_of(reception.get("/attention/?page=2"))

    assert "2–2 of 2" in words
    assert "Page 2 of 2" in words


def test_acknowledgement_names_who_saw_it(browser_of, flag):
    browser = browser_of(Role.RECEPTIONIST, display_name="Rita Balode")

    response = browser.post(url(flag, "acknowledge"), headers=HTMX)

    assert "Acknowledged by Rita Balode, Mon 9 Mar" in words_of(response)
    flag.refresh_from_db()
    assert flag.acknowledged_by.display_name == "Rita Balode"


def test_acknowledged_flag_stays_but_is_no_longer_new(reception, flag):
    reception.post(url(flag, "acknowledge"))

    assert "2 days overdue" in words_of(reception.get("/attention/"))
    assert "2 days overdue" not in words_of(reception.get("/attention/?show=new&kind=overdue"))


def test_put_off_flag_waits_until_its_day(reception, flag):
    response = reception.post(url(flag, "snooze"), {"until_on": "2026-03-12"}, headers=HTMX)

    assert "Put off until Thu 12 Mar" in words_of(response)
    assert "2 days overdue" not in words_of(reception.get("/attention/"))
    assert "2 days overdue" in words_of(reception.get("/attention/?show=snoozed"))


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_put_off_until_today_is_refused(reception, flag, headers):
    response = reception.post(url(flag, "snooze"), {"until_on": TODAY.isoformat()}, headers=headers)

    assert response.status_code == 422
    assert "Choose a day after today." in words_of(response)
    flag.refresh_from_db()
    assert flag.snoozed_until_on is None


def test_call_is_on_record_and_asks_again(browser_of, flag):
    browser = browser_of(Role.RECEPTIONIST, display_name="Rita Balode")
    sent = {"outcome": "call_later", "next_on": "2026-03-11", "note": "in a meeting"}

    response = browser.post(url(flag, "call"), sent, headers=HTMX)

    call = FlagCall.objects.get()
    assert (call.outcome, call.next_on, call.note) == (
        "call_later",
        TODAY + timedelta(days=2),
        "in a meeting",
    )
    assert "Mon 9 Mar, Rita Balode: call later. in a meeting" in words_of(response)
    assert "Put off until Wed 11 Mar" in words_of(response)


def test_call_without_an_outcome_is_refused(reception, flag):
    response = reception.post(url(flag, "call"), {}, headers=HTMX)

    assert response.status_code == 422
    assert "This field is required." in words_of(response)
    assert FlagCall.objects.count() == 0


def test_call_without_script_comes_back_to_the_list(reception, flag):
    assert "How did the call end?" in words_of(reception.get(url(flag, "call")))

    response = reception.post(url(flag, "call"), {"outcome": "reached"})

    assert response.status_code == 302
    assert response["Location"] == f"/attention/#flag-row-{flag.code}"


@pytest.fixture
def second_page(reception, flag, make_course, monkeypatch):
    """The worklist's second page with a filter, of which it shows one finding each, and that finding."""
    reassess(course=make_course(family_name="B", at=12), now=NOW)
    monkeypatch.setattr("staff.views.attention.PAGE_SIZE", 1)
    page = reception.get("/attention/?kind=overdue&severity=&page=2")
    (line,) = page.context["lines"]
    return page.content.decode(), line.flag


WAY_BACK = "/attention/?kind=overdue&page=2"
ACTIONS = {"acknowledge": {}, "snooze": {"until_on": "2026-03-12"}, "call": {"outcome": "reached"}}


@pytest.mark.parametrize("verb", ACTIONS)
def test_action_without_script_comes_back_to_the_same_page_of_the_same_list(reception, second_page, verb):
    page, flag = second_page
    address = f"{url(flag, verb)}?list=kind%3Doverdue%26page%3D2"
    assert f'"{address}"' in page
    if verb != "acknowledge":
        form = reception.get(address).content.decode()
        assert f'action="{address}"' in form
        assert form.count(f'href="{WAY_BACK.replace("&", "&amp;")}"') == 2

    response = reception.post(address, ACTIONS[verb])

    assert response.status_code == 302
    assert response["Location"] == f"{WAY_BACK}#flag-row-{flag.code}"


def test_changed_line_still_knows_its_list(reception, flag):
    address = f"{url(flag, 'acknowledge')}?list=kind%3Doverdue"

    line = reception.post(address, headers=HTMX).content.decode()

    assert line.count(f'"{url(flag, "call")}?list=kind%3Doverdue"') == 2


def test_refused_form_without_script_keeps_the_way_back(reception, flag):
    address = f"{url(flag, 'call')}?list=kind%3Doverdue"

    response = reception.post(address, {})

    assert response.status_code == 422
    assert f'action="{address}"' in response.content.decode()


@pytest.mark.parametrize(
    "handed_on",
    [
        "//evil.example/",
        "https://evil.example/?kind=overdue",
        "next=//evil.example/",
        "%0d%0aSet-Cookie: a=b",
        "&&=&",
    ],
)
def test_way_back_never_leads_elsewhere(reception, flag, handed_on):
    response = reception.post(f"{url(flag, 'acknowledge')}?{urlencode({'list': handed_on})}")

    assert response["Location"] == f"/attention/#flag-row-{flag.code}"


def test_menu_counts_serious_flags_that_are_not_put_off(reception, flag):
    Flag.objects.filter(pk=flag.pk).update(severity="serious", severity_rank=3)
    assert "Needs attention serious: 1" in words_of(reception.get("/clients/"))

    reception.post(url(flag, "snooze"), {"until_on": "2026-03-12"})

    assert "Needs attention Calendar" in words_of(reception.get("/clients/"))
