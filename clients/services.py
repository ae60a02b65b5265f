"""Registering clients, their contacts and consents."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clients.models import Channel, Client, Consent, ContactPoint, ErasureRequest
from clinics.models import Clinic
from clinics.services import check_time_zone

# A person's chat: a group has a number below zero, a public channel a name, and both have other readers.
_CHAT: Final = re.compile(r"[1-9][0-9]{0,15}")
_EDITABLE: Final = (
    "given_name",
    "family_name",
    "birth_on",
    "language",
    "time_zone",
    "health_notes",
    "prefers_weekdays",
    "prefers_from_time",
    "prefers_to_time",
    "prefers_practitioner",
)
_EARLIEST_BIRTH: Final = date(1900, 1, 1)
# How a client wishes to be written to, which the client may change without the clinic.
_WISHES: Final = ("language", "time_zone", "quiet_from_time", "quiet_to_time", "detail_level")


@dataclass(frozen=True, slots=True)
class Contacts:
    """A client's addresses as typed, and the channels the client allows.

    `asked` are the channels that this is about: what is known of the others stays as it is.
    """

    email: str = ""
    phone: str = ""
    allowed: frozenset[str] = frozenset()
    telegram: str = ""
    whatsapp: str = ""
    asked: frozenset[str] = frozenset({"email", "sms"})


def register_client(
    *, clinic: Clinic, contacts: Contacts, by: Actor, now: datetime, source: str = "staff", **fields: Any
) -> Client:
    """Register a client with contacts and consents.

    Raises: ValidationError by field for a missing name, an address that cannot be one, an unknown zone, wishes
    that no calendar knows, a practitioner of another clinic.
    """
    client = Client(clinic=clinic, created_at=now, language=fields.pop("language", clinic.language))
    return _save(client, fields, contacts, action="client.registered", by=by, now=now, source=source)


def update_client(
    *, client: Client, contacts: Contacts, by: Actor, now: datetime, source: str = "staff", **fields: Any
) -> Client:
    """Change a client's data, contacts and consents to those given.

    Raises: ValidationError by field, as register_client(), and for a client who has been erased.
    """
    with transaction.atomic():
        locked = Client.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=client.pk)
        if locked.erased_at is not None:
            raise ValidationError(_("This client has been erased."), code="client_erased")
        return _save(locked, fields, contacts, action="client.updated", by=by, now=now, source=source)


def change_wishes(*, client: Client, values: Mapping[str, Any], by: Actor, now: datetime) -> bool:
    """Change how a locked client wishes to be written to; return whether anything changed.

    Raises: ValidationError by field; TypeError for a field that is no such wish.
    """
    if unknown := set(values) - set(_WISHES):
        raise TypeError(f"A client has no wishes about {', '.join(sorted(unknown))}.")
    if client.erased_at is not None:
        raise ValidationError(_("This client has been erased."), code="client_erased")
    changed = sorted(name for name, value in values.items() if getattr(client, name) != value)
    if not changed:
        return False
    for name in changed:
        setattr(client, name, values[name])
    if client.time_zone:
        try:
            check_time_zone(client.time_zone)
        except ValidationError as error:
            raise ValidationError({"time_zone": error}) from error
    if (client.quiet_from_time is None) != (client.quiet_to_time is None):
        raise ValidationError({"quiet_to_time": _("Choose both times, or neither.")})
    client.clean_fields(exclude=[field.name for field in Client._meta.fields if field.name not in _WISHES])
    client.save(update_fields=changed)
    record(
        "client.wishes_changed",
        at=now,
        by=by,
        clinic_code=client.clinic.code,
        subject_kind="client",
        subject_code=client.code,
        new={"fields": changed},
    )
    return True


def ask_for_erasure(*, client: Client, by: Actor, now: datetime) -> ErasureRequest:
    """Put on record that a client asks to be erased; a second time finds the request that waits.

    Erasing is a person's act: a course may run, and the law may ask for records to be kept.
    Raises: ValidationError for a client who has been erased.
    """
    with transaction.atomic():
        locked = Client.objects.select_for_update(of=("self",), no_key=True).select_related("clinic")
        found = locked.get(pk=client.pk)
        if found.erased_at is not None:
            raise ValidationError(_("This client has been erased."), code="client_erased")
        request, is_new = ErasureRequest.objects.get_or_create(
            client=found, handled_at=None, defaults={"clinic": found.clinic, "asked_at": now}
        )
        if is_new:
            _record_erasure("client.erasure_asked", found, by=by, now=now)
    return request


def close_erasure_request(*, request: ErasureRequest, by: Actor, now: datetime) -> None:
    """Put on record that a person has seen to a client's wish to be erased; twice is harmless."""
    with transaction.atomic():
        if ErasureRequest.objects.filter(pk=request.pk, handled_at=None).update(handled_at=now):
            client = Client.objects.select_related("clinic").get(pk=request.client_id)
            _record_erasure("client.erasure_request_closed", client, by=by, now=now)


