"""Clients confirm, cancel, stop and start; each word acts once, and what cannot be is kept with its reason."""

from datetime import date, time, timedelta

import pytest

from audit.models import AuditEvent
from clients.models import Channel, Client, Consent, ContactPoint
from courses.errors import CourseError
from courses.models import Course, SessionStatus, TreatmentSession
from courses.services import (
    cancel_session,
    correct_session,
    discontinue_course,
    move_session,
    record_arrival,
)
from reminders.models import Answer, ChannelAccount, Reminder
from reminders.services.answering import (
    ChosenSlot,
    book_by_client,
    cancel_by_client,
    confirm_by_client,
    move_by_client,
    start_channel,
    stop_channel,
)
from tests.factories import ClientFactory, book, prescribe
from tests.reminders.builders import NOW, at, make_desk

pytestmark = pytest.mark.django_db

TUESDAY = at("2026-03-03 09:00")


@pytest.fixture
def desk():
    return make_desk()


def confirm(desk, **options):
    values = {"session": desk.session, "client": desk.course.client, "via": "link", "now": NOW}
    return confirm_by_client(**values | options)


def cancel(desk, **options):
    values = {"session": desk.session, "client": desk.course.client, "via": "link", "now": NOW}
    return cancel_by_client(**values | options)


def move(desk, when="2026-03-05 15:00", now=NOW):
    return move_session(
        session=desk.fresh_session(),
        starts_at=at(when),
        practitioner=desk.session.practitioner,
        room=None,
        by=desk.by,
        now=now,
    )


# ------------------------------------------------------------------------------------------------ confirming


def test_confirming_is_what_staff_see_and_who_did_it_is_on_record(desk):
    row = desk.row("day-before")

    answer = confirm(desk, reminder=row)

    session = desk.fresh_session()
    assert (session.status, session.confirmed_at) == (SessionStatus.CONFIRMED, NOW)
    assert (answer.kind, answer.via, answer.channel, answer.refusal) == ("confirm", "link", "email", "")
    assert (answer.session, answer.reminder, answer.answered_at) == (session, row, NOW)
    event = AuditEvent.objects.get(action="course.session_confirmed")
    assert (event.actor_kind, event.actor_code) == ("client", desk.course.client.code)


def test_second_press_changes_nothing_and_finds_the_first_answer(desk):
    first = confirm(desk)
    version = Course.objects.get(pk=desk.course.pk).version

    second = confirm(desk, now=TUESDAY)

    assert second == first
    assert Answer.objects.count() == 1
    assert Course.objects.get(pk=desk.course.pk).version == version


def test_replayed_event_finds_its_first_answer_even_when_things_have_changed(desk):
    first = confirm(desk, via="sms", event_key="sms:1")
    move(desk)

    again = confirm(desk, via="sms", event_key="sms:1", now=TUESDAY)

    assert again == first
    assert desk.fresh_session().status == SessionStatus.BOOKED


def test_another_event_is_another_answer(desk):
    confirm(desk, via="sms", event_key="sms:1")
    confirm(desk, via="sms", event_key="sms:2")

    assert Answer.objects.filter(refusal="").count() == 2
    assert AuditEvent.objects.filter(action="course.session_confirmed").count() == 1


def test_visit_confirmed_by_telephone_can_be_confirmed_by_its_client(desk):
    TreatmentSession.objects.filter(pk=desk.session.pk).update(status="confirmed", confirmed_at=NOW)

    answer = confirm(desk, now=TUESDAY)

    assert (answer.refusal, Answer.objects.count()) == ("", 1)
    assert desk.fresh_session().confirmed_at == NOW


def test_moved_visit_is_confirmed_anew(desk):
    first = confirm(desk)
    move(desk)

    second = confirm(desk, now=TUESDAY)

    assert second != first
    assert desk.fresh_session().status == SessionStatus.CONFIRMED


def test_visit_moved_since_the_page_was_seen_is_not_confirmed(desk):
    seen = desk.session.version
    move(desk)

    refused = confirm(desk, seen_version=seen)
    accepted = confirm(desk, seen_version=desk.fresh_session().version)

    assert (refused.refusal, accepted.refusal) == ("session_moved", "")


