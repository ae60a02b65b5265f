"""Messages in words: what each is about, where it stands, and why two or none."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import ActorKind, AuditEvent
from clients.models import Consent, ContactPoint
from clinics.core import to_utc
from reminders.models import (
    Answer,
    AttemptOutcome,
    Delivery,
    DeliveryAttempt,
    DeliveryReport,
    Reason,
    Reminder,
    ReminderState,
)
from reminders.selectors import foreseen_reason
from staff.presenters.badges import Badge
from staff.presenters.clients import client_url
from staff.presenters.courses import protocol_name
from staff.presenters.sessions import moment_words

_STATE_LOOK: Final = {
    "due": ("accent", "hourglass"),
    "claimed": ("accent", "send"),
    "sent": ("good", "send"),
    "failed": ("serious", "mail-off"),
    "expired": ("quiet", "clock"),
    "cancelled": ("quiet", "ban"),
    "suppressed": ("quiet", "bell-off"),
    "uncertain": ("warning", "help-circle"),
}
_DELIVERY_LOOK: Final = {
    Delivery.DELIVERED: ("good", "checks"),
    Delivery.BOUNCED: ("serious", "mail-off"),
    Delivery.COMPLAINED: ("warning", "alert-circle"),
}


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One message as a line of a list, its decision in a plain sentence."""

    row: Reminder
    url: str
    at: datetime
    to: str
    to_url: str
    what: str
    channel: str
    about: str
    badge: Badge
    sentence: str
    delivery: Badge | None


def message_line(row: Any, *, today: date, channels: Collection[str] | None = None) -> MessageLine:
    """Return a message of reminders.selectors.clinic_messages() as a line."""
    return MessageLine(
        row=row,
        url=reverse("staff:message-detail", args=[row.code]),
        at=row.sent_at or row.send_at,
        to=recipient_name(row),
        to_url=client_url(row.client) if row.client else "",
        what=capfirst(row.get_trigger_display()),
        channel=capfirst(row.get_channel_display()),
        about=about_words(row, today=today),
        badge=message_badge(row, channels=channels),
        sentence=decision_sentence(row, today=today, channels=channels),
        delivery=delivery_badge(row),
    )


def recipient_name(row: Reminder) -> str:
    if row.client is not None:
        return row.client.name or _("a former client")
    return row.staff_member.display_name if row.staff_member else ""


def message_badge(row: Any, *, channels: Collection[str] | None = None) -> Badge:
    """Return where a message of clinic_messages() stands; one that would not go stands out before it is too late."""
    if row.state == ReminderState.DUE and foreseen_reason(row, channels=channels) is not None:
        return Badge(_("Will not go"), "warning", "bell-off")
    tone, icon = _STATE_LOOK[row.state]
    return Badge(capfirst(row.get_state_display()), tone, icon)


def delivery_badge(row: Reminder) -> Badge | None:
    if not row.delivery:
        return None
    tone, icon = _DELIVERY_LOOK[Delivery(row.delivery)]
    return Badge(capfirst(row.get_delivery_display()), tone, icon)


def about_words(row: Reminder, *, today: date) -> str:
    """Return which session or course a message is about."""
    if row.session is not None:
        at = row.session.starts_at
        return _("session on %(when)s") % {"when": moment_words(at, today=today)} if at else _("a session")
    if row.course is not None:
        return protocol_name(row.course)
    return ""


def decision_sentence(row: Any, *, today: date, channels: Collection[str] | None = None) -> str:
    """Return where a message stands, as one would say it on the telephone.

    The row comes from clinic_messages(); of one still ahead, what would stop it is said beforehand.
    """
    state = ReminderState(row.state)
    if state == ReminderState.CLAIMED:
        return _("It is being sent at this moment.")
    if state == ReminderState.DUE:
        return _ahead_sentence(row, today=today, channels=channels)
    if state == ReminderState.SENT:
        return _sent_sentence(row, today=today)
    reason = Reason(row.decision_reason).label
    frame = {
        ReminderState.FAILED: _("It did not get through: %(reason)s."),
        ReminderState.CANCELLED: _("No longer wanted: %(reason)s."),
        ReminderState.UNCERTAIN: _("Perhaps it arrived: %(reason)s."),
    }.get(state, _("Not sent: %(reason)s."))
    words = frame % {"reason": reason}
    if state == ReminderState.FAILED and row.is_taken_over:
        words = " ".join((words, _("Another channel took over.")))
    if row.handled_at is not None and state in (ReminderState.FAILED, ReminderState.UNCERTAIN):
        words = " ".join((words, _("Seen to.")))
    return words


def _ahead_sentence(row: Any, *, today: date, channels: Collection[str] | None) -> str:
    reason = foreseen_reason(row, channels=channels)
    if reason is not None:
        return _("As things stand it will not go out: %(reason)s.") % {"reason": reason.label}
    if row.attempt_count:
        return ngettext(
            "Tried %(n)s time; the next try is at %(time)s.",
            "Tried %(n)s times; the next try is at %(time)s.",
            row.attempt_count,
        ) % {"n": row.attempt_count, "time": clock_words(row.retry_at or row.send_at)}
    return _("It goes out %(when)s.") % {"when": moment_words(row.send_at, today=today)}


