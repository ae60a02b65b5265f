"""What clients decide themselves: messages and language, their calendar, their data."""

import json
import re
from datetime import date
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from clients.models import AccessLink, Client, Consent, ErasureRequest
from courses.models import SessionStatus
from courses.services import cancel_session, move_session
from tests.portal.conftest import state_of, words
from tests.reminders.builders import NOW, at

pytestmark = pytest.mark.django_db

WISHES = {
    "language": "ru",
    "detail_level": "neutral",
    "quiet_from_time": "20:00",
    "quiet_to_time": "09:30",
    "time_zone": "Asia/Tokyo",
}


@pytest.fixture
def page(visitor):
    """The address of the client's pages, opened."""
    Client.objects.filter(pk=visitor.client.pk).update(birth_on=date(1987, 5, 4))
    visitor.open()
    return visitor.course_page


# ------------------------------------------------------------------------------------------------ messages


def test_wishes_are_kept_and_the_page_speaks_the_new_language(visitor, page):
    response = visitor.browser.post(f"{page}wishes/", WISHES, follow=True)

    client = Client.objects.get(pk=visitor.client.pk)
    kept = (client.language, client.detail_level, client.time_zone, f"{client.quiet_from_time:%H:%M}")
    assert kept == ("ru", "neutral", "Asia/Tokyo", "20:00")
    assert '<html lang="ru">' in response.content.decode()
    event = AuditEvent.objects.get(action="client.wishes_changed")
    assert (event.actor_kind, event.new["fields"]) == ("client", sorted(WISHES))


def test_wrong_wishes_keep_what_was_typed_and_name_the_field(visitor, page):
    before = Client.objects.values().get(pk=visitor.client.pk)

    response = visitor.browser.post(f"{page}wishes/", {**WISHES, "quiet_to_time": "", "time_zone": "Mars"})
    text = response.content.decode()

    assert (response.status_code, Client.objects.values().get(pk=visitor.client.pk)) == (422, before)
    assert 'value="20:00"' in text
    assert 'id="id_time_zone_error"' in text


def test_half_of_the_quiet_hours_is_refused_by_name(visitor, page):
    response = visitor.browser.post(f"{page}wishes/", {**WISHES, "quiet_to_time": ""})

    assert 'id="id_quiet_to_time_error">Choose both times, or neither.' in response.content.decode()


def test_channel_is_stopped_and_started_and_one_without_address_is_none(visitor, page):
    in_force = Consent.objects.filter(client=visitor.client, channel="email", withdrawn_at=None)
    shown = words(visitor.browser.get(f"{page}wishes/"))

    stopped = visitor.browser.post(f"{page}wishes/email/stop/", follow=True)
    was_stopped = not in_force.exists()
    visitor.browser.post(f"{page}wishes/email/start/")

    assert ("E-mail You get messages this way." in shown, "SMS" in shown) == (True, False)
    assert ("E-mail No messages this way." in words(stopped), was_stopped, in_force.exists()) == (True,) * 3
    assert visitor.browser.post(f"{page}wishes/pigeon/stop/").status_code == 404


# ------------------------------------------------------------------------------------------------ calendar


def feed_of(visitor, page):
    shown = visitor.browser.post(f"{page}calendar/make/").content.decode()
    return re.search(r'value="[^"]*(/c/f/[0-9A-Za-z]{22}\.ics)"', shown)[1]


def test_calendar_follows_in_place_and_is_not_sent_twice(visitor, page):
    address = feed_of(visitor, page)
    program = Browser()
    first = program.get(address)
    unchanged = program.get(address, headers={"if-none-match": first["ETag"]})
    session = visitor.desk.fresh_session()
    move_session(
        session=session,
        starts_at=at("2026-03-05 09:00"),
        practitioner=session.practitioner,
        room=None,
        by=visitor.desk.by,
        now=NOW,
    )
    second = program.get(address, headers={"if-none-match": first["ETag"]})
    cancel_session(session=visitor.desk.fresh_session(), whose="clinic", by=visitor.desk.by, now=NOW)
    third = program.get(address)

    def shown(response):
        text = response.content.decode()
        return [
            re.search(rf"^{name}[^:\r]*:([^\r]+)", text, re.MULTILINE)[1]
            for name in ("UID", "SEQUENCE", "STATUS", "DTSTART;TZID=Europe/Riga")
        ]

    uid = f"{session.code}@localhost"
    assert first["Content-Type"] == "text/calendar; charset=utf-8"
    assert shown(first) == [uid, "1", "CONFIRMED", "20260304T150000"]
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert shown(second) == [uid, "2", "CONFIRMED", "20260305T090000"]
    assert shown(third) == [uid, "3", "CANCELLED", "20260305T090000"]
    assert "Anti-cellulite" not in first.content.decode()


