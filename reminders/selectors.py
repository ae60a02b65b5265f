"""Reads of the messages: what went out, what will, and what waits for a person."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value

from clients.models import Client, Consent, ContactPoint
from clinics.core import to_utc
from clinics.models import Clinic
from courses.models import Course
from reminders.core import is_held_out
from reminders.models import (
    LIVE_STATES,
    Answer,
    AnswerKind,
    Reason,
    Reminder,
    ReminderRule,
    ReminderState,
    Trigger,
)

COMING: Final = "coming"
SENT: Final = "sent"
NOT_SENT: Final = "not-sent"
WAITING: Final = "waiting"

_STATES: Final = {
    COMING: LIVE_STATES,
    SENT: (ReminderState.SENT,),
    NOT_SENT: (
        ReminderState.FAILED,
        ReminderState.EXPIRED,
        ReminderState.CANCELLED,
        ReminderState.SUPPRESSED,
        ReminderState.UNCERTAIN,
    ),
}
# A message that took over from one which failed: as long as it is not lost itself, nobody has to act.
_TAKEN_OVER: Final = (*LIVE_STATES, ReminderState.SENT)


def clinic_messages(clinic: Clinic) -> QuerySet[Reminder]:
    """Return the clinic's messages with whom and what they are about, and what stands in their way.

    Each has `has_consent`, `has_address` (a working one), `has_bad_address`, `is_taken_over` and `holdout_percent`.
    """
    return (
        Reminder.objects.for_clinic(clinic)
        .select_related("rule", "client", "staff_member", "session", "course__protocol")
        .annotate(
            has_consent=Exists(
                Consent.objects.filter(
                    client=OuterRef("client"), channel=OuterRef("channel"), withdrawn_at=None
                )
            ),
            has_address=Exists(_addresses().filter(disabled_at=None)),
            has_bad_address=Exists(_addresses().exclude(disabled_at=None)),
            is_taken_over=Exists(_followers()),
            holdout_percent=Value(clinic.reminder_holdout_percent),
        )
    )


def _addresses() -> QuerySet[ContactPoint]:
    return ContactPoint.objects.filter(client=OuterRef("client"), channel=OuterRef("channel"))


def _followers() -> QuerySet[Reminder]:
    return Reminder.objects.filter(fallback_for=OuterRef("pk"), state__in=_TAKEN_OVER)


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What a list of messages is narrowed to; dates are the clinic's, both included."""

    group: str = COMING
    channel: str = ""
    trigger: str = ""
    from_on: date | None = None
    to_on: date | None = None
    text: str = ""
    client: Client | None = None


def filter_messages(clinic: Clinic, wanted: MessageFilter) -> QuerySet[Reminder]:
    """Return the messages of a group: those ahead soonest first, all others latest first."""
    rows = clinic_messages(clinic)
    if wanted.group == WAITING:
        rows = rows.filter(_waits()).filter(~Exists(_followers()))
    else:
        rows = rows.filter(state__in=_STATES[wanted.group])
    if wanted.channel:
        rows = rows.filter(channel=wanted.channel)
    if wanted.trigger:
        rows = rows.filter(trigger=wanted.trigger)
    zone = ZoneInfo(clinic.time_zone)
    if wanted.from_on:
        rows = rows.filter(send_at__gte=to_utc(wanted.from_on, time(0), zone))
    if wanted.to_on:
        rows = rows.filter(send_at__lt=to_utc(wanted.to_on + timedelta(days=1), time(0), zone))
    if wanted.client is not None:
        rows = rows.filter(client=wanted.client)
    for word in wanted.text.lower().split():
        rows = rows.filter(client__search_text__contains=word)
    return rows.order_by("send_at", "pk") if wanted.group == COMING else rows.order_by("-send_at", "-pk")


def _waits() -> Q:
    return Q(state__in=(ReminderState.FAILED, ReminderState.UNCERTAIN), handled_at=None)


def group_counts(clinic: Clinic) -> dict[str, int]:
    """Return how many messages each group but the waiting one has, whatever the filters.

    Cost: one query.
    """
    rows = Reminder.objects.for_clinic(clinic)
    return rows.aggregate(
        **{
            group.replace("-", "_"): Count("pk", filter=Q(state__in=states))
            for group, states in _STATES.items()
        }
    )


def disabled_contacts(clinic: Clinic) -> QuerySet[ContactPoint]:
    """Return the addresses that do not work, the latest first."""
    found = ContactPoint.objects.for_clinic(clinic).filter(
        disabled_at__isnull=False, client__erased_at__isnull=True
    )
    return found.select_related("client").order_by("-disabled_at", "-pk")


