"""Secret addresses from outside: guesses, other purposes, what is remembered, limited, said and logged."""

import logging
import re
from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client as Browser
from django.utils.module_loading import import_string
from redis.exceptions import ConnectionError as RedisAway

from audit.services import SYSTEM
from clients.links import new_token, revoke_links
from clients.models import AccessLink, Client
from courses.models import SessionStatus
from portal import access, channels, courses, feeds, limits, visits
from tests.portal.conftest import state_of, words
from tests.reminders.builders import NOW

pytestmark = pytest.mark.django_db
OVER = {"created_at": NOW - timedelta(days=1), "expires_at": NOW}


def token_of(address):
    return address.strip("/").rpartition("/")[2]


def body(response):
    """Return a page as it is but for what is new in every answer."""
    return re.sub(rb'value="[A-Za-z0-9]{64}"', b"", response.content)


# ------------------------------------------------------------------------------------------------ tokens


def test_all_that_leads_nowhere_looks_the_same(visitor, make_visitor, clock):
    other = make_visitor()
    revoke_links(client=other.client, by=SYSTEM, now=NOW)
    token = token_of(visitor.visit_link)
    swapped = token[:-1] + ("a" if token[-1] != "a" else "b")
    addresses = [
        f"/c/v/{new_token()}/",
        f"/c/v/{swapped}/",
        f"/c/v/{token}x/",
        f"/c/v/{token_of(visitor.stop_link)}/",
        f"/c/u/{token}/",
        other.visit_link,
        "/c/v/%00%27%20OR%201=1--/",
        f"/c/visit/{visitor.link('session').token_hash[:16]}/",
        "/c/visit/0000000000000000/",
        "/c/messages/0000000000000000/",
    ]
    forgotten = make_visitor()
    AccessLink.objects.filter(client=forgotten.client).update(**OVER)
    Client.objects.filter(pk=forgotten.client.pk).update(erased_at=NOW)
    responses = [Browser().get(address) for address in (*addresses, forgotten.visit_link)]

    assert {response.status_code for response in responses} == {404}
    assert len({body(response) for response in responses}) == 1
    assert not any(response.cookies for response in responses)
    assert state_of(responses[0]) == "This link does not work"


@pytest.mark.parametrize("name", ["visit_link", "course_link", "stop_link", "feeling_link"])
def test_link_that_was_given_out_says_that_it_has_expired_and_whom_to_ask(visitor, clock, name):
    """Whoever holds the token holds the message, so this tells nobody else anything; a letter beside it is unknown."""
    address = getattr(visitor, name)
    token = token_of(address)
    AccessLink.objects.update(**OVER)
    guessed = Browser().get(address.replace(token, token[:-1] + ("a" if token[-1] != "a" else "b")))

    response = Browser().get(address)

    assert (response.status_code, state_of(response)) == (410, "This link has expired")
    assert visitor.client.clinic.phone in response.content.decode()
    assert not response.cookies
    said = words(response) + str(response.headers)
    session = visitor.desk.session
    names = (visitor.client.given_name, visitor.client.family_name, str(session.code), "4 March", "15:00")
    assert [name for name in names if name in said] == []
    assert (guessed.status_code, state_of(guessed)) == (404, "This link does not work")


def test_expired_links_are_no_guesses_and_cost_the_same(visitor, django_assert_num_queries):
    AccessLink.objects.update(**OVER)
    browser = Browser(REMOTE_ADDR="198.51.100.7")
    for address in (visitor.visit_link, f"/c/v/{new_token()}/"):
        with django_assert_num_queries(1):
            browser.get(address)

    statuses = {browser.get(visitor.visit_link).status_code for _ in range(limits.GUESSES.most + 5)}

    assert statuses == {410}


def test_guesser_is_stopped_and_shuts_out_nobody_who_holds_a_link(visitor, django_assert_num_queries):
    """Behind one address of a carrier there may be a guesser and many clients."""
    guesser = Browser(REMOTE_ADDR="198.51.100.7")
    statuses = [guesser.get(f"/c/v/{new_token()}/").status_code for _ in range(limits.GUESSES.most + 5)]

    with django_assert_num_queries(1):
        stopped = guesser.get(f"/c/u/{new_token()}/")
    neighbour = Browser(REMOTE_ADDR="198.51.100.7")
    opened = [neighbour.get(link).status_code for link in (visitor.visit_link, visitor.course_link)]
    one_click = neighbour.post(visitor.stop_link, {"List-Unsubscribe": "One-Click"})

    assert statuses == [404] * limits.GUESSES.most + [429] * 5
    assert (stopped.status_code, stopped["Retry-After"]) == (429, "600")
    assert guesser.post(f"/c/u/{new_token()}/", {"List-Unsubscribe": "One-Click"}).status_code == 429
    # For another purpose it is a guess like any other.
    assert neighbour.get(f"/c/k/{token_of(visitor.visit_link)}/").status_code == 429
    assert (opened, one_click.status_code) == ([302, 302], 200)


