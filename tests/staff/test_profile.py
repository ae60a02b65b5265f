"""One's own settings: how one signs in, and the names of the languages."""

import re

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from clinics.models import Role
from tests.factories import StaffMemberFactory
from tests.staff.test_today import words_of

SETTING_UP = "/accounts/2fa/totp/activate/"
TURNING_OFF = "/accounts/2fa/totp/deactivate/"
SHOWING_CODES = "/accounts/2fa/recovery-codes/"
MAKING_CODES = "/accounts/2fa/recovery-codes/generate/"


@pytest.fixture
def member(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.ANALYST, is_treating=False)


@pytest.fixture
def codes(member):
    """The recovery codes of the member, whose second step is on."""
    TOTP.activate(member.user, generate_totp_secret())
    return RecoveryCodes.activate(member.user)


def ways_of_signing_in(response):
    """The addresses of the page's content that belong to the login, and not to the frame."""
    content = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return re.findall(r'href="(/accounts/[^"]*)"', content)


def test_profile_leads_to_the_set_up_of_the_second_step(log_in, member):
    response = log_in(member).get("/me/")

    words = words_of(response)
    assert "Second step at sign-in Off Only the password guards your sign-in." in words
    assert "Recovery codes" not in words
    assert ways_of_signing_in(response) == [SETTING_UP, "/accounts/password/change/"]


def test_profile_tells_that_the_second_step_is_on(log_in, member, codes):
    response = log_in(member).get("/me/")

    words = words_of(response)
    assert "Second step at sign-in On After the password you give six digits" in words
    assert "Set up: Mon 9 Mar." in words
    assert "10 of 10 codes are left." in words
    assert "Set up the second step" not in words
    assert ways_of_signing_in(response) == [
        SHOWING_CODES,
        MAKING_CODES,
        TURNING_OFF,
        "/accounts/password/change/",
    ]


def test_profile_counts_the_codes_that_are_left(log_in, member, codes):
    for code in codes.generate_codes()[:9]:
        assert codes.validate_code(code)

    assert "1 of 10 codes is left." in words_of(log_in(member).get("/me/"))


def test_profile_warns_when_no_code_is_left(log_in, member, codes):
    codes.instance.delete()

    response = log_in(member).get("/me/")

    assert "No recovery codes are left. Without them a lost telephone locks you out." in words_of(response)
    assert ways_of_signing_in(response)[:2] == [MAKING_CODES, TURNING_OFF]


def test_profile_shows_no_code_and_nobody_elses_state(log_in, member, codes, clinic):
    page = log_in(member).get("/me/").content.decode()
    other = StaffMemberFactory(clinic=clinic, role=Role.ANALYST, is_treating=False)

    assert [code for code in codes.generate_codes() if code in page] == []
    assert "Second step at sign-in Off" in words_of(log_in(other).get("/me/"))


@pytest.mark.parametrize("is_on", [False, True])
def test_second_step_reads_russian(log_in, member, is_on, request):
    if is_on:
        request.getfixturevalue("codes")
    member.user.language = "ru"
    member.user.save()

    words = words_of(log_in(member).get("/me/"))

    assert "Второй шаг при входе " + ("Включён" if is_on else "Выключен") in words
    assert ("Осталось 10 кодов из 10." in words) == is_on
    assert ("Сейчас ваш вход защищает только пароль." in words) != is_on


@pytest.mark.parametrize("address", [SETTING_UP, MAKING_CODES, TURNING_OFF])
def test_a_changed_login_asks_who_it_is_first(log_in, member, codes, address):
    response = log_in(member).get(address)

    assert response.status_code == 302
    assert response["Location"].split("?")[0] in (
        "/accounts/2fa/reauthenticate/",
        TURNING_OFF,
        "/accounts/reauthenticate/",
    )


def test_menu_leads_to_the_profile(log_in, member):
    page = log_in(member).get("/").content.decode()

    assert page.count('<a href="/me/">') == 2


def test_languages_are_named_in_themselves(log_in, member):
    member.user.language = "ru"
    member.user.save()

    assert "Язык страниц English Русский" in words_of(log_in(member).get("/me/"))
