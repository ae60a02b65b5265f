"""The client's pages in a browser: a telephone in a tram, with and without script, and whoever looks before."""

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from clients.models import AccessLink, Client, Consent
from courses.models import SessionStatus, TreatmentSession
from reminders.models import Reminder
from reminders.services import drain
from reminders.services.linking import new_links
from tests.e2e.conftest import NOW, TODAY, WIDE, overflow
from tests.factories import book
from tests.portal.crawling import everything
from tests.reminders.builders import Memory

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


def test_from_a_received_mail_to_a_confirmed_moved_and_cancelled_visit(open_browser, visit, receptionist):
    """Given a mail, when its link is followed and pressed, then the clinic's day shows it at once."""
    mail = Memory()
    due = NOW + timedelta(hours=5)
    Reminder.objects.filter(session=visit, rule__slug="day-before").update(send_at=due)
    drain(clock=lambda: due, factories={"email": lambda: mail})
    link = urlsplit(re.search(r"http\S+/c/v/\S+", mail.messages[0].text)[0]).path
    page, staff = open_browser(size=SMALL), open_browser(receptionist)

    def day_shows(status, *, on="2026-03-10"):
        staff.goto(f"/?on={on}")
        expect(staff.locator(f"#session-row-{visit.code}")).to_contain_text(status)

    page.goto(link)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="You have confirmed")).to_be_visible()
    day_shows("Confirmed")

    page.get_by_role("link", name="Another time").click()
    chosen = page.get_by_role("group", name="Wednesday, 11 March").get_by_role("button").first
    time_chosen = chosen.inner_text()
    chosen.click()
    expect(page.get_by_text("Done. This is your new time.")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("Wednesday, 11 March")
    expect(page.locator(".facts time")).to_contain_text(f"{time_chosen}–")
    day_shows("Booked", on="2026-03-11")
    staff.goto("/calendar/")
    expect(staff.locator("main")).to_contain_text("Berzina")

    page.get_by_role("link", name="I cannot come").click()
    page.get_by_role("button", name="Cancel the visit").click()
    expect(page.get_by_role("heading", name="You have cancelled this visit")).to_be_visible()
    day_shows("ancelled", on="2026-03-11")

    page.get_by_role("link", name="All my visits").click()
    page.get_by_role("link", name="Choose a time").click()
    page.get_by_role("button", name=":").first.click()
    expect(page.get_by_text("Your visit is booked.")).to_be_visible()
    assert TreatmentSession.objects.filter(client=visit.client, status=SessionStatus.BOOKED).count() == 1


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_course_is_shown_wishes_are_kept_and_bruises_are_reported(
    open_browser, links, visit, script, receptionist
):
    Client.objects.filter(pk=visit.client_id).update(birth_on=date(1987, 5, 4))
    page = open_browser(size=SMALL, java_script_enabled=script)

    page.goto(links[0])
    page.get_by_role("link", name="All my visits").click()
    page.get_by_label("Year of birth").fill("1987")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#progress svg").first).to_be_visible()
    page.get_by_role("link", name="How do you feel?").click()
    page.get_by_label("I have bruises").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Visits usually wait until bruises have healed")).to_be_visible()
    page.get_by_role("link", name="All my visits").click()
    page.get_by_role("link", name="Messages and language").click()
    page.get_by_label("only day, time and place").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    staff = open_browser(receptionist)
    staff.goto("/attention/")
    expect(staff.get_by_role("link", name="Pause until healed")).to_be_visible()
    assert Client.objects.get(pk=visit.client_id).detail_level == "neutral"


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
        seen = set()
        for link in links:
            page.goto(link, wait_until="networkidle" if script else "load")
            found = page.locator("a[href^='/']")
            ahead = [found.nth(i).get_attribute("href") for i in range(found.count())]
            while ahead:
                address = ahead.pop()
                if address in seen:
                    continue
                seen.add(address)
                page.goto(address)
                found = page.locator("a[href^='/c/']")
                ahead += [found.nth(i).get_attribute("href") for i in range(found.count())]
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

    Client.objects.filter(pk=visit.client_id).update(birth_on=date(1987, 5, 4))
    attended = TreatmentSession.objects.filter(client=visit.client_id, status="attended").last()
    course = here.replace("/visit/", "/course/")
    pages = ("", "wishes/", "data/", "calendar/")
    for address in (
        *(here, f"{here}cancel/", f"{here}move/", f"{here}{attended.code}/feel/", links[1]),
        *(f"{course}{name}" for name in pages),
        *("/c/", "/c/v/unknown/"),
    ):
        page.goto(address)
        faults[address] = (find_faults(page), overflow(page))

    assert set(map(str, faults.values())) == {"([], 0)"}


def test_keyboard_reaches_every_button_in_order(open_browser, links):
    page = open_browser(size=PHONE)
    page.goto(links[0])

    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.textContent.trim()"))

    assert reached == [
        "Confirm",
        "Another time",
        "I cannot come",
        "Tell me when an earlier time becomes free",
        "All my visits",
        "Call +37120000000",
    ]


def test_first_page_is_small(open_browser, links):
    page = open_browser(size=PHONE)
    sizes = []
    page.on("response", lambda response: sizes.append(len(response.body()) if response.status == 200 else 0))

    page.goto(links[0], wait_until="networkidle")

    assert 0 < sum(sizes) < 50_000
