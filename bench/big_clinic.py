"""One clinic with the clients and sessions of ten years, made by SQL from the model clinic.

First the clinic gets a few times as many practitioners, rooms and running courses; then what its running courses left
behind is copied into the past again and again, as courses that are over, with the flags that they once had. Messages of
the past are left out.
"""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps
from django.db import connection, models, transaction

from bench.multiply import STRIDE, copied_columns, take_down
from bin.steps import say
from clients.models import Client
from clinics.models import Room, StaffMember, User
from courses.models import BOOKED_STATUSES, Course, CourseStatus, Flag, FlagCall, TreatmentSession
from courses.services import tally_days
from reminders.models import DeliveryAttempt, Reminder

# The running courses of the model clinic are there so many times.
RUNNING_COPIES: Final = 3
_YEARS: Final = 10
# A whole number of weeks, so that a day of the week stays one; as long as the history that is copied.
_STEP_DAYS: Final = 28
_STEPS: Final = _YEARS * 365 // _STEP_DAYS

# What every clinic of its size has once, and what is counted of its sessions.
_CLINIC_WIDE: Final = ("Protocol", "ProtocolPhase", "ProtocolContraindication", "AccessLink")
_COUNTED: Final = ("DayTally", "HourTally", "StaleDay")


def grow_clinic(past_copies: int) -> None:
    """Make the only clinic of the current database a large one, and bring the statistics up to date.

    Raises: django.db.IntegrityError when a copied row breaks a constraint.
    Cost: one transaction; some minutes for a million sessions.
    """
    people: list[type[models.Model]] = [User, StaffMember, Room]
    courses = [
        model
        for name in ("clients", "courses")
        for model in apps.get_app_config(name).get_models()
        if model.__name__ not in (*_CLINIC_WIDE, *_COUNTED)
    ]
    past = [model for model in courses if model is not FlagCall]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        restore = take_down(cursor)
        running: list[type[models.Model]] = [*people, *courses, Reminder, DeliveryAttempt]
        _copy(cursor, running, first=1, last=RUNNING_COPIES, changes=_RUNNING)
        _copy(
            cursor,
            past,
            first=RUNNING_COPIES + 1,
            last=RUNNING_COPIES + past_copies,
            changes=_past_changes(past),
        )
        for statement in restore:
            cursor.execute(statement)
    # As the clock has long done with the days of the past.
    tally_days()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    say(f"  {Client.objects.count():,} clients, {TreatmentSession.objects.count():,} sessions in one clinic")


Changes = dict[tuple[type[models.Model], str], str]

_NAMES: Final[Changes] = {
    (Client, "family_name"): "original.family_name || '-' || n",
    (Client, "search_text"): "replace(original.search_text, '@', '-' || n || '@')",
}
_RUNNING: Final[Changes] = {
    **_NAMES,
    (Room, "name"): "original.name || '.' || n",
    (StaffMember, "display_name"): "original.display_name || '.' || n",
    (StaffMember, "position"): "original.position + 10 * n",
}


def _past_changes(past: list[type[models.Model]]) -> Changes:
    """Return the SQL of what is otherwise in a course of the past: its days, and that it is over."""
    shift = f"interval '{_STEP_DAYS} days' * (1 + n % {_STEPS})".replace("%", "%%")
    changes = dict(_NAMES)
    for model in past:
        for field in model._meta.concrete_fields:
            if isinstance(field, models.DateField):
                kind = "timestamptz" if isinstance(field, models.DateTimeField) else "date"
                changes[model, field.name] = f'(original."{field.column}" - {shift})::{kind}'
    booked = ", ".join(f"'{status}'" for status in BOOKED_STATUSES)
    ended = f"coalesce(original.ended_at, original.created_at + interval '27 days') - {shift}"
    over: Changes = {
        (Course, "status"): f"'{CourseStatus.COMPLETED.value}'",
        (Course, "state"): "'finished'",
        (Course, "ended_at"): f"({ended})::timestamptz",
        (Course, "next_check_on"): "NULL",
        (Course, "next_check_at"): "NULL",
        **{
            (Course, name): "NULL"
            for name in ("phase_position", "session_number", "due_from_on", "due_by_on")
        },
        **{(Course, name): "NULL" for name in ("slippage_days", "projected_end_on")},
        # Whatever was found was resolved within the week.
        (Flag, "resolved_at"): (
            f"(coalesce(original.resolved_at, original.opened_at + interval '5 days') - {shift})::timestamptz"
        ),
        (Flag, "resolved_reason"): "coalesce(nullif(original.resolved_reason, ''), 'attended')",
        # What was still to come has come.
        (TreatmentSession, "status"): (
            f"CASE WHEN original.status IN ({booked}) THEN 'attended' ELSE original.status END"
        ),
        (TreatmentSession, "verdict"): (
            f"CASE WHEN original.status IN ({booked}) THEN 'on_time' ELSE original.verdict END"
        ),
        (TreatmentSession, "outcome_at"): (
            f"coalesce(original.outcome_at, CASE WHEN original.status IN ({booked}) THEN original.ends_at END) - {shift}"
        ),
    }
    return changes | over


def _copy(cursor: Any, copied: list[type[models.Model]], *, first: int, last: int, changes: Changes) -> None:
    for model in copied:
        table = f'"{model._meta.db_table}"'
        cursor.execute(
            f"CREATE TEMP TABLE original ON COMMIT DROP AS SELECT * FROM {table} WHERE id < %s",
            [STRIDE],
        )
        # None of the changed columns belongs to a reference, so fields and columns are named alike.
        columns = copied_columns(model, copied) | {
            name: sql for (of, name), sql in changes.items() if of is model
        }
        names = ", ".join(f'"{name}"' for name in columns)
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(columns.values())} "
            "FROM generate_series(%s, %s) AS n, (SELECT %s::bigint AS stride) AS step, original",
            [first, last, STRIDE],
        )
        cursor.execute("DROP TABLE original")
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, (last + 1) * STRIDE])
