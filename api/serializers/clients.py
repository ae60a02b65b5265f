"""Clients as programs read and change them: the only answers that hold names and addresses."""

from typing import Any, Final

from rest_framework import serializers

from api.filters import practitioners
from api.serializers.base import Answer, Clock, Day, Input, Instant, Own, Text, Truth, Whole, Word, code_of
from api.serializers.pages import page_of
from clients.models import Channel, Client, DetailLevel
from clients.services import Contacts
from clinics.models import Language

# The channels by which a program names them, and what they are called among the contacts of the services.
ADDRESSES: Final = {"email": "email", "sms": "phone", "telegram": "telegram", "whatsapp": "whatsapp"}
_WISHES: Final = ("quiet_from_time", "quiet_to_time", "detail_level")


class ContactAnswer(Answer):
    channel = Word(choices=Channel.choices)
    address = serializers.CharField(source="value")
    is_working = serializers.SerializerMethodField(help_text="False once messages came back from it.")

    def get_is_working(self, point: Any) -> bool:
        return point.disabled_at is None


class ClientAnswer(Answer):
    code = serializers.UUIDField()
    given_name = serializers.CharField()
    family_name = serializers.CharField()
    birth_on = serializers.DateField(allow_null=True)
    language = Word(choices=Language.choices)
    time_zone = serializers.CharField(help_text="Empty: the clinic's.")
    health_notes = serializers.CharField()
    prefers_weekdays = serializers.ListField(
        child=serializers.IntegerField(), help_text="Monday is 1; empty means any."
    )
    prefers_from_time = Clock(allow_null=True)
    prefers_to_time = Clock(allow_null=True)
    prefers_practitioner = code_of("prefers_practitioner")
    quiet_from_time = Clock(allow_null=True)
    quiet_to_time = Clock(allow_null=True)
    detail_level = Word(choices=DetailLevel.choices)
    contacts = ContactAnswer(many=True, source="contact_points")
    allowed = serializers.SerializerMethodField(help_text="The channels that the client agreed to.")
    created_at = Instant()

    def get_allowed(self, client: Client) -> list[str]:
        return sorted(consent.channel for consent in client.consents.all() if consent.withdrawn_at is None)


class ContactInput(Input):
    address = Text(
        max_length=254, allow_blank=True, required=False, help_text="Empty takes the channel's address away."
    )
    allowed = Truth(help_text="Whether the client agreed to be written to there.")


class ContactsInput(Input):
    """What is known of the channels that are not named stays as it is."""

    email = ContactInput(required=False)
    sms = ContactInput(required=False)
    telegram = ContactInput(required=False)
    whatsapp = ContactInput(required=False)


class ClientInput(Input):
    given_name = Text(max_length=120)
    family_name = Text(max_length=120, allow_blank=True, required=False)
    birth_on = Day(allow_null=True, required=False)
    language = Word(choices=Language.choices, required=False)
    time_zone = Text(max_length=64, allow_blank=True, required=False)
    health_notes = Text(max_length=10_000, allow_blank=True, required=False)
    prefers_weekdays = serializers.ListField(
        child=Whole(min_value=1, max_value=7), max_length=7, required=False
    )
    prefers_from_time = Clock(allow_null=True, required=False)
    prefers_to_time = Clock(allow_null=True, required=False)
    prefers_practitioner = Own(practitioners, allow_null=True, required=False)
    contacts = ContactsInput(required=False)


class ClientChangeInput(ClientInput):
    """Only what is named changes; of a channel that is named, all that it needs is needed."""

    given_name = Text(max_length=120, required=False)
    quiet_from_time = Clock(allow_null=True, required=False)
    quiet_to_time = Clock(allow_null=True, required=False)
    detail_level = Word(choices=DetailLevel.choices, required=False)


class FindInput(Input):
    text = Text(max_length=200, help_text="Words or digits that name, e-mail or telephone all contain.")


class FoundAnswer(Answer):
    results = ClientAnswer(many=True)
    is_complete = serializers.BooleanField(help_text="False where more were found than are answered.")


ClientPage = page_of(ClientAnswer)


def split(
    values: dict[str, Any], known: Client | None = None
) -> tuple[dict[str, Any], Contacts, dict[str, Any]]:
    """Return what was sent as a client's own fields, contacts and wishes, as the services take them.

    An address that is not named, of a channel that is, stays as `known` has it.
    """
    fields = dict(values)
    named = fields.pop("contacts", {})
    addresses = {
        ADDRESSES[channel]: told.get("address", _known_address(known, channel))
        for channel, told in named.items()
    }
    contacts = Contacts(
        **addresses,
        allowed=frozenset(channel for channel, told in named.items() if told["allowed"]),
        asked=frozenset(named),
    )
    wishes: dict[str, Any] = {name: fields.pop(name) for name in _WISHES if name in fields}
    return fields, contacts, wishes


def _known_address(client: Client | None, channel: str) -> str:
    points = client.contact_points.all() if client else ()
    return next((point.value for point in points if point.channel == channel), "")
