"""The addresses that a message carries, and how long they live."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from clients.links import find_link
from clients.models import AccessLink, LinkPurpose
from courses.services import cancel_session, move_session
from reminders.models import Reminder
from reminders.services.linking import Links, extend_links, new_links
from tests.reminders.builders import NOW, at, make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return make_desk()


def given(desk, *, now=NOW, slug="day-before"):
    """Return a message's links, their rows saved as the engine does."""
    row = Reminder.objects.select_related("session").get(pk=desk.row(slug).pk)
    links, rows = new_links(row, now=now)
    AccessLink.objects.bulk_create(AccessLink(**row._asdict()) for row in rows)
    return links, row


def token_of(address):
    return urlsplit(address).path.strip("/").rpartition("/")[2]


def test_message_about_a_visit_has_both_links_and_costs_no_query(desk, settings, django_assert_num_queries):
    settings.BASE_URL = "https://clinic.example"
    row = Reminder.objects.select_related("session").get(pk=desk.row("day-before").pk)

    with django_assert_num_queries(0):
        links, rows = new_links(row, now=NOW)

    assert [address.rpartition("/c/")[0] for address in (links.session, links.unsubscribe)] == [
        "https://clinic.example",
        "https://clinic.example",
    ]
    assert [(link.purpose, link.subject_key, link.reminder_code) for link in rows] == [
        ("session", f"session:{desk.session.code}", row.code),
        ("unsubscribe", "channel:email", row.code),
    ]
    assert [link.expires_at for link in rows] == [
        desk.session.ends_at + timedelta(hours=24),
        NOW + timedelta(days=60),
    ]


def test_links_are_found_again_by_their_tokens(desk):
    links, row = given(desk)

    session = find_link(token_of(links.session), LinkPurpose.SESSION, NOW)
    stop = find_link(token_of(links.unsubscribe), LinkPurpose.UNSUBSCRIBE, NOW)

    assert (session.client_id, session.clinic_id) == (row.client_id, row.clinic_id)
    assert stop.subject_key == "channel:email"
    assert find_link(token_of(links.session), LinkPurpose.UNSUBSCRIBE, NOW) is None


def test_every_try_has_addresses_of_its_own(desk):
    assert given(desk)[0] != given(desk)[0]


def test_message_without_a_visit_opens_the_course(desk):
    row = Reminder.objects.select_related("course").get(pk=desk.row("day-before").pk)
    row.session = None

    links, rows = new_links(row, now=NOW)

    assert (links.session, [link.purpose for link in rows]) == ("", ["course", "unsubscribe"])
    assert (rows[0].subject_key, rows[0].expires_at) == (
        f"course:{desk.course.code}",
        NOW + timedelta(days=30),
    )
    assert find_link(token_of(links.course), LinkPurpose.COURSE, NOW) is None
    AccessLink.objects.bulk_create(AccessLink(**row._asdict()) for row in rows)
    assert find_link(token_of(links.course), LinkPurpose.COURSE, NOW)


def test_visit_long_over_gets_no_link(desk):
    row = Reminder.objects.select_related("session").get(pk=desk.row("day-before").pk)

    links, _ = new_links(row, now=desk.session.ends_at + timedelta(hours=24))

    assert links.session == ""


@pytest.mark.parametrize(
    "change", [{"client_id": None}, {"channel": "webhook", "session": None, "course": None}]
)
def test_staff_and_the_clinics_own_system_get_no_link(desk, change):
    row = Reminder.objects.get(pk=desk.row("day-before").pk)
    for name, value in change.items():
        setattr(row, name, value)

    assert new_links(row, now=NOW) == (Links(), [])


def test_link_follows_a_session_moved_later(desk):
    links, _ = given(desk)
    old_expiry = desk.session.ends_at + timedelta(hours=24)

    moved = move_session(
        session=desk.session,
        starts_at=at("2026-03-06 15:00"),
        practitioner=desk.session.practitioner,
        room=None,
        by=desk.by,
        now=NOW,
    )

    assert find_link(token_of(links.session), LinkPurpose.SESSION, old_expiry)
    assert (
        find_link(token_of(links.session), LinkPurpose.SESSION, moved.ends_at + timedelta(hours=24)) is None
    )


def test_link_of_a_session_moved_earlier_or_cancelled_lives_on(desk):
    links, _ = given(desk)
    last = desk.session.ends_at + timedelta(hours=23)

    move_session(
        session=desk.session,
        starts_at=at("2026-03-03 15:00"),
        practitioner=desk.session.practitioner,
        room=None,
        by=desk.by,
        now=NOW,
    )
    cancel_session(session=desk.fresh_session(), whose="clinic", by=desk.by, now=NOW)

    assert find_link(token_of(links.session), LinkPurpose.SESSION, last)


def test_change_without_live_links_costs_one_query(desk, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert extend_links(course_ids=[desk.course.pk], now=NOW) == 0


def test_expired_link_is_not_woken(desk):
    links, _ = given(desk)
    AccessLink.objects.update(created_at=at("2026-03-01 08:00"), expires_at=at("2026-03-02 07:00"))

    assert extend_links(course_ids=[desk.course.pk], now=NOW) == 0
    assert find_link(token_of(links.session), LinkPurpose.SESSION, NOW) is None
