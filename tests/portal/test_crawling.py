"""Looking changes nothing: every link of a real message, and all that its pages lead to, many times over."""

import pytest
from django.test import Client as Browser

from clients.models import AccessLink, Consent
from courses.models import SessionStatus
from tests.portal.crawling import everything, links_in, links_of
from tests.reminders.builders import Memory, at, make_desk, send_at

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def desk(db):
    return make_desk()


def messages(desk, clock):
    """Send what is due on the day before and hours before; return the messages."""
    mail = Memory()
    for when in ("2026-03-02 09:00", "2026-03-03 15:00", "2026-03-04 13:00"):
        clock.move_to(at(when))
        send_at(when, mail)
    return mail.messages


def test_messages_have_links_at_all(desk, clock):
    found = [links_of(message) for message in messages(desk, clock)]

    assert any(path.startswith("/c/v/") for paths in found for path in paths)
    assert all(any(path.startswith("/c/u/") for path in paths) for paths in found)
    assert AccessLink.objects.count() >= 3


def test_five_looks_at_every_link_change_nothing(desk, clock):
    paths = sorted({path for message in messages(desk, clock) for path in links_of(message)})
    # Early enough to be offered other times.
    clock.move_to(at("2026-03-03 12:00"))
    firsts = {path[:5]: path for path in paths}.values()
    before = everything()
    seen = set()

    for number in range(5):
        scanner, ahead = Browser(), list(paths)
        while ahead:
            path = ahead.pop()
            if (number, path) in seen:
                continue
            seen.add((number, path))
            for verb in ("head", "options", "get"):
                response = getattr(scanner, verb)(path, follow=True)
                assert response.status_code in (200, 405), path
            # The first goes through all pages of one link of each kind; the others look at what links lead to.
            if response.status_code == 200 and (
                path in paths if number else path not in paths or path in firsts
            ):
                ahead += links_in(response.content.decode())
    seen = {path for _number, path in seen}

    acts = {path.strip("/").rpartition("/")[2] for path in seen}
    assert acts >= {"confirm", "cancel", "move", "wait", "stop", "keep", "make", "wishes", "data", "calendar"}
    assert everything() == before
    assert desk.fresh_session().status == SessionStatus.BOOKED
    assert Consent.objects.filter(client=desk.course.client, withdrawn_at=None).count() == 1


def test_a_press_would_have_shown(desk, clock):
    """The comparison sees what a button changes, or the test above would prove nothing."""
    path = next(p for m in messages(desk, clock) for p in links_of(m) if p.startswith("/c/u/"))
    before = everything()

    Browser().post(path, {"List-Unsubscribe": "One-Click"})

    assert everything() != before
