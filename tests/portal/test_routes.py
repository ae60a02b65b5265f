"""Every route of the client's pages: which verbs it knows, and that it shows a stranger nothing."""

import pytest
from django.test import Client as Browser
from django.urls import get_resolver

from clients.links import new_token

pytestmark = pytest.mark.django_db

# By name: the verbs that a route knows beside HEAD and OPTIONS.
ROUTES = {
    "home": {"get"},
    "manifest": {"get"},
    "visit-link": {"get"},
    "course-link": {"get"},
    "visit": {"get"},
    "visit-confirm": {"post"},
    "visit-cancel": {"get", "post"},
    "visit-move": {"get", "post"},
    "visit-feel": {"get", "post"},
    "feeling-link": {"get"},
    "feeling": {"get", "post"},
    "visit-wait": {"post"},
    "visit-wait-end": {"post"},
    "visit-earlier": {"post"},
    "course": {"get"},
    "course-keep": {"post"},
    "course-forget": {"post"},
    "course-book": {"get", "post"},
    "course-year": {"post"},
    "course-code": {"post"},
    "course-code-say": {"post"},
    "wishes": {"get", "post"},
    "wishes-stop": {"post"},
    "wishes-start": {"post"},
    "records": {"get"},
    "records-download": {"post"},
    "records-erasure": {"post"},
    "calendar": {"get"},
    "calendar-make": {"post"},
    "calendar-end": {"post"},
    "feed": {"get"},
    "unsubscribe-link": {"get", "post"},
    "channel": {"get"},
    "channel-stop": {"post"},
    "channel-start": {"post"},
}


# What they show is about nobody.
PUBLIC = {"home", "manifest"}


def addresses(visitor):
    return {
        "home": "/c/",
        "manifest": "/c/app.webmanifest",
        "visit-link": visitor.visit_link,
        "course-link": visitor.course_link,
        "visit": visitor.page,
        "visit-confirm": f"{visitor.page}confirm/",
        "visit-cancel": f"{visitor.page}cancel/",
        "visit-move": f"{visitor.page}move/",
        "visit-feel": f"{visitor.page}feel/",
        "feeling-link": visitor.feeling_link,
        "feeling": visitor.feeling_page,
        "visit-wait": f"{visitor.page}wait/",
        "visit-wait-end": f"{visitor.page}wait/end/",
        "visit-earlier": f"{visitor.page}earlier/{visitor.desk.session.code}/",
        "course": visitor.course_page,
        "course-keep": f"{visitor.course_page}keep/",
        "course-forget": f"{visitor.course_page}forget/",
        "course-book": f"{visitor.course_page}book/",
        "course-year": f"{visitor.course_page}year/",
        "course-code": f"{visitor.course_page}code/",
        "course-code-say": f"{visitor.course_page}code/say/",
        "wishes": f"{visitor.course_page}wishes/",
        "wishes-stop": f"{visitor.course_page}wishes/email/stop/",
        "wishes-start": f"{visitor.course_page}wishes/email/start/",
        "records": f"{visitor.course_page}data/",
        "records-download": f"{visitor.course_page}data/copy/",
        "records-erasure": f"{visitor.course_page}data/erasure/",
        "calendar": f"{visitor.course_page}calendar/",
        "calendar-make": f"{visitor.course_page}calendar/make/",
        "calendar-end": f"{visitor.course_page}calendar/end/",
        "feed": f"/c/f/{new_token()}.ics",
        "unsubscribe-link": visitor.stop_link,
        "channel": visitor.channel_page,
        "channel-stop": f"{visitor.channel_page}stop/",
        "channel-start": f"{visitor.channel_page}start/",
    }


def test_every_route_stands_here():
    face = next(part for part in get_resolver().url_patterns if str(part.pattern) == "c/")

    assert {pattern.name for pattern in face.url_patterns} == set(ROUTES)


def test_routes_know_exactly_their_verbs(visitor):
    visitor.open()
    visitor.open(visitor.stop_link)
    visitor.open(visitor.feeling_link)
    verbs, known = ("get", "post", "put", "patch", "delete"), {}

    for name, address in addresses(visitor).items():
        answers = {verb: getattr(visitor.browser, verb)(address).status_code for verb in verbs}
        known[name] = {verb for verb, status in answers.items() if status != 405}

    assert known == ROUTES


def test_routes_show_a_stranger_nothing(visitor, make_visitor):
    """A browser without the link, and one that holds another client's."""
    other = make_visitor()
    other.open()
    other.open(other.stop_link)
    other.open(other.feeling_link)

    statuses = {
        (name, verb, whose): getattr(browser, verb)(addresses(visitor)[name]).status_code
        for name in ROUTES
        if not name.endswith("-link") and name not in PUBLIC
        for whose, browser in (("nobody", Browser()), ("another", other.browser))
        for verb in ROUTES[name]
    }

    assert {found for found, status in statuses.items() if status != 404} == set()


def test_routes_cost_a_stranger_no_more_than_one_query(visitor, django_assert_max_num_queries):
    ref = visitor.link("session").token_hash[:16]

    for name, address in addresses(visitor).items():
        with django_assert_max_num_queries(4 if name.endswith("-link") or name == "feed" else 1):
            # A browser of its own: what one link has opened is no stranger's any more.
            getattr(Browser(), "post" if "get" not in ROUTES[name] else "get")(address.replace(ref, "0" * 16))
