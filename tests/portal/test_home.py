"""The client's pages on a home screen: kept by a telephone, forgotten by it, and small on a slow line."""

import gzip
import json
import re
from datetime import date, timedelta

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from clients.models import AccessLink, Client
from tests.factories import attend, book
from tests.portal.conftest import state_of, words
from tests.reminders.builders import NOW

pytestmark = pytest.mark.django_db


def test_telephone_keeps_a_course_until_it_is_told_to_forget(visitor, clock):
    visitor.open()
    kept = visitor.browser.post(f"{visitor.course_page}keep/", follow=True)
    again = visitor.browser.post(f"{visitor.course_page}keep/", follow=True)
    clock.move_to(NOW + timedelta(days=40))
    opened = visitor.browser.get("/c/", follow=True)
    page = opened.redirect_chain[-1][0]
    stranger = Browser().get("/c/")
    forgotten = visitor.browser.post(f"{page}forget/", follow=True)

    assert "Kept. Now put this page on your home screen" in words(kept)
    assert "Forget my visits on this telephone" in words(again)
    assert AccessLink.objects.filter(client=visitor.client, purpose="course").count() == 2
    assert opened.status_code == 200
    assert state_of(stranger) == state_of(forgotten) == state_of(visitor.browser.get("/c/")) == "My visits"
    assert visitor.browser.get(page).status_code == 404
    assert AuditEvent.objects.filter(action="client.page_kept").count() == 1


def test_what_is_kept_shows_how_it_goes_to_nobody_who_only_holds_the_telephone(visitor, clock):
    Client.objects.filter(pk=visitor.client.pk).update(birth_on=date(1987, 5, 4))
    visitor.open()
    visitor.browser.post(f"{visitor.course_page}year/", {"year": "1987"})
    visitor.browser.post(f"{visitor.course_page}keep/")
    clock.move_to(NOW + timedelta(hours=2))

    opened = visitor.browser.get("/c/", follow=True)

    assert "Year of birth" in words(opened)
    assert visitor.desk.course.protocol.name_en not in opened.content.decode()


@pytest.mark.parametrize(("language", "name"), [("en", "My visits"), ("ru", "Мои визиты")])
def test_manifest_installs_pages_that_start_at_home(client, settings, language, name):
    response = client.get("/c/app.webmanifest", headers={"accept-language": language})

    values = json.loads(response.content)
    assert response["Content-Type"] == "application/manifest+json"
    assert (values["name"], values["start_url"], values["display"]) == (name, "/c/", "standalone")
    for icon in values["icons"]:
        assert (settings.BASE_DIR / icon["src"].lstrip("/")).is_file()


def test_fullest_page_with_all_it_loads_stays_under_fifty_kilobytes(visitor, settings):
    """Compressed, as every server in front of it sends it."""
    desk = visitor.desk
    desk.course.clinic.shows_treatment_in_messages = True
    desk.course.clinic.save()
    desk.course.protocol.preparation_en = "Do not eat for two hours.\nDrink water.\n" * 5
    desk.course.protocol.save()
    attend(desk.course, [date(2026, 3, 2)])
    for day in range(5, 20):
        if date(2026, 3, day).isoweekday() < 6:
            book(desk.course, date(2026, 3, day), now=NOW)

    pages = {}
    visitor.open()
    for address in (visitor.course_page, f"{visitor.page}move/", f"{visitor.course_page}wishes/"):
        content = visitor.browser.get(address).content
        loaded = re.findall(r'(?:href|src)="/static/([^"]+\.(?:css|js|svg))"', content.decode())
        files = [(settings.BASE_DIR / "static" / name).read_bytes() for name in loaded]
        pages[address] = sum(len(gzip.compress(part)) for part in (content, *files))

    assert "<svg" in visitor.browser.get(visitor.course_page).content.decode()
    assert all(3_000 < size < 50_000 for size in pages.values()), pages
