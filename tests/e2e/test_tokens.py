"""A key for a program is made, tried from outside and taken back."""

import re

from playwright.sync_api import expect

from clinics.models import Role
from tests.e2e.conftest import PHONE, add_member, overflow


def test_key_is_made_on_a_telephone_and_revoked(open_browser, clinic, live_server):
    owner = add_member(clinic, Role.OWNER, "Ilze")
    page = open_browser(owner, size=PHONE)
    page.goto("/settings/tokens/")

    # When the owner makes a token that may export too
    page.get_by_label("Name of the program").fill("Accounting")
    page.get_by_text("Take rows out of the system").click()
    page.get_by_role("button", name="Make the token").click()

    # Then the key is there to be copied, and opens the clinic
    key = page.locator(".secret-text").first.inner_text()
    assert re.fullmatch(r"rgm_[\w-]{43}", key)
    assert overflow(page) <= 0
    address = f"{live_server.url}/api/v1/clinic/"
    answer = page.request.get(address, headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["token"]["scopes"] == ["read", "export"]

    # When it is revoked, which asks first
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name=re.compile("Revoke.*Accounting")).click()
    expect(page.get_by_role("heading", name="Revoke the token?")).to_be_visible()
    page.get_by_role("button", name="Revoke").click()

    # Then it opens nothing
    expect(page.get_by_text("Accounting opens nothing any more.")).to_be_visible()
    assert page.request.get(address, headers={"Authorization": f"Bearer {key}"}).status == 401