def test_yes_by_sms_means_the_time_of_its_message(desk):
    row = desk.row("day-before")
    move(desk)

    by_text = confirm(desk, via="sms", event_key="sms:1", reminder=row)

    assert row.about == "slot:2026-03-04T13:00:00Z"
    assert by_text.refusal == "session_moved"
    # By link the page has shown the time as it is now.
    assert confirm(desk, reminder=row).refusal == ""


@pytest.mark.parametrize("verb", [confirm, cancel])
def test_visit_that_has_begun_takes_no_answer(desk, verb):
    answer = verb(desk, now=desk.session.starts_at)

    assert answer.refusal == "session_begun"
    assert desk.fresh_session().status == SessionStatus.BOOKED


@pytest.mark.parametrize("verb", [confirm, cancel])
def test_visit_can_be_answered_until_it_begins(desk, verb):
    assert verb(desk, now=desk.session.starts_at - timedelta(seconds=1)).refusal == ""


@pytest.mark.parametrize("verb", [confirm, cancel])
def test_visit_cancelled_by_the_clinic_takes_no_answer(desk, verb):
    cancel_session(session=desk.session, whose="clinic", by=desk.by, now=NOW)

    answer = verb(desk)

    assert answer.refusal == "session_cancelled"
    assert desk.fresh_session().status == SessionStatus.CANCELLED_BY_CLINIC


@pytest.mark.parametrize("verb", [confirm, cancel])
def test_client_who_is_here_needs_no_answer(desk, verb):
    morning = at("2026-03-04 14:50")
    record_arrival(session=desk.session, by=desk.by, now=morning)

    assert verb(desk, now=morning).refusal == "session_over"
    assert desk.fresh_session().status == SessionStatus.ARRIVED


@pytest.mark.parametrize("verb", [confirm, cancel])
def test_course_that_ended_takes_no_answer(desk, verb):
    discontinue_course(course=desk.course, reason="moved away", by=desk.by, now=NOW)
    TreatmentSession.objects.filter(pk=desk.session.pk).update(status="booked", outcome_at=None)

    assert verb(desk).refusal == "course_not_open"


@pytest.mark.parametrize("verb", [confirm, cancel])
def test_erased_client_takes_no_answer(desk, verb):
    client = desk.course.client
    client.erased_at = NOW

    assert verb(desk, client=client).refusal == "client_erased"


@pytest.mark.parametrize("verb", [confirm, cancel])
def test_other_client_is_refused_and_leaves_no_trace(desk, verb):
    stranger = ClientFactory(clinic=desk.course.clinic)

    with pytest.raises(CourseError) as refusal:
        verb(desk, client=stranger)

    assert refusal.value.code == "session_unknown"
    assert not Answer.objects.exists()
    assert desk.fresh_session().status == SessionStatus.BOOKED


def test_same_refusal_is_kept_once(desk):
    late = desk.session.starts_at

    answers = [confirm(desk, now=late), confirm(desk, now=late), cancel(desk, now=late)]

    assert answers[0] == answers[1] != answers[2]
    assert Answer.objects.count() == 2


# ------------------------------------------------------------------------------------------------ cancelling


@pytest.mark.parametrize(
    ("hours", "status"), [(24, "cancelled_by_client"), (23.99, "cancelled_late"), (1, "cancelled_late")]
)
def test_cancelling_is_in_time_or_late_by_the_clinics_notice(desk, hours, status):
    answer = cancel(desk, now=desk.session.starts_at - timedelta(hours=hours), reason=" I am ill. ")

    session = desk.fresh_session()
    assert (answer.kind, answer.refusal) == ("cancel", "")
    assert (session.status, session.cancel_reason, session.outcome_by) == (status, "I am ill.", None)


def test_cancelling_twice_is_once_and_frees_no_second_time(desk):
    first = cancel(desk)
    again = cancel(desk, now=TUESDAY)

    assert again == first
    assert Answer.objects.count() == 1
    assert AuditEvent.objects.filter(action="course.session_cancelled").count() == 1


def test_cancelled_visit_is_not_confirmed(desk):
    cancel(desk)

    assert confirm(desk).refusal == "session_cancelled"