def _sent_sentence(row: Reminder, *, today: date) -> str:
    words = _("Sent %(when)s.") % {"when": moment_words(row.sent_at, today=today)}
    if row.sent_with_id is not None:
        words = " ".join((words, _("It went in one message with another.")))
    return words


def clock_words(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%H:%M}" if at else ""


# ---------------------------------------------------------------- one message


@dataclass(frozen=True, slots=True)
class AttemptLine:
    number: int
    at: datetime
    seconds: str
    badge: Badge
    error: str
    address: str


_ATTEMPT_LOOK: Final = {
    AttemptOutcome.SENDING: ("accent", "send"),
    AttemptOutcome.SENT: ("good", "check"),
    AttemptOutcome.TRANSIENT: ("warning", "refresh"),
    AttemptOutcome.PERMANENT: ("serious", "circle-x"),
    AttemptOutcome.UNCERTAIN: ("warning", "help-circle"),
}


def attempt_lines(attempts: Sequence[DeliveryAttempt]) -> list[AttemptLine]:
    lines = []
    for attempt in attempts:
        tone, icon = _ATTEMPT_LOOK[AttemptOutcome(attempt.outcome)]
        took = (attempt.finished_at - attempt.started_at).total_seconds() if attempt.finished_at else None
        lines.append(
            AttemptLine(
                number=attempt.number,
                at=attempt.started_at,
                seconds="" if took is None else _("%(n).1f s") % {"n": took},
                badge=Badge(capfirst(attempt.get_outcome_display()), tone, icon),
                error=attempt.error_code,
                address=attempt.contact_point.value if attempt.contact_point else "",
            )
        )
    return lines


@dataclass(frozen=True, slots=True)
class EventLine:
    """Something that was reported, answered or done, at its time."""

    at: datetime
    words: str
    details: str
    icon: str


def event_lines(
    reports: Sequence[DeliveryReport],
    answers: Sequence[Answer],
    acts: Sequence[AuditEvent],
    names: Mapping[uuid.UUID, str],
) -> list[EventLine]:
    """Return what happened to a message after it was written, earliest first."""
    lines = [
        EventLine(
            report.happened_at,
            capfirst(report.get_kind_display()),
            _("reported by the provider"),
            _DELIVERY_LOOK[Delivery(report.kind)][1],
        )
        for report in reports
    ]
    lines += [answer_event(answer) for answer in answers]
    lines += [
        EventLine(act.at, _act_words(act.action), _actor_name(act, names), "user-check") for act in acts
    ]
    return sorted(lines, key=lambda line: line.at)


def answer_event(answer: Answer) -> EventLine:
    details = capfirst(answer.get_via_display())
    if answer.refusal:
        details = " · ".join((details, _("it changed nothing")))
    if answer.text:
        details = " · ".join((details, _("“%(text)s”") % {"text": answer.text}))
    return EventLine(
        answer.answered_at,
        _("The client: %(answer)s") % {"answer": answer.get_kind_display()},
        details,
        "message-circle",
    )


def _act_words(action: str) -> str:
    words = {
        "reminder.sent_now": _("Sent without waiting for its time"),
        "reminder.sent_again": _("Sent again"),
        "reminder.arrived": _("Recorded as arrived"),
        "reminder.stopped": _("Stopped"),
        "reminder.closed": _("Seen to"),
    }
    return words.get(action, capfirst(action.partition(".")[2].replace("_", " ")))


def _actor_name(act: AuditEvent, names: Mapping[uuid.UUID, str]) -> str:
    if act.actor_kind != ActorKind.STAFF or act.actor_code is None:
        return _("the system")
    return names.get(act.actor_code, _("a former staff member"))


# ---------------------------------------------------------------- one client: ways and wishes


@dataclass(frozen=True, slots=True)
class ContactLine:
    contact: ContactPoint
    channel: str
    value: str
    problem: str


def contact_lines(contacts: Sequence[ContactPoint], *, today: date) -> list[ContactLine]:
    """Return a client's addresses, each with why it is not used."""
    return [
        ContactLine(
            contact,
            capfirst(contact.get_channel_display()),
            contact.value,
            contact_problem(contact, today=today),
        )
        for contact in contacts
    ]


def contact_problem(contact: ContactPoint, *, today: date) -> str:
    """Return why an address is no longer written to; empty while it works."""
    if contact.disabled_at is None:
        return ""
    reason = contact.disabled_reason
    words = {
        "bounced": _("messages came back"),
        "complained": _("the client reported messages as unwanted"),
    }.get(reason)
    if words is None and reason.startswith("smtp-5"):
        words = _("the mail server says that there is no such address")
    return _("Not used since %(when)s: %(reason)s.") % {
        "when": moment_words(contact.disabled_at, today=today),
        "reason": words or reason,
    }


@dataclass(frozen=True, slots=True)
class ConsentLine:
    channel: str
    is_in_force: bool
    words: tuple[str, ...]


