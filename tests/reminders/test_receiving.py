"""Texts from clients' telephones: whose they are, and what they do, once."""

from datetime import date, time, timedelta

import pytest

from clients.models import Channel, Client, Consent, ContactPoint
from clinics.models import Clinic
from courses.services import cancel_session, move_session
from reminders.models import Answer, ChannelAccount, Reminder
from reminders.services.receiving import receive_text
from tests.factories import ClientFactory, ClinicFactory, book
from tests.reminders.builders import NOW, at, make_desk

pytestmark = pytest.mark.django_db

NUMBER = "+37120000001"
ASKED = at("2026-03-03 15:00")
LATER = ASKED + timedelta(minutes=10)


def give_number(client, number=NUMBER, agrees=True):
    ContactPoint.objects.create(clinic=client.clinic, client=client, channel=Channel.SMS, value=number)
    if agrees:
        Consent.objects.create(
            clinic=client.clinic, client=client, channel=Channel.SMS, granted_at=NOW, granted_source="desk"
        )


def remind(session, when=ASKED):
    """Let the client have been reminded of a visit by SMS."""
    row = Reminder.objects.get(session=session, rule__slug="day-before")
    Reminder.objects.filter(pk=row.pk).update(channel="sms", state="sent", sent_at=when, decided_at=when)


@pytest.fixture
def desk(db):
    desk = make_desk()
    give_number(desk.course.client)
    remind(desk.session)
    return desk


@pytest.fixture
def account(desk):
    return make_account(desk.course.clinic)


def make_account(clinic: Clinic):
    return ChannelAccount.objects.create(
        clinic=clinic, channel="sms", provider="kept", created_at=NOW, changed_at=NOW
    )


def write(account, text, sender=NUMBER, event_id="1", now=LATER):
    return receive_text(account=account, sender=sender, text=text, event_id=event_id, now=now)


def said(answers):
    return [(answer.kind, answer.refusal) for answer in answers]


def has_consent(client):
    return Consent.objects.filter(client=client, channel="sms", withdrawn_at=None).exists()


# ---------------------------------------------------------------- yes and no


def test_yes_confirms_the_visit(desk, account):
    answers = write(account, "Да!")

    assert said(answers) == [("confirm", "")]
    assert (answers[0].session, answers[0].via) == (desk.session, "sms")
    assert desk.fresh_session().status == "confirmed"


def test_no_cancels_the_one_visit_that_was_asked_about(desk, account):
    assert said(write(account, "нет")) == [("cancel", "")]
    assert desk.fresh_session().status.startswith("cancelled")


def test_no_after_a_yes_cancels(desk, account):
    write(account, "yes")

    assert said(write(account, "no", event_id="2")) == [("cancel", "")]


@pytest.mark.parametrize("word", ["yes", "no"])
def test_two_visits_asked_about_leave_it_to_a_person(desk, account, word):
    second = book(desk.course, date(2026, 3, 5), time(15), now=NOW)
    remind(second)

    assert said(write(account, word)) == [("other", "ambiguous")]
    assert desk.fresh_session().status == "booked"
    assert Answer.objects.get().text == word


@pytest.mark.parametrize("word", ["yes", "no"])
def test_visit_nobody_was_reminded_of_is_not_answered(desk, account, word):
    Reminder.objects.filter(state="sent").update(channel="email")

    assert said(write(account, word)) == [("other", "nothing_asked")]
    assert desk.fresh_session().status == "booked"


def test_visit_that_has_begun_is_not_answered(desk, account):
    assert said(write(account, "no", now=desk.session.starts_at)) == [("other", "nothing_asked")]


def test_cancelled_visit_is_not_answered(desk, account):
    cancel_session(session=desk.fresh_session(), whose="clinic", by=desk.by, now=ASKED)

    assert said(write(account, "yes")) == [("other", "nothing_asked")]


def test_moved_visit_is_not_confirmed_at_a_time_nobody_named(desk, account):
    move_session(
        session=desk.fresh_session(),
        starts_at=desk.session.starts_at + timedelta(hours=1),
        practitioner=None,
        room=None,
        by=desk.by,
        now=ASKED,
    )

    assert said(write(account, "yes")) == [("confirm", "session_moved")]
    assert desk.fresh_session().status == "booked"


# ---------------------------------------------------------------- stop and start


def test_stop_ends_messages_and_start_brings_them_back(desk, account):
    client = desk.course.client
    assert said(write(account, "STOP")) == [("stop", "")]
    assert not has_consent(client)

    assert said(write(account, "Старт", event_id="2")) == [("start", "")]
    assert has_consent(client)


