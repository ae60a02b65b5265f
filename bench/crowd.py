"""Many clients in each clinic of a scratch database, each with one message that can be made due; all else is at rest.

A clinic's crowd is made of one of its clients with a booked session: rows are copied by SQL, with ids that follow from
the clinic's and the place in the crowd, so that all references follow too. The first places get e-mail, the last ones
are told to the clinic's own system.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection, models
from django.db.models import F, QuerySet
from django.test import override_settings
from django.utils import timezone

from audit.models import ActorKind
from audit.services import Actor
from bench.due import find_mails
from bench.model_clinic import ZONE, build_model_clinic
from bench.multiply import STRIDE, multiply_clinic
from clients.models import AccessLink, Channel, Client, Consent, ContactPoint
from clinics.models import Clinic, OpeningHours, StaffMember
from courses.models import Course, CourseStatus, TreatmentSession
from reminders.models import (
    LIVE_STATES,
    ChannelHealth,
    DeliveryAttempt,
    Installation,
    JobState,
    RateBucket,
    Reason,
    Reminder,
    ReminderState,
    ResyncRequest,
    TickRun,
)
from reminders.services.accounts import save_account

# Where a clinic's crowd begins among its ids: far above those of the model clinic.
CROWD: Final = 500_000
_PLACE: Final = f"original.id / {STRIDE} * {STRIDE} + {CROWD} + n"
_SESSION_CODE: Final = f"md5('treatmentsession' || ({_PLACE}))::uuid"
_DAY: Final = timedelta(days=1)
# How long after its time a message of the crowd is still of use.
_USEFUL: Final = timedelta(hours=6)


def build_crowds(clinics: int, *, mails: int, hooks: int = 0) -> None:
    """Fill the database that was entered with so many clinics and their crowds, shared out evenly."""
    build_model_clinic()
    multiply_clinic(clinics - 1)
    gather_crowds(mails=mails // clinics, hooks=hooks // clinics)


def gather_crowds(*, mails: int, hooks: int) -> None:
    """Give each clinic so many further clients, each with a message that waits, and put everything else to rest.

    Cost: a statement for each of six tables.
    """
    template = Reminder.objects.select_related("client", "course", "session").get(pk=find_mails()[0])
    client, course, session = template.client, template.course, template.session
    assert client is not None, "it reminds a client"
    assert course is not None, "of a course"
    assert session is not None, "of a visit"
    originals: tuple[models.Model, ...] = (
        client,
        ContactPoint.objects.get(client=client),
        Consent.objects.get(client=client),
        course,
        session,
        template,
    )
    _rest()
    values = _values(_open_day(), mails=mails)
    with connection.cursor() as cursor:
        for row in originals:
            statement = _crowd_statement(type(row), values[type(row)])
            cursor.execute(statement, [mails + hooks, STRIDE, row.pk])
        cursor.execute("VACUUM (ANALYZE)")


def _rest() -> None:
    """Leave nothing for a tick to do, and let nothing hold a message back, at whatever time of the day."""
    now = timezone.now()
    Reminder.objects.filter(state__in=LIVE_STATES).update(
        state=ReminderState.CANCELLED, decision_reason=Reason.NOT_NEEDED, decided_at=now
    )
    running = Course.objects.exclude(status__in=(CourseStatus.COMPLETED, CourseStatus.DISCONTINUED))
    running.update(status=CourseStatus.DISCONTINUED, ended_at=now, end_reason="at rest", next_check_at=None)
    StaffMember.objects.update(gets_digest=False)
    Clinic.objects.update(quiet_from_time=time(0), quiet_to_time=time(0))
    # What the model clinic sent was sent from another installation.
    Installation.objects.all().delete()


def _open_day() -> date:
    """Return the first day from tomorrow on on which the clinics are open; a week has several."""
    weekdays = set(OpeningHours.objects.values_list("weekday", flat=True).distinct())
    day = timezone.now().astimezone(ZoneInfo(ZONE)).date() + _DAY
    while day.isoweekday() not in weekdays:
        day += _DAY
    return day


def _values(day: date, *, mails: int) -> dict[type[models.Model], dict[str, str]]:
    """Return for each table the SQL of the columns that are not as in the original."""
    first = datetime.combine(day, time(10), tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
    # A thousand visits a day are more than there are rooms and hands for.
    starts_at = f"timestamptz '{first.isoformat()}' + n % 16 * interval '30 minutes'".replace("%", "%%")
    channel = f"CASE WHEN n > {int(mails)} THEN '{Channel.WEBHOOK.value}' ELSE '{Channel.EMAIL.value}' END"
    return {
        Client: {"family_name": "'Ozola ' || n"},
        ContactPoint: {"client_id": _PLACE, "value": f"'client' || ({_PLACE}) || '@example.com'"},
        Consent: {"client_id": _PLACE, "channel": channel},
        Course: {
            **{"client_id": _PLACE, "status": f"'{CourseStatus.ACTIVE.value}'"},
            **{"ended_at": "NULL", "end_reason": "''", "next_check_on": "NULL", "next_check_at": "NULL"},
        },
        TreatmentSession: {
            **{"client_id": _PLACE, "course_id": _PLACE, "on": f"date '{day}'"},
            **{"starts_at": starts_at, "ends_at": f"{starts_at} + interval '45 minutes'"},
            **{"practitioner_id": "NULL", "room_id": "NULL"},
        },
        Reminder: {
            **{"client_id": _PLACE, "course_id": _PLACE, "session_id": _PLACE, "channel": channel},
            **{"state": f"'{ReminderState.DUE.value}'", "decision_reason": "''", "decided_at": "NULL"},
            "subject_key": f"'session:' || {_SESSION_CODE}",
            "about": f'to_char(({starts_at}) AT TIME ZONE \'UTC\', \'"slot:"YYYY-MM-DD"T"HH24:MI:SS"Z"\')',
        },
    }


def _crowd_statement(model: type[models.Model], values: dict[str, str]) -> str:
    """Return the statement that adds a crowd to each clinic. Parameters: how many, STRIDE, the original's id."""
    columns = [field.column for field in model._meta.concrete_fields if field.column]
    code = f"md5('{model._meta.model_name}' || ({_PLACE}))::uuid"
    known = {"id": _PLACE, "code": code, **values}
    names = ", ".join(f'"{column}"' for column in columns)
    written = ", ".join(known.get(column, f'original."{column}"') for column in columns)
    table = f'"{model._meta.db_table}"'
    return f"""
        INSERT INTO {table} ({names})
        SELECT {written} FROM {table} AS original CROSS JOIN generate_series(1, %s) AS n
        WHERE original.id %% %s = %s"""


