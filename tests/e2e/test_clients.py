"""Clients: an owner erases one who asked for it, after typing the name."""

from datetime import date

import pytest
from playwright.sync_api import expect

from clients.models import Client
from clinics.models import Role
from tests.e2e.conftest import add_member


@pytest.fixture
def owner(clinic):
    return add_member(clinic, Role.OWNER, "Ilze")


def test_owner_erases_a_client_after_typing_the_name(open_browser, owner, make_course, watch):
    watch.expect(422)
    client = make_course().client
    page = open_browser(owner)
    page.goto(f"/clients/{client.code}/")

    page.get_by_label("More about this client").click()
    page.get_by_role("link", name="Erase the data").click()
    page.get_by_label("Type the client's name to confirm").fill("Anna")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("This is not the name of the client")).to_be_visible()
    page.get_by_label("Type the client's name to confirm").fill("Anna Berzina")
    page.get_by_role("button", name="Erase for good").click()

    expect(page.get_by_text("The client's data are erased.")).to_be_visible()
    assert Client.objects.get().name != "Anna Berzina"


def test_receptionist_merges_who_was_registered_twice(open_browser, receptionist, make_course):
    kept = make_course().client
    gone = make_course("Anna", "Berzina", at=12, birth_on=date(1980, 1, 2)).client
    page = open_browser(receptionist)
    page.goto(f"/clients/{kept.code}/")

    expect(page.get_by_text("Perhaps registered twice:")).to_be_visible()
    page.locator(".client-twice a").click()
    other = gone.contact_points.get(channel="email").value
    page.get_by_text(other, exact=True).click()
    page.get_by_role("button", name="Make them one client").click()

    expect(page.get_by_text("Both are one client now.")).to_be_visible()
    expect(page.locator(".client-courses > li")).to_have_count(2)
    assert kept.contact_points.filter(channel="email").first().value == other
