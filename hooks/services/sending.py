"""Senders: take an endpoint for a while, make the calls that it is due one by one, and write down each answer.

An endpoint is called by one sender at a time, so a slow one keeps no more than one sender busy, and its calls
come in the order of events as long as all goes well. No transaction is open while a call is made.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from clinics.clock import Clock, database_clock
from hooks.calling import Answer, call
from hooks.core import MOST_TRIES, SWITCHED_OFF_AFTER, TEST_EVENT, next_try_at, rest_after
from hooks.models import DeliveryState, EndpointState, HookDelivery, HookEndpoint, OffReason
from hooks.services.endpoints import secrets_of, switch_off
from hooks.services.waking import callable_endpoints
from reminders.sealing import SealError
from reminders.services.fence import is_held

logger = logging.getLogger(__name__)

# Longer than a call can take: whoever is silent for that long is gone, and another one takes over.
LEASE: Final = timedelta(seconds=30)
_TRIES_KEPT: Final = 20
# What stands for a try until its answer is known: its sender may be killed meanwhile.
LOST: Final = "sender-lost"
UNREADABLE: Final = "secret-unreadable"
# When the last try ends with its sender, somebody has to end the call.
_AFTER_THE_LAST: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Claim:
    endpoint_id: int
    generation: int


def send_calls(*, seconds: float, clock: Clock | None = None) -> int:
    """Make the calls that are due for about `seconds`; return how many were made.

    From a database that is held, as a copy or an old one is, nothing goes.
    Cost: a query to find an endpoint, two to claim and release it, then six a call.
    """
    if is_held():
        return 0
    clock = clock or database_clock()
    stop_at = time.monotonic() + seconds
    count = 0
    while time.monotonic() < stop_at and (claim := _claim(clock())) is not None:
        try:
            goes_on = True
            while goes_on and time.monotonic() < stop_at:
                made, goes_on = _call_next(claim, clock)
                count += made
        finally:
            _mine(claim).update(lease_until=None)
    return count


def send_test(delivery: HookDelivery, *, clock: Clock | None = None) -> HookDelivery:
    """Make one call at once, in the caller's thread: whoever tests waits for the answer; return it as it ended.

    It is made also where the endpoint is paused or off, and never again by itself.
    """
    clock = clock or database_clock()
    if not is_held():
        begun = _begin(delivery, delivery.endpoint, now=clock())
        answer = _make(begun, delivery.endpoint, clock)
        _write_answer(begun, delivery.endpoint, answer, now=clock())
    delivery.refresh_from_db()
    return delivery


def _claim(now: datetime) -> _Claim | None:
    """Take the endpoint that has waited longest and that nobody is at, or None when there is none."""
    found = callable_endpoints(now=now).order_by("lease_until", "last_succeeded_at", "pk")
    for pk, generation in list(found.values_list("pk", "generation")[:20]):
        mine = callable_endpoints(now=now).filter(pk=pk, generation=generation)
        if mine.update(generation=generation + 1, lease_until=now + LEASE):
            return _Claim(pk, generation + 1)
    return None


def _mine(claim: _Claim) -> QuerySet[HookEndpoint]:
    return HookEndpoint.objects.filter(pk=claim.endpoint_id, generation=claim.generation)


def _call_next(claim: _Claim, clock: Clock) -> tuple[int, bool]:
    """Make the next call of a claimed endpoint; return how many were made, and whether to go on at once."""
    with transaction.atomic():
        endpoint = _locked(_mine(claim))
        now = clock()
        if endpoint is None or endpoint.state != EndpointState.ACTIVE or _rests(endpoint, now):
            return 0, False
        delivery = _next_due(endpoint, now=now)
        if delivery is None:
            return 0, False
        endpoint.lease_until = now + LEASE
        endpoint.save(update_fields=["lease_until"])
        if delivery.attempt_count >= MOST_TRIES:
            # Every sender that made the last ones was lost in it.
            _end(delivery, DeliveryState.FAILED, now=now)
            return 0, True
        delivery = _begin(delivery, endpoint, now=now)
    answer = _make(delivery, endpoint, clock)
    return 1, _write_answer(delivery, endpoint, answer, now=clock())


def _rests(endpoint: HookEndpoint, now: datetime) -> bool:
    return endpoint.rest_until is not None and endpoint.rest_until > now


def _next_due(endpoint: HookEndpoint, *, now: datetime) -> HookDelivery | None:
    due = HookDelivery.objects.filter(endpoint=endpoint, state=DeliveryState.WAITING, next_at__lte=now)
    return due.order_by("next_at", "pk").first()


def _locked(endpoints: QuerySet[HookEndpoint]) -> HookEndpoint | None:
    # Not against rows that merely refer to it: changes of courses note events all the time.
    return endpoints.select_for_update(of=("self",), no_key=True).select_related("clinic").first()


def _begin(delivery: HookDelivery, endpoint: HookEndpoint, *, now: datetime) -> HookDelivery:
    """Put a try on record before it is made: a sender that is killed in it must have counted."""
    delivery.attempt_count += 1
    entry = {"at": now.isoformat(), "status": None, "error": LOST, "ms": None}
    delivery.tries = [*delivery.tries, entry][-_TRIES_KEPT:]
    if delivery.state == DeliveryState.WAITING:
        delivery.next_at = _again_at(delivery, now=now) or now + _AFTER_THE_LAST
    delivery.save(update_fields=["attempt_count", "tries", "next_at"])
    delivery.endpoint = endpoint
    return delivery


def _again_at(delivery: HookDelivery, *, now: datetime) -> datetime | None:
    """Return when to try again after the try that is on record last, None when that is enough."""
    # Of the tries that count: whoever has it sent again has it tried anew.
    first_at = datetime.fromisoformat(delivery.tries[-delivery.attempt_count :][0]["at"])
    return next_try_at(tries=delivery.attempt_count, first_at=first_at, now=now, salt=delivery.event_id.int)


def _make(delivery: HookDelivery, endpoint: HookEndpoint, clock: Clock) -> Answer:
    """Make a call; whatever goes wrong here is an answer too, so that it holds up nothing else."""
    now = clock()
    try:
        secrets = secrets_of(endpoint, now=now)
        return call(endpoint.url, ident=str(delivery.event_id), body=delivery.body, secrets=secrets, at=now)
    except SealError:
        return Answer(None, UNREADABLE, 0)
    except Exception:
        logger.exception("Call %s could not be made.", delivery.code)
        return Answer(None, "broken", 0)


def _write_answer(delivery: HookDelivery, endpoint: HookEndpoint, answer: Answer, *, now: datetime) -> bool:
    """Write down how a call ended, for it and its endpoint; return whether the endpoint may be called on."""
    with transaction.atomic():
        held = _locked(HookEndpoint.objects.filter(pk=endpoint.pk))
        row = HookDelivery.objects.select_for_update(of=("self",)).filter(pk=delivery.pk).first()
        if held is None or row is None:
            return False
        # What was taken was taken, whoever brought it; a failure counts for whoever made the last try only.
        if answer.is_taken or row.attempt_count == delivery.attempt_count:
            _write_try(row, answer)
            _settle(row, answer, now=now)
        reason = _note_health(held, answer, now=now)
    if reason is not None:
        # Apart: it locks the clinic, which comes before the endpoint everywhere.
        switch_off(endpoint=held, reason=reason, now=now)
    return answer.is_taken


def _write_try(row: HookDelivery, answer: Answer) -> None:
    last = {
        **row.tries[-1],
        "status": answer.status,
        "error": answer.error,
        "ms": answer.milliseconds,
    }
    row.tries = [*row.tries[:-1], last]
    row.save(update_fields=["tries"])


def _settle(row: HookDelivery, answer: Answer, *, now: datetime) -> None:
    if answer.is_taken:
        _end(row, DeliveryState.DELIVERED, now=now)
        return
    if row.state != DeliveryState.WAITING:
        return
    again_at = None if answer.is_gone or row.event == TEST_EVENT else _again_at(row, now=now)
    if again_at is None:
        _end(row, DeliveryState.FAILED, now=now)
        return
    if answer.retry_after is not None:
        again_at = max(again_at, now + timedelta(seconds=answer.retry_after))
    row.next_at = again_at
    row.save(update_fields=["next_at"])


def _end(row: HookDelivery, state: DeliveryState, *, now: datetime) -> None:
    row.state, row.next_at, row.ended_at = state, None, now
    row.save(update_fields=["state", "next_at", "ended_at"])


def _note_health(endpoint: HookEndpoint, answer: Answer, *, now: datetime) -> OffReason | None:
    """Take an answer into account for the endpoint; return why it is to be switched off, if it is."""
    if answer.is_taken:
        endpoint.failure_count, endpoint.failing_since, endpoint.rest_until = 0, None, None
        endpoint.last_succeeded_at = now
    else:
        endpoint.failure_count += 1
        endpoint.failing_since = endpoint.failing_since or now
        asked = timedelta(seconds=answer.retry_after or 0)
        endpoint.rest_until = now + max(asked, rest_after(endpoint.failure_count))
    endpoint.save(update_fields=["failure_count", "failing_since", "rest_until", "last_succeeded_at"])
    if answer.is_gone:
        return OffReason.GONE
    is_hopeless = endpoint.failing_since is not None and endpoint.failing_since <= now - SWITCHED_OFF_AFTER
    return OffReason.FAILING if is_hopeless else None
