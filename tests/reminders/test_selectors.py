"""What went out, what will and what waits for a person; what stands in a message's way beforehand."""

from datetime import date

import pytest

from clients.models import Channel, Consent, ContactPoint
from reminders.models import Answer, Reminder, ReminderRule
from reminders.selectors import (
    COMING,
    NOT_SENT,
    SENT,
    WAITING,
    MessageFilter,
    clinic_messages,
    disabled_contacts,
    filter_messages,
    foreseen_reason,
    group_counts,
    latest_confirmations,
    latest_decisions,
    open_answers,
    waiting_count,
)
from tests.factories import ClinicFactory
from tests.reminders.builders import NOW, at, hold_out, make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return make_desk()


@pytest.fixture
def clinic(desk):
    return desk.course.clinic


def put(row, **values):
    Reminder.objects.filter(pk=row.pk).update(**values)


def decide(row, state, reason="gave_up"):
    is_sent = state == "sent"
    put(
        row,
        state=state,
        decision_reason="" if is_sent else reason,
        decided_at=NOW,
        sent_at=NOW if is_sent else None,
    )


def slugs(clinic, **wanted):
    return [row.rule.slug for row in filter_messages(clinic, MessageFilter(**wanted))]


def test_groups_part_all_messages(desk, clinic):
    decide(desk.row("two-hours-before"), "sent")
    decide(desk.row("schedule"), "suppressed", "capped")

    assert slugs(clinic, group=COMING) == ["day-before"]
    assert slugs(clinic, group=SENT) == ["two-hours-before"]
    # "Book your next session" was wanted until the booking.
    assert slugs(clinic, group=NOT_SENT) == ["book-next", "schedule"]
    assert slugs(clinic, group=WAITING) == []
    assert group_counts(clinic) == {"coming": 1, "sent": 1, "not_sent": 2}
    assert group_counts(ClinicFactory()) == {"coming": 0, "sent": 0, "not_sent": 0}


def test_those_ahead_are_listed_soonest_first(desk, clinic):
    assert slugs(clinic, group=COMING) == ["schedule", "day-before", "two-hours-before"]


def test_list_is_narrowed_by_channel_trigger_day_and_client(desk, clinic):
    put(desk.row("day-before"), channel="sms")
    family_name = desk.course.client.family_name

    assert slugs(clinic, channel="sms") == ["day-before"]
    assert slugs(clinic, trigger="schedule") == ["schedule"]
    # The reminder two hours before Wednesday at three; the last day counts in full.
    assert slugs(clinic, from_on=date(2026, 3, 4), to_on=date(2026, 3, 4)) == ["two-hours-before"]
    assert slugs(clinic, to_on=date(2026, 3, 2)) == ["schedule"]
    assert len(slugs(clinic, text=f"anna {family_name.upper()}")) == 3
    assert slugs(clinic, text="nobody") == []


def test_failed_and_uncertain_messages_wait_until_handled_or_taken_over(desk, clinic):
    first, second, third = (desk.row(slug) for slug in ("schedule", "day-before", "two-hours-before"))
    decide(first, "failed")
    decide(second, "uncertain", "lost_in_flight")
    assert (slugs(clinic, group=WAITING), waiting_count(clinic)) == (["day-before", "schedule"], 2)

    put(third, fallback_for=first)
    assert (slugs(clinic, group=WAITING), waiting_count(clinic)) == (["day-before"], 1)

    decide(third, "expired", "stale")
    assert slugs(clinic, group=WAITING) == ["day-before", "schedule"]

    put(first, handled_at=NOW)
    put(second, handled_at=NOW)
    assert (slugs(clinic, group=WAITING), waiting_count(clinic)) == ([], 0)


def test_bad_addresses_and_open_answers_wait_too(desk, clinic, django_assert_num_queries):
    client = desk.course.client
    values = {"clinic": clinic, "client": client, "via": "sms", "answered_at": NOW}
    answer = Answer.objects.create(kind="other", **values)
    Answer.objects.create(kind="confirm", **values)
    Answer.objects.create(kind="other", handled_at=NOW, **values)
    assert list(open_answers(clinic)) == [answer]
    assert waiting_count(clinic) == 1

    ContactPoint.objects.filter(client=client).update(disabled_at=NOW, disabled_reason="smtp-550")

    assert [contact.client for contact in disabled_contacts(clinic)] == [client]
    with django_assert_num_queries(1):
        assert waiting_count(clinic) == 2
    assert waiting_count(ClinicFactory()) == 0


def foreseen(clinic, **options):
    row = clinic_messages(clinic).get(rule__slug="day-before")
    return foreseen_reason(row, **options)


def test_nothing_speaks_against_a_plain_message(clinic):
    assert foreseen(clinic) is None
    assert foreseen(clinic, channels={"email"}) is None


def test_what_stands_in_the_way_is_foreseen(desk, clinic):
    client = desk.course.client
    hold_out(desk)
    clinic.refresh_from_db()
    assert foreseen(clinic) == "held_out"
    desk.session.refresh_from_db()

    assert foreseen(clinic, channels={"sms"}) == "no_channel"

    Consent.objects.filter(client=client).update(withdrawn_at=NOW, withdrawn_source="test")
    assert foreseen(clinic) == "no_consent"

    ContactPoint.objects.filter(client=client).update(disabled_at=NOW, disabled_reason="smtp-550")
    assert foreseen(clinic) == "contact_disabled"

    ContactPoint.objects.filter(client=client).delete()
    assert foreseen(clinic) == "no_contact"

    desk.session.status = "confirmed"
    desk.session.save(update_fields=["status"])
    assert foreseen(clinic) == "already_confirmed"

    ReminderRule.objects.filter(clinic=clinic).update(is_active=False)
    assert foreseen(clinic) == "rule_off"


def test_latest_decision_prefers_what_was_sent(desk):
    ids = [desk.session.pk]
    assert latest_decisions(ids) == {}

    decide(desk.row("day-before"), "sent")
    decide(desk.row("two-hours-before"), "suppressed", "capped")

    assert latest_decisions(ids) == {desk.session.pk: desk.row("day-before")}


def test_latest_confirmation_is_one_that_was_accepted(desk, clinic):
    values = {
        "clinic": clinic,
        "client": desk.course.client,
        "session": desk.session,
        "kind": "confirm",
        "via": "link",
    }
    Answer.objects.create(answered_at=at("2026-03-02 10:00"), refusal="too_late", **values)
    assert latest_confirmations([desk.session.pk]) == {}

    accepted = Answer.objects.create(answered_at=at("2026-03-02 09:00"), channel=Channel.EMAIL, **values)

    assert latest_confirmations([desk.session.pk]) == {desk.session.pk: accepted}