def open_answers(clinic: Clinic) -> QuerySet[Answer]:
    """Return the answers that no machine understood and nobody has read, the latest first."""
    found = Answer.objects.for_clinic(clinic).filter(kind=AnswerKind.OTHER, handled_at=None)
    return found.select_related("client", "reminder").order_by("-answered_at", "-pk")


def waiting_count(clinic: Clinic) -> int:
    """Return how many messages, addresses and answers wait for a person.

    Cost: one query over partial indexes.
    """
    return waiting_keys(clinic).count()


def waiting_keys(clinic: Clinic) -> QuerySet[Any]:
    """Return the keys of the messages, addresses and answers that wait for a person, by partial indexes."""
    parts: Iterable[QuerySet[Any]] = (
        Reminder.objects.for_clinic(clinic).filter(_waits()).filter(~Exists(_followers())),
        disabled_contacts(clinic).select_related(None),
        open_answers(clinic).select_related(None),
    )
    # With a number beside the key, so that equal keys of different tables are different rows.
    first, *others = (
        part.order_by().annotate(part_number=Value(number)).values_list("part_number", "pk")
        for number, part in enumerate(parts)
    )
    keys: QuerySet[Any] = first.union(*others, all=True)
    return keys


# ---------------------------------------------------------------- one client, one course, one session


def client_messages(client: Client) -> QuerySet[Reminder]:
    """Return a client's messages, the latest first."""
    return clinic_messages(client.clinic).filter(client=client).order_by("-send_at", "-pk")


def course_messages(course: Course) -> QuerySet[Reminder]:
    """Return the messages about a course, the latest first."""
    return clinic_messages(course.clinic).filter(course=course).order_by("-send_at", "-pk")


def foreseen_reason(row: Any, *, channels: Collection[str] | None = None) -> Reason | None:
    """Return why a message still ahead would not go as things stand, or None when nothing speaks against it.

    Only what can be known beforehand: the rule, the address, the wish, the hold-out group; caps and quiet hours are decided when
    its time comes. The row comes from clinic_messages(); `channels` are those the clinic can send on.
    """
    if not row.rule.is_active:
        return Reason.RULE_OFF
    if row.client is None:
        return None
    if row.client.erased_at is not None:
        return Reason.CLIENT_ERASED
    if row.rule.skips_confirmed and row.session is not None and row.session.status == "confirmed":
        return Reason.ALREADY_CONFIRMED
    if channels is not None and row.channel not in channels:
        return Reason.NO_CHANNEL
    if not row.has_address and row.channel != "webhook":
        return Reason.CONTACT_DISABLED if row.has_bad_address else Reason.NO_CONTACT
    if not row.has_consent:
        return Reason.NO_CONSENT
    return Reason.HELD_OUT if _is_in_holdout(row) else None


def _is_in_holdout(row: Any) -> bool:
    if row.trigger != Trigger.BEFORE_SESSION or row.session is None:
        return False
    return is_held_out(str(row.session.code), percent=row.holdout_percent)


# What tells a client of a session: Today says of these what became of them.
_ABOUT_SESSIONS: Final = (Trigger.BEFORE_SESSION, Trigger.PREPARATION)


def latest_decisions(session_ids: Collection[int]) -> dict[int, Reminder]:
    """Return by session the latest decided message about it, one that was sent before any other.

    Cost: one query.
    """
    rows = Reminder.objects.filter(session__in=session_ids, trigger__in=_ABOUT_SESSIONS).exclude(
        state__in=(*LIVE_STATES, ReminderState.CANCELLED)
    )
    found: dict[int, Reminder] = {}
    for row in rows.order_by("decided_at", "pk"):
        if row.session_id is None:
            continue
        before = found.get(row.session_id)
        if before is None or row.state == ReminderState.SENT or before.state != ReminderState.SENT:
            found[row.session_id] = row
    return found


def latest_confirmations(session_ids: Collection[int]) -> dict[int, Answer]:
    """Return by session the client's latest confirmation that was accepted.

    Cost: one query.
    """
    answers = Answer.objects.filter(session__in=session_ids, kind=AnswerKind.CONFIRM, refusal="")
    return {
        answer.session_id: answer for answer in answers.order_by("answered_at", "pk") if answer.session_id
    }


def live_counts_by_rule(clinic: Clinic) -> dict[int, int]:
    """Return how many messages of each rule are still ahead.

    Cost: one query.
    """
    rows = Reminder.objects.for_clinic(clinic).filter(state__in=LIVE_STATES)
    return dict(rows.order_by().values_list("rule").annotate(number=Count("pk")))


def clinic_rules(clinic: Clinic) -> QuerySet[ReminderRule]:
    """Return the clinic's rules in the order of the settings page."""
    return ReminderRule.objects.for_clinic(clinic).order_by("pk")