@pytest.fixture
def guess_often(visitor, rf, monkeypatch):
    """Return a function that guesses links of each kind from several addresses, and counts the answers by status.

    Half of the guesses are a letter away from a link that works.
    """
    # Writing the same page thousands of times is all that would take long.
    monkeypatch.setattr(access, "render", lambda *_, status: HttpResponse(status=status))
    tokens = [token_of(link) for link in (visitor.visit_link, visitor.course_link, visitor.stop_link)]
    views = (visits.open_link, courses.open_link, channels.open_link, feeds.feed)
    random = Random(7)

    def guess_often(times, *, addresses):
        statuses = Counter()
        for number in range(times):
            near = random.choice(tokens)
            place = random.randrange(len(near))
            guess = new_token() if number % 2 else near[:place] + random.choice("Aa0") + near[place + 1 :]
            if guess in tokens:
                guess = new_token()
            request = rf.get("/", REMOTE_ADDR=f"198.51.100.{number % addresses}")
            statuses[views[number % 4](request, guess).status_code] += 1
        return statuses

    return guess_often


# A guess is one look-up by a hash; the few hundred of the next test show that the other database does it too.
@pytest.mark.sqlite
@pytest.mark.slow
def test_ten_thousand_guesses_find_nothing_and_are_throttled(guess_often):
    statuses = guess_often(10_000, addresses=20)

    assert statuses == {404: 20 * limits.GUESSES.most, 429: 10_000 - 20 * limits.GUESSES.most}
    assert not AccessLink.objects.filter(use_count__gt=0).exists()


@pytest.mark.slow
def test_hundreds_of_guesses_find_nothing_and_are_throttled(guess_often):
    statuses = guess_often(300, addresses=2)

    assert statuses == {404: 2 * limits.GUESSES.most, 429: 300 - 2 * limits.GUESSES.most}
    assert not AccessLink.objects.filter(use_count__gt=0).exists()


def test_guesses_are_looked_at_again_after_a_while(visitor, clock):
    guesser = Browser(REMOTE_ADDR="198.51.100.7")
    for _ in range(limits.GUESSES.most):
        guesser.get(f"/c/v/{new_token()}/")
    before = guesser.get(f"/c/v/{new_token()}/").status_code

    clock.move_to(NOW + timedelta(seconds=limits.GUESSES.seconds))

    assert (before, guesser.get(f"/c/v/{new_token()}/").status_code) == (429, 404)


def test_buttons_of_one_link_are_limited(visitor):
    visitor.open()
    statuses = [visitor.press("confirm").status_code for _ in range(limits.PRESSES.most + 2)]

    assert statuses == [200] * limits.PRESSES.most + [429] * 2


def test_limits_hold_while_the_cache_is_away(visitor, monkeypatch, caplog):
    class Away:
        def __getattr__(self, name):
            raise RedisAway("refused")

    monkeypatch.setattr(limits, "cache", Away())
    limits._HERE.clear()
    guesser = Browser(REMOTE_ADDR="198.51.100.7")

    statuses = [guesser.get(f"/c/v/{new_token()}/").status_code for _ in range(limits.GUESSES.most + 1)]

    assert statuses == [404] * limits.GUESSES.most + [429]
    assert "The cache is away (ConnectionError)" in caplog.text
    limits._HERE.clear()


@pytest.mark.parametrize(
    ("proxies", "seen", "forwarded", "address"),
    [
        (0, "198.51.100.7", "203.0.113.9", "198.51.100.7"),
        (1, "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        (2, "10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "10.0.0.1", "203.0.113.9", "10.0.0.1"),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        (0, "::ffff:198.51.100.7", "", "198.51.100.7"),
        (0, "", "", "unknown"),
        (1, "10.0.0.1", "<script>", "unknown"),
    ],
)
def test_address_is_what_our_own_proxies_saw(rf, settings, proxies, seen, forwarded, address):
    settings.PROXY_COUNT = proxies
    request = rf.get("/", REMOTE_ADDR=seen, headers={"x-forwarded-for": forwarded})

    assert limits.address_of(request) == address


# ------------------------------------------------------------------------------------------------ what is remembered


def test_link_leads_to_an_address_without_the_token(visitor):
    response = visitor.browser.get(visitor.visit_link)

    token = token_of(visitor.visit_link)
    cookie = response.cookies["client"]
    assert (response.status_code, response["Location"]) == (302, visitor.page)
    assert response["Referrer-Policy"] == "no-referrer"
    assert token not in response["Location"] + cookie.value
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"], cookie["path"]) == (
        True,
        "Lax",
        3600,
        "/",
    )
    assert token not in visitor.browser.get(visitor.page).content.decode()


def test_page_is_forgotten_after_an_hour_and_opens_again_by_its_link(visitor, clock):
    visitor.open()
    clock.move_to(NOW + timedelta(minutes=59))
    before = visitor.browser.get(visitor.page).status_code
    clock.move_to(NOW + timedelta(minutes=61))

    after = visitor.browser.get(visitor.page).status_code

    assert (before, after, visitor.open().status_code) == (200, 404, 200)


