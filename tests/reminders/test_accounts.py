"""A clinic's accounts with providers: keys go in and never come out; a test says how things stand."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.serializers import serialize
from django.core.serializers.json import DjangoJSONEncoder

from audit.models import ActorKind, AuditEvent
from audit.services import Actor
from reminders.channels.base import Outcome
from reminders.channels.registry import account_scope, find_ways
from reminders.errors import MessageError
from reminders.models import ChannelAccount, ChannelHealth, KeptMessage, ResyncRequest
from reminders.sealing import unseal
from reminders.services.accounts import (
    TESTS_EVERY,
    TESTS_MOST,
    has_unreadable_secrets,
    save_account,
    switch_account,
    test_account,
)
from tests.factories import ClinicFactory
from tests.reminders.builders import NOW
from tests.reminders.provider_stub import Reply, Stub, serving

pytestmark = pytest.mark.django_db

BY = Actor(ActorKind.STAFF)
TWILIO = {"account_sid": "AC" + "0a" * 16, "auth_token": "T0kenT0kenT0kenT0ken", "source": "+37120000099"}
OTHER_KEY = "another key that is long enough for a key"


@pytest.fixture
def clinic():
    return ClinicFactory(name="Kalnina Clinic")


def save(clinic, answers=TWILIO, *, channel="sms", provider="twilio", now=NOW, **options):
    return save_account(
        clinic=clinic, channel=channel, provider_key=provider, answers=answers, by=BY, now=now, **options
    )


def errors_of(clinic, **changes):
    with pytest.raises(ValidationError) as refused:
        save(clinic, {**TWILIO, **changes})
    return refused.value.message_dict


# ---------------------------------------------------------------- saving


def test_keys_are_sealed_and_nowhere_else(clinic):
    account = save(clinic).account

    row = ChannelAccount.objects.get()
    assert row == account
    assert row.settings == {"account_sid": TWILIO["account_sid"], "source": TWILIO["source"]}
    assert unseal(row.sealed_secrets) == {"auth_token": TWILIO["auth_token"]}
    everything = serialize(
        "json", [*ChannelAccount.objects.all(), *AuditEvent.objects.all()], cls=DjangoJSONEncoder
    )
    assert TWILIO["account_sid"] in everything
    assert TWILIO["auth_token"] not in everything


def test_saving_is_on_record_by_names_only(clinic):
    account = save(clinic).account
    save(clinic, {**TWILIO, "auth_token": "", "source": "+37120000098"})

    events = AuditEvent.objects.order_by("pk")
    assert [(event.action, event.subject_code, event.old, event.new) for event in events] == [
        (
            "channel.saved",
            account.code,
            {"provider": ""},
            {"channel": "sms", "provider": "twilio", "fields": ["account_sid", "auth_token", "source"]},
        ),
        (
            "channel.saved",
            account.code,
            {"provider": "twilio"},
            {"channel": "sms", "provider": "twilio", "fields": ["source"]},
        ),
    ]


def test_key_left_empty_stays(clinic):
    first = save(clinic).account
    again = save(clinic, {**TWILIO, "auth_token": " "}, now=NOW + timedelta(days=1)).account

    assert (again.pk, again.code, again.version) == (first.pk, first.code, 2)
    assert unseal(again.sealed_secrets) == {"auth_token": TWILIO["auth_token"]}
    assert (again.created_at, again.changed_at) == (NOW, NOW + timedelta(days=1))


def test_key_of_another_provider_does_not_stay(clinic):
    save(clinic)

    with pytest.raises(ValidationError) as refused:
        save(clinic, {"apikey": "abcd1234", "source": "+37120000099"}, provider="vonage")
    assert refused.value.message_dict == {"secret": ["Fill this in."]}

    save(clinic, {"apikey": "abcd1234", "secret": "secret1234", "source": "+37120000099"}, provider="vonage")
    account = ChannelAccount.objects.get()
    assert unseal(account.sealed_secrets) == {"secret": "secret1234"}
    assert account.settings == {"apikey": "abcd1234", "source": "+37120000099"}


def test_wrong_answers_are_all_named(clinic):
    assert errors_of(clinic, account_sid="x", auth_token="", source="20000099") == {
        "account_sid": [
            "This does not look like one. Copy it whole from the provider's page, without spaces."
        ],
        "auth_token": ["Fill this in."],
        "source": ["Write the number with its country code, such as +37120000000."],
    }
    assert not ChannelAccount.objects.exists()


def test_key_sealed_under_a_lost_key_is_asked_for_again(clinic, settings):
    account = save(clinic).account
    assert not has_unreadable_secrets(account)
    settings.SECRET_KEY = OTHER_KEY

    assert has_unreadable_secrets(account)
    assert list(errors_of(clinic, auth_token="")) == ["auth_token"]
    assert "can no longer be read" in errors_of(clinic, auth_token="")["auth_token"][0]

    save(clinic)
    assert not has_unreadable_secrets(ChannelAccount.objects.get())


@pytest.mark.parametrize(
    ("channel", "provider"), [("sms", "pigeon"), ("telegram", "twilio"), ("email", "kept")]
)
def test_unknown_provider_is_refused(clinic, channel, provider):
    with pytest.raises(MessageError) as refused:
        save(clinic, channel=channel, provider=provider)

    assert refused.value.code == "no_provider"


def test_keeping_messages_is_refused_where_they_are_real(clinic, settings):
    settings.KEEPS_MESSAGES = False

    with pytest.raises(MessageError):
        save(clinic, {}, provider="kept")


def test_new_set_up_starts_without_failures(clinic):
    account = save(clinic).account
    health = ChannelHealth.objects.create(
        scope=account_scope(account),
        clinic=clinic,
        failure_count=9,
        open_until=NOW + timedelta(hours=1),
        last_error_code="http-401",
    )
    save(clinic)

    health.refresh_from_db()
    assert (health.failure_count, health.open_until, health.last_error_code) == (0, None, "")


# ---------------------------------------------------------------- web hook


def hook(clinic, url="https://ward.example.com/in", **options):
    return save(clinic, {"url": url}, channel="webhook", provider="webhook", **options)


def test_signing_secret_is_made_once_and_renewed_on_request(clinic):
    first = hook(clinic)
    second = hook(clinic, "https://ward.example.com/other")
    third = hook(clinic, renews=True)

    assert set(first.made) == set(third.made) == {"secret"}
    assert second.made == {}
    assert first.made["secret"] != third.made["secret"]
    assert unseal(ChannelAccount.objects.get().sealed_secrets) == third.made


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Fill this in."),
        ("ward", "The address has to start with https://."),
        ("http://ward.example.com/", "The address has to start with https://."),
        ("https://127.0.0.1/", "This address is not a public one, so it cannot be called from here."),
        ("https://2130706433/", "This address is not a public one, so it cannot be called from here."),
        ("https://[::1]/", "This address is not a public one, so it cannot be called from here."),
        (
            "https://me:word@ward.example.com/",
            "This is not an address that can be called. Leave out names and passwords.",
        ),
    ],
)
def test_address_that_may_not_be_called_is_refused(clinic, url, words):
    with pytest.raises(ValidationError) as refused:
        hook(clinic, url)

    assert refused.value.message_dict == {"url": [words]}


# ---------------------------------------------------------------- switching


def test_channel_is_switched_off_and_on_once(clinic):
    account = save(clinic).account

    off = [switch_account(account=account, is_active=False, by=BY, now=NOW) for _ in range(2)]
    ways_off = find_ways([(clinic.pk, "sms")])
    on = [switch_account(account=account, is_active=True, by=BY, now=NOW) for _ in range(2)]

    assert (off, ways_off, on) == ([True, False], {}, [True, False])
    assert set(find_ways([(clinic.pk, "sms")])) == {(clinic.pk, "sms")}
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["channel.saved", "channel.switched_off", "channel.switched_on"]


# ---------------------------------------------------------------- testing


def ask(account, address="+371 20 000 001", **options):
    return test_account(account=account, address=address, by=BY, **{"language": "en", "now": NOW} | options)


def test_messages_that_wait_are_looked_at_anew_when_a_channel_changes(clinic):
    account = save(clinic).account
    assert ResyncRequest.objects.get(clinic=clinic).asked_at == NOW
    ResyncRequest.objects.all().delete()

    switch_account(account=account, is_active=True, by=BY, now=NOW)
    assert not ResyncRequest.objects.exists()

    switch_account(account=account, is_active=False, by=BY, now=NOW)
    assert ResyncRequest.objects.filter(clinic=clinic).exists()


def test_test_message_is_neutral_and_remembered(clinic):
    account = save(clinic, {}, provider="kept").account

    outcome = ask(account, language="ru")

    kept = KeptMessage.objects.get()
    account.refresh_from_db()
    assert outcome == Outcome("sent")
    assert (kept.channel, kept.to_header) == ("sms", "+37120000001")
    assert kept.text.count("Kalnina Clinic") == 1
    assert (account.tested_at, account.test_code) == (NOW, "")


def test_failed_test_is_remembered_with_its_code(clinic, settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub(script=[Reply(401)])) as stub:
        account = hook(clinic, f"{stub.url}/in").account
        outcome = ask(account, address="")

    account.refresh_from_db()
    assert outcome.code == "http-401"
    assert (account.tested_at, account.test_code) == (NOW, "http-401")
    assert stub.requests[0].json()["type"] == "reminder.test"


def test_good_test_closes_the_breaker(clinic):
    account = save(clinic, {}, provider="kept").account
    health = ChannelHealth.objects.create(
        scope=account_scope(account), clinic=clinic, failure_count=6, open_until=NOW + timedelta(hours=1)
    )

    ask(account)

    health.refresh_from_db()
    assert (health.failure_count, health.open_until) == (0, None)


@pytest.mark.parametrize(
    ("channel", "address"),
    [("sms", "12"), ("whatsapp", "anna"), ("telegram", "@anna"), ("telegram", "-100123")],
)
def test_address_that_is_none_is_refused(clinic, channel, address):
    account = save(clinic, {}, channel=channel, provider="kept").account

    with pytest.raises(MessageError) as refused:
        ask(account, address)

    assert (refused.value.code, list(refused.value.fields)) == ("bad_address", ["address"])
    assert not KeptMessage.objects.exists()


def test_tests_are_few(clinic):
    account = save(clinic, {}, provider="kept").account
    for _ in range(TESTS_MOST):
        ask(account)

    with pytest.raises(MessageError) as refused:
        ask(account, now=NOW)
    # A moment after the events' own clock has left the window.
    latest = AuditEvent.objects.order_by("-at").first().at
    ask(account, now=latest + TESTS_EVERY)

    assert refused.value.code == "too_many_tests"
    assert KeptMessage.objects.count() == TESTS_MOST + 1


def test_test_names_nobody_in_the_trail(clinic):
    account = save(clinic, {}, provider="kept").account
    ask(account)

    event = AuditEvent.objects.get(action="channel.tested")
    assert (event.new, event.subject_code) == ({"channel": "sms", "provider": "kept"}, account.code)


def test_account_with_unreadable_keys_says_so(clinic, settings):
    account = save(clinic).account
    settings.SECRET_KEY = OTHER_KEY

    assert ask(account).code == "secrets-unreadable"
