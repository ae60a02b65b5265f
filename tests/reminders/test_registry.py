"""Which ways out a clinic has: e-mail always, other channels by its own accounts."""

import pytest

from reminders.channels.base import Message, Outcome
from reminders.channels.registry import find_ways
from reminders.models import ChannelAccount, KeptMessage
from reminders.sealing import seal
from tests.factories import ClinicFactory
from tests.reminders.builders import NOW

pytestmark = pytest.mark.django_db

MESSAGE = Message(
    key="<1@example.com>",
    address="+37120000001",
    subject="Your visit",
    text="A long text",
    html="",
    sender_name="Clinic",
    short="Tomorrow at 15:00",
    facts={"trigger": "before_session"},
)


def add_account(clinic, channel="sms", **fields):
    return ChannelAccount.objects.create(
        clinic=clinic,
        channel=channel,
        **({"provider": "kept", "created_at": NOW, "changed_at": NOW} | fields),
    )


def test_email_is_everybodys_and_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        ways = find_ways([(1, "email"), (2, "email")])

    assert {pair: (way.scope, way.policy) for pair, way in ways.items()} == {
        (1, "email"): ("email", "retry_once"),
        (2, "email"): ("email", "retry_once"),
    }


def test_account_is_its_clinics_alone(django_assert_num_queries):
    home, abroad = ClinicFactory(), ClinicFactory()
    account = add_account(home)
    add_account(abroad, "telegram")

    with django_assert_num_queries(1):
        ways = find_ways({(home.pk, "sms"), (abroad.pk, "sms"), (home.pk, "telegram"), (home.pk, "email")})

    assert set(ways) == {(home.pk, "sms"), (home.pk, "email")}
    assert (ways[home.pk, "sms"].scope, ways[home.pk, "sms"].per_minute) == (f"sms:{account.code}", 120)


def test_own_rate_goes_before_the_installations():
    clinic = ClinicFactory()
    add_account(clinic, per_minute=7)

    assert find_ways([(clinic.pk, "sms")])[clinic.pk, "sms"].per_minute == 7


@pytest.mark.parametrize("fields", [{"is_active": False}, {"provider": "gone"}])
def test_account_that_is_off_or_unknown_is_no_way(fields):
    clinic = ClinicFactory()
    add_account(clinic, **fields)

    assert find_ways([(clinic.pk, "sms")]) == {}


def test_nothing_is_kept_where_messages_are_real(settings):
    clinic = ClinicFactory()
    add_account(clinic)
    assert set(find_ways([(clinic.pk, "sms")])) == {(clinic.pk, "sms")}
    settings.KEEPS_MESSAGES = False

    assert find_ways([(clinic.pk, "sms")]) == {}


def test_kept_message_is_the_short_form():
    clinic = ClinicFactory()
    add_account(clinic)

    with find_ways([(clinic.pk, "sms")])[clinic.pk, "sms"].open() as channel:
        assert channel.send(MESSAGE) == Outcome("sent")

    kept = KeptMessage.objects.get()
    assert (kept.channel, kept.to_header, kept.text, kept.message_id) == (
        "sms",
        "+37120000001",
        "Tomorrow at 15:00",
        "<1@example.com>",
    )
    assert kept.headers == {"trigger": "before_session"}


def test_secrets_of_another_key_send_nothing_and_break_nothing(settings):
    clinic = ClinicFactory()
    add_account(clinic, sealed_secrets=seal({"token": "x"}))
    settings.SECRET_KEY = "another key that is long enough for a key"

    with find_ways([(clinic.pk, "sms")])[clinic.pk, "sms"].open() as channel:
        outcome = channel.send(MESSAGE)

    assert outcome == Outcome("transient", "secrets-unreadable", is_channel_down=True)
    assert not KeptMessage.objects.exists()
