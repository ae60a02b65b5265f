"""Registering and changing clients."""

from datetime import UTC, date, datetime, time

import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEvent
from audit.services import SYSTEM
from clients.models import Client, Consent, ContactPoint
from clients.services import (
    Contacts,
    change_address,
    checked_address,
    enable_contact,
    register_client,
    update_client,
)
from tests.factories import ClinicFactory, StaffMemberFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 6, tzinfo=UTC)


@pytest.fixture
def clinic():
    return ClinicFactory()


def register(clinic, contacts=None, **fields):
    values = {"given_name": "Anna", "family_name": "Ozola"} | fields
    return register_client(clinic=clinic, contacts=contacts or Contacts(), by=SYSTEM, now=NOW, **values)


def test_registered_with_addresses_and_consents(clinic):
    contacts = Contacts("Anna@Example.COM ", "20 000 000", frozenset({"email"}))

    client = register(clinic, contacts, given_name=" Anna ")

    assert (client.given_name, client.language, client.search_text) == (
        "Anna",
        "en",
        "anna ozola anna@example.com 37120000000",
    )
    assert list(ContactPoint.objects.order_by("channel").values_list("channel", "value")) == [
        ("email", "Anna@example.com"),
        ("sms", "+37120000000"),
    ]
    assert list(Consent.objects.values_list("channel", "granted_at", "withdrawn_at")) == [
        ("email", NOW, None)
    ]


def test_no_personal_data_reaches_the_audit_trail(clinic):
    register(clinic, Contacts("anna@example.com", "20000000"), health_notes="asthma")

    told = str(list(AuditEvent.objects.values()))
    assert [word for word in ("Anna", "Ozola", "anna@", "20000000", "asthma") if word in told] == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"given_name": " "}, "given_name"),
        ({"given_name": "x" * 121}, "given_name"),
        ({"given_name": "a\0b"}, "given_name"),
        ({"health_notes": "a\0b"}, "health_notes"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"language": "xx"}, "language"),
        ({"prefers_weekdays": [0]}, "prefers_weekdays"),
        ({"prefers_weekdays": [8]}, "prefers_weekdays"),
        ({"prefers_weekdays": [True]}, "prefers_weekdays"),
        ({"prefers_weekdays": {"1": 1}}, "prefers_weekdays"),
        ({"prefers_from_time": time(12), "prefers_to_time": time(11)}, "prefers_to_time"),
        ({"contacts": Contacts("no address")}, "email"),
        ({"contacts": Contacts("", "12")}, "phone"),
        # The second number would be gone without a word.
        ({"contacts": Contacts("", "20000001; 20000002")}, "phone"),
        ({"contacts": Contacts("", "+371 20000001 ext. 5")}, "phone"),
        ({"birth_on": date(1899, 12, 31)}, "birth_on"),
        ({"birth_on": date(2026, 3, 3)}, "birth_on"),
    ],
)
def test_impossible_clients_are_refused_by_field(clinic, fields, field):
    with pytest.raises(ValidationError) as caught:
        register(clinic, **fields)

    assert list(caught.value.message_dict) == [field]
    assert (Client.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_birth_may_be_today_and_a_wrong_one_of_old_keeps_nothing_else_from_changing(clinic):
    client = register(clinic, birth_on=date(2026, 3, 2))
    Client.objects.update(birth_on=date(1890, 1, 1))

    update_client(
        client=client,
        contacts=Contacts(),
        by=SYSTEM,
        now=LATER,
        birth_on=date(1890, 1, 1),
        family_name="Liepa",
    )

    assert Client.objects.values_list("birth_on", "family_name").get() == (date(1890, 1, 1), "Liepa")


def test_practitioner_of_another_clinic_is_no_wish(clinic):
    stranger = StaffMemberFactory()

    with pytest.raises(ValidationError) as caught:
        register(clinic, prefers_practitioner=stranger)

    assert caught.value.message_dict == {"prefers_practitioner": ["Choose a practitioner of this clinic."]}


def test_withdrawn_consent_keeps_its_history(clinic):
    client = register(clinic, Contacts("anna@example.com", "", frozenset({"email"})))

    update_client(client=client, contacts=Contacts("anna@example.com"), by=SYSTEM, now=LATER)
    update_client(
        client=client,
        contacts=Contacts("new@example.com", "", frozenset({"email"})),
        by=SYSTEM,
        now=LATER,
    )

    assert list(Consent.objects.order_by("pk").values_list("granted_at", "withdrawn_at")) == [
        (NOW, LATER),
        (LATER, None),
    ]
    assert [point.value for point in ContactPoint.objects.all()] == ["new@example.com"]


def test_erased_client_is_not_changed(clinic):
    client = register(clinic)
    Client.objects.filter(pk=client.pk).update(erased_at=NOW)

    with pytest.raises(ValidationError, match="erased"):
        update_client(client=client, contacts=Contacts(), by=SYSTEM, now=LATER, given_name="Eva")
    assert Client.objects.get().given_name == "Anna"


def test_saving_a_client_leaves_messenger_addresses_alone(clinic):
    client = register(clinic, Contacts("anna@example.com", "20000000"))
    change_address(client=client, channel="telegram", value="123", by=SYSTEM, now=NOW)

    update_client(client=client, contacts=Contacts("", "20000000"), by=SYSTEM, now=LATER)

    found = ContactPoint.objects.order_by("channel").values_list("channel", "value")
    assert list(found) == [("sms", "+37120000000"), ("telegram", "123")]


def test_new_address_takes_the_place_of_one_that_does_not_work(clinic):
    client = register(clinic, Contacts("old@example.com"))
    ContactPoint.objects.update(disabled_at=NOW, disabled_reason="smtp-550")

    change_address(client=client, channel="email", value="new@Example.com", by=SYSTEM, now=LATER)

    contact = ContactPoint.objects.get()
    client.refresh_from_db()
    assert (contact.value, contact.disabled_at) == ("new@example.com", None)
    assert client.search_text == "anna ozola new@example.com"
    event = AuditEvent.objects.get(action="client.address_changed")
    assert event.new == {"contact": str(contact.code), "channel": "email"}


@pytest.mark.parametrize(
    ("channel", "text", "address"),
    [
        ("email", "me@EXAMPLE.com", "me@example.com"),
        ("sms", "20000001", "+37120000001"),
        ("whatsapp", "+371 2000 0001", "+37120000001"),
        ("telegram", " 123456789 ", "123456789"),
    ],
)
def test_address_is_kept_in_its_canonical_form(channel, text, address):
    assert checked_address(channel, text, country="LV") == address


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        ("email", "me"),
        ("sms", "call me"),
        ("telegram", "https://example.com"),
        ("telegram", "@somebody"),
        ("telegram", "-123456789"),
        ("webhook", "1"),
        ("sms", ""),
    ],
)
def test_what_is_no_address_is_refused(clinic, channel, text):
    client = register(clinic)

    with pytest.raises(ValidationError):
        change_address(client=client, channel=channel, value=text, by=SYSTEM, now=LATER)
    assert not ContactPoint.objects.exists()


