"""Stopping the messages of one channel: by a form, by a mail program's button, and starting again."""

import re
from datetime import timedelta

import pytest
from django.test import Client as Browser

from clients.models import Client, Consent, ContactPoint
from courses.errors import CourseError
from reminders.models import Answer, Reminder
from tests.portal.conftest import state_of
from tests.reminders.builders import NOW

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def is_on(visitor):
    return Consent.objects.filter(client=visitor.client, channel="email", withdrawn_at=None).exists()


def button(response):
    return re.findall(r"<button[^>]*>([^<]+)<", response.content.decode())


def test_opening_the_link_asks_and_stops_nothing(visitor):
    response = visitor.open(visitor.stop_link)

    assert (state_of(response), button(response)) == ("Messages: e-mail", ["Stop these messages"])
    assert is_on(visitor)


def test_form_stops_and_offers_to_start_again(visitor):
    visitor.open(visitor.stop_link)

    stopped = visitor.browser.post(f"{visitor.channel_page}stop/", follow=True)
    off = is_on(visitor)
    started = visitor.browser.post(f"{visitor.channel_page}start/", follow=True)

    assert (button(stopped), off) == (["Send me messages again"], False)
    assert (button(started), is_on(visitor)) == (["Stop these messages"], True)
    assert list(Answer.objects.order_by("pk").values_list("kind", "via", "channel")) == [
        ("stop", "link", "email"),
        ("start", "link", "email"),
    ]


def test_page_speaks_the_clients_language(visitor):
    Client.objects.filter(pk=visitor.client.pk).update(language="ru")

    assert state_of(visitor.open(visitor.stop_link)) == "Сообщения: эл. почта"


def test_one_click_stops_at_once_without_cookie_page_or_redirect(visitor):
    mail_program = Browser(enforce_csrf_checks=True)

    response = mail_program.post(visitor.stop_link, ONE_CLICK)

    assert (response.status_code, response.content) == (200, b"Unsubscribed.")
    assert "Location" not in response
    assert not response.cookies
    assert not is_on(visitor)
    assert (Answer.objects.get().via, Answer.objects.get().reminder) == (
        "unsubscribe",
        Reminder.objects.get(pk=visitor.desk.row("day-before").pk),
    )


def test_one_click_twice_is_once_and_stops_again_after_a_start(visitor):
    first = [visitor.browser.post(visitor.stop_link, ONE_CLICK).status_code for _ in range(2)]
    visitor.open(visitor.stop_link)
    visitor.browser.post(f"{visitor.channel_page}start/")

    again = visitor.browser.post(visitor.stop_link, ONE_CLICK).status_code

    assert (first, again, is_on(visitor)) == ([200, 200], 200, False)
    assert list(Answer.objects.order_by("pk").values_list("kind", flat=True)) == ["stop", "start", "stop"]


@pytest.mark.parametrize("encoding", ["multipart", "application/x-www-form-urlencoded"])
def test_one_click_comes_in_both_forms_of_rfc_8058(visitor, encoding):
    if encoding == "multipart":
        response = visitor.browser.post(visitor.stop_link, ONE_CLICK)
    else:
        response = visitor.browser.post(
            visitor.stop_link, "List-Unsubscribe=One-Click", content_type=encoding
        )

    assert (response.status_code, is_on(visitor)) == (200, False)


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "yes"}, {"other": "One-Click"}])
def test_other_bodies_stop_nothing(visitor, body):
    assert visitor.browser.post(visitor.stop_link, body).status_code == 400
    assert is_on(visitor)


def test_forms_need_their_proof_of_origin(visitor):
    guarded = Browser(enforce_csrf_checks=True)
    guarded.get(visitor.stop_link)

    response = guarded.post(f"{visitor.channel_page}stop/")

    assert (response.status_code, state_of(response)) == (403, "Open the link again")
    assert is_on(visitor)


def test_form_with_its_proof_works(visitor):
    guarded = Browser(enforce_csrf_checks=True)
    page = guarded.get(visitor.stop_link, follow=True).content.decode()
    proof = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]

    guarded.post(f"{visitor.channel_page}stop/", {"csrfmiddlewaretoken": proof})

    assert not is_on(visitor)


def test_link_of_a_visit_does_not_unsubscribe(visitor):
    wrong = visitor.visit_link.replace("/c/v/", "/c/u/")

    assert visitor.browser.post(wrong, ONE_CLICK).status_code == 404
    assert visitor.browser.get(wrong).status_code == 404
    assert is_on(visitor)


def test_link_stops_for_sixty_days(visitor, clock):
    clock.move_to(NOW + timedelta(days=60))

    assert visitor.browser.post(visitor.stop_link, ONE_CLICK).status_code == 410
    assert is_on(visitor)


def test_starting_without_an_address_says_so(visitor):
    visitor.open(visitor.stop_link)
    visitor.browser.post(f"{visitor.channel_page}stop/")
    ContactPoint.objects.filter(client=visitor.client).delete()

    response = visitor.browser.post(f"{visitor.channel_page}start/", follow=True)

    assert "The clinic has no address of yours that works for this." in response.content.decode()
    assert not is_on(visitor)


def test_erased_client_is_told_so_and_offered_nothing(visitor):
    Client.objects.filter(pk=visitor.client.pk).update(erased_at=NOW)

    response = visitor.open(visitor.stop_link)

    assert "Your data were erased." in response.content.decode()
    assert button(response) == []


def test_conflict_is_said_to_people_and_programs(visitor, monkeypatch):
    def lose(**_):
        raise CourseError("Busy.", code="busy")

    visitor.open(visitor.stop_link)
    monkeypatch.setattr("portal.channels.stop_channel", lose)

    person = visitor.browser.post(f"{visitor.channel_page}stop/", follow=True)
    program = visitor.browser.post(visitor.stop_link, ONE_CLICK)

    assert "Press again." in person.content.decode()
    assert program.status_code == 503