def test_visit_given_back_can_be_cancelled_again(desk):
    first = cancel(desk)
    correct_session(session=desk.fresh_session(), status="booked", by=desk.by, now=NOW)

    second = cancel(desk, now=TUESDAY)

    assert second != first
    assert desk.fresh_session().status == SessionStatus.CANCELLED_BY_CLIENT


def test_reason_that_does_not_fit_is_no_answer(desk):
    with pytest.raises(CourseError) as refusal:
        cancel(desk, reason="x" * 201)

    assert (refusal.value.code, Answer.objects.count()) == ("text_too_long", 0)
    assert desk.fresh_session().status == SessionStatus.BOOKED


def test_cancelling_calls_the_reminders_back(desk):
    cancel(desk)

    assert desk.states("day-before") == [("cancelled", "session_cancelled")]


# ------------------------------------------------------------------------------------------------ stop and start


def consents(client):
    rows = Consent.objects.filter(client=client).order_by("pk")
    return list(rows.values_list("channel", "withdrawn_at", "withdrawn_source", "granted_source"))


def test_stopping_withdraws_one_channel(desk):
    client = desk.course.client
    Consent.objects.create(
        clinic=client.clinic, client=client, channel="sms", granted_at=NOW, granted_source="test"
    )

    answer = stop_channel(client=client, channel=Channel.EMAIL, via="unsubscribe", now=NOW)

    assert consents(client) == [
        ("email", NOW, "client:unsubscribe", "test"),
        ("sms", None, "", "test"),
    ]
    assert (answer.kind, answer.channel, answer.refusal) == ("stop", "email", "")
    event = AuditEvent.objects.get(action="client.channel_stopped")
    assert (event.actor_kind, event.subject_code) == ("client", client.code)
    assert event.new == {"channel": "email", "via": "unsubscribe"}


def test_stopping_twice_is_one_answer_and_a_new_event_another(desk):
    client = desk.course.client
    first = stop_channel(client=client, channel="email", via="link", now=NOW)

    assert stop_channel(client=client, channel="email", via="link", now=TUESDAY) == first
    event = stop_channel(client=client, channel="email", via="sms", event_key="sms:1", now=TUESDAY)
    again = stop_channel(client=client, channel="email", via="sms", event_key="sms:1", now=TUESDAY)

    assert (event, Answer.objects.count()) == (again, 2)
    assert AuditEvent.objects.filter(action="client.channel_stopped").count() == 1


def test_replayed_stop_does_not_undo_a_later_start(desk):
    client = desk.course.client
    stop_channel(client=client, channel="email", via="sms", event_key="sms:1", now=NOW)
    start_channel(client=client, channel="email", via="sms", event_key="sms:2", now=TUESDAY)

    stop_channel(client=client, channel="email", via="sms", event_key="sms:1", now=TUESDAY)

    assert Consent.objects.filter(client=client, channel="email", withdrawn_at=None).count() == 1


def test_starting_grants_anew_and_keeps_the_history(desk):
    client = desk.course.client
    stop_channel(client=client, channel="email", via="link", now=NOW)

    answers = [start_channel(client=client, channel="email", via="link", now=TUESDAY) for _ in range(2)]

    assert answers[0] == answers[1]
    assert consents(client) == [
        ("email", NOW, "client:link", "test"),
        ("email", None, "", "client:link"),
    ]


def test_what_was_to_come_by_mail_comes_by_sms_after_a_stop(desk):
    client = desk.course.client
    ContactPoint.objects.create(clinic=client.clinic, client=client, channel="sms", value="+37120000001")
    Consent.objects.create(
        clinic=client.clinic, client=client, channel="sms", granted_at=NOW, granted_source="test"
    )
    ChannelAccount.objects.create(
        clinic=client.clinic, channel="sms", provider="kept", created_at=NOW, changed_at=NOW
    )
    rule = desk.row("day-before").rule
    rule.channels = ["email", "sms"]
    rule.save()

    stop_channel(client=client, channel="email", via="link", now=NOW)

    rows = Reminder.objects.filter(rule=rule).order_by("pk").values_list("channel", "state")
    assert list(rows) == [("email", "cancelled"), ("sms", "due")]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"disabled_at": NOW, "disabled_reason": "smtp-550"}, "contact_disabled"),
        (None, "no_contact"),
    ],
)
def test_starting_needs_an_address(desk, change, refusal):
    client = desk.course.client
    stop_channel(client=client, channel="email", via="link", now=NOW)
    contacts = ContactPoint.objects.filter(client=client)
    contacts.update(**change) if change else contacts.delete()

    answer = start_channel(client=client, channel="email", via="link", now=TUESDAY)

    assert answer.refusal == refusal
    assert not Consent.objects.filter(client=client, withdrawn_at=None).exists()


