"""Searches of lists: no name in an address, kept for the reader alone."""

import pytest

from staff.searches import _MOST_KEPT
from tests.staff.lists import look_for
from tests.staff.test_today import words_of


@pytest.mark.parametrize("address", ["/courses/", "/clients/", "/messages/", "/calendar/book/"])
def test_text_is_found_and_stands_in_no_address(reception, course, address):
    found = look_for(reception, address, "Berzina", page="9", show="")
    page = reception.get(found)

    assert "berzina" not in found.lower()
    assert found.startswith(f"{address}?")
    assert 'value="Berzina"' in page.content.decode()
    # An old address with a name in it asks for nothing.
    assert 'value="Berzina"' not in reception.get(f"{address}?q=Berzina").content.decode()


def test_empty_search_is_the_whole_list(reception, clinic):
    assert look_for(reception, "/courses/", " ", show="late") == "/courses/?show=late"
    assert look_for(reception, "/clients/", "") == "/clients/"


def test_endless_filter_is_none(reception, clinic):
    assert look_for(reception, "/courses/", "", show="late", order="x" * 5000) == "/courses/?show=late"


def test_key_is_worth_nothing_to_anybody_else(reception, browser_of, course):
    found = look_for(reception, "/clients/", "nobody")

    assert "Nobody by that name" in words_of(reception.get(found))
    assert "Anna Berzina" in words_of(browser_of("receptionist").get(found))


def test_same_text_keeps_its_key_and_the_oldest_goes(reception, clinic):
    first, second = (look_for(reception, "/clients/", text) for text in ("one", "two"))
    assert look_for(reception, "/courses/", "one") == first.replace("clients", "courses")
    for number in range(_MOST_KEPT - 1):
        look_for(reception, "/clients/", f"text {number}")

    assert 'value="one"' in reception.get(first).content.decode()
    assert 'value="two"' not in reception.get(second).content.decode()
