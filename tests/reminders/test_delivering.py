"""From a due row to a decision on record: sent, or not and why."""

import logging
from datetime import date, time, timedelta
from types import SimpleNamespace

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from clients.models import Consent, ContactPoint
from courses.models import Course, Pause, TreatmentSession
from courses.services import cancel_session, confirm_session, move_session
from reminders.channels.base import Outcome
from reminders.models import DeliveryAttempt, Reminder, ReminderRule
from reminders.services import Sender, claim_due, delivering, drain, expire_stale, recover_leases
from tests.factories import book
from tests.reminders.builders import NOW, Memory, at, hold_out, make_desk, riga, send_at

pytestmark = pytest.mark.django_db


def hand_over(claimed, channel, when):
    with Sender(clock=lambda: at(when), factories={"email": lambda: channel}) as sender:
        sender.work(claimed)
    return dict(sender.counts)


def test_due_message_is_sent_and_on_record():
    desk = make_desk()
    channel = Memory()

    counts = send_at("2026-03-03 15:00", channel)

    row = desk.row("day-before")
    assert counts == {"sent": 1}
    assert (row.state, row.sent_at, row.attempt_count) == ("sent", at("2026-03-03 15:00"), 1)
    assert [m.key for m in channel.messages] == [row.message_id] == [f"<{row.code}@localhost>"]
    attempt = DeliveryAttempt.objects.get(reminder=row)
    assert (attempt.number, attempt.outcome, attempt.finished_at) == (1, "sent", at("2026-03-03 15:00"))
    assert attempt.contact_point.client == desk.course.client


def test_sending_twice_sends_once():
    make_desk()
    channel = Memory()

    first, second = send_at("2026-03-03 15:00", channel), send_at("2026-03-03 15:00", channel)

    assert (first, second, len(channel.messages)) == ({"sent": 1}, {}, 1)


@pytest.mark.parametrize(
    ("when", "state"),
    [
        ("2026-03-03 14:59", "due"),
        ("2026-03-03 15:00", "sent"),
        ("2026-03-03 15:01", "sent"),
        ("2026-03-03 20:59", "sent"),
        ("2026-03-03 21:00", "due"),  # not claimed any more
        ("2026-03-03 21:01", "due"),
    ],
)
def test_sent_from_its_time_until_its_expiry(when, state):
    desk = make_desk()

    send_at(when, Memory())

    assert desk.row("day-before").state == state


@pytest.mark.parametrize(
    ("when", "state"),
    [("2026-03-03 20:59", "due"), ("2026-03-03 21:00", "expired"), ("2026-03-03 21:01", "expired")],
)
def test_expired_from_its_expiry_on(when, state):
    desk = make_desk()

    expire_stale(now=at(when))
    expire_stale(now=at(when))

    row = desk.row("day-before")
    assert row.state == state
    assert row.decision_reason == ("stale" if state == "expired" else "")


def test_row_that_expires_between_claim_and_send_is_not_sent():
    desk = make_desk()
    channel = Memory()
    claims = claim_due(owner="a", now=at("2026-03-03 20:59"), limit=5)

    # The lease of a minute would have run out too: so that only the expiry speaks.
    Reminder.objects.filter(state="claimed").update(lease_until=at("2026-03-03 22:00"))
    counts = hand_over(claims, channel, "2026-03-03 21:00")

    assert (counts, channel.messages) == ({"expired": 1}, [])
    assert desk.states("day-before") == [("expired", "stale")]


# ---------------------------------------------------------------- why none


def withdraw(desk):
    Consent.objects.update(withdrawn_at=NOW, withdrawn_source="test")


def never_agree(desk):
    Consent.objects.all().delete()


def disable_contact(desk):
    ContactPoint.objects.update(disabled_at=NOW, disabled_reason="smtp-550")


def lose_contact(desk):
    ContactPoint.objects.all().delete()


def confirm(desk):
    confirm_session(session=desk.session, by=desk.by, now=NOW)


def switch_off(desk):
    ReminderRule.objects.filter(slug="day-before").update(is_active=False)


def use_up_the_day(desk):
    desk.course.clinic.daily_message_cap = 0
    desk.course.clinic.save()


def erase(desk):
    desk.course.client.erased_at = NOW
    desk.course.client.save()


