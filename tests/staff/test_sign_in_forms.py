"""The pages before the login: labelled as all pages are, and each label said once."""

import re

import pytest

from tests.factories import StaffMemberFactory

pytestmark = pytest.mark.django_db


def labels_of(response):
    """The labels of a page's fields, of which no example may repeat one."""
    page = response.content.decode()
    assert "placeholder" not in page.split("<form", 1)[1]
    return re.findall(r'class="form-(?:label|check-label)"[^>]*>([^<]+)<', page)


@pytest.mark.parametrize(
    ("language", "login", "reset"),
    [
        ("en", ["E-mail", "Password", "Stay signed in"], ["E-mail"]),
        ("ru", ["Эл. почта", "Пароль", "Оставаться в системе"], ["Эл. почта"]),
    ],
)
def test_stranger_reads_each_label_once(client, language, login, reset):
    headers = {"Accept-Language": language}

    shown = [
        labels_of(client.get(f"/accounts/{page}/", headers=headers)) for page in ("login", "password/reset")
    ]

    assert shown == [login, reset]


def test_nobody_is_told_that_they_are_signed_in(client, clinic):
    member = StaffMemberFactory(clinic=clinic)
    member.user.set_password("a-long-enough-password")
    member.user.save()

    page = client.post(
        "/accounts/login/",
        {"login": member.user.email, "password": "a-long-enough-password"},
        follow=True,
    )

    assert page.redirect_chain == [("/", 302)]
    assert list(page.context["messages"]) == []


def test_member_who_changes_the_password_reads_its_rules_as_a_hint(clinic, log_in):
    member = StaffMemberFactory(clinic=clinic)
    member.user.set_password("a-long-enough-password")
    member.user.save()

    page = log_in(member).get("/accounts/password/change/")

    assert re.search(r'<div class="form-hint"[^>]*><ul>', page.content.decode())
    assert labels_of(page) == ["Password until now", "New password", "New password once more"]
