"""Search: clients, courses and pages from every page, and no name in any address."""

import re
from pathlib import Path

from clinics.models import Role
from staff.navigation import PLACES
from tests.factories import ClientFactory, ClinicFactory
from tests.staff.conftest import HTMX
from tests.staff.test_today import words_of

TABS = Path(__file__).resolve().parents[2] / "templates/staff/rules/_tabs.html"


def find(browser, text, **options):
    return browser.post("/search/", {"q": text}, **options)


def addresses(response):
    return re.findall(r'role="option"[^>]* href="([^"]+)"', response.content.decode())


def test_client_and_course_are_found_by_any_part_of_the_name(reception, course):
    answer = find(reception, "ERZ an")

    assert addresses(answer) == [f"/clients/{course.client.code}/", f"/courses/{course.code}/"]
    assert "2 found." in words_of(answer)
    assert "Anna Berzina Anti-cellulite massage, from Mon 2 Mar Resting" in words_of(answer)
    assert 'value="ERZ an"' in answer.content.decode()


def test_telephone_is_found_however_it_is_typed(reception, clinic):
    person = ClientFactory(clinic=clinic, search_text="anna ozola 37120000001")

    assert addresses(find(reception, "+371 2000-0001")) == [f"/clients/{person.code}/"]


def test_script_gets_the_list_alone_and_words_to_read_aloud(reception, course):
    page = find(reception, "berz", headers=HTMX).content.decode()

    assert page.startswith('<div class="search-list" id="search-list" role="listbox"')
    assert '<p hx-swap-oob="innerHTML:#search-note">2 found.</p>' in page


def test_nothing_found_says_what_would_be(reception, course):
    answer = find(reception, "nobody")

    assert addresses(answer) == []
    assert "Any part of a name, an e-mail address or a telephone number finds a client." in words_of(answer)
    assert addresses(find(reception, "b")) == []


def test_pages_are_found_as_far_as_the_role_may_open_them(browser_of):
    owner, receptionist = browser_of(Role.OWNER), browser_of(Role.RECEPTIONIST)

    assert addresses(find(owner, "settings room")) == ["/settings/rooms/"]
    assert addresses(find(receptionist, "settings room")) == []
    assert addresses(find(receptionist, "new client")) == ["/clients/new/"]


def test_every_tab_of_the_settings_is_found():
    tabs = re.findall(r"url 'staff:([a-z-]+)'", TABS.read_text(encoding="utf-8"))

    assert tabs
    assert set(tabs) - {place.name for place in PLACES} == set()


def test_other_clinics_are_not_looked_through(reception, course):
    ClientFactory(clinic=ClinicFactory(), given_name="Anna", search_text="anna berzina")

    assert len(addresses(find(reception, "anna"))) == 2


def test_search_shows_eight_at_most_in_the_same_queries(reception, clinic, course, django_assert_num_queries):
    find(reception, "anna")
    # Login session, user, membership, clients, their contacts, courses, both numbers of the menu.
    with django_assert_num_queries(7):
        find(reception, "anna")

    for _ in range(9):
        ClientFactory(clinic=clinic)

    with django_assert_num_queries(7):
        answer = find(reception, "anna")
    assert len(addresses(answer)) == 9
    assert "9 found. There are more: type more of the name." in words_of(answer)


def test_a_name_in_the_address_is_not_looked_for(reception, course):
    answer = reception.get("/search/?q=berzina")

    assert addresses(answer) == []
    assert 'value="berzina"' not in answer.content.decode()
