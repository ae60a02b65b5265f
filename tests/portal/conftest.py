"""A client in Riga on Monday 2 March 2026 at eight, with a visit on Wednesday at three and the links to it."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client as Browser

from clients.models import AccessLink
from reminders.models import Reminder
from reminders.services.linking import new_links
from tests.reminders.builders import NOW, Desk, make_desk


@dataclass
class Visitor:
    """A client's browser and the addresses of one message."""

    desk: Desk
    browser: Browser
    visit_link: str
    stop_link: str
    course_link: str
    feeling_link: str

    @property
    def client(self):
        return self.desk.course.client

    def open(self, address=None):
        """Follow a link as a browser does; return its page."""
        return self.browser.get(address or self.visit_link, follow=True)

    def press(self, what, data=None, *, browser=None, version=None):
        """Press a button of the visit's page, seen as it is now unless told."""
        seen = self.desk.fresh_session().version if version is None else version
        return (browser or self.browser).post(
            f"{self.page}{what}/", {"version": seen, **(data or {})}, follow=True
        )

    @property
    def page(self):
        return f"/c/visit/{self.link('session').token_hash[:16]}/"

    @property
    def course_page(self):
        return f"/c/course/{self.link('session').token_hash[:16]}/"

    def choose(self, address, number=0, *, browser=None):
        """Press one of the times that a page offers; return the page that follows."""
        browser = browser or self.browser
        slots = re.findall(r'name="slot" value="([^"]+)"', browser.get(address).content.decode())
        return browser.post(address, {"slot": slots[number]}, follow=True)

    @property
    def channel_page(self):
        return f"/c/messages/{self.link('unsubscribe').token_hash[:16]}/"

    @property
    def feeling_page(self):
        return f"/c/feeling/{self.link('feeling').token_hash[:16]}/"

    def link(self, purpose):
        return AccessLink.objects.select_related("client").get(purpose=purpose, client=self.client)


@pytest.fixture(autouse=True)
def clock(settings):
    # Of its own for each process: tests that run beside these clear a shared one.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def make_visitor(db):
    """Return a function that makes a clinic with a client who got a message with both links."""

    def make_visitor(**options):
        desk = make_desk(**options)
        row = Reminder.objects.select_related("session").get(pk=desk.row("day-before").pk)
        links, rows = new_links(row, now=NOW)
        row.trigger = "after_session"
        asking, asked = new_links(row, now=NOW)
        row.trigger, row.session = "before_session", None
        others, more = new_links(row, now=NOW)
        AccessLink.objects.bulk_create(AccessLink(**row._asdict()) for row in (*rows, more[0], asked[0]))
        paths = [
            urlsplit(link).path for link in (links.session, links.unsubscribe, others.course, asking.session)
        ]
        return Visitor(desk, Browser(), *paths)

    return make_visitor


@pytest.fixture
def visitor(make_visitor):
    return make_visitor()


def words(response):
    """Return what a page says, without its markup."""
    main = response.content.decode().partition("<main>")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def state_of(response):
    """Return the heading of a page."""
    text = response.content.decode()
    return text.partition("<h1>")[2].partition("</h1>")[0]
