"""The message that asks how a visit was, and the page that its link opens: that one and no other."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client as Browser

from courses.models import ReactionReport
from courses.services import correct_session, record_attendance, record_no_show, report_reaction
from reminders.models import Reminder, ReminderRule
from reminders.services.answering import actor_of
from tests.portal.conftest import state_of, words
from tests.reminders.builders import Memory, at, send_at

pytestmark = pytest.mark.django_db

EVENING = at("2026-03-04 20:00")


@pytest.fixture
def treated(visitor, clock):
    """The visitor in the evening after the visit."""
    record_attendance(session=visitor.desk.session, by=visitor.desk.by, now=at("2026-03-04 16:00"))
    clock.move_to(EVENING)
    return visitor


def asked(visitor):
    return Reminder.objects.get(course=visitor.desk.course, trigger="after_session")


def test_message_asks_some_hours_after_the_visit_and_its_link_takes_the_answer(treated, clock):
    mail = Memory()
    row = asked(treated)
    assert (row.send_at, row.expires_at) == (at("2026-03-04 19:45"), at("2026-03-06 19:45"))

    send_at(EVENING, mail)
    (message,) = mail.messages
    path = urlsplit(re.search(r"http\S+/c/h/\S+", message.text)[0]).path
    browser = Browser()
    form = browser.get(path, follow=True)
    page = form.redirect_chain[-1][0]
    thanked = browser.post(page, {"reaction": "bruises", "pain": "3", "note": ""}, follow=True)
    again = browser.get(f"{page}?again=1")

    assert "How do you feel since?" in message.text
    assert "After your visit Wednesday, 4 March, 15:00–15:45 How do you feel?" in words(form)
    assert state_of(thanked) == "Thank you."
    assert "Visits usually wait until bruises have healed" in words(thanked)
    assert "All my visits" not in words(thanked)
    assert re.search(r'value="bruises"[^>]* checked', again.content.decode())
    assert ReactionReport.objects.get().reaction == "bruises"


def test_its_link_opens_neither_the_visit_nor_the_course(treated):
    treated.open(treated.feeling_link)
    ref = treated.link("feeling").token_hash[:16]

    statuses = {
        address: treated.browser.get(address).status_code
        for address in (
            f"/c/visit/{ref}/",
            f"/c/course/{ref}/",
            f"/c/visit/{ref}/feel/",
            f"/c/feeling/{ref}/",
        )
    }

    assert list(statuses.values()) == [404, 404, 404, 200]


def test_who_has_said_it_already_is_not_asked(treated):
    report_reaction(
        session=treated.desk.session,
        reaction="none",
        pain=None,
        note="",
        by=actor_of(treated.client),
        now=EVENING,
    )
    mail = Memory()

    send_at(EVENING, mail)

    row = asked(treated)
    assert (row.state, row.decision_reason) == ("cancelled", "not_needed")
    assert not any("/c/h/" in message.text for message in mail.messages)


def test_visit_that_turns_out_not_to_have_been_is_not_asked_about(treated):
    treated.desk.session.refresh_from_db()
    correct_session(session=treated.desk.session, status="no_show", by=treated.desk.by, now=EVENING)

    assert [row.state for row in Reminder.objects.filter(trigger="after_session")] == ["cancelled"]


def test_missed_visit_and_rule_switched_off_ask_nothing(visitor):
    record_no_show(session=visitor.desk.session, by=visitor.desk.by, now=at("2026-03-04 16:00"))
    assert not Reminder.objects.filter(trigger="after_session").exists()

    ReminderRule.objects.filter(trigger="after_session").update(is_active=False)
    visitor.desk.session.refresh_from_db()
    correct_session(
        session=visitor.desk.session, status="attended", by=visitor.desk.by, now=at("2026-03-04 17:00")
    )

    assert not Reminder.objects.filter(trigger="after_session").exists()


def test_page_says_when_nothing_more_can_be_said_and_expires_in_the_end(treated, clock):
    treated.open(treated.feeling_link)
    clock.move_to(treated.desk.session.ends_at + timedelta(days=14) - timedelta(seconds=1))
    last = treated.open(treated.feeling_link)
    clock.move_to(treated.desk.session.ends_at + timedelta(days=14))
    over = treated.open(treated.feeling_link)

    assert state_of(last) == "After your visit"
    assert (over.status_code, state_of(over)) == (410, "This link has expired")


def test_page_of_a_visit_that_did_not_take_place_has_nothing_to_ask(visitor, clock):
    record_no_show(session=visitor.desk.session, by=visitor.desk.by, now=at("2026-03-04 16:00"))
    clock.move_to(EVENING)
    page = visitor.open(visitor.feeling_link)
    pressed = visitor.browser.post(visitor.feeling_page, {"reaction": "pain"}, follow=True)

    assert (state_of(page), state_of(pressed)) == ("Nothing more to say here",) * 2
    assert not ReactionReport.objects.exists()


@pytest.mark.parametrize("values", [{"reaction": "joy"}, {"reaction": "none", "pain": "11"}, {}])
def test_wrong_answers_keep_nothing(treated, values):
    treated.open(treated.feeling_link)

    assert treated.browser.post(treated.feeling_page, values).status_code == 422
    assert not ReactionReport.objects.exists()
