"""A clinic's accounts with providers: set up, switched off and on, tested. Keys go in and never come out."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from audit.models import AuditEvent
from audit.services import Actor, record
from clients.models import Channel as ChannelName
from clients.services import checked_address
from clinics.models import Clinic
from reminders.channels.base import Message, Outcome
from reminders.channels.providers import Provider, find_provider
from reminders.channels.registry import account_scope, open_account
from reminders.channels.webhook import TEST
from reminders.errors import MessageError
from reminders.models import ChannelAccount, ChannelHealth
from reminders.sealing import SealError, seal, unseal
from reminders.services.resyncing import request_resync

# A test costs the clinic money and reaches a person.
TESTS_MOST: Final = 10
TESTS_EVERY: Final = timedelta(minutes=10)
_TESTED: Final = "channel.tested"


@dataclass(frozen=True, slots=True)
class Saved:
    """An account as saved, and the secrets made for it, which are shown this once."""

    account: ChannelAccount
    made: Mapping[str, str]


def save_account(
    *,
    clinic: Clinic,
    channel: str,
    provider_key: str,
    answers: Mapping[str, str],
    per_minute: int | None = None,
    renews: bool = False,
    by: Actor,
    now: datetime,
) -> Saved:
    """Set a channel up with a provider, or change its set-up; it starts with a clean record of health.

    A secret left empty stays as it is, as long as the provider does too and it can still be read. `renews`
    makes new ones in place of those that are made here. `per_minute` None means the installation's rate.
    Raises: ValidationError by field; MessageError `no_provider`.
    """
    provider = find_provider(channel, provider_key)
    if provider is None:
        raise MessageError(_("There is no such provider for this channel."), code="no_provider")
    with transaction.atomic():
        # The clinic's row orders two who set up the same channel at once.
        Clinic.objects.select_for_update().get(pk=clinic.pk)
        account = _account_of(clinic, channel, now=now)
        before, kept = account.provider, _kept_secrets(account, provider)
        given = _checked(provider, answers, kept=kept)
        made = {
            name: make() for name, make in provider.generated.items() if renews or not (kept or {}).get(name)
        }
        plain = {name: text for name, text in given.items() if name not in provider.secret_names}
        secrets = {**(kept or {}), **given, **made}
        changed = _changed_names(account.settings, plain) | (given.keys() - plain.keys()) | made.keys()
        account.provider, account.settings = provider.key, plain
        account.sealed_secrets = seal(
            {name: secrets[name] for name in provider.secret_names & secrets.keys()}
        )
        account.version, account.changed_at, account.is_active = account.version + 1, now, True
        account.per_minute = per_minute
        account.tested_at, account.test_code = None, ""
        account.save()
        _forget_failures(account)
        new = {"channel": channel, "provider": provider.key, "fields": sorted(changed)}
        _record("channel.saved", account, by=by, now=now, old={"provider": before}, new=new)
        # Which channel reaches a client first has changed for messages that wait.
        request_resync(clinic=clinic, now=now)
    return Saved(account, made)


def switch_account(*, account: ChannelAccount, is_active: bool, by: Actor, now: datetime) -> bool:
    """Switch a channel off or on again and tell whether that changed anything; its set-up stays."""
    with transaction.atomic():
        # Compare and set: pressing twice is one act.
        switched = ChannelAccount.objects.filter(pk=account.pk, is_active=not is_active).update(
            is_active=is_active, changed_at=now
        )
        if switched:
            action = "channel.switched_on" if is_active else "channel.switched_off"
            _record(action, account, by=by, now=now, new={"channel": account.channel})
            request_resync(clinic=account.clinic, now=now)
    return bool(switched)


def test_account(
    *, account: ChannelAccount, address: str, language: str, by: Actor, now: datetime
) -> Outcome:
    """Send a neutral message to an address and return how that went; the account remembers it.

    Goes out at once, in the caller's thread: whoever tests waits for the answer.
    Raises: MessageError `no_provider`, `too_many_tests`, `bad_address`.
    """
    provider = find_provider(account.channel, account.provider)
    if provider is None:
        raise MessageError(_("This provider is no longer offered. Choose another one."), code="no_provider")
    to = _checked_address(account, address)
    _refuse_too_many(account, now=now)
    # On record before it goes: a try that hangs counts too.
    _record(_TESTED, account, by=by, now=now, new={"channel": account.channel, "provider": account.provider})
    with open_account(account, provider) as channel:
        outcome = channel.send(_test_message(account.clinic, to, language=language))
    code = "" if outcome.kind == "sent" else outcome.code or outcome.kind
    # Only of the set-up that was tested: it may have been changed while the provider answered.
    ChannelAccount.objects.filter(pk=account.pk, version=account.version).update(
        tested_at=now, test_code=code[:40]
    )
    if outcome.kind == "sent":
        _forget_failures(account)
    return outcome


# Named as a verb of tests, which pytest would collect.
test_account.__test__ = False  # type: ignore[attr-defined]


def has_unreadable_secrets(account: ChannelAccount) -> bool:
    """Tell whether the secrets were sealed under a key that this installation no longer has."""
    try:
        unseal(account.sealed_secrets)
    except SealError:
        return True
    return False


def _account_of(clinic: Clinic, channel: str, *, now: datetime) -> ChannelAccount:
    found = ChannelAccount.objects.for_clinic(clinic).filter(channel=channel).first()
    return found or ChannelAccount(clinic=clinic, channel=channel, created_at=now, version=0)


def _kept_secrets(account: ChannelAccount, provider: Provider) -> dict[str, str] | None:
    """Return the secrets that may stay, None when there are some that cannot be read."""
    if account.provider != provider.key:
        return {}
    try:
        return unseal(account.sealed_secrets)
    except SealError:
        return None


def _checked(
    provider: Provider, answers: Mapping[str, str], *, kept: Mapping[str, str] | None
) -> dict[str, str]:
    """Return the answers that were given, stripped.

    Raises: ValidationError with every wrong one at once.
    """
    values: dict[str, str] = {}
    errors: dict[str, str | Promise] = {}
    for field in provider.fields:
        text = answers.get(field.name, "").strip()
        if field.is_secret and not text and (kept or {}).get(field.name):
            continue
        problem = field.problem_with(text)
        if field.is_secret and not text and kept is None:
            problem = _(
                "It can no longer be read, because the installation's own key has changed. Enter it again."
            )
        if problem:
            errors[field.name] = problem
        elif text:
            values[field.name] = text
    if errors:
        raise ValidationError({name: [str(words)] for name, words in errors.items()})
    return values


def _changed_names(old: Mapping[str, str], new: Mapping[str, str]) -> set[str]:
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def _forget_failures(account: ChannelAccount) -> None:
    """Let messages try at once: what failed before was another set-up, or works again."""
    ChannelHealth.objects.filter(scope=account_scope(account)).update(
        failure_count=0, open_until=None, last_error_code=""
    )


def _refuse_too_many(account: ChannelAccount, *, now: datetime) -> None:
    recent = AuditEvent.objects.filter(subject_code=account.code, action=_TESTED, at__gt=now - TESTS_EVERY)
    if recent.count() >= TESTS_MOST:
        raise MessageError(
            _("That was the tenth test within ten minutes. Wait a little."), code="too_many_tests"
        )


def _checked_address(account: ChannelAccount, text: str) -> str:
    try:
        if account.channel != ChannelName.WEBHOOK:
            return checked_address(account.channel, text, country=account.clinic.country)
    except ValidationError as error:
        message = " ".join(error.messages)
        raise MessageError(message, code="bad_address", fields={"address": message}) from error
    # The clinic's own system is called under the address it was set up with.
    return str(uuid.UUID(int=0))


def _test_message(clinic: Clinic, address: str, *, language: str) -> Message:
    code = str(uuid.uuid4())
    with translation.override(language):
        name = clinic.sender_name or clinic.name
        short = _("Test message of %(clinic)s. There is nothing to do.") % {"clinic": name}
        subject = _("Test message")
    return Message(
        key=f"<{code}@test>",
        address=address,
        subject=subject,
        text=f"{short}\n",
        html="",
        sender_name=name,
        clinic_id=clinic.pk,
        short=short,
        reference=code,
        facts={"trigger": TEST},
    )


def _record(
    action: str,
    account: ChannelAccount,
    *,
    by: Actor,
    now: datetime,
    new: dict[str, Any],
    old: dict[str, Any] | None = None,
) -> None:
    # Names of answers, never the answers: they are keys, or lead to somebody.
    record(
        action,
        at=now,
        by=by,
        clinic_code=account.clinic.code,
        subject_kind="channel_account",
        subject_code=account.code,
        old=old,
        new=new,
    )
