"""Clients who were registered twice: found, and their own rows brought together."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clients.erasure import empty_client
from clients.models import AccessLink, Client, Consent, ContactPoint, DetailLevel, ErasureRequest
from clients.services import refresh_search_text

# What one of the two is chosen for when they differ; addresses are chosen by channel.
CHOSEN_FIELDS: Final = ("given_name", "family_name", "birth_on", "language")
_WISHES: Final = ("prefers_weekdays", "prefers_from_time", "prefers_to_time", "prefers_practitioner")
_MOST: Final = 10


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another client who may be the same person; `shared` are the channels of equal addresses."""

    client: Client
    shared: tuple[str, ...]
    has_same_name: bool


def likely_duplicates(client: Client) -> list[Duplicate]:
    """Return who may be the same person as a client: by an address or the whole name, but never by birth.

    Order: by name. Two different dates of birth are two people, who may well share a telephone.
    The client's contact points must be loaded. Cost: two queries.
    """
    own = {point.value: point.channel for point in client.contact_points.all()}
    reached = ContactPoint.objects.for_clinic(client.clinic).filter(value__in=own).values("client")
    others = (
        Client.objects.for_clinic(client.clinic)
        .filter(Q(pk__in=reached) | Q(search_text__startswith=client.name.lower()), erased_at=None)
        .exclude(pk=client.pk)
        .prefetch_related("contact_points")[: 3 * _MOST]
    )
    found = []
    for other in others:
        shared = {point.channel for point in other.contact_points.all() if point.value in own}
        has_same_name = other.name.casefold() == client.name.casefold()
        is_born_else = bool(other.birth_on and client.birth_on and other.birth_on != client.birth_on)
        if (shared or has_same_name) and not is_born_else:
            found.append(Duplicate(other, tuple(sorted(shared)), has_same_name))
    return found[:_MOST]


def stamp_of(*clients: Client) -> str:
    """Return what changes with the data of any of the clients; contact points must be loaded."""
    rows = [
        [str(getattr(client, name)) for name in (*CHOSEN_FIELDS, *_WISHES, "health_notes", "erased_at")]
        + sorted(
            f"{point.channel} {point.value} {point.disabled_at}" for point in client.contact_points.all()
        )
        for client in clients
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]


def fold_client(
    *, kept: Client, gone: Client, taken: Collection[str], by: Actor, now: datetime
) -> tuple[Client, Client]:
    """Bring the own rows of a client over to the one who stays; return both as stored, locked.

    `taken` names fields and channels for which the other one's value stays. What the kept one lacks is taken anyway,
    notes of both are kept, further addresses come after the chosen one, and of two words about permission
    the later counts. The emptied row remembers where everything went.
    Raises: ValidationError for the same client twice, another clinic's, or one who was erased.
    """
    with transaction.atomic():
        locked = Client.objects.select_for_update(of=("self",)).select_related("clinic").order_by("pk")
        rows = {row.pk: row for row in locked.filter(pk__in=(kept.pk, gone.pk), clinic_id=kept.clinic_id)}
        if len(rows) != 2 or any(row.erased_at is not None for row in rows.values()):
            raise ValidationError(_("These two cannot be brought together."), code="not_mergeable")
        kept, gone = rows[kept.pk], rows[gone.pk]
        _take_fields(kept, gone, taken)
        _take_addresses(kept, gone, taken)
        _take_permissions(kept, gone, now=now)
        AccessLink.objects.filter(client=gone).update(client=kept)
        _take_erasure_requests(kept, gone, now=now)
        Client.objects.filter(merged_into=gone).update(merged_into=kept)
        gone.merged_into = kept
        with translation.override(gone.clinic.language):
            empty_client(gone, name=_("Merged client"), now=now)
        kept.save()
        refresh_search_text(kept)
        record(
            "client.merged",
            at=now,
            by=by,
            clinic_code=kept.clinic.code,
            subject_kind="client",
            subject_code=kept.code,
            new={"merged": str(gone.code), "fields": sorted(set(taken) & set(CHOSEN_FIELDS))},
        )
    return kept, gone


def _take_fields(kept: Client, gone: Client, taken: Collection[str]) -> None:
    for name in CHOSEN_FIELDS:
        if (name in taken or not getattr(kept, name)) and getattr(gone, name):
            setattr(kept, name, getattr(gone, name))
    if not any(getattr(kept, name) for name in _WISHES):
        for name in _WISHES:
            setattr(kept, name, getattr(gone, name))
    if kept.quiet_from_time is None:
        kept.quiet_from_time, kept.quiet_to_time = gone.quiet_from_time, gone.quiet_to_time
    if gone.detail_level == DetailLevel.NEUTRAL:
        # Whoever asked once for discretion is not told more because of a typing mistake.
        kept.detail_level = DetailLevel.NEUTRAL
    notes = dict.fromkeys(text.strip() for text in (kept.health_notes, gone.health_notes))
    kept.health_notes = "\n\n".join(text for text in notes if text)


def _take_addresses(kept: Client, gone: Client, taken: Collection[str]) -> None:
    """Bring over the addresses that the kept client lacks, in front of its own where they are chosen."""
    own, brought = list(kept.contact_points.all()), list(gone.contact_points.all())
    known = {(point.channel, point.value): point for point in own}
    for point in brought:
        same = known.get((point.channel, point.value))
        if same is None:
            point.client = kept
            continue
        if same.disabled_at is not None and point.disabled_at is None:
            same.disabled_at, same.disabled_reason = None, ""
        point.delete()
    new = [point for point in brought if point.client_id == kept.pk and point.pk]
    first = [point for point in new if point.channel in taken]
    for position, point in enumerate([*first, *own, *(point for point in new if point not in first)]):
        point.position = position
        point.save(update_fields=["client", "position", "disabled_at", "disabled_reason"])


def _take_permissions(kept: Client, gone: Client, *, now: datetime) -> None:
    """Let the later word of the two about each channel hold; every earlier one stays on record."""
    rows = list(Consent.objects.filter(client__in=(kept, gone)).order_by("granted_at", "pk"))
    for channel in {row.channel for row in rows}:
        of_channel = [row for row in rows if row.channel == channel]
        in_force = [row for row in of_channel if row.withdrawn_at is None]
        last_no = max((row.withdrawn_at for row in of_channel if row.withdrawn_at), default=None)
        for row in in_force[:-1]:
            _withdraw(row, now)
        if in_force and last_no is not None and last_no > in_force[-1].granted_at:
            _withdraw(in_force[-1], now)
    Consent.objects.filter(client=gone).update(client=kept)


def _take_erasure_requests(kept: Client, gone: Client, *, now: datetime) -> None:
    requests = ErasureRequest.objects.filter(client=gone)
    if ErasureRequest.objects.filter(client=kept, handled_at=None).exists():
        requests.filter(handled_at=None).update(handled_at=now)
    requests.update(client=kept)


def _withdraw(consent: Consent, now: datetime) -> None:
    consent.withdrawn_at, consent.withdrawn_source = max(now, consent.granted_at), "merged"
    consent.save(update_fields=["withdrawn_at", "withdrawn_source"])
