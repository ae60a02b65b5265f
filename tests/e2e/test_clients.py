"""Clients: an owner erases one who asked for it, after typing the name."""

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
