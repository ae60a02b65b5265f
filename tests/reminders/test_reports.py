"""What providers report: once, twice, too early, in the wrong order, and about somebody else's message."""

import itertools
from datetime import timedelta

import pytest

from audit.models import AuditEvent
from clients.models import Consent, ContactPoint
from reminders.models import Answer, ChannelAccount, DeliveryAttempt, DeliveryReport, Reminder
from reminders.services.answering import match_reports, record_report
from tests.factories import ClinicFactory
from tests.reminders.builders import NOW, make_desk, send_at

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk():
    return make_desk()


@pytest.fixture
def row(desk):
    """A message that was sent, its attempt known to the provider as m-1."""
    row = desk.row("day-before")
    send(row)
    row.refresh_from_db()
    return row


def send(row, *, provider_id="m-1", state="sent"):
    Reminder.objects.filter(pk=row.pk).update(
        state=state,
        decided_at=NOW,
        sent_at=NOW if state == "sent" else None,
        decision_reason="" if state == "sent" else "lost_in_flight",
    )
    DeliveryAttempt.objects.create(
        clinic=row.clinic,
        reminder=row,
        number=1,
        generation=1,
        contact_point=ContactPoint.objects.get(client=row.client, channel="email"),
        started_at=NOW,
        finished_at=NOW,
        outcome="sent" if state == "sent" else "uncertain",
        provider_id=provider_id,
    )


def report(kind, event_id, **options):
    values = {
        "provider": "mailer",
        "provider_id": "m-1",
        "happened_at": NOW + MINUTE,
        "now": NOW + 2 * MINUTE,
    }
    return record_report(kind=kind, event_id=event_id, **values | options)


def delivery(row):
    return Reminder.objects.values_list("delivery", "delivered_at").get(pk=row.pk)


def test_delivery_is_put_on_record_with_its_message(row):
    found = report("delivered", "e-1")

    assert (found.reminder, found.clinic, found.kind) == (row, row.clinic, "delivered")
    assert delivery(row) == ("delivered", NOW + MINUTE)


def test_same_event_counts_once(row):
    first = report("delivered", "e-1")
    again = report("delivered", "e-1", happened_at=NOW + 5 * MINUTE)

    assert (first.kind, again) == ("delivered", None)
    assert DeliveryReport.objects.count() == 1
    assert delivery(row) == ("delivered", NOW + MINUTE)


def test_same_event_name_of_another_provider_is_another_event(row):
    report("delivered", "e-1")

    assert report("delivered", "e-1", provider="other") is not None


@pytest.mark.parametrize("order", list(itertools.permutations(["delivered", "bounced", "complained"])))
def test_order_of_arrival_does_not_matter(row, order):
    for number, kind in enumerate(order):
        report(kind, f"e-{number}", happened_at=NOW + number * MINUTE)

    assert delivery(row) == ("complained", NOW + order.index("complained") * MINUTE)
    assert DeliveryReport.objects.filter(reminder=row).count() == 3


def test_message_is_found_by_its_own_code(row):
    for number, reference in enumerate(
        (str(row.code), f"<{row.code}@clinic.example>", str(row.code).upper())
    ):
        assert report("delivered", f"e-{number}", provider_id="", reference=reference).reminder == row


def test_report_before_the_attempt_is_on_record_is_matched_later(desk):
    row = desk.row("day-before")

    early = report("delivered", "e-1")
    before = match_reports(now=NOW + 3 * MINUTE)
    send(row)
    counts = [match_reports(now=NOW + 4 * MINUTE) for _ in range(2)]

    early.refresh_from_db()
    assert (before, counts) == (0, [1, 0])
    assert (early.reminder, early.clinic) == (row, row.clinic)
    assert delivery(row) == ("delivered", NOW + MINUTE)


def test_report_about_nothing_is_given_up_after_three_days(desk):
    report("delivered", "e-1")
    send(desk.row("day-before"))

    assert match_reports(now=NOW + timedelta(days=3, minutes=2)) == 0
    assert match_reports(now=NOW + timedelta(days=3, minutes=1)) == 1


def test_account_of_one_clinic_says_nothing_about_anothers_messages(row):
    other = ClinicFactory()

    by_id = report("bounced", "e-1", is_permanent=True, clinic=other)
    by_code = report("bounced", "e-2", is_permanent=True, clinic=other, reference=str(row.code))

    assert (by_id.reminder, by_id.clinic, by_code.reminder) == (None, other, None)
    assert match_reports(now=NOW + 3 * MINUTE) == 0
    assert delivery(row) == ("", None)
    assert report("bounced", "e-3", clinic=row.clinic).reminder == row