def open_hooks(place: str) -> None:
    """Let every clinic have a system of its own at a host and port of this machine, which is called over HTTP."""
    now = timezone.now()
    for clinic in Clinic.objects.all():
        member = StaffMember.objects.filter(clinic=clinic).first()
        assert member is not None, "a model clinic has staff"
        with override_settings(EGRESS_ALLOWED_HOSTS=[place]):
            save_account(
                clinic=clinic,
                channel=Channel.WEBHOOK,
                provider_key="webhook",
                answers={"url": f"http://{place}/calls"},
                by=Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk),
                now=now,
            )
    # By its rules the crowd would be told otherwise.
    ResyncRequest.objects.all().delete()


# ---------------------------------------------------------------- a morning


def _crowd(channel: str) -> QuerySet[Reminder]:
    return Reminder.objects.annotate(place=F("pk") % STRIDE).filter(place__gt=CROWD, channel=channel)


def lay_down() -> None:
    """Let all messages of the crowds wait for tomorrow, as if none had ever been sent and no tick had ever run."""
    mine = Reminder.objects.annotate(place=F("pk") % STRIDE).filter(place__gt=CROWD)
    DeliveryAttempt.objects.filter(reminder__in=mine.values("pk")).delete()
    for model in (AccessLink, RateBucket, ChannelHealth, TickRun, JobState):
        model._default_manager.all().delete()
    tomorrow = timezone.now() + _DAY
    mine.update(
        # What senders that were killed noted about it is void.
        generation=F("generation") + 1,
        **{"state": ReminderState.DUE, "send_at": tomorrow, "expires_at": tomorrow + _USEFUL},
        **{"decision_reason": "", "decided_at": None, "sent_at": None, "message_id": "", "sent_with": None},
        **{"lease_owner": "", "lease_until": None, "on_wire_at": None, "retry_at": None},
        **{"attempt_count": 0, "uncertain_count": 0},
    )
    with connection.cursor() as cursor:
        # As in an installation that runs: what waits has been there for a while.
        cursor.execute("VACUUM (ANALYZE)")


def make_due(channel: str, *, at: datetime) -> None:
    """Make the crowds' messages over one channel due at a moment."""
    _crowd(channel).update(send_at=at, expires_at=at + _USEFUL)
    # No tick of this period has run yet, whatever has been tried before.
    TickRun.objects.all().delete()


def has_mails_waiting() -> bool:
    """Tell whether an e-mail of the crowds is still to be sent, or on its way."""
    return Reminder.objects.filter(channel=Channel.EMAIL, state__in=LIVE_STATES).exists()


def lateness() -> list[float]:
    """Return by how many seconds each e-mail that was sent came after its moment, in order."""
    sent = _crowd(Channel.EMAIL).filter(state=ReminderState.SENT).values_list("send_at", "sent_at")
    return sorted((at - due).total_seconds() for due, at in sent if at is not None)


def states() -> dict[str, int]:
    """Return how many of the crowds' e-mails are in each state."""
    return dict(Counter(_crowd(Channel.EMAIL).values_list("state", flat=True)))


def mails_on_record() -> set[str]:
    """Return the Message-IDs of the e-mails that were sent, by the rows."""
    return set(_crowd(Channel.EMAIL).filter(state=ReminderState.SENT).values_list("message_id", flat=True))


def calls_on_record() -> set[str]:
    """Return the codes of the messages that the clinics' own systems took, by the rows."""
    sent = _crowd(Channel.WEBHOOK).filter(state=ReminderState.SENT)
    return {str(code) for code in sent.values_list("code", flat=True)}


def connection_count() -> int:
    """Return how many others are connected to this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])
