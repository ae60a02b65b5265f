"""The login's own mails and refusals: in our words, in the reader's language, and with what to do next."""

import pytest
from django.core.cache import cache
from django.test import Client as Browser

from clinics.models import Language
from tests.staff.test_today import words_of

RESET = "/accounts/password/reset/"


@pytest.fixture(autouse=True)
def fresh():
    # Attempts are counted in the cache.
    cache.clear()


def test_link_for_a_new_password_comes_in_the_language_of_its_reader(prescriber, mailoutbox):
    prescriber.user.language = Language.RUSSIAN
    prescriber.user.save()

    Browser().post(RESET, {"email": prescriber.user.email}, headers={"Accept-Language": "en"})

    (mail,) = mailoutbox
    assert mail.subject == "Новый пароль для Regimen"
    assert mail.body.startswith("Кто-то, скорее всего вы, попросил новый пароль для страниц Regimen.")
    (link,) = (line for line in mail.body.splitlines() if line.startswith("http://testserver"))
    assert "Choose a new password" in words_of(Browser().get(link, follow=True))


def test_address_without_a_login_is_not_invited_to_sign_up(clinic, mailoutbox):
    Browser().post(RESET, {"email": "nobody@example.com"})

    (mail,) = mailoutbox
    assert mail.subject == "No login with this address"
    assert "The owner of your clinic can tell you which one, and can invite you." in mail.body
    assert "http" not in mail.body


def test_confirmation_of_an_address_names_no_host_but_in_its_link(log_in, prescriber, mailoutbox):
    browser = log_in(prescriber)
    browser.post("/accounts/reauthenticate/", {"password": "password"})

    browser.post("/accounts/email/", {"action_add": "", "email": "new@example.com"})

    (mail,) = mailoutbox
    assert mail.subject == "Confirm your e-mail address"
    assert [line for line in mail.body.splitlines() if "testserver" in line] == [
        line
        for line in mail.body.splitlines()
        if line.startswith("http://testserver/accounts/confirm-email/")
    ]


def test_too_many_attempts_say_how_long_to_wait(prescriber):
    answers = [
        Browser().post("/accounts/login/", {"login": prescriber.user.email, "password": f"wrong {number}"})
        for number in range(6)
    ]

    assert "Too many attempts. Wait five minutes" in words_of(answers[-1])