def _record_erasure(action: str, client: Client, *, by: Actor, now: datetime) -> None:
    record(
        action,
        at=now,
        by=by,
        clinic_code=client.clinic.code,
        subject_kind="client",
        subject_code=client.code,
    )


def _save(
    client: Client,
    fields: Mapping[str, Any],
    contacts: Contacts,
    *,
    action: str,
    by: Actor,
    now: datetime,
    source: str,
) -> Client:
    unknown = set(fields) - set(_EDITABLE)
    if unknown:
        raise TypeError(f"A client has no {', '.join(sorted(unknown))}.")
    changed = sorted(name for name, value in fields.items() if getattr(client, name) != value)
    for name, value in fields.items():
        setattr(client, name, value)
    client.given_name, client.family_name = client.given_name.strip(), client.family_name.strip()
    today = now.astimezone(ZoneInfo(client.clinic.time_zone)).date()
    wrong = _wrong_birth(client.birth_on, today=today) if "birth_on" in changed else {}
    addresses = _checked_addresses(client, contacts, wrong)
    asked = contacts.asked | contacts.allowed | set(addresses)
    with transaction.atomic():
        client.save()
        for channel in sorted(asked):
            _set_address(client, channel, addresses.get(channel, ""))
            _set_consent(client, channel, channel in contacts.allowed, now=now, source=source)
        refresh_search_text(client)
        record(
            action,
            at=now,
            by=by,
            clinic_code=client.clinic.code,
            subject_kind="client",
            subject_code=client.code,
            # Which fields, never their values: they are personal data.
            new={"fields": changed, "allowed": sorted(contacts.allowed)},
        )
    return client


def _checked_addresses(client: Client, contacts: Contacts, wrong: Mapping[str, Any]) -> dict[str, str]:
    """Return the addresses by channel, in their canonical form.

    Raises: ValidationError with every wrong field at once, those in `wrong` among them.
    """
    errors: dict[str, Any] = dict(wrong)
    addresses: dict[str, str] = {}
    try:
        client.full_clean(exclude=["search_text"], validate_constraints=False)
        if client.time_zone:
            check_time_zone(client.time_zone)
    except ValidationError as error:
        errors |= error.message_dict if hasattr(error, "error_dict") else {"time_zone": error.messages}
    errors |= _wrong_wishes(client)
    for name in ("given_name", "family_name", "health_notes"):
        if "\0" in getattr(client, name):
            errors[name] = [_("Leave out the characters that cannot be printed.")]
    typed = (
        ("email", Channel.EMAIL, contacts.email),
        ("phone", Channel.SMS, contacts.phone),
        ("telegram", Channel.TELEGRAM, contacts.telegram),
        ("whatsapp", Channel.WHATSAPP, contacts.whatsapp),
    )
    for field, channel, text in typed:
        if not text.strip():
            continue
        try:
            addresses[channel] = checked_address(channel, text, country=client.clinic.country)
        except ValidationError as error:
            errors[field] = error.messages
    if errors:
        raise ValidationError(errors)
    return addresses


def _wrong_birth(birth_on: date | None, *, today: date) -> dict[str, list[str]]:
    """Return what is wrong with a date of birth: it tells the client's pages who somebody is, and reports an age."""
    if birth_on is not None and birth_on > today:
        return {"birth_on": [_("This date of birth lies in the future.")]}
    if birth_on is not None and birth_on < _EARLIEST_BIRTH:
        return {"birth_on": [_("This is too long ago for a date of birth.")]}
    return {}


def _wrong_wishes(client: Client) -> dict[str, list[str]]:
    """Return what is wrong with the client's preferences, by field."""
    errors: dict[str, list[str]] = {}
    weekdays = client.prefers_weekdays
    if not isinstance(weekdays, list) or not all(type(day) is int and 1 <= day <= 7 for day in weekdays):
        errors["prefers_weekdays"] = [_("Choose weekdays from Monday to Sunday.")]
    if (
        client.prefers_from_time
        and client.prefers_to_time
        and client.prefers_from_time > client.prefers_to_time
    ):
        errors["prefers_to_time"] = [_("Choose a time after the one it begins with.")]
    person = client.prefers_practitioner
    if person is not None and person.clinic_id != client.clinic_id:
        errors["prefers_practitioner"] = [_("Choose a practitioner of this clinic.")]
    return errors


def checked_email(text: str) -> str:
    """Return an e-mail address, its domain in lower case.

    Raises: ValidationError when it cannot be one.
    """
    address = text.strip()
    validate_email(address)
    name, _at, domain = address.rpartition("@")
    return f"{name}@{domain.lower()}"


