"""Taking back what an import made: whether anything was done with it since, and removing it without a trace but the audit's."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.db.models import Model, QuerySet

from audit.models import ActorKind, AuditEvent
from clients.models import Client
from courses.models import Course
from imports.models import ImportKind, ImportRow, RowOutcome
from reminders.models import Reminder

_AT_ONCE: Final = 500
# Looking at somebody's data changes nothing.
_HARMLESS: Final = ("client.read",)
# A message that has left, or may have: its client has heard of what was imported.
_HEARD: Final = ("claimed", "sent", "failed", "uncertain")
# What follows by itself from a client or a course; whatever else hangs on one was made by somebody since.
_FOLLOWING: Final = frozenset(
    {
        "clients.ContactPoint",
        "clients.Consent",
        "clients.AccessLink",
        "courses.Flag",
        "courses.Phase",
        "courses.PlanRevision",
        "courses.PrescriptionRevision",
        "courses.TreatmentSession",
        "reminders.Reminder",
    }
)


class TouchedError(Exception):
    """Something hangs on what was imported that does not follow from it."""


def touched_codes(kind: str, rows: QuerySet[ImportRow]) -> set[UUID]:
    """Return the codes of what the rows made with which something was done since.

    Cost: three queries for each five hundred rows.
    """
    found: set[UUID] = set()
    made = [
        (row.made_code, row.event_id or 0, row.outcome)
        for row in rows.only("made_code", "event_id", "outcome")
        if row.made_code
    ]
    for chunk in (made[start : start + _AT_ONCE] for start in range(0, len(made), _AT_ONCE)):
        newest = {code: event_id for code, event_id, _outcome in chunk}
        later = AuditEvent.objects.filter(subject_code__in=newest, pk__gt=min(newest.values()))
        later = later.exclude(actor_kind=ActorKind.SYSTEM).exclude(action__in=_HARMLESS)
        found |= {code for pk, code in later.values_list("pk", "subject_code") if code and pk > newest[code]}
        # Of what was there before only the changes are taken back.
        found |= _heard_of(kind, [code for code, _event_id, outcome in chunk if outcome == RowOutcome.MADE])
    return found


def _heard_of(kind: str, codes: Iterable[UUID]) -> set[UUID]:
    """Return whose client got a message, and which clients have courses."""
    if kind == ImportKind.COURSES:
        messages = Reminder.objects.filter(course__code__in=codes, state__in=_HEARD)
        return set(messages.values_list("course__code", flat=True))
    messages = Reminder.objects.filter(client__code__in=codes, state__in=_HEARD)
    courses = Course.objects.filter(client__code__in=codes)
    return set(messages.values_list("client__code", flat=True)) | set(
        courses.values_list("client__code", flat=True)
    )


def remove_made(kind: str, code: UUID) -> None:
    """Remove a client or a course with all that followed by itself; it was never meant to be.

    Raises: TouchedError when something else hangs on it, in which case nothing may be kept of the transaction.
    """
    model: type[Model] = Client if kind == ImportKind.CLIENTS else Course
    _remove(model._base_manager.filter(code=code))


def _remove(rows: QuerySet[Any]) -> None:
    """Remove rows after those that refer to them."""
    ids = list(rows.values_list("pk", flat=True))
    if not ids:
        return
    for relation in rows.model._meta.related_objects:
        child: Any = relation.related_model
        hanging = child._base_manager.filter(**{f"{relation.field.name}__in": ids})
        if child._meta.label in _FOLLOWING:
            _remove(hanging)
        elif hanging.exists():
            raise TouchedError(child._meta.label)
    rows.model._base_manager.filter(pk__in=ids).delete()
