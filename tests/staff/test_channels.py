"""Settings, Channels: set up by form, keys never come back, the state is said plainly, tests tell the truth."""

from datetime import timedelta

import pytest
from django.utils import translation

from clinics.models import Role
from reminders.channels.inbound import hook_secret, hook_urls
from reminders.channels.registry import account_scope
from reminders.models import ChannelAccount, ChannelHealth, KeptMessage
from reminders.sealing import unseal
from tests.factories import ClinicFactory
from tests.reminders.provider_stub import Reply, Stub, serving
from tests.staff.conftest import BACKEND, NOW
from tests.staff.test_today import words_of

LIST = "/settings/channels/"
TWILIO = {"account_sid": "AC" + "0a" * 16, "auth_token": "T0kenT0kenT0kenT0ken", "source": "+37120000099"}
NEW_TWILIO = f"{LIST}new/?channel=sms&provider=twilio"


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER)


@pytest.fixture
def set_up(owner, clinic):
    """Return a function that sets a channel up through its form and gives the account."""

    def set_up(channel="sms", provider="twilio", values=TWILIO):
        owner.post(f"{LIST}new/?channel={channel}&provider={provider}", values)
        return ChannelAccount.objects.get(clinic=clinic, channel=channel)

    return set_up


def lines_of(owner):
    return {line.channel: line for line in owner.get(LIST).context["lines"]}


# ---------------------------------------------------------------- list


def test_list_names_every_channel_and_its_state(owner, set_up):
    set_up()

    lines = lines_of(owner)

    assert {name: (line.provider, line.detail, line.badge.label) for name, line in lines.items()} == {
        "email": ("The installation's mail server", "Set up by whoever runs the installation.", "On"),
        "sms": ("Twilio", "+37120000099", "Not tried yet"),
        "telegram": ("", "", "Not set up"),
        "whatsapp": ("", "", "Not set up"),
        "webhook": ("", "", "Not set up"),
    }


def test_open_breaker_says_so_plainly(owner, set_up, clinic):
    account = set_up()
    ChannelHealth.objects.create(
        scope=account_scope(account), clinic=clinic, failure_count=6, last_error_code="http-401",
        open_until=NOW + timedelta(minutes=7),
    )  # fmt: skip

    line = lines_of(owner)["sms"]

    assert (line.badge.label, line.badge.tone) == ("Held back", "serious")
    assert line.notes == (
        "The last 6 tries failed: the other side does not accept the key.",
        "Nothing is tried before Mon 9 Mar, 10:07; then one message, and the others follow when it goes"
        " through. None is lost.",
    )


def test_channel_that_fails_says_so_before_it_is_held_back(owner, set_up, clinic):
    account = set_up()
    ChannelHealth.objects.create(
        scope=account_scope(account), clinic=clinic, failure_count=1, last_error_code="http-502"
    )

    line = lines_of(owner)["sms"]

    assert line.badge.label == "Failing"
    assert line.notes == ("The last try failed: the other side has a fault of its own (http-502).",)


def test_mail_held_back_is_said_to_every_clinic(owner):
    ChannelHealth.objects.create(
        scope="email",
        failure_count=5,
        last_error_code="smtp-unreachable",
        open_until=NOW + timedelta(minutes=1),
    )

    assert lines_of(owner)["email"].badge.label == "Held back"


def test_list_costs_the_same_however_many_are_set_up(
    owner, set_up, django_assert_num_queries, django_assert_max_num_queries
):
    set_up()
    with django_assert_max_num_queries(12) as counted:
        owner.get(LIST)
    cost = len(counted.captured_queries)
    set_up("telegram", "kept", {})
    set_up("whatsapp", "kept", {})

    with django_assert_num_queries(cost):
        owner.get(LIST)


def test_another_clinics_channels_are_not_there(owner):
    ChannelAccount.objects.create(
        clinic=ClinicFactory(), channel="sms", provider="kept", created_at=NOW, changed_at=NOW
    )

    assert lines_of(owner)["sms"].badge.label == "Not set up"


# ---------------------------------------------------------------- form


def test_providers_are_chosen_by_link(owner):
    page = owner.get(f"{LIST}new/?channel=sms")

    assert [provider.key for provider in page.context["providers"]] == [
        "twilio", "vonage", "sinch", "messagebird", "clicksend", "d7networks", "kept",
    ]  # fmt: skip
    assert page.context["form"] is None


def test_only_provider_needs_no_choice(owner, settings):
    settings.KEEPS_MESSAGES = False

    assert owner.get(f"{LIST}new/?channel=telegram").context["provider"].key == "telegram"


def test_account_is_set_up_and_its_key_never_comes_back(owner, clinic):
    answer = owner.post(NEW_TWILIO, {**TWILIO, "per_minute": "30"}, follow=True)

    account = ChannelAccount.objects.get()
    page = answer.content.decode()
    assert answer.redirect_chain == [(f"{LIST}{account.code}/", 302)]
    assert (account.clinic, account.provider, account.per_minute) == (clinic, "twilio", 30)
    assert unseal(account.sealed_secrets) == {"auth_token": TWILIO["auth_token"]}
    assert TWILIO["account_sid"] in page
    assert TWILIO["auth_token"] not in page
    assert "Stored. Leave it empty to keep it." in page
    assert answer["Cache-Control"] == "no-store"


def test_wrong_answer_keeps_what_was_typed_but_the_key(owner):
    answer = owner.post(NEW_TWILIO, {**TWILIO, "source": "nobody"})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert answer.context["form"].errors == {
        "source": ["Write the number with its country code, such as +37120000000."]
    }
    assert 'value="nobody"' in page
    assert TWILIO["account_sid"] in page
    assert TWILIO["auth_token"] not in page
    assert not ChannelAccount.objects.exists()


