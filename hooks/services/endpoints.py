"""Endpoints: set up, changed, paused, given another secret, tried out and removed; each on record."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import SYSTEM, Actor, record
from clinics.models import Clinic, ClinicScopedQuerySet, StaffMember
from clinics.services import check_printable, lock_clinic
from hooks.core import EVENTS, TEST_EVENT
from hooks.models import DeliveryState, EndpointState, HookDelivery, HookEndpoint, OffReason
from hooks.services.noting import write_body
from hooks.services.waking import wake_after_commit
from reminders.channels.egress import check_url
from reminders.channels.webhook import new_secret
from reminders.sealing import seal, unseal

# Both secrets sign for as long as it takes to bring the new one to the other side.
FORMER_FOR: Final = timedelta(days=1)
MOST_ENDPOINTS: Final = 20
_TESTS_MOST: Final = 10
_TESTS_EVERY: Final = timedelta(minutes=10)


def add_endpoint(
    *,
    clinic: Clinic,
    name: str,
    url: str,
    events: Collection[str],
    by: Actor,
    now: datetime,
    code: UUID | None = None,
) -> tuple[HookEndpoint, str]:
    """Set an endpoint up and return it with its signing secret, which nobody can read again afterwards.

    Whoever may send the same twice chooses the `code` beforehand.
    Raises: ValidationError by field; `endpoint_taken` where one has the code already, `too_many`.
    """
    values = _checked(name, url, events)
    member = StaffMember.objects.for_clinic(clinic).get(pk=by.staff_member_id or 0)
    secret = new_secret()
    with transaction.atomic():
        lock_clinic(clinic)
        if code is not None and HookEndpoint.objects.filter(code=code).exists():
            raise ValidationError(
                _("This webhook is set up already. Its secret was shown once; make a new one if it is lost."),
                code="endpoint_taken",
            )
        if endpoints_of(clinic).count() >= MOST_ENDPOINTS:
            raise ValidationError(
                _("A clinic has at most %(most)s webhooks. Remove one first.") % {"most": MOST_ENDPOINTS},
                code="too_many",
            )
        endpoint = HookEndpoint.objects.create(
            code=code or uuid4(),
            clinic=clinic,
            sealed_secrets=seal({"present": secret}),
            created_at=now,
            created_by=member,
            **values,
        )
        _listen(clinic)
        _record(endpoint, "added", by=by, now=now, **_told(endpoint))
    return endpoint, secret


def change_endpoint(
    *, endpoint: HookEndpoint, name: str, url: str, events: Collection[str], by: Actor, now: datetime
) -> HookEndpoint:
    """Give an endpoint another name, address or other events; what waits goes to the new address at once.

    Raises: ValidationError by field.
    """
    values = _checked(name, url, events)
    with transaction.atomic():
        locked = _lock(endpoint)
        old = _told(locked)
        if values["url"] != locked.url:
            _forget_failures(locked)
        for field, value in values.items():
            setattr(locked, field, value)
        locked.save()
        _listen(locked.clinic)
        _record(locked, "changed", by=by, now=now, old=old, **_told(locked))
        wake_after_commit()
    return locked


def switch_endpoint(*, endpoint: HookEndpoint, is_active: bool, by: Actor, now: datetime) -> HookEndpoint:
    """Pause an endpoint, or let it go on, also one that was switched off by itself; twice is harmless.

    While it is paused events are noted and wait.
    """
    wanted = EndpointState.ACTIVE if is_active else EndpointState.PAUSED
    with transaction.atomic():
        locked = _lock(endpoint)
        if locked.state == wanted:
            return locked
        locked.state, locked.off_reason = wanted, ""
        if is_active:
            _forget_failures(locked)
        locked.save()
        _listen(locked.clinic)
        _record(locked, "resumed" if is_active else "paused", by=by, now=now)
        wake_after_commit()
    return locked


def renew_secret(*, endpoint: HookEndpoint, by: Actor, now: datetime) -> tuple[HookEndpoint, str]:
    """Make another signing secret and return it, this once; the present one signs along for a day."""
    secret = new_secret()
    with transaction.atomic():
        locked = _lock(endpoint)
        present = unseal(locked.sealed_secrets)["present"]
        locked.sealed_secrets = seal({"present": secret, "former": present})
        locked.former_until = now + FORMER_FOR
        locked.save(update_fields=["sealed_secrets", "former_until"])
        _record(locked, "secret_renewed", by=by, now=now)
    return locked, secret


def secrets_of(endpoint: HookEndpoint, *, now: datetime) -> list[str]:
    """Return the secrets that sign now, the present one first.

    Raises: SealError when they cannot be read.
    """
    kept = unseal(endpoint.sealed_secrets)
    is_former_valid = endpoint.former_until is not None and now < endpoint.former_until
    return [kept["present"], *([kept["former"]] if is_former_valid and "former" in kept else [])]


def remove_endpoint(*, endpoint: HookEndpoint, by: Actor, now: datetime) -> None:
    """Forget where an endpoint leads, its secret and its calls; one that is just being made may still arrive."""
    with transaction.atomic():
        locked = _lock(endpoint)
        if locked.state == EndpointState.REMOVED:
            return
        host = _host(locked.url)
        HookDelivery.objects.filter(endpoint=locked).delete()
        locked.state, locked.off_reason, locked.url, locked.sealed_secrets = EndpointState.REMOVED, "", "", ""
        locked.save(update_fields=["state", "off_reason", "url", "sealed_secrets"])
        _listen(locked.clinic)
        _record(locked, "removed", by=by, now=now, host=host)


def note_test(*, endpoint: HookEndpoint, by: Actor, now: datetime) -> HookDelivery:
    """Write a call that says nothing but that it is a test, whatever events the endpoint wants.

    Raises: ValidationError `too_many_tests`.
    """
    with transaction.atomic():
        _lock(endpoint)
        recent = HookDelivery.objects.filter(
            endpoint=endpoint, event=TEST_EVENT, occurred_at__gt=now - _TESTS_EVERY
        )
        if recent.count() >= _TESTS_MOST:
            raise ValidationError(
                _("That was the tenth test within ten minutes. Wait a little."), code="too_many_tests"
            )
        delivery = HookDelivery.objects.create(
            clinic=endpoint.clinic,
            endpoint=endpoint,
            event_id=uuid4(),
            event=TEST_EVENT,
            body=write_body(TEST_EVENT, None, at=now, clinic=str(endpoint.clinic.code)),
            occurred_at=now,
            # Never a sender's: whoever presses the button makes the call, and until it is answered it has failed.
            state=DeliveryState.FAILED,
            ended_at=now,
        )
        _record(endpoint, "tested", by=by, now=now)
    return delivery


def send_again(*, delivery: HookDelivery, by: Actor, now: datetime) -> HookDelivery:
    """Let a call be made once more, under the same event id; one that waits is made now.

    Its tries begin anew. Harmless while a sender is at it.
    """
    with transaction.atomic():
        # The endpoint first, as its senders lock it.
        endpoint = _lock(delivery.endpoint)
        locked = HookDelivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
        locked.state, locked.next_at, locked.ended_at = DeliveryState.WAITING, now, None
        locked.attempt_count = 0
        locked.save(update_fields=["state", "next_at", "ended_at", "attempt_count"])
        endpoint.rest_until = None
        endpoint.save(update_fields=["rest_until"])
        _record(endpoint, "sent_again", by=by, now=now, event=locked.event, event_id=str(locked.event_id))
        wake_after_commit()
    return locked


def switch_off(*, endpoint: HookEndpoint, reason: OffReason, now: datetime) -> None:
    """Stop calling an endpoint that does not want it, or that nobody looks after; what waits for it has failed."""
    with transaction.atomic():
        locked = _lock(endpoint)
        if locked.state not in (EndpointState.ACTIVE, EndpointState.PAUSED):
            return
        locked.state, locked.off_reason = EndpointState.OFF, reason
        locked.save(update_fields=["state", "off_reason"])
        waiting = HookDelivery.objects.filter(endpoint=locked, state=DeliveryState.WAITING)
        waiting.update(state=DeliveryState.FAILED, next_at=None, ended_at=now)
        _listen(locked.clinic)
        _record(locked, "switched_off", by=SYSTEM, now=now, reason=str(reason))


def endpoints_of(clinic: Clinic) -> ClinicScopedQuerySet[HookEndpoint]:
    """Return a clinic's endpoints but those that were removed."""
    return HookEndpoint.objects.for_clinic(clinic).exclude(state=EndpointState.REMOVED)