def test_stop_counts_for_everybody_with_the_number(desk, account):
    other = make_desk(client=ClientFactory(clinic=desk.course.clinic)).course.client
    give_number(other)

    assert said(write(account, "стоп")) == [("stop", ""), ("stop", "")]
    assert not has_consent(desk.course.client)
    assert not has_consent(other)


def test_start_is_not_the_first_consent_of_somebody(desk, account):
    Consent.objects.filter(channel="sms").delete()

    assert said(write(account, "START")) == [("other", "never_agreed")]
    assert not has_consent(desk.course.client)


# ---------------------------------------------------------------- whose it is


@pytest.mark.parametrize("sender", ["37120000001", "+371 2000-0001", "20000001"])
def test_number_is_known_however_it_is_written(desk, account, sender):
    Clinic.objects.update(country="LV")
    account.clinic.refresh_from_db()

    assert said(write(account, "yes", sender=sender)) == [("confirm", "")]


@pytest.mark.parametrize("sender", ["+37120000002", "Bank", "", "1234", "+" * 400])
def test_unknown_number_changes_nothing(desk, account, sender):
    assert write(account, "STOP", sender=sender) == []
    assert Answer.objects.count() == 0
    assert has_consent(desk.course.client)


def test_number_of_another_clinic_changes_nothing(desk, account):
    stranger = make_account(ClinicFactory())

    assert write(stranger, "STOP") == []
    assert has_consent(desk.course.client)


def test_erased_client_is_nobody(desk, account):
    Client.objects.update(erased_at=NOW)

    assert write(account, "STOP") == []


def test_address_that_bounced_may_still_say_stop(desk, account):
    ContactPoint.objects.filter(channel="sms").update(disabled_at=NOW, disabled_reason="bounced")

    assert said(write(account, "STOP")) == [("stop", "")]


def test_family_with_one_number_answers_for_the_one_who_was_asked(desk, account):
    other = make_desk(client=ClientFactory(clinic=desk.course.clinic), on=date(2026, 3, 6))
    give_number(other.course.client)

    answers = write(account, "no")

    assert [(answer.client, answer.kind) for answer in answers] == [(desk.course.client, "cancel")]
    assert other.fresh_session().status == "booked"


def test_family_with_two_visits_asked_about_is_left_to_a_person(desk, account):
    other = make_desk(client=ClientFactory(clinic=desk.course.clinic), on=date(2026, 3, 6))
    give_number(other.course.client)
    remind(other.session, when=LATER)

    answers = write(account, "no", now=LATER + timedelta(minutes=1))

    assert said(answers) == [("other", "ambiguous")]
    # It is shown with the one who was written to last.
    assert answers[0].client == other.course.client
    assert {desk.fresh_session().status, other.fresh_session().status} == {"booked"}


# ---------------------------------------------------------------- texts for people, and copies


def test_text_is_kept_for_a_person(desk, account):
    answers = write(account, "Can I come an hour later?\x00")

    answer = Answer.objects.get()
    assert answers == [answer]
    assert (answer.kind, answer.refusal, answer.text) == ("other", "", "Can I come an hour later?")
    assert (answer.reminder.session, answer.handled_at) == (desk.session, None)


def test_long_text_is_cut(desk, account):
    write(account, "я" * 1001)

    assert Answer.objects.get().text == "я" * 1000


@pytest.mark.parametrize("text", ["STOP", "yes", "no", "what?"])
def test_hundred_copies_have_one_effect(desk, account, text):
    first = write(account, text)

    copies = [write(account, text) for _ in range(99)]

    assert copies == [first] * 99
    assert Answer.objects.count() == 1


def test_copy_of_an_old_start_does_not_undo_a_stop(desk, account):
    write(account, "START", event_id="1")
    write(account, "STOP", event_id="2")

    write(account, "START", event_id="1")

    assert not has_consent(desk.course.client)


def test_same_event_of_another_account_is_another_event(desk, account):
    write(account, "what?", event_id="x" * 400)
    other = make_desk()
    give_number(other.course.client)

    write(make_account(other.course.clinic), "what?", event_id="x" * 400)

    assert Answer.objects.count() == 2


def test_nothing_personal_is_logged(desk, account, caplog):
    caplog.set_level("DEBUG")

    for number, text in enumerate(("STOP", "Anna asks: later?")):
        write(account, text, event_id=str(number))
    write(account, "STOP", sender="+37129999999")

    assert [word for word in (NUMBER, "37129999999", "Anna") if word in caplog.text] == []
