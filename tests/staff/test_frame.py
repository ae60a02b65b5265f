"""The frame around every page: policy, weight, languages, choosing the clinic, errors."""

import gzip
import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.staticfiles import finders

from audit.models import AuditEvent
from clinics.models import Role
from courses.services import reassess
from tests.factories import ClinicFactory, StaffMemberFactory, UserFactory
from tests.staff.conftest import BACKEND, NOW
from tests.staff.test_today import words_of

PAGES = ["/", "/attention/", "/courses/", "/clients/", "/clients/new/", "/me/"]
HEAVIEST = 100_000


@pytest.fixture
def owner(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.OWNER, display_name="Ilze", is_treating=False)


@pytest.mark.parametrize("address", [*PAGES, "/accounts/login/", "/nothing/"])
def test_page_keeps_to_the_policy(client, log_in, owner, session, address):
    browser = client if address == "/accounts/login/" else log_in(owner)

    response = browser.get(address)

    page = response.content.decode()
    assert response["Content-Security-Policy"].count("'unsafe-") == 0
    assert "script-src 'self';" in response["Content-Security-Policy"] + ";"
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", page) == []
    assert re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*', page) == []


@pytest.mark.parametrize("address", PAGES[:4])
def test_first_page_is_light(log_in, owner, session, address):
    page = log_in(owner).get(address).content

    names = set(re.findall(rf'(?:href|src)="{settings.STATIC_URL}([^"#]+)', page.decode()))
    files = {name: finders.find(name) for name in names if not name.endswith(".woff2")}
    missing = [name for name, path in files.items() if path is None]
    assert missing == [], "run `make assets`"
    weight = len(gzip.compress(page))
    for path in files.values():
        with open(path, "rb") as file:
            weight += len(gzip.compress(file.read()))
    assert "vendor/htmx.min.js" in names
    assert weight < HEAVIEST


def test_form_that_was_open_too_long_says_so(owner, log_in):
    browser = log_in(owner)
    browser.handler.enforce_csrf_checks = True

    response = browser.post("/me/language/", {"language": "ru"})

    assert response.status_code == 403
    assert "Open the page again" in words_of(response)


def test_language_follows_the_user_to_every_page(log_in, owner, session):
    browser = log_in(owner)

    response = browser.post("/me/language/", {"language": "ru"}, follow=True)

    assert "Профиль" in words_of(response)
    day = words_of(browser.get("/"))
    assert "Сегодня понедельник, 9 марта 2026" in day
    assert "Сеанс 3 из 10–15 · Антицеллюлитный массаж" in day
    assert "Здесь ничего нет" in words_of(browser.get("/nothing/"))
    event = AuditEvent.objects.get(action="user.language_chosen")
    assert (event.old, event.new) == ({"language": ""}, {"language": "ru"})


def test_sentences_of_findings_are_told_in_russian(log_in, owner, course):

    reassess(course=course, now=NOW)
    browser = log_in(owner)
    browser.post("/me/language/", {"language": "ru"})

    assert "Сеанс 3 просрочен на 2 дня." in words_of(browser.get("/attention/"))


def test_unknown_language_is_refused(log_in, owner):
    response = log_in(owner).post("/me/language/", {"language": "xx"})

    assert response.status_code == 422
    assert AuditEvent.objects.filter(action="user.language_chosen").count() == 0


def test_clinic_is_chosen_among_ones_own(log_in, owner):
    other = StaffMemberFactory(
        clinic=ClinicFactory(name="Second Clinic"), user=owner.user, role=Role.ANALYST, display_name="Ilze"
    )
    browser = log_in(owner)
    assert "Kalnina Clinic" in words_of(browser.get("/"))

    browser.post("/me/clinic/", {"member": str(other.code)})

    words = words_of(browser.get("/"))
    assert "Second Clinic" in words
    assert "Kalnina Clinic" not in words


def test_next_sign_in_opens_the_clinic_last_worked_in(log_in, owner):
    second = ClinicFactory(name="Second Clinic")
    other = StaffMemberFactory(clinic=second, user=owner.user, role=Role.ANALYST)
    at_desk, elsewhere = log_in(owner), log_in(owner)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        elsewhere.post("/me/clinic/", {"member": str(other.code)})

        anew = log_in(owner)

        assert "Second Clinic" in words_of(anew.get("/"))
        # Who was signed in before stays where they were.
        assert "Kalnina Clinic" in words_of(at_desk.get("/"))


def test_clinic_of_somebody_else_is_refused(log_in, owner):
    stranger = StaffMemberFactory(clinic=ClinicFactory(name="Second Clinic"))
    browser = log_in(owner)

    response = browser.post("/me/clinic/", {"member": str(stranger.code)})

    assert response.status_code == 422
    assert "Kalnina Clinic" in words_of(browser.get("/"))


def test_choice_of_one_clinic_is_not_offered(log_in, owner):
    assert "Clinic you work in now" not in words_of(log_in(owner).get("/me/"))


def test_user_without_a_clinic_is_told_so(client, db):

    user = UserFactory(email="new@example.com")
    client.force_login(user, backend=BACKEND)

    response = client.get("/")

    assert response.status_code == 403
    assert "You are signed in as new@example.com, but no clinic lists you" in words_of(response)


def test_wrong_role_is_told_so(browser_of):
    response = browser_of(Role.ANALYST).get("/clients/new/")

    assert response.status_code == 403
    assert "Not in your role" in words_of(response)


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/accounts/login/", "Sign in"),
        ("/accounts/password/reset/", "Reset your password"),
        ("/accounts/password/reset/done/", "Look into your mail"),
    ],
)
def test_pages_before_login_look_like_ours(client, db, address, title):
    page = client.get(address).content.decode()

    assert f"<h1>{title}</h1>" in page
    assert 'class="entrance-card"' in page


@pytest.mark.parametrize("address", ["/accounts/logout/", "/accounts/2fa/", "/accounts/password/change/"])
def test_pages_of_ones_own_login_look_like_ours(log_in, owner, address):
    page = log_in(owner).get(address, follow=True).content.decode()

    assert 'class="entrance-card"' in page
    assert "Menu:" not in page


def test_login_opens_the_day(client, clinic):

    user = UserFactory(email="ilze@example.com", password="several good words")
    StaffMemberFactory(clinic=clinic, user=user)

    response = client.post(
        "/accounts/login/", {"login": "ilze@example.com", "password": "several good words"}, follow=True
    )

    assert response.redirect_chain == [("/", 302)]
    assert "Today Monday 9 March 2026" in words_of(response)


def test_wrong_password_is_said_plainly(client, db):
    response = client.post("/accounts/login/", {"login": "ilze@example.com", "password": "wrong"})

    assert "The email address and/or password you specified are not correct." in words_of(response)