# Behind the services' back, so that only the look before sending can notice.
def move_row(desk):
    TreatmentSession.objects.update(starts_at=at("2026-03-04 16:00"), ends_at=at("2026-03-04 17:00"))


def cancel_row(desk):
    TreatmentSession.objects.update(status="cancelled_by_clinic", outcome_at=NOW)


def attend_row(desk):
    TreatmentSession.objects.update(status="attended", outcome_at=NOW)


def arrive_row(desk):
    TreatmentSession.objects.update(status="arrived")


def pause_row(desk):
    Pause.objects.create(
        clinic=desk.course.clinic,
        course=desk.course,
        from_on=date(2026, 3, 4),
        reason="illness",
        created_at=NOW,
    )


def end_row(desk):
    Course.objects.update(status="discontinued", ended_at=NOW, end_reason="moved away")


@pytest.mark.parametrize(
    ("spoil", "state", "reason"),
    [
        (withdraw, "suppressed", "no_consent"),
        (never_agree, "suppressed", "no_consent"),
        (disable_contact, "suppressed", "contact_disabled"),
        (lose_contact, "suppressed", "no_contact"),
        (confirm, "suppressed", "already_confirmed"),
        (use_up_the_day, "suppressed", "capped"),
        (hold_out, "suppressed", "held_out"),
        (switch_off, "cancelled", "rule_off"),
        (erase, "cancelled", "client_erased"),
        (move_row, "cancelled", "session_moved"),
        (cancel_row, "cancelled", "session_cancelled"),
        (attend_row, "cancelled", "session_over"),
        (arrive_row, "cancelled", "session_over"),
        (pause_row, "cancelled", "paused"),
        (end_row, "cancelled", "course_ended"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_message_that_may_not_go_says_why(spoil, state, reason):
    desk = make_desk()
    channel = Memory()
    spoil(desk)

    counts = send_at("2026-03-03 15:00", channel)

    assert (counts, channel.messages) == ({state: 1}, [])
    row = desk.row("day-before")
    assert (row.state, row.decision_reason, row.decided_at) == (state, reason, at("2026-03-03 15:00"))
    assert not DeliveryAttempt.objects.exists()


def test_channel_that_is_not_set_up_is_said():
    desk = make_desk()

    dict(drain(clock=lambda: at("2026-03-03 15:00"), factories={}))

    assert desk.states("day-before") == [("suppressed", "no_channel")]


def test_day_cap_counts_what_went_out_today():
    desk = make_desk()
    desk.course.clinic.daily_message_cap = 1
    desk.course.clinic.save()
    channel = Memory()
    Reminder.objects.filter(rule__slug="two-hours-before").update(send_at=at("2026-03-03 16:01"))

    first, second = send_at("2026-03-03 15:00", channel), send_at("2026-03-03 16:01", channel)

    assert (first, second) == ({"sent": 1}, {"suppressed": 1})
    assert desk.states("two-hours-before") == [("suppressed", "capped")]


# ---------------------------------------------------------------- several as one


def test_messages_within_the_hour_go_as_one():
    desk = make_desk()
    desk.course.clinic.daily_message_cap = 1
    desk.course.clinic.save()
    channel = Memory()
    Reminder.objects.filter(rule__slug="two-hours-before").update(send_at=at("2026-03-03 16:00"))

    counts = send_at("2026-03-03 15:00", channel)

    lead, carried = desk.row("day-before"), desk.row("two-hours-before")
    assert (counts, len(channel.messages)) == ({"sent": 2}, 1)
    assert (lead.state, lead.sent_with, carried.state, carried.sent_with) == ("sent", None, "sent", lead)
    assert channel.messages[0].key == f"<{lead.code}@localhost>" == lead.message_id == carried.message_id
    attempts = DeliveryAttempt.objects.order_by("reminder__pk").values_list("reminder", "number", "outcome")
    assert sorted(attempts) == sorted([(lead.pk, 1, "sent"), (carried.pk, 1, "sent")])


def test_message_more_than_an_hour_later_goes_by_itself():
    desk = make_desk()
    channel = Memory()
    Reminder.objects.filter(rule__slug="two-hours-before").update(send_at=at("2026-03-03 16:01"))

    send_at("2026-03-03 15:00", channel)

    assert desk.states("two-hours-before") == [("due", "")]
    assert send_at("2026-03-03 16:01", channel) == {"sent": 1}
    assert desk.row("two-hours-before").sent_with is None


def test_notice_that_waits_for_further_changes_is_not_hurried():
    desk = make_desk()
    book(desk.course, date(2026, 3, 6), now=at("2026-03-03 14:59"))
    notice = desk.row("change") if Reminder.objects.filter(rule__slug="change") else desk.row("schedule")
    assert riga(notice.send_at) == "2026-03-03 15:02"

    send_at("2026-03-03 15:00", Memory())

    notice.refresh_from_db()
    assert notice.state == "due"


def test_message_that_may_not_go_leaves_the_others_their_own_time():
    desk = make_desk()
    channel = Memory()
    confirm_session(session=desk.session, by=desk.by, now=NOW)
    Reminder.objects.filter(rule__slug="two-hours-before").update(send_at=at("2026-03-03 15:30"))

    assert send_at("2026-03-03 15:00", channel) == {"suppressed": 1, "due": 1}
    assert desk.states("day-before") == [("suppressed", "already_confirmed")]
    assert desk.states("two-hours-before") == [("due", "")]
    assert send_at("2026-03-03 15:30", channel) == {"sent": 1}

    row = desk.row("two-hours-before")
    assert (row.sent_with, channel.messages[0].key) == (None, row.message_id)


def test_failure_of_a_group_is_each_rows_own():
    desk = make_desk()
    Reminder.objects.filter(rule__slug="two-hours-before").update(send_at=at("2026-03-03 15:30"))
    channel = Memory(script=[BUSY, Outcome("sent")])

    assert send_at("2026-03-03 15:00", channel) == {"due": 2}
    assert send_at("2026-03-03 15:02", channel) == {"sent": 2}

    assert len(channel.messages) == 2
    assert {desk.row(slug).attempt_count for slug in ("day-before", "two-hours-before")} == {2}


def test_day_cap_begins_anew_at_the_clients_midnight():
    desk = make_desk()
    desk.course.clinic.daily_message_cap = 1
    desk.course.clinic.save()
    channel = Memory()

    for when in ("2026-03-02 08:03", "2026-03-03 15:00", "2026-03-04 13:00"):
        send_at(when, channel)

    assert len(channel.messages) == 3


# ---------------------------------------------------------------- quiet hours


def test_message_held_up_until_the_night_waits_for_the_morning():
    desk = make_desk()
    book(desk.course, date(2026, 3, 6), now=at("2026-03-02 20:56"))
    channel = Memory()

    # The notice was due at 20:59; its sender comes a few minutes late.
    assert send_at("2026-03-02 21:00", channel) == {"due": 1}
    assert desk.row("schedule").retry_at == at("2026-03-03 08:00")
    assert send_at("2026-03-03 07:59", channel) == {}

    assert send_at("2026-03-03 08:00", channel) == {"sent": 1}
    assert len(channel.messages) == 1


def test_message_with_only_quiet_hours_left_is_suppressed():
    desk = make_desk(starts=time(9, 30))
    channel = Memory()
    row = desk.row("two-hours-before")
    # 07:30 is quiet, so it goes the evening before; and nobody sent it then.
    assert (riga(row.send_at), riga(row.expires_at)) == ("2026-03-03 20:30", "2026-03-04 08:00")

    send_at("2026-03-03 21:00", channel)

    assert desk.states("two-hours-before") == [("suppressed", "quiet_hours")]


# ---------------------------------------------------------------- between claim and send


def race_move(desk):
    move_session(
        session=desk.fresh_session(),
        starts_at=at("2026-03-05 11:00"),
        practitioner=desk.session.practitioner,
        room=None,
        by=desk.by,
        now=at("2026-03-03 15:00"),
    )


def race_cancel(desk):
    cancel_session(session=desk.fresh_session(), whose="client", by=desk.by, now=at("2026-03-03 15:00"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [(race_move, "session_moved"), (race_cancel, "session_cancelled")],
    ids=["moved", "cancelled"],
)
def test_change_between_claim_and_send_wins(change, reason):
    desk = make_desk()
    channel = Memory()
    claims = claim_due(owner="a", now=at("2026-03-03 15:00"), limit=5)
    assert len(claims) == 1

    change(desk)
    counts = hand_over(claims, channel, "2026-03-03 15:00")

    assert (counts, channel.messages) == ({"void": 1}, [])
    assert desk.states("day-before")[0] == ("cancelled", reason)


def test_withdrawal_between_claim_and_send_wins():
    desk = make_desk()
    channel = Memory()
    claims = claim_due(owner="a", now=at("2026-03-03 15:00"), limit=5)

    withdraw(desk)
    counts = hand_over(claims, channel, "2026-03-03 15:00")

    assert (counts, channel.messages) == ({"suppressed": 1}, [])


# ---------------------------------------------------------------- claims


def test_claim_is_exclusive_until_its_lease_runs_out():
    make_desk()
    when = at("2026-03-03 15:00")

    first = claim_due(owner="a", now=when, limit=5)
    second = claim_due(owner="b", now=when, limit=5)
    assert recover_leases(now=when + timedelta(seconds=59)) == 0
    assert recover_leases(now=when + timedelta(seconds=60)) == 1
    third = claim_due(owner="b", now=when + timedelta(seconds=60), limit=5)

    assert [len(claims) for claims in (first, second, third)] == [1, 0, 1]
    assert (first[0][0].generation, third[0][0].generation) == (1, 2)


@pytest.mark.postgres
def test_claim_compares_no_due_rows_with_each_other():
    """A join of due rows is quick or takes seconds, as the statistics have it."""
    make_desk()
    with CaptureQueriesContext(connection) as queries:
        assert len(claim_due(owner="a", now=at("2026-03-03 15:00"), limit=5)) == 1
    look = next(query["sql"] for query in queries if "NOT EXISTS" in query["sql"])

    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + look)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert ("SubPlan" in plan, "Join" in plan) == (True, False)


def test_older_claim_is_void():
    make_desk()
    channel = Memory()
    old = claim_due(owner="a", now=at("2026-03-03 15:00"), limit=5)
    recover_leases(now=at("2026-03-03 15:01"))
    new = claim_due(owner="b", now=at("2026-03-03 15:01"), limit=5)

    assert hand_over(old, channel, "2026-03-03 15:01") == {"void": 1}
    assert hand_over(new, channel, "2026-03-03 15:01") == {"sent": 1}
    assert len(channel.messages) == 1


def test_claim_with_less_left_than_a_send_may_take_is_not_begun():
    make_desk()
    channel = Memory()
    claims = claim_due(owner="a", now=at("2026-03-03 15:00"), limit=5)
    Reminder.objects.filter(state="claimed").update(
        lease_until=at("2026-03-03 15:00") + timedelta(seconds=20)
    )

    assert hand_over(claims, channel, "2026-03-03 15:00") == {"void": 1}
    assert channel.messages == []


def test_stopped_sender_gives_the_rest_back_at_once():
    desk = make_desk()
    make_desk()
    claims = claim_due(owner="a", now=at("2026-03-03 15:00"), limit=5)
    assert len(claims) == 2

    with pytest.raises(KeyboardInterrupt):
        hand_over(claims, Memory(script=[KeyboardInterrupt()]), "2026-03-03 15:00")

    assert sorted(Reminder.objects.filter(rule__slug="day-before").values_list("state", flat=True)) == [
        "claimed",
        "due",
    ]
    assert desk.row("day-before").on_wire_at == at("2026-03-03 15:00")


def test_slow_sender_ends_in_time_and_gives_the_rest_back(monkeypatch):
    for _ in range(5):
        make_desk()
    passed = [0.0]

    def wait(message):
        passed[0] += 3.0

    channel = Memory(script=[wait])
    watch = SimpleNamespace(**vars(delivering.time) | {"monotonic": lambda: passed[0]})
    monkeypatch.setattr(delivering, "time", watch)
    when = at("2026-03-03 15:00")

    counts = drain(clock=lambda: when, seconds=7, factories={"email": lambda: channel})

    # The third began in time; all five were claimed together.
    assert counts == {"sent": 3}
    rest = Reminder.objects.filter(rule__slug="day-before").exclude(state="sent")
    assert list(rest.values_list("state", "lease_owner", "attempt_count", "generation")) == [
        ("due", "", 0, 1),
        ("due", "", 0, 1),
    ]
    assert drain(clock=lambda: when, seconds=7, factories={"email": lambda: channel}) == {"sent": 2}


# ---------------------------------------------------------------- after a crash in flight


def crash(when):
    with pytest.raises(KeyboardInterrupt):
        send_at(when, Memory(script=[KeyboardInterrupt()]))


def test_crash_in_flight_is_tried_once_more_under_the_same_key():
    desk = make_desk()
    crash("2026-03-03 15:00")
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.outcome, attempt.finished_at) == ("sending", None)

    recover_leases(now=at("2026-03-03 15:01"))
    assert desk.row("day-before").state == "due"
    channel = Memory()
    assert send_at("2026-03-03 15:01", channel) == {}
    assert send_at("2026-03-03 15:02", channel) == {"sent": 1}

    assert [m.key for m in channel.messages] == [desk.row("day-before").message_id]
    attempts = DeliveryAttempt.objects.order_by("number").values_list("number", "outcome", "error_code")
    assert list(attempts) == [(1, "uncertain", "sender-lost"), (2, "sent", "")]


def test_second_crash_in_flight_is_left_to_a_person():
    desk = make_desk()
    for when, later in (("15:00", "15:01"), ("15:02", "15:03")):
        crash(f"2026-03-03 {when}")
        recover_leases(now=at(f"2026-03-03 {later}"))

    assert desk.states("day-before") == [("uncertain", "lost_in_flight")]
    assert send_at("2026-03-03 15:10", Memory()) == {}


def test_cancelling_what_is_on_the_wire_does_not_pretend():
    desk = make_desk()
    crash("2026-03-03 15:00")

    race_cancel(desk)

    assert desk.row("day-before").state == "claimed"
    # The retry is another matter: that can be called back, and is.
    recover_leases(now=at("2026-03-03 15:01"))
    channel = Memory()
    assert send_at("2026-03-03 15:02", channel) == {"cancelled": 1}
    assert channel.messages == []


def test_late_result_counts_while_nobody_has_the_row():
    desk = make_desk()

    def outlive_the_lease(message):
        recover_leases(now=at("2026-03-03 15:01"))
        assert desk.row("day-before").state == "due"

    assert send_at("2026-03-03 15:00", Memory(script=[outlive_the_lease])) == {"sent": 1}
    assert send_at("2026-03-03 15:05", Memory()) == {}


def test_late_result_is_discarded_when_another_has_the_row():
    desk = make_desk()

    def be_overtaken(message):
        recover_leases(now=at("2026-03-03 15:01"))
        claim_due(owner="b", now=at("2026-03-03 15:02"), limit=5)

    assert send_at("2026-03-03 15:00", Memory(script=[be_overtaken])) == {"": 1}

    row = desk.row("day-before")
    assert (row.state, row.lease_owner, row.generation) == ("claimed", "b", 2)
    assert DeliveryAttempt.objects.get().outcome == "sent"


# ---------------------------------------------------------------- failures

BUSY = Outcome("transient", "smtp-451")
UNKNOWN_USER = Outcome("permanent", "smtp-550", is_address_bad=True)
SILENT = Outcome("uncertain", "smtp-silent")


def test_transient_failure_comes_back_ever_later():
    desk = make_desk()
    channel = Memory(script=[BUSY])
    when = at("2026-03-03 15:00")
    pauses = []
    for _ in range(5):
        send_at(when, channel)
        row = desk.row("day-before")
        pauses.append((row.retry_at - when).total_seconds())
        assert send_at(row.retry_at - timedelta(seconds=1), channel) == {}
        when = row.retry_at
    assert [45 * 2**n <= pause <= 75 * 2**n for n, pause in enumerate(pauses)] == [True] * 5

    send_at(when, channel)

    assert desk.states("day-before") == [("failed", "gave_up")]
    assert DeliveryAttempt.objects.filter(outcome="transient", error_code="smtp-451").count() == 6


def test_transient_failure_that_cannot_be_mended_in_time_ends():
    desk = make_desk()

    send_at("2026-03-03 20:59:30", Memory(script=[BUSY]))

    assert desk.states("day-before") == [("failed", "gave_up")]


def test_recovered_server_is_used():
    desk = make_desk()
    send_at("2026-03-03 15:00", Memory(script=[BUSY]))

    send_at("2026-03-03 15:02", Memory())

    row = desk.row("day-before")
    assert (row.state, row.attempt_count, row.retry_at) == ("sent", 2, None)


def test_unknown_address_is_disabled_for_good():
    desk = make_desk()

    send_at("2026-03-03 15:00", Memory(script=[UNKNOWN_USER]))

    assert desk.states("day-before") == [("failed", "bounced")]
    contact = ContactPoint.objects.get()
    assert (contact.disabled_at, contact.disabled_reason) == (at("2026-03-03 15:00"), "smtp-550")
    event = AuditEvent.objects.get(action="contact.disabled")
    assert event.new == {"contact": str(contact.code), "reason": "smtp-550"}
    send_at("2026-03-04 13:00", Memory())
    assert desk.states("two-hours-before") == [("suppressed", "contact_disabled")]


def test_refused_message_leaves_the_address_alone():
    desk = make_desk()

    send_at("2026-03-03 15:00", Memory(script=[Outcome("permanent", "smtp-554")]))

    assert desk.states("day-before") == [("failed", "refused")]
    assert ContactPoint.objects.get().disabled_at is None


def test_silence_after_the_body_is_tried_once_more():
    desk = make_desk()
    channel = Memory(script=[SILENT])

    send_at("2026-03-03 15:00", channel)
    assert desk.states("day-before") == [("due", "")]
    send_at("2026-03-03 15:01", channel)

    assert desk.states("day-before") == [("uncertain", "lost_in_flight")]
    assert channel.messages[0].key == channel.messages[1].key


def test_poison_row_fails_and_those_behind_it_go():
    desk, other = make_desk(), make_desk()
    ReminderRule.objects.filter(clinic=desk.course.clinic, slug="day-before").update(texts={"en": 1})
    channel = Memory()

    counts = send_at("2026-03-03 15:00", channel)

    assert counts == {"failed": 1, "sent": 1}
    assert desk.states("day-before") == [("failed", "broken")]
    assert other.states("day-before") == [("sent", "")]


def test_channel_that_is_down_is_left_alone_until_the_next_drain():
    desks = [make_desk(), make_desk(), make_desk()]
    channel = Memory(script=[Outcome("transient", "smtp-unreachable", is_channel_down=True)])

    send_at("2026-03-03 15:00", channel)

    assert len(channel.messages) == 1
    assert [desk.states("day-before") for desk in desks] == [[("due", "")]] * 3
    assert send_at("2026-03-03 15:03", Memory()) == {"sent": 3}


def test_nothing_personal_is_logged(caplog):
    desk, _ = make_desk(), make_desk()
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    ReminderRule.objects.filter(clinic=desk.course.clinic).update(texts={"en": 1})
    client = desk.course.client

    send_at("2026-03-03 15:00", Memory(script=[UNKNOWN_USER]))

    assert "could not be prepared" in caplog.text
    for secret in (client.given_name, client.family_name, ContactPoint.objects.first().value, "massage"):
        assert secret not in caplog.text


# ---------------------------------------------------------------- e-mail as Django sends it


def test_email_of_the_day_before():
    desk = make_desk()

    send_at("2026-03-03 15:00")

    email = mail.outbox[0]
    assert email.subject == "Your visit: tomorrow, Wednesday, 4 March, 15:00"
    assert email.to == [ContactPoint.objects.get().value]
    assert email.from_email == f"{desk.course.clinic.name} <regimen@localhost>"
    assert email.extra_headers == {
        "Message-ID": desk.row("day-before").message_id,
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": email.extra_headers["List-Unsubscribe"],
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert [part.mimetype for part in email.alternatives] == ["text/html"]


def test_each_further_message_costs_its_five_writes_and_no_look():
    make_desk()
    with CaptureQueriesContext(connection) as one:
        assert send_at("2026-03-03 15:00", Memory()) == {"sent": 1}
    for _ in range(3):
        make_desk()
    with CaptureQueriesContext(connection) as three:
        assert send_at("2026-03-03 15:00", Memory()) == {"sent": 3}

    words = ("SELECT", "INSERT", "UPDATE")
    counted = [[q["sql"].split()[0] for q in queries] for queries in (one, three)]
    growth = {word: counted[1].count(word) - counted[0].count(word) for word in words}
    # Of each: on the wire, the attempt's end, the row's; its attempt and its links.
    assert growth == {"SELECT": 0, "INSERT": 4, "UPDATE": 6}