def consent_lines(consents: Sequence[Consent], *, today: date) -> list[ConsentLine]:
    """Return by channel whether the client agrees to messages, with every change, latest first."""
    by_channel: dict[str, list[Consent]] = {}
    for consent in sorted(consents, key=lambda one: one.granted_at, reverse=True):
        by_channel.setdefault(consent.channel, []).append(consent)
    return [
        ConsentLine(
            capfirst(listed[0].get_channel_display()),
            any(one.withdrawn_at is None for one in listed),
            tuple(words for one in listed for words in _consent_words(one, today=today)),
        )
        for listed in by_channel.values()
    ]


def _consent_words(consent: Consent, *, today: date) -> list[str]:
    said = []
    if consent.withdrawn_at is not None:
        said.append(
            _("withdrawn %(when)s, %(source)s")
            % {
                "when": moment_words(consent.withdrawn_at, today=today),
                "source": source_words(consent.withdrawn_source),
            }
        )
    said.append(
        _("granted %(when)s, %(source)s")
        % {
            "when": moment_words(consent.granted_at, today=today),
            "source": source_words(consent.granted_source),
        }
    )
    return said


def source_words(source: str) -> str:
    """Return by what a consent was given or taken back."""
    words = {
        "staff": _("entered by staff"),
        "link": _("by link"),
        "sms": _("by SMS"),
        "unsubscribe": _("by the mail program's unsubscribe button"),
        "provider": _("through the provider"),
        "import": _("imported"),
        "merged": _("when two clients were merged"),
        "erased": _("with the client's data"),
    }
    return words.get(source, source)


# ---------------------------------------------------------------- Today


def _whole(moment: str) -> str:
    """Return a moment in which no line breaks."""
    return moment.replace(" ", "\N{NO-BREAK SPACE}")


def session_message_words(decision: Reminder | None, confirmation: Answer | None, *, today: date) -> str:
    """Return what a client was told of a session and answered, for example "Reminded by e-mail Sun 8 Mar, 09:00"."""
    said = []
    if decision is not None and decision.state == ReminderState.SENT:
        said.append(
            _("Reminded by %(channel)s %(when)s")
            % {
                "channel": decision.get_channel_display(),
                "when": _whole(moment_words(decision.sent_at, today=today)),
            }
        )
        if decision.delivery in (Delivery.BOUNCED, Delivery.COMPLAINED):
            said.append(decision.get_delivery_display())
    elif decision is not None:
        said.append(
            _("Not reminded: %(reason)s") % {"reason": Reason(decision.decision_reason).label}
            if decision.decision_reason
            else ""
        )
    if confirmation is not None:
        said.append(
            _("confirmed %(via)s %(when)s")
            % {
                "via": confirmation.get_via_display(),
                "when": _whole(moment_words(confirmation.answered_at, today=today)),
            }
        )
    words = ", ".join(part for part in said if part)
    return capfirst(words)


# ---------------------------------------------------------------- its times


@dataclass(frozen=True, slots=True)
class TimeLine:
    label: str
    words: str
    note: str = ""


def time_lines(row: Reminder, *, today: date) -> list[TimeLine]:
    """Return a message's times from the moment it was wanted to the last at which it is of use."""
    wanted = wanted_at(row)
    lines = [TimeLine(_("Written down"), moment_words(row.created_at, today=today))]
    if wanted is not None and wanted != row.send_at:
        lines.append(TimeLine(_("Wanted for"), moment_words(wanted, today=today)))
        note = _("Moved out of quiet hours.") if row.sent_at is None or row.sent_at >= row.send_at else ""
        lines.append(TimeLine(_("Time to go"), moment_words(row.send_at, today=today), note))
    else:
        lines.append(TimeLine(_("Time to go"), moment_words(row.send_at, today=today)))
    if row.retry_at is not None:
        lines.append(TimeLine(_("Next try"), moment_words(row.retry_at, today=today)))
    if row.sent_at is not None:
        lines.append(TimeLine(_("Sent at"), moment_words(row.sent_at, today=today)))
    elif row.decided_at is not None:
        lines.append(TimeLine(_("Decided"), moment_words(row.decided_at, today=today)))
    if row.delivered_at is not None:
        lines.append(
            TimeLine(capfirst(row.get_delivery_display()), moment_words(row.delivered_at, today=today))
        )
    lines.append(
        TimeLine(
            _("Of use until"),
            moment_words(row.expires_at, today=today),
            _("Later it is not sent any more."),
        )
    )
    return lines


def wanted_at(row: Reminder) -> datetime | None:
    """Return the time a rule asks for before quiet hours moved it; None where that cannot be told any more."""
    session, rule = row.session, row.rule
    if session is None or session.starts_at is None or row.trigger not in ("before_session", "preparation"):
        return None
    if row.rule_version != rule.version:
        return None
    if rule.lead_minutes is not None:
        return session.starts_at - timedelta(minutes=rule.lead_minutes)
    zone = ZoneInfo(row.clinic.time_zone)
    local = session.starts_at.astimezone(zone)
    return to_utc(local.date() - timedelta(days=rule.lead_days or 0), rule.at_time or local.time(), zone)
