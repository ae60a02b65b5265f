"""Settings, API tokens: a key is shown once, the list tells what each may do, and revoking asks first."""

import re

import pytest
from django.test import Client as Browser

from clinics.models import ApiToken, Role
from tests.staff.test_today import words_of

LIST = "/settings/tokens/"
TYPED = {
    "name": " Accounting ",
    "scopes": ["read", "export"],
    "expires_on": "2026-03-20",
    "code": "0b0e7f0a-3c3f-4a51-9ad5-7d7f5c1f2a10",
}


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER, display_name="Ilze")


def test_key_is_shown_once_and_opens_the_clinic_until_it_is_revoked(owner, clinic):
    made = owner.post(LIST, TYPED)
    key = re.search(r"rgm_[\w-]{43}", made.content.decode())[0]
    again = owner.post(LIST, TYPED)

    def ask():
        return Browser().get("/api/v1/clinic/", headers={"Authorization": f"Bearer {key}"})

    assert (made.status_code, made["Cache-Control"]) == (200, "no-store")
    assert f'curl -H "Authorization: Bearer {key}" http://testserver/api/v1/clinic/' in words_of(made)
    assert again.status_code == 422
    assert "This token is made already. Its key was shown once" in words_of(again)
    assert ask().json()["clinic"]["name"] == "Kalnina Clinic"
    token = ApiToken.objects.get()
    page = owner.get(LIST)
    assert key not in page.content.decode()
    line = page.context["lines"][0]
    assert (line.token, line.may, line.made, line.used, line.until, line.badge.label) == (
        token,
        "Read clients, courses and sessions; Take rows out of the system",
        "made Mon 9 Mar by Ilze",
        "last used Mon 9 Mar, 10:00",
        "until Fri 20 Mar",
        "Expires soon",
    )

    asked = owner.get(f"{LIST}{token.code}/revoke/")
    before = ask().status_code
    owner.post(f"{LIST}{token.code}/revoke/")

    assert "cannot be taken back" in words_of(asked)
    assert (before, ask().status_code) == (200, 401)
    assert [line.badge.label for line in owner.get(LIST).context["over"]] == ["Revoked"]
    assert "API token revoked" in words_of(owner.get("/settings/audit/"))


def test_wrong_fields_are_named_and_keep_what_was_typed(owner):
    missing = owner.post(LIST, {"name": "Web site", "expires_on": "", "code": TYPED["code"]})
    late = owner.post(LIST, TYPED | {"expires_on": "2028-04-01", "name": "Web\x07site"})

    assert (missing.status_code, late.status_code) == (422, 422)
    assert list(missing.context["form"].errors) == ["scopes", "expires_on"]
    assert 'value="Web site"' in missing.content.decode()
    assert late.context["form"].errors == {
        "name": ["Leave out the characters that cannot be printed."],
        "expires_on": ["Choose a day from today to two years ahead."],
    }
    assert not ApiToken.objects.exists()