def test_bounce_for_good_disables_the_address_and_says_so(row):
    report("bounced", "e-1", is_permanent=True)

    contact = ContactPoint.objects.get(client=row.client, channel="email")
    assert (contact.disabled_at, contact.disabled_reason) == (NOW + 2 * MINUTE, "bounced:mailer")
    event = AuditEvent.objects.get(action="contact.disabled")
    assert event.new == {"channel": "email", "reason": "bounced:mailer"}


@pytest.fixture
def by_sms(row):
    """The client can be reached by SMS as well, and the rule says so."""
    whose = {"clinic": row.clinic, "client": row.client, "channel": "sms"}
    ContactPoint.objects.create(**whose, value="+37120000001")
    Consent.objects.create(**whose, granted_at=NOW, granted_source="test")
    ChannelAccount.objects.create(
        clinic=row.clinic, channel="sms", provider="kept", created_at=NOW, changed_at=NOW
    )
    row.rule.channels = ["email", "sms"]
    row.rule.save()


@pytest.mark.usefixtures("by_sms")
def test_bounce_for_good_sends_the_message_over_the_next_channel_once(row):

    for number in range(2):
        report("bounced", f"e-{number}", is_permanent=True)

    other = Reminder.objects.get(fallback_for=row)
    assert (other.channel, other.state, other.subject_key) == ("sms", "due", row.subject_key)


@pytest.mark.usefixtures("by_sms")
def test_bounce_of_a_message_that_is_of_no_more_use_is_left(row):
    report("bounced", "e-1", is_permanent=True, now=row.expires_at)

    assert not Reminder.objects.filter(fallback_for=row).exists()


def test_bounce_for_now_disables_nothing(row):
    report("bounced", "e-1")

    assert ContactPoint.objects.get(client=row.client, channel="email").disabled_at is None
    assert delivery(row)[0] == "bounced"


def test_second_bounce_leaves_the_first_reason(row):
    report("bounced", "e-1", is_permanent=True)
    report("bounced", "e-2", is_permanent=True, now=NOW + 9 * MINUTE)

    contact = ContactPoint.objects.get(client=row.client, channel="email")
    assert contact.disabled_at == NOW + 2 * MINUTE
    assert AuditEvent.objects.filter(action="contact.disabled").count() == 1


def test_bounce_of_an_address_that_was_changed_since_leaves_the_new_one(row):
    ContactPoint.objects.filter(client=row.client, channel="email").delete()
    new = ContactPoint.objects.create(
        clinic=row.clinic, client=row.client, channel="email", value="new@example.com"
    )

    report("bounced", "e-1", is_permanent=True)

    new.refresh_from_db()
    assert new.disabled_at is None
    assert delivery(row)[0] == "bounced"


def test_complaint_withdraws_the_consent_once(row):
    for number in range(2):
        report("complained", f"e-{number}")

    consent = Consent.objects.get(client=row.client, channel="email")
    assert (consent.withdrawn_at, consent.withdrawn_source) == (NOW + 2 * MINUTE, "client:provider")
    answer = Answer.objects.filter(kind="stop").first()
    assert (answer.via, answer.reminder) == ("provider", row)
    assert AuditEvent.objects.filter(action="client.channel_stopped").count() == 1


def test_report_ends_uncertainty(desk):
    row = desk.row("day-before")
    send(row, state="uncertain")

    report("delivered", "e-1")

    row.refresh_from_db()
    assert (row.state, row.decision_reason, row.sent_at) == ("sent", "", NOW + MINUTE)


@pytest.mark.parametrize("kind", ["delivered", "bounced"])
def test_report_ends_the_wait_for_a_second_try(desk, kind):
    """The answer got lost, the message did not: the same once more would be one too many."""
    row = desk.row("day-before")
    Reminder.objects.filter(pk=row.pk).update(
        attempt_count=1, uncertain_count=1, retry_at=row.send_at + MINUTE
    )

    report(kind, "e-1", reference=str(row.code))

    assert "sent" not in send_at(row.send_at + 2 * MINUTE)
    row.refresh_from_db()
    assert (row.state, row.sent_at, row.decided_at, row.retry_at) == (
        "sent",
        NOW + MINUTE,
        NOW + 2 * MINUTE,
        None,
    )


def test_report_leaves_alone_what_was_never_tried(desk):
    row = desk.row("day-before")

    report("delivered", "e-1", reference=str(row.code))

    row.refresh_from_db()
    assert row.state == "due"


def test_messages_that_went_along_share_the_report(row, desk):
    other = desk.row("two-hours-before")
    Reminder.objects.filter(pk=other.pk).update(state="sent", sent_at=NOW, decided_at=NOW, sent_with=row)

    report("bounced", "e-1")

    assert delivery(other) == ("bounced", NOW + MINUTE)


def test_unknown_kind_and_long_names_are_survived(row):
    with pytest.raises(ValueError, match="opened"):
        report("opened", "e-1")
    long = "e" * 500

    assert report("delivered", long).reminder == row
    assert report("delivered", long) is None
    assert report("delivered", long + "x") is not None