def test_change_leaves_the_key_that_is_not_typed(owner, set_up):
    account = set_up()

    owner.post(f"{LIST}{account.code}/", {**TWILIO, "auth_token": "", "source": "+37120000098"})

    account.refresh_from_db()
    assert account.settings["source"] == "+37120000098"
    assert unseal(account.sealed_secrets) == {"auth_token": TWILIO["auth_token"]}


def test_lost_key_is_asked_for_and_is_no_error(owner, set_up, settings):
    account = set_up()
    settings.SECRET_KEY = "another key that is long enough for a key"
    # The login was signed with the lost key as well.
    owner.force_login(account.clinic.staff_members.get(role=Role.OWNER).user, backend=BACKEND)

    page = owner.get(f"{LIST}{account.code}/")
    refused = owner.post(f"{LIST}{account.code}/", {**TWILIO, "auth_token": ""})

    assert page.status_code == 200
    assert "Enter them again" in words_of(page)
    assert refused.status_code == 422
    assert "can no longer be read" in refused.context["form"].errors["auth_token"][0]


def test_channel_that_is_set_up_is_changed_not_set_up_twice(owner, set_up):
    account = set_up()

    answer = owner.get(f"{LIST}new/?channel=sms&provider=vonage")

    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}{account.code}/")


@pytest.mark.parametrize("query", ["", "?channel=email", "?channel=pigeon"])
def test_channel_that_is_none_leads_to_the_list(owner, query):
    answer = owner.get(f"{LIST}new/{query}")

    assert (answer.status_code, answer["Location"]) == (302, LIST)


@pytest.mark.parametrize("provider", ["pigeon", "telegram"])
def test_provider_that_is_none_is_not_found(owner, provider):
    address = f"{LIST}new/?channel=sms&provider={provider}"

    assert (owner.get(address).status_code, owner.post(address, {}).status_code) == (404, 404)


def test_signing_secret_is_shown_once(owner, set_up):
    address = f"{LIST}new/?channel=webhook&provider=webhook"
    first = owner.post(address, {"url": "https://ward.example.com/in"})

    account = ChannelAccount.objects.get()
    secret = unseal(account.sealed_secrets)["secret"]
    assert first.content.decode().count(secret) == 1
    assert secret not in owner.get(f"{LIST}{account.code}/").content.decode()
    assert secret not in str(dict(owner.session))

    owner.post(f"{LIST}{account.code}/", {"url": "https://ward.example.com/other"})
    account.refresh_from_db()
    assert unseal(account.sealed_secrets)["secret"] == secret

    renewed = owner.post(f"{LIST}{account.code}/", {"url": "https://ward.example.com/in", "renews": "on"})
    account.refresh_from_db()
    assert unseal(account.sealed_secrets)["secret"] != secret
    assert renewed.content.decode().count(unseal(account.sealed_secrets)["secret"]) == 1


def test_page_tells_what_the_provider_calls_and_how_it_signs(owner, set_up):
    account = set_up()

    page = owner.get(f"{LIST}{account.code}/").content.decode()

    for url in hook_urls(account).values():
        assert url in page
    assert hook_secret(account) in page
    assert len(hook_urls(account)) == 2


def test_private_address_is_refused_at_the_form(owner):
    answer = owner.post(f"{LIST}new/?channel=webhook&provider=webhook", {"url": "https://169.254.169.254/"})

    assert answer.context["form"].errors == {
        "url": ["This address is not a public one, so it cannot be called from here."]
    }


# ---------------------------------------------------------------- switch and test


def test_switching_off_and_on(owner, set_up):
    account = set_up()
    address = f"{LIST}{account.code}/switch/"

    off = owner.post(address, {"to": "off"}, follow=True)
    state = lines_of(owner)["sms"].badge.label
    owner.post(address, {"to": "on"})

    assert "SMS is switched off." in words_of(off)
    assert (state, ChannelAccount.objects.get().is_active) == ("Switched off", True)


def test_test_message_goes_out_and_says_so(owner, set_up):
    account = set_up(provider="kept", values={})

    answer = owner.post(f"{LIST}{account.code}/test/", {"address": "+371 20 000 001"}, follow=True)

    assert "The test message was accepted." in words_of(answer)
    assert KeptMessage.objects.get().to_header == "+37120000001"
    assert lines_of(owner)["sms"].badge.label == "On"


def test_test_that_fails_says_why_and_stays_said(owner, set_up, settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub(script=[Reply(403)])) as stub:
        account = set_up("webhook", "webhook", {"url": f"{stub.url}/in"})
        answer = owner.post(f"{LIST}{account.code}/test/", follow=True)

    assert "The test message was not sent: the other side does not accept the key." in words_of(answer)
    assert lines_of(owner)["webhook"].badge.label == "Test failed"


def test_test_to_nobody_keeps_what_was_typed(owner, set_up):
    account = set_up(provider="kept", values={})

    answer = owner.post(f"{LIST}{account.code}/test/", {"address": "nobody"})

    assert answer.status_code == 422
    assert list(answer.context["test_form"].errors) == ["address"]
    assert 'value="nobody"' in answer.content.decode()
    assert not KeptMessage.objects.exists()


def test_page_reads_in_russian(owner, set_up, clinic):
    account = set_up()
    member = clinic.staff_members.get(role=Role.OWNER)
    member.user.language = "ru"
    member.user.save()

    # A request leaves its language behind, which the next test must not find.
    with translation.override("en"):
        page = words_of(owner.get(LIST)) + words_of(owner.get(f"{LIST}{account.code}/"))

    assert "Каналы" in page
    assert [
        word for word in ("Set up", "Switch off", "Stored.", "Not tried", "Sender's number") if word in page
    ] == []