def test_calendar_address_is_kept_as_a_hash_replaced_and_taken_back(visitor, page):
    one = feed_of(visitor, page)
    two = feed_of(visitor, page)
    statuses = [Browser().get(address).status_code for address in (one, two)]
    ended = visitor.browser.post(f"{page}calendar/end/", follow=True)

    assert (statuses, Browser().get(two).status_code) == ([404, 200], 404)
    assert "Make an address" in words(ended)
    kept = repr(list(AccessLink.objects.values())) + repr(list(AuditEvent.objects.values()))
    assert one[5:-4] not in kept
    # It opens no page, and no page's link opens it.
    assert Browser().get(f"/c/k/{two[5:-4]}/").status_code == 404
    assert Browser().get(f"/c/f/{visitor.visit_link[5:-1]}.ics").status_code == 404


def test_calendar_without_a_visit_is_empty_but_whole(visitor, page):
    address = feed_of(visitor, page)
    type(visitor.desk.session).objects.update(status=SessionStatus.NO_SHOW, outcome_at=NOW)

    text = Browser().get(address).content.decode()

    assert text.startswith("BEGIN:VCALENDAR") is True
    assert "BEGIN:VEVENT" not in text


# ------------------------------------------------------------------------------------------------ data


def test_data_are_given_to_whoever_knows_the_year_of_birth_and_that_is_on_record(visitor, page):
    refused = visitor.browser.post(f"{page}data/copy/")
    asked = visitor.browser.post(f"{page}year/", {"year": "1987", "next": "records"}, follow=True)
    copy = visitor.browser.post(f"{page}data/copy/")

    held = json.loads(ZipFile(BytesIO(copy.content)).read("client.json"))
    assert (refused.status_code, state_of(asked)) == (302, "What the clinic holds about you")
    assert copy["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    assert held["client"]["given_name"] == visitor.client.given_name
    assert [row["value"] for row in held["addresses"]] == [f"client{visitor.client.pk}@example.com"]
    assert held["courses"][0]["sessions"][0]["status"] == "booked"
    assert {row["trigger"] for row in held["messages"]} >= {"before_session"}
    assert AuditEvent.objects.filter(action="client.copy_given", actor_kind="client").count() == 1


def test_copy_holds_nothing_of_anybody_else(visitor, page, make_visitor):
    other = make_visitor()
    visitor.browser.post(f"{page}year/", {"year": "1987"})

    copy = ZipFile(BytesIO(visitor.browser.post(f"{page}data/copy/").content))
    text = "".join(copy.read(name).decode() for name in ("client.json", "client.html"))

    assert visitor.client.family_name in text
    for alien in (other.client.family_name, f"client{other.client.pk}@", str(other.desk.session.code)):
        assert alien not in text


def test_wish_to_be_erased_is_one_request_and_erases_nothing(visitor, page):
    visitor.browser.post(f"{page}data/erasure/")
    assert not ErasureRequest.objects.exists()
    visitor.browser.post(f"{page}year/", {"year": "1987"})

    for _ in range(2):
        response = visitor.browser.post(f"{page}data/erasure/", follow=True)

    assert "The clinic has your wish" in words(response)
    request = ErasureRequest.objects.get()
    assert (request.client_id, request.asked_at, request.handled_at) == (visitor.client.pk, NOW, None)
    assert AuditEvent.objects.filter(action="client.erasure_asked").count() == 1
    assert Client.objects.get(pk=visitor.client.pk).erased_at is None
