"""Every route of the client's pages: which verbs it knows, and that it shows a stranger nothing."""

import pytest
from django.test import Client as Browser
from django.urls import get_resolver

pytestmark = pytest.mark.django_db

# By name: the verbs that a route knows beside HEAD and OPTIONS.
ROUTES = {
    "visit-link": {"get"},
    "course-link": {"get"},
    "visit": {"get"},
    "visit-confirm": {"post"},
    "visit-cancel": {"get", "post"},
    "visit-move": {"get", "post"},
    "course": {"get"},
    "course-book": {"get", "post"},
    "course-year": {"post"},
    "unsubscribe-link": {"get", "post"},
    "channel": {"get"},
    "channel-stop": {"post"},
    "channel-start": {"post"},
}


def addresses(visitor):
    return {
        "visit-link": visitor.visit_link,
        "course-link": visitor.course_link,
        "visit": visitor.page,
        "visit-confirm": f"{visitor.page}confirm/",
        "visit-cancel": f"{visitor.page}cancel/",
        "visit-move": f"{visitor.page}move/",
        "course": visitor.course_page,
        "course-book": f"{visitor.course_page}book/",
        "course-year": f"{visitor.course_page}year/",
        "unsubscribe-link": visitor.stop_link,
        "channel": visitor.channel_page,
        "channel-stop": f"{visitor.channel_page}stop/",
        "channel-start": f"{visitor.channel_page}start/",
    }


def test_every_route_stands_here():
    face = next(part for part in get_resolver().url_patterns if str(part.pattern) == "c/")

    assert {pattern.name for pattern in face.url_patterns} == set(ROUTES)


@pytest.mark.parametrize("name", ROUTES)
def test_route_knows_exactly_these_verbs(visitor, name):
    visitor.open()
    visitor.open(visitor.stop_link)
    verbs = ("get", "post", "put", "patch", "delete")

    known = {
        verb for verb in verbs if getattr(visitor.browser, verb)(addresses(visitor)[name]).status_code != 405
    }

    assert known == ROUTES[name]


@pytest.mark.parametrize("name", [name for name in ROUTES if not name.endswith("-link")])
def test_route_shows_a_stranger_nothing(visitor, make_visitor, name):
    """A browser without the link, and one that holds another client's."""
    other = make_visitor()
    other.open()
    other.open(other.stop_link)

    statuses = {
        (whose, verb): getattr(browser, verb)(addresses(visitor)[name]).status_code
        for whose, browser in (("nobody", Browser()), ("another", other.browser))
        for verb in ROUTES[name]
    }

    assert set(statuses.values()) == {404}


@pytest.mark.parametrize("name", ROUTES)
def test_route_costs_a_stranger_no_more_than_one_query(visitor, name, django_assert_max_num_queries):
    address = addresses(visitor)[name].replace(visitor.link("session").token_hash[:16], "0" * 16)
    stranger = Browser()

    with django_assert_max_num_queries(4 if name.endswith("-link") else 1):
        getattr(stranger, "post" if "get" not in ROUTES[name] else "get")(address)