def test_address_works_again_once(clinic):
    register(clinic, Contacts("anna@example.com"))
    contact = ContactPoint.objects.get()
    ContactPoint.objects.update(disabled_at=NOW, disabled_reason="smtp-550")

    enable_contact(contact=contact, by=SYSTEM, now=LATER)
    enable_contact(contact=contact, by=SYSTEM, now=LATER)

    contact.refresh_from_db()
    event = AuditEvent.objects.get(action="contact.enabled")
    assert (contact.disabled_at, contact.disabled_reason) == (None, "")
    assert event.old == {"reason": "smtp-550"}


def test_messenger_addresses_are_kept_in_one_form(clinic):
    client = register(clinic, Contacts(telegram=" 4242424242 ", whatsapp="20 000 000"))

    points = dict(ContactPoint.objects.filter(client=client).values_list("channel", "value"))
    assert points == {"telegram": "4242424242", "whatsapp": "+37120000000"}


@pytest.mark.parametrize("text", ["@anna", "-1001234567890", "+37120000000", "0123456", "42 42", "4" * 17])
def test_what_is_no_chat_is_refused(clinic, text):
    with pytest.raises(ValidationError) as refused:
        register(clinic, Contacts(telegram=text, whatsapp="nobody"))

    assert set(refused.value.message_dict) == {"telegram", "whatsapp"}


def test_channels_that_were_not_asked_about_stay_as_they_are(clinic):
    client = register(
        clinic, Contacts("anna@example.com", telegram="4242424242", allowed=frozenset({"telegram"}))
    )

    asked = frozenset({"email", "sms"})
    update_client(client=client, contacts=Contacts("", "20000000", asked=asked), by=SYSTEM, now=LATER)

    points = dict(ContactPoint.objects.filter(client=client).values_list("channel", "value"))
    assert points == {"telegram": "4242424242", "sms": "+37120000000"}
    assert list(
        Consent.objects.filter(client=client, withdrawn_at=None).values_list("channel", flat=True)
    ) == ["telegram"]