def off_by_itself(clinic: Clinic) -> HookEndpoint | None:
    """Return an endpoint that was switched off by itself and that nobody has seen to yet. Cost: one query."""
    return HookEndpoint.objects.for_clinic(clinic).filter(state=EndpointState.OFF).first()


def _checked(name: str, url: str, events: Collection[str]) -> dict[str, Any]:
    errors: dict[str, str | list[str]] = {}
    title, address = name.strip(), url.strip()
    if not title:
        errors["name"] = _("Name the program that is told.")
    elif len(title) > HookEndpoint._meta.get_field("name").max_length:  # type: ignore[operator]  # it has one
        errors["name"] = _("Write at most %(longest)s characters.") % {"longest": 80}
    try:
        check_printable(title)
    except ValidationError as error:
        errors["name"] = error.messages
    if problem := _url_problem(address):
        errors["url"] = problem
    if not events or not set(events) <= set(EVENTS):
        errors["events"] = _("Choose what it is told of.")
    if errors:
        raise ValidationError(errors)
    return {"name": title, "url": address, "events": [event for event in EVENTS if event in events]}


def _url_problem(url: str) -> str:
    if len(url) > 500 or not url.isascii() or any(character <= " " for character in url):
        return _("Write an address of at most 500 plain characters, without spaces.")
    problems = {
        "bad-url": _(
            "Write a whole address, such as https://example.com/hook, without a name or password in it."
        ),
        "bad-scheme": _("The address must begin with https://."),
        "private-address": _(
            "The address lies inside a private network. Give one that is reached from outside."
        ),
    }
    code = check_url(url)
    return problems.get(code, problems["bad-url"]) if code else ""


