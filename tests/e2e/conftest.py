"""A clinic in Riga on Monday 9 March 2026 at ten, a server, and a browser in which each page is watched.

The server runs in this process, so it sees the clock of the tests; the browser sees the machine's.
"""

import os
from datetime import UTC, date, datetime, time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandlerMixin
from django.core.cache import cache
from django.test import Client as TestBrowser

from clinics.models import Role
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    RoomFactory,
    StaffMemberFactory,
    attend,
    prescribe,
)

TODAY = date(2026, 3, 9)
NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
PASSWORD = "a-long-enough-password"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
# The checker's rules of which it finds nothing serious; tests/platform/test_browser.py holds it to that.
LIGHT_RULES = (
    "aria-allowed-role",
    "aria-deprecated-role",
    "empty-table-header",
    "form-field-multiple-labels",
    "heading-order",
    "html-xml-lang-mismatch",
    "image-redundant-alt",
    "landmark-banner-is-top-level",
    "landmark-contentinfo-is-top-level",
    "landmark-main-is-top-level",
    "landmark-no-duplicate-banner",
    "landmark-no-duplicate-contentinfo",
    "landmark-no-duplicate-main",
    "landmark-one-main",
    "landmark-unique",
    "meta-viewport-large",
    "no-autoplay-audio",
    "page-has-heading-one",
    "presentation-role-conflict",
    "region",
    "server-side-image-map",
    "skip-link",
    "table-duplicate-name",
)


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, tmp_path_factory):
    """Keep a SQLite database in a file: requests that come at once would share one connection to memory."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("e2e") / "regimen.sqlite3")


@pytest.fixture(autouse=True)
def monday():
    # Every test is a different moment: rate limits count in the cache.
    cache.clear()
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def lasting_static_files():
    """Let a browser keep the style sheets and scripts of its first page, as it does of the served application.

    The server's clock is half a year behind the browser's, which would ask again for all ten with every page.
    """
    serve = StaticFilesHandlerMixin.serve

    def serve_for_long(self, request):
        response = serve(self, request)
        response["Cache-Control"] = "max-age=315360000, immutable"
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandlerMixin, "serve", serve_for_long)
        yield


@pytest.fixture(autouse=True)
def asynchronous_use():
    """Say plainly what is missing: Playwright runs a loop, in which Django refuses its rows by default."""
    assert os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"), "set DJANGO_ALLOW_ASYNC_UNSAFE=true"


# ------------------------------------------------------------------------------------------------ the clinic


@pytest.fixture
def clinic(transactional_db):
    return ClinicFactory(name="Kalnina Clinic")


@pytest.fixture
def prescriber(clinic):
    return add_member(clinic, Role.PRESCRIBER, "Dr Ozola", is_treating=True)


@pytest.fixture
def receptionist(clinic):
    return add_member(clinic, Role.RECEPTIONIST, "Jana")


@pytest.fixture
def room(clinic):
    return RoomFactory(clinic=clinic, name="Room 1")


@pytest.fixture
def protocol(clinic):
    return ProtocolFactory(clinic=clinic, slug="manual")


def sentence_of(text):
    """The words of an element, spaces drawn together."""
    return " ".join((text or "").split())


def add_member(clinic, role, name, *, is_treating=False):
    """A member of the clinic who can sign in with the password."""
    email = f"{role}-{clinic.pk}@example.com"
    member = StaffMemberFactory(
        clinic=clinic, role=role, display_name=name, is_treating=is_treating, user__email=email
    )
    member.user.set_password(PASSWORD)
    member.user.save()
    return member


# ------------------------------------------------------------------------------------------------ the browser


class Watch:
    """What went wrong in a browser while nobody looked at it.

    A page that is to be refused, or told that a form is wrong, says so in the console: `expect` those statuses.
    """

    # Typing on overtakes the preview of what was typed before; htmx writes that down as an error.
    OVERTAKEN = ("htmx:sendAbort, [object HTMLElement]", "htmx:afterRequest, [object HTMLElement]")

    def __init__(self, origin):
        self.origin = origin
        self.expected = set()
        self.faults = []

    def expect(self, *statuses):
        self.expected |= set(statuses)

    def attach(self, context):
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.faults.append(f"error: {error.error}"))
        context.on("request", self._on_request)
        context.on("response", self._on_response)

    def _on_console(self, message):
        is_expected = message.text in self.OVERTAKEN or any(
            f"with a status of {status}" in message.text for status in self.expected
        )
        if message.type in ("error", "warning") and not is_expected:
            self.faults.append(f"console: {message.text} on {message.page.url if message.page else '?'}")

    def _on_request(self, request):
        if not request.url.startswith((self.origin, "data:", "blob:", "about:")):
            self.faults.append(f"foreign request: {request.url}")

    def _on_response(self, response):
        path = urlsplit(response.url).path
        if path.startswith(settings.STATIC_URL) or not response.url.startswith(self.origin):
            return
        policy = {part.strip() for part in response.headers.get("content-security-policy", "").split(";")}
        # A mail is shown in a frame of this site, and the frame itself may do less than a page.
        if policy - {"frame-src 'self'"} != POLICY and not path.endswith("/html/"):
            self.faults.append(f"policy of {path}: {sorted(policy ^ POLICY)}")
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"status {response.status}: {path}")


@pytest.fixture
def watch(live_server):
    """What every browser of the test is watched by; at the end there must have been no fault."""
    watch = Watch(live_server.url)
    yield watch
    assert "\n".join(watch.faults) == ""


@pytest.fixture
def open_browser(new_context, live_server, watch):
    """Return a function that opens a browser, with a member already signed in, and gives its page."""

    def open_browser(member=None, *, size=WIDE, **options):
        context = new_context(base_url=live_server.url, viewport=size, locale="en-GB", **options)
        context.set_default_timeout(10_000)
        watch.attach(context)
        if member is not None:
            signed_in = TestBrowser()
            signed_in.force_login(member.user, backend=BACKEND)
            name = settings.SESSION_COOKIE_NAME
            cookie = {"name": name, "value": signed_in.cookies[name].value, "url": live_server.url}
            context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])
        return context.new_page()

    return open_browser


@pytest.fixture
def find_faults(axe_source):
    """Return a function that lists what axe finds serious or critical on a page."""

    prepared = set()

    def find_faults(page):
        if page.context not in prepared:
            # The browser's later pages bring it along: sending it to each takes longer than loading it.
            page.context.add_init_script(axe_source)
            page.evaluate(axe_source)
            prepared.add(page.context)
        wanted = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
        # What is left out could not be in the answer, and to look for it takes a third of the time.
        spared = {
            "rules": {name: {"enabled": False} for name in LIGHT_RULES},
            "preload": False,
            "selectors": False,
        }
        # A mail lies in a frame that runs no script, so it could not be looked into.
        options = wanted | spared | {"resultTypes": ["violations"], "iframes": False}
        result = page.evaluate("(options) => axe.run(document, options)", options)
        return [
            f"{found['id']}: {node['html'][:160]}"
            for found in result["violations"]
            if found["impact"] in ("serious", "critical")
            for node in found["nodes"]
        ]

    return find_faults


def follow(page, link):
    """Press a link and wait for the page that it leads to, for what is then asked of the page itself."""
    with page.expect_navigation():
        link.click()


def overflow(page):
    """By how many pixels the page, or a table in it, is wider than its place."""
    measured = "() => Math.max(...[document.documentElement, ...document.querySelectorAll('.table-wrap')]"
    return page.evaluate(measured + ".map((one) => one.scrollWidth - one.clientWidth))")


# ------------------------------------------------------------------------------------------------ courses


@pytest.fixture
def make_course(prescriber, protocol):
    """Return a function that prescribes a course from 2 March, attended on the 2nd and 4th unless told."""

    def make_course(given_name="Anna", family_name="Berzina", *, attended=(2, 4), at=10, **fields):
        client = ClientFactory(
            clinic=prescriber.clinic,
            given_name=given_name,
            family_name=family_name,
            search_text=f"{given_name} {family_name}".lower(),
            **fields,
        )
        begun = datetime(2026, 3, 2, 4, tzinfo=UTC)
        course = prescribe(
            now=begun, member=prescriber, client=client, protocol=protocol, practitioner=prescriber
        )
        if attended:
            attend(course, [date(2026, 3, number) for number in attended], time(at))
        return course

    return make_course
