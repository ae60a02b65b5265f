"""A spreadsheet is looked at, imported and undone, on a telephone and without script."""

import pytest
from playwright.sync_api import expect

from clients.models import Client
from clinics.models import Role
from tests.e2e.conftest import PHONE, add_member, overflow


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "plain"])
def test_clients_are_imported_and_the_import_is_undone(open_browser, clinic, has_script):
    # Given a list in which one row of three is wrong
    owner = add_member(clinic, Role.OWNER, "Ilze")
    page = open_browser(owner, size=PHONE, java_script_enabled=has_script)
    before = Client.objects.count()
    lines = "ФИО;Телефон\nБерзиня Анна;29 555 001\nЗайцева Ольга;29 555 002\nКто-то;12\n"
    page.goto("/settings/imports/")

    # When the owner looks at it, checks it and imports it
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "клиенты.csv", "mimeType": "text/csv", "buffer": lines.encode("cp1251")}
    )
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_label("Telephone")).to_have_value("1")
    page.get_by_role("button", name="Check every row").click()
    expect(page.get_by_text("2 new, 1 refused")).to_be_visible()
    expect(page.get_by_text("Telephone: This is not a telephone number.")).to_be_visible()
    assert overflow(page) <= 0
    assert Client.objects.count() == before
    page.get_by_role("button", name="Import: 2 new").click()

    # Then the two are there
    expect(page.get_by_text("2 made, 1 refused")).to_be_visible()
    assert Client.objects.filter(given_name="Анна", family_name="Берзиня").exists()

    # And when the import was a mistake, they are gone
    page.get_by_role("link", name="Undo the whole import").click()
    page.get_by_role("button", name="Undo the whole import").click()
    expect(page.get_by_text("2 undone, 1 refused")).to_be_visible()
    assert Client.objects.count() == before