def test_cookie_of_anothers_making_opens_nothing(visitor):
    forger = Browser()
    forger.cookies["client"] = f'["{visitor.link("session").token_hash}"]'

    assert forger.get(visitor.page).status_code == 404


def test_two_visits_open_in_one_browser_are_never_mixed_up(make_visitor):
    one, two = make_visitor(), make_visitor()
    two.browser = one.browser
    one.open()
    two.open()

    one.press("confirm")

    assert one.desk.fresh_session().status == SessionStatus.CONFIRMED
    assert two.desk.fresh_session().status == SessionStatus.BOOKED


def test_withdrawn_link_shuts_the_page_that_is_open(visitor):
    visitor.open()
    revoke_links(client=visitor.client, by=SYSTEM, now=NOW)

    responses = [visitor.browser.get(visitor.page), visitor.press("confirm"), visitor.press("cancel")]

    assert [response.status_code for response in responses] == [404] * 3
    assert visitor.desk.fresh_session().status == SessionStatus.BOOKED


def test_page_of_another_purpose_is_not_opened_by_a_remembered_link(visitor):
    visitor.open()
    ref = visitor.link("session").token_hash[:16]

    assert visitor.browser.post(f"/c/messages/{ref}/stop/").status_code == 404


def test_cookie_is_secure_where_sessions_are(visitor, settings):
    settings.SESSION_COOKIE_SECURE = True
    settings.CLIENT_COOKIE_NAME = "__Host-client"

    cookie = visitor.browser.get(visitor.visit_link).cookies["__Host-client"]

    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


def test_openings_are_counted_and_looks_are_not(visitor):
    visitor.browser.head(visitor.visit_link)
    before = visitor.link("session").use_count
    visitor.browser.get(visitor.visit_link)
    visitor.browser.get(visitor.page)

    assert (before, visitor.link("session").use_count) == (0, 1)
    assert visitor.link("session").last_used_at == NOW


# ------------------------------------------------------------------------------------------------ what is said


def test_no_answer_is_kept_listed_or_framed(visitor):
    visitor.open()
    addresses = [visitor.visit_link, visitor.stop_link, visitor.page, f"{visitor.page}cancel/", "/c/v/x/"]

    for address in addresses:
        response = visitor.browser.get(address)
        assert "no-store" in response["Cache-Control"]
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] in ("no-referrer", "same-origin")
        assert "script-src 'self'" in response["Content-Security-Policy"]


def test_page_needs_little_and_nothing_from_elsewhere(visitor, settings):
    text = visitor.open().content.decode()

    sheet = (settings.BASE_DIR / "static" / "css" / "portal.css").read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="([^"]+)"', text) == [
        "/c/app.webmanifest",
        "/static/img/visits-192.png",
        "/static/img/mark.svg",
        "/static/css/portal.css",
        f"{visitor.page}move/",
        f"{visitor.page}cancel/",
        visitor.course_page,
        "tel:+37120000000",
    ]
    assert "<script" not in text
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert len(text.encode()) + len(sheet.encode()) < 20_000


@pytest.mark.parametrize("path", ["/c/v/{}/", "/c/k/{}/", "/c/u/{}/"])
def test_token_stands_in_no_log(path, capsys, settings):
    config, token = settings.LOGGING, new_token()
    handler = logging.StreamHandler()
    handler.addFilter(import_string(config["filters"]["secret_paths"]["()"])())
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    try:
        Browser().get(path.format(token))
        Browser().put(path.format(token))
    finally:
        logger.removeHandler(handler)

    logged = capsys.readouterr().err
    assert config["handlers"]["console"]["filters"] == ["secret_paths"]
    assert path.format("[token]") in logged
    assert token not in logged


def test_cache_holds_neither_addresses_nor_links(visitor, monkeypatch):
    names = []
    monkeypatch.setattr(limits, "cache", Spy(cache, names))
    visitor.open()
    visitor.press("confirm")
    Browser(REMOTE_ADDR="198.51.100.7").get(f"/c/v/{new_token()}/")

    hidden = ["198.51.100", visitor.link("session").token_hash, token_of(visitor.visit_link)]
    assert len(set(names)) == 2
    assert [name for name in names for secret in hidden if secret in name] == []


class Spy:
    """A cache that writes down what it is asked for."""

    def __init__(self, cache, names):
        self.cache, self.names = cache, names

    def __getattr__(self, verb):
        def call(name, *args, **options):
            self.names.append(name)
            return getattr(self.cache, verb)(name, *args, **options)

        return call


def test_link_row_is_all_that_an_opening_changes(visitor):
    before = AccessLink.objects.values().get(purpose="session")

    visitor.open()

    after = AccessLink.objects.values().get(purpose="session")
    assert {name for name in before if before[name] != after[name]} == {"use_count", "last_used_at"}