def test_erased_client_is_not_written_to_again(desk):
    client = desk.course.client
    Client.objects.filter(pk=client.pk).update(erased_at=NOW)

    assert start_channel(client=client, channel="email", via="link", now=NOW).refusal == "client_erased"


def test_stop_before_the_consent_was_given_still_holds(desk):
    client = desk.course.client
    Consent.objects.filter(client=client).update(granted_at=TUESDAY)

    stop_channel(client=client, channel="email", via="link", now=NOW)

    assert consents(client) == [("email", TUESDAY, "client:link", "test")]


# ------------------------------------------------------------------------------------------------ moving and booking


def chosen(desk, when="2026-03-05 09:00"):
    return ChosenSlot(at(when), 45, desk.session.practitioner, None)


def take(desk, when="2026-03-05 09:00", **options):
    values = {"session": desk.session, "client": desk.course.client, "via": "link", "now": NOW}
    return move_by_client(slot=chosen(desk, when), **values | options)


def test_moving_is_on_record_once_however_often_it_is_pressed(desk):
    seen = desk.session.version

    first = take(desk, seen_version=seen)
    again = take(desk, seen_version=seen)

    session = desk.fresh_session()
    assert (first.kind, first.refusal, again.pk) == ("move", "", first.pk)
    assert (session.starts_at, session.status) == (at("2026-03-05 09:00"), SessionStatus.BOOKED)
    moved = AuditEvent.objects.get(action="course.session_moved")
    assert (moved.actor_kind, moved.actor_code) == ("client", desk.course.client.code)


@pytest.mark.parametrize(
    ("now", "seen", "slot", "refusal"),
    [
        (NOW, 99, "2026-03-05 09:00", "session_moved"),
        (at("2026-03-03 15:01"), None, "2026-03-05 09:00", "notice_passed"),
        (at("2026-03-04 15:00"), None, "2026-03-05 09:00", "session_begun"),
        (NOW, None, "2026-03-08 09:00", "clinic_closed"),
    ],
)
def test_move_that_cannot_be_is_kept_with_its_reason(desk, now, seen, slot, refusal):
    before = desk.fresh_session().starts_at

    answer = take(desk, slot, now=now, seen_version=seen)

    assert (answer.refusal, desk.fresh_session().starts_at) == (refusal, before)


def test_slot_that_somebody_took_meanwhile_stays_theirs(desk):
    other = prescribe(
        now=NOW, member=desk.course.prescribed_by, client=ClientFactory(clinic=desk.course.clinic)
    )
    book(other, date(2026, 3, 5), time(9), now=NOW, practitioner=desk.session.practitioner)

    assert take(desk).refusal == "slot_taken"


def test_next_visit_is_booked_once(desk):
    cancel(desk)
    values = {"course": desk.course, "client": desk.course.client, "via": "link", "now": NOW}

    first = book_by_client(slot=chosen(desk), **values)
    again = book_by_client(slot=chosen(desk), **values)
    other = book_by_client(slot=chosen(desk, "2026-03-06 09:00"), **values)

    assert (first.kind, first.refusal, again.pk, other.refusal) == ("book", "", first.pk, "already_booked")
    booked = TreatmentSession.objects.filter(course=desk.course, status=SessionStatus.BOOKED)
    assert [row.starts_at for row in booked] == [at("2026-03-05 09:00")]


def test_strangers_course_and_visit_are_refused(desk):
    stranger = ClientFactory(clinic=desk.course.clinic)

    with pytest.raises(CourseError):
        take(desk, client=stranger)
    with pytest.raises(CourseError):
        book_by_client(course=desk.course, client=stranger, slot=chosen(desk), via="link", now=NOW)
