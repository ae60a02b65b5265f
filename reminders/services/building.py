"""Messages with what a sender needs of them and their parents, and nothing else: it reads thousands a second.

Reading and converting all hundred columns of a message, its client, session and course takes several times as long as
reading the third of them that a ruling and a text ask for. Whatever else is asked for is loaded then, as of any row
with deferred fields.
"""

from collections.abc import Collection
from typing import Any, Final

from django.db import connection
from django.db.models import Model
from django.db.models.base import ModelState

from clients.models import Client
from courses.models import Course, TreatmentSession
from reminders.models import Reminder

_MESSAGE: Final = (
    *("id", "code", "clinic_id", "client_id", "staff_member_id", "course_id", "session_id", "rule_id"),
    *("rule_version", "trigger", "channel", "subject_key", "subject_revision", "occurrence", "about"),
    *("send_at", "expires_at", "state", "generation", "on_wire_at", "attempt_count"),
)
_PARENTS: Final[tuple[tuple[str, type[Model], tuple[str, ...]], ...]] = (
    (
        "client",
        Client,
        (
            *("id", "code", "clinic_id", "given_name", "language", "time_zone", "erased_at"),
            *("quiet_from_time", "quiet_to_time", "detail_level"),
        ),
    ),
    (
        "session",
        TreatmentSession,
        ("id", "code", "clinic_id", "course_id", "on", "starts_at", "ends_at", "status", "version"),
    ),
    (
        "course",
        Course,
        (
            *("id", "code", "clinic_id", "client_id", "protocol_id", "version", "status", "state"),
            *("phase_position", "session_number", "due_from_on", "due_by_on"),
        ),
    ),
)


def read_messages(pks: Collection[int]) -> list[Any]:
    """Return messages with their client, session and course.

    Cost: one query.
    """
    lookups = [*_MESSAGE, *(f"{name}__{field}" for name, _, fields in _PARENTS for field in fields)]
    found = []
    for values in Reminder.objects.filter(pk__in=pks).values_list(*lookups):
        row = _built(Reminder, _MESSAGE, values[: len(_MESSAGE)])
        at = len(_MESSAGE)
        for name, model, fields in _PARENTS:
            own = values[at : at + len(fields)]
            at += len(fields)
            # Its first value is the key: none, no parent.
            row._state.fields_cache[name] = None if own[0] is None else _built(model, fields, own)
        found.append(row)
    return found


def _built(model: type[Model], fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    made = model.__new__(model)
    made.__dict__.update(zip(fields, values, strict=True))
    made._state = ModelState()
    made._state.adding = False
    made._state.db = connection.alias
    return made