def _lock(endpoint: HookEndpoint) -> HookEndpoint:
    lock_clinic(endpoint.clinic)
    # Not against rows that merely refer to it: changes of courses note events all the time.
    rows = HookEndpoint.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("clinic").get(pk=endpoint.pk)


def _listen(clinic: Clinic) -> None:
    """Keep with the clinic which events anybody wants: see Clinic.hook_events."""
    listening = endpoints_of(clinic).exclude(state=EndpointState.OFF)
    wanted = {event for events in listening.values_list("events", flat=True) for event in events}
    Clinic.objects.filter(pk=clinic.pk).update(hook_events=[event for event in EVENTS if event in wanted])


def _forget_failures(endpoint: HookEndpoint) -> None:
    endpoint.failure_count, endpoint.failing_since, endpoint.rest_until = 0, None, None


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _told(endpoint: HookEndpoint) -> dict[str, Any]:
    # Of the address its host only: the rest may hold a key.
    return {"host": _host(endpoint.url), "events": endpoint.events}


def _record(
    endpoint: HookEndpoint,
    verb: str,
    *,
    by: Actor,
    now: datetime,
    old: dict[str, Any] | None = None,
    **details: Any,
) -> None:
    record(
        f"webhook.{verb}",
        at=now,
        by=by,
        clinic_code=endpoint.clinic.code,
        subject_kind="webhook",
        subject_code=endpoint.code,
        old=old,
        new=details,
    )
