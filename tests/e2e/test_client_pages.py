"""The client's pages in a browser: a telephone in a tram, with and without script, and whoever looks before."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from clients.models import AccessLink, Client, Consent
from courses.models import SessionStatus, TreatmentSession
from reminders.models import Reminder
from reminders.services.linking import new_links
from tests.e2e.conftest import NOW, TODAY, WIDE, overflow
from tests.factories import book
from tests.portal.crawling import everything

SMALL = {"width": 360, "height": 740}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def visit(make_course, room):
    """A visit of tomorrow."""
    return book(make_course(), TODAY.replace(day=10), at=NOW.time().replace(hour=15), now=NOW, room=room)


@pytest.fixture
def links(visit):
    """The addresses of a message about the visit, without their host."""
    row = Reminder.objects.select_related("session").filter(session=visit).first()
    made, rows = new_links(row, now=NOW)
    AccessLink.objects.bulk_create(AccessLink(**row._asdict()) for row in rows)
    return urlsplit(made.session).path, urlsplit(made.unsubscribe).path


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_visit_is_confirmed_then_cancelled(open_browser, links, visit, script):
    page = open_browser(size=PHONE, java_script_enabled=script)

    page.goto(links[0])
    expect(page.get_by_role("heading", name="Your visit")).to_be_visible()
    assert links[0].strip("/").rpartition("/")[2] not in page.url
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="You have confirmed")).to_be_visible()
    visit.refresh_from_db()
    assert visit.status == SessionStatus.CONFIRMED
    page.get_by_role("link", name="I cannot come").click()
    page.get_by_label("Why? The clinic reads it.").fill("I am ill.")
    page.get_by_role("button", name="Cancel the visit").click()
    expect(page.get_by_role("heading", name="You have cancelled this visit")).to_be_visible()

    visit.refresh_from_db()
    assert (visit.status, visit.cancel_reason) == (SessionStatus.CANCELLED_BY_CLIENT, "I am ill.")


def test_going_back_and_pressing_again_changes_nothing(open_browser, links, visit):
    page = open_browser(size=PHONE)
    page.goto(links[0])
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="You have confirmed")).to_be_visible()
    version = TreatmentSession.objects.get(pk=visit.pk).confirmed_at

    page.go_back()
    if page.get_by_role("button", name="Confirm").count():
        page.get_by_role("button", name="Confirm").click()

    expect(page.get_by_role("heading", name="You have confirmed")).to_be_visible()
    assert TreatmentSession.objects.get(pk=visit.pk).confirmed_at == version


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_channel_is_stopped_and_started_again(open_browser, links, visit, script):
    page = open_browser(size=PHONE, java_script_enabled=script)
    in_force = Consent.objects.filter(client=visit.client, channel="email", withdrawn_at=None)

    page.goto(links[1])
    page.get_by_role("button", name="Stop these messages").click()
    expect(page.get_by_role("button", name="Send me messages again")).to_be_visible()
    assert not in_force.exists()
    page.get_by_role("button", name="Send me messages again").click()

    expect(page.get_by_role("button", name="Stop these messages")).to_be_visible()
    assert in_force.exists()


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_scanner_with_a_browser_changes_nothing(open_browser, links, visit, script):
    """Some scanners run a browser: they open each link, and whatever it leads to, and wait for scripts."""
    before = everything()

    for _ in range(2):
        page = open_browser(java_script_enabled=script)
        for link in links:
            page.goto(link, wait_until="networkidle")
            found = page.locator("a[href^='/']")
            for address in [found.nth(i).get_attribute("href") for i in range(found.count())]:
                page.goto(address, wait_until="networkidle")
        page.context.close()

    assert everything() == before
    assert AccessLink.objects.get(purpose="session").use_count == 2


# Every two of the three meet, as a fault seldom takes all three at once.
@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [(SMALL, "light", "ru"), (SMALL, "dark", "en"), (WIDE, "light", "en"), (WIDE, "dark", "ru")],
    ids=["small-light-ru", "small-dark-en", "wide-light-en", "wide-dark-ru"],
)
def test_pages_fit_and_can_be_read_by_everybody(
    open_browser, find_faults, watch, links, visit, size, scheme, language
):
    watch.expect(404)
    Client.objects.filter(pk=visit.client_id).update(language=language)
    page = open_browser(size=size, color_scheme=scheme)
    page.goto(links[0])
    here = urlsplit(page.url).path
    faults = {}

    for address in (here, f"{here}cancel/", links[1], "/c/v/unknown/"):
        page.goto(address)
        faults[address] = (find_faults(page), overflow(page))

    assert set(map(str, faults.values())) == {"([], 0)"}


def test_keyboard_reaches_every_button_in_order(open_browser, links):
    page = open_browser(size=PHONE)
    page.goto(links[0])

    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.textContent.trim()"))

    assert reached == ["Confirm", "I cannot come", "Call +37120000000"]


def test_first_page_is_small(open_browser, links):
    page = open_browser(size=PHONE)
    sizes = []
    page.on("response", lambda response: sizes.append(len(response.body()) if response.status == 200 else 0))

    page.goto(links[0], wait_until="networkidle")

    assert 0 < sum(sizes) < 50_000