def checked_phone(text: str, *, country: str, may_extend: bool = False) -> str:
    """Return a telephone number in E.164; numbers without a country code are the clinic's country's.

    `may_extend`: an extension may follow, which E.164 leaves out.
    Raises: ValidationError when it cannot be a number there.
    """
    message = _("This is not a telephone number. Write it with the country code, such as +371 20 000 000.")
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException as error:
        raise ValidationError(message, code="invalid_phone") from error
    if not phonenumbers.is_possible_number(number):
        raise ValidationError(message, code="invalid_phone")
    if number.extension and not may_extend:
        # A second number in the same field reads like one, and would be dropped. No message reaches either.
        raise ValidationError(_("Write one telephone number, without an extension."), code="invalid_phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def checked_chat(text: str) -> str:
    """Return the number of a person's chat with a Telegram bot.

    Raises: ValidationError when it cannot be one: a name or a group's number is none.
    """
    number = text.strip()
    if not _CHAT.fullmatch(number):
        raise ValidationError(
            _("This is not the number of a chat. It has digits only and is not a telephone number."),
            code="invalid_chat",
        )
    return number


def search_text(name: str, addresses: Iterable[str]) -> str:
    """Return what a search looks through: name and addresses in lower case, telephones as digits."""
    parts = [name.lower()]
    for address in addresses:
        parts.append(address.lower() if "@" in address else re.sub(r"\D", "", address))
    return " ".join(parts)


def refresh_search_text(client: Client) -> None:
    """Let the search find a client by the name and the addresses that are stored now."""
    points = ContactPoint.objects.filter(client=client).order_by("channel", "position", "pk")
    values = points.values_list("value", flat=True)
    client.search_text = search_text(client.name, values)
    client.save(update_fields=["search_text"])


def _set_address(client: Client, channel: str, value: str) -> None:
    """Make the address the channel's only one; an address in use keeps its history, others go.

    The channel's first address again changes nothing: further ones, which a merge brought, stay.
    """
    first = ContactPoint.objects.filter(client=client, channel=channel).first()
    if first is not None and first.value == value:
        return
    ContactPoint.objects.filter(client=client, channel=channel).exclude(value=value).delete()
    if value:
        ContactPoint.objects.get_or_create(
            client=client, channel=channel, value=value, defaults={"clinic": client.clinic}
        )


def change_address(*, client: Client, channel: str, value: str, by: Actor, now: datetime) -> ContactPoint:
    """Make an address the client's only one on a channel; one that was out of use is in use again.

    Raises: ValidationError for an erased client, a channel without addresses, an address that cannot be one.
    """
    with transaction.atomic():
        locked = Client.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=client.pk)
        if locked.erased_at is not None:
            raise ValidationError(_("This client has been erased."), code="client_erased")
        address = checked_address(channel, value, country=locked.clinic.country)
        _set_address(locked, channel, address)
        contact = ContactPoint.objects.get(client=locked, channel=channel, value=address)
        _enable(contact)
        refresh_search_text(locked)
        _record_contact("client.address_changed", contact, locked, by=by, now=now)
    return contact


def enable_contact(*, contact: ContactPoint, by: Actor, now: datetime) -> ContactPoint:
    """Write to an address again that was taken out of use; twice is harmless."""
    with transaction.atomic():
        locked = ContactPoint.objects.select_for_update(of=("self",)).get(pk=contact.pk)
        if locked.disabled_at is not None:
            reason = locked.disabled_reason
            _enable(locked)
            client = Client.objects.select_related("clinic").get(pk=locked.client_id)
            _record_contact("contact.enabled", locked, client, by=by, now=now, reason=reason)
    return locked


def _enable(contact: ContactPoint) -> None:
    contact.disabled_at, contact.disabled_reason = None, ""
    contact.save(update_fields=["disabled_at", "disabled_reason"])


def _record_contact(
    action: str, contact: ContactPoint, client: Client, *, by: Actor, now: datetime, reason: str = ""
) -> None:
    record(
        action,
        at=now,
        by=by,
        clinic_code=client.clinic.code,
        subject_kind="client",
        subject_code=client.code,
        old={"reason": reason} if reason else {},
        # Which address, never the address itself.
        new={"contact": str(contact.code), "channel": contact.channel},
    )


def checked_address(channel: str, text: str, *, country: str) -> str:
    """Return an address on a channel in its canonical form.

    Raises: ValidationError when it cannot be one, or the channel knows clients by their code.
    """
    if channel == Channel.EMAIL:
        return checked_email(text)
    if channel in (Channel.SMS, Channel.WHATSAPP):
        return checked_phone(text, country=country)
    if channel == Channel.TELEGRAM:
        return checked_chat(text)
    raise ValidationError(_("Give the address on this channel."), code="invalid_address")


def _set_consent(client: Client, channel: str, is_allowed: bool, *, now: datetime, source: str) -> None:
    in_force = Consent.objects.filter(client=client, channel=channel, withdrawn_at=None)
    if not is_allowed:
        in_force.update(withdrawn_at=now, withdrawn_source=source)
    elif not in_force.exists():
        Consent.objects.create(
            clinic=client.clinic, client=client, channel=channel, granted_at=now, granted_source=source
        )
