"""A client whose birth date nobody knows proves to be the client by a code, sent by another way than the link."""

import re
from datetime import timedelta

import pytest

from clients.models import AccessLink, Consent, ContactPoint
from portal import limits
from reminders.models import ChannelAccount, Reminder
from reminders.services.codes import is_code
from tests.portal.conftest import words
from tests.reminders.builders import NOW, Memory, at, send_at

pytestmark = pytest.mark.django_db


class Phone(Memory):
    """A telephone that keeps its messages."""

    name = "sms"


@pytest.fixture
def reachable(visitor):
    """The visitor, who came by e-mail and can be written to by SMS as well."""
    clinic, client = visitor.desk.course.clinic, visitor.client
    ContactPoint.objects.create(clinic=clinic, client=client, channel="sms", value="+37120000001")
    Consent.objects.create(
        clinic=clinic, client=client, channel="sms", granted_at=NOW - timedelta(days=1), granted_source="test"
    )
    ChannelAccount.objects.create(
        clinic=clinic, channel="sms", provider="kept", created_at=NOW, changed_at=NOW
    )
    visitor.open()
    return visitor


def test_code_goes_by_another_way_even_in_quiet_hours_and_shows_the_course(reachable, clock):
    clock.move_to(at("2026-03-02 22:00"))
    reachable.open()
    asked = reachable.browser.get(reachable.course_page)
    sent = reachable.browser.post(f"{reachable.course_page}code/", follow=True)
    phone = Phone()
    send_at("2026-03-02 22:00", phone)
    code = re.search(r"\d{6}", phone.messages[0].short)[0]
    wrong = reachable.browser.post(f"{reachable.course_page}code/say/", {"code": "000000"}, follow=True)
    shown = reachable.browser.post(
        f"{reachable.course_page}code/say/", {"code": f"{code[:3]} {code[3:]}"}, follow=True
    )

    assert "a code is sent to you by another way: SMS." in words(asked)
    assert ("Send another code" in words(sent), "That is not the code" in words(wrong)) == (True, True)
    assert "Anti-cellulite massage" in words(shown)
    # It stands in no table.
    assert code not in repr(list(Reminder.objects.values())) + repr(list(AccessLink.objects.values()))


def test_code_is_good_for_a_while_and_for_its_client_only(reachable, make_visitor):
    reachable.browser.post(f"{reachable.course_page}code/")
    phone = Phone()
    send_at("2026-03-02 08:00", phone)
    code = re.search(r"\d{6}", phone.messages[0].short)[0]
    client, other = reachable.client, make_visitor().client

    found = [is_code(client, code, now=NOW + timedelta(minutes=minutes)) for minutes in (0, 14, 15)]

    assert (found, is_code(other, code, now=NOW), is_code(client, "", now=NOW)) == (
        [True, True, False],
        False,
        False,
    )


def test_codes_are_few_and_cannot_be_tried_through(reachable):
    for _ in range(5):
        last = reachable.browser.post(f"{reachable.course_page}code/", follow=True)
    for number in range(limits.WRONG_YEARS.most):
        reachable.browser.post(f"{reachable.course_page}code/say/", {"code": f"{number:06d}"})
    stopped = reachable.browser.post(f"{reachable.course_page}code/say/", {"code": "1"}, follow=True)

    assert Reminder.objects.filter(trigger="access_code").count() == 3
    assert "That was too often." in words(last)
    assert "That was too often." in words(stopped)


def test_client_with_no_other_way_is_sent_to_the_clinic(visitor):
    visitor.open()

    page = visitor.browser.get(f"{visitor.course_page}data/")
    visitor.browser.post(f"{visitor.course_page}code/")

    assert "Ask the clinic for it" in words(page)
    assert not Reminder.objects.filter(trigger="access_code").exists()
