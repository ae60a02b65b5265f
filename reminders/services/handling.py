"""What people do about single messages: send one now, stop one, say what became of one, call a matter closed."""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import Actor, record
from reminders.channels.base import Message
from reminders.channels.registry import find_ways
from reminders.errors import MessageError
from reminders.models import (
    LIVE_STATES,
    TELLING_TRIGGERS,
    Answer,
    AnswerKind,
    Reason,
    Reminder,
    ReminderState,
)
from reminders.services.checking import (
    Ruling,
    load_rows,
    load_schedule,
    load_surroundings,
    rule_on,
)
from reminders.services.linking import Links
from reminders.services.outcomes import UNCLAIMED
from reminders.services.ticking import wake_senders
from reminders.texts import Part, write_message

# What has not gone and may still be sent when a person says so.
SENDABLE: Final = (ReminderState.DUE, ReminderState.SUPPRESSED, ReminderState.FAILED)
# What a person may call done with.
CLOSABLE: Final = (ReminderState.FAILED, ReminderState.UNCERTAIN)


def send_now(*, row: Reminder, by: Actor, now: datetime) -> Reminder:
    """Let a message go at once, whatever its time; what speaks against it is asked first, and again when it goes.

    Raises: MessageError `not_waiting`, `taken_over`, `too_late`, or `may_not_go` with the reason in its sentence.
    Cost: a lock on the row, up to eight queries.
    """
    with transaction.atomic():
        locked = _lock(row)
        if locked.state not in SENDABLE:
            raise MessageError(_("This message no longer waits. Reload the page."), code="not_waiting")
        return _release(locked, "reminder.sent_now", by=by, now=now)


def send_again(*, row: Reminder, by: Actor, now: datetime) -> Reminder:
    """Send a message once more of which nobody knows whether it arrived.

    Raises: MessageError `not_uncertain`, and as send_now().
    """
    with transaction.atomic():
        locked = _lock_uncertain(row)
        return _release(locked, "reminder.sent_again", by=by, now=now)


def mark_arrived(*, row: Reminder, by: Actor, now: datetime) -> Reminder:
    """Record that an uncertain message did arrive, as the client or the provider said.

    It counts as sent at its last try. Raises: MessageError `not_uncertain`.
    """
    with transaction.atomic():
        locked = _lock_uncertain(row)
        tried_at = locked.attempts.order_by("-number").values_list("started_at", flat=True).first()
        old = {"state": locked.state, "reason": locked.decision_reason}
        _write(locked, state=ReminderState.SENT, sent_at=tried_at or now, decision_reason="", handled_at=now)
        _record(locked, "reminder.arrived", by=by, now=now, old=old)
    return locked


def stop_message(*, row: Reminder, by: Actor, now: datetime) -> Reminder:
    """Keep a message from going out; nothing that happens to the course brings it back.

    Raises: MessageError `not_waiting` when it has gone, or is going at this moment.
    """
    with transaction.atomic():
        locked = _lock(row)
        if locked.state not in LIVE_STATES or locked.on_wire_at is not None:
            raise MessageError(
                _("This message can no longer be stopped: it has gone, or is going at this moment."),
                code="not_waiting",
            )
        # Suppressed, not cancelled: a cancelled message comes back when the schedule wants it again. One that
        # was to go once more may have arrived at the first try, and stopping it changes nothing about that.
        in_doubt = locked.uncertain_count > 0
        _write(
            locked,
            state=ReminderState.UNCERTAIN if in_doubt else ReminderState.SUPPRESSED,
            decision_reason=Reason.LOST_IN_FLIGHT if in_doubt else Reason.STOPPED,
            decided_at=now,
            retry_at=None,
            **UNCLAIMED,
        )
        _record(locked, "reminder.stopped", by=by, now=now)
    return locked


def close_message(*, row: Reminder, by: Actor, now: datetime) -> Reminder:
    """Take a message that went wrong off the staff's list; twice is harmless.

    Raises: MessageError `not_wrong` for one that did not go wrong.
    """
    with transaction.atomic():
        locked = _lock(row)
        if locked.state not in CLOSABLE:
            raise MessageError(_("Nothing is to be done about this message."), code="not_wrong")
        if locked.handled_at is None:
            _write(locked, handled_at=now)
            _record(locked, "reminder.closed", by=by, now=now)
    return locked


def close_answer(*, answer: Answer, by: Actor, now: datetime) -> Answer:
    """Take an answer that no machine understood off the staff's list; twice is harmless.

    Raises: MessageError `not_open` for an answer that acted by itself.
    """
    with transaction.atomic():
        locked = Answer.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=answer.pk)
        if locked.kind != AnswerKind.OTHER:
            raise MessageError(_("Nothing is to be done about this answer."), code="not_open")
        if locked.handled_at is None:
            locked.handled_at = now
            locked.save(update_fields=["handled_at"])
            record(
                "answer.closed",
                at=now,
                by=by,
                clinic_code=locked.clinic.code,
                subject_kind="answer",
                subject_code=locked.code,
            )
    return locked


def rule_now(row: Reminder, *, now: datetime) -> Ruling:
    """Return what would be decided about a message if it went at this moment.

    Cost: four queries, three more for a schedule.
    """
    seen = load_rows([row.pk], now=now)[row.pk]
    pair = (seen.clinic_id, seen.channel)
    return rule_on(seen, load_surroundings([seen], now=now), has_channel=pair in find_ways([pair]), now=now)


def _release(row: Reminder, action: str, *, by: Actor, now: datetime) -> Reminder:
    if now >= row.expires_at:
        raise MessageError(_("It is too late: this message would no longer be of use."), code="too_late")
    if row.fallbacks.filter(state__in=(*LIVE_STATES, ReminderState.SENT)).exists():
        raise MessageError(_("Another channel has taken over this message."), code="taken_over")
    old = {"state": row.state, "reason": row.decision_reason}
    _write(
        row,
        state=ReminderState.DUE,
        send_at=min(row.send_at, now),
        decision_reason="",
        decided_at=None,
        retry_at=None,
        handled_at=None,
        **UNCLAIMED,
    )
    # Asked of the row as it now stands, since one that may have arrived counts as told; a refusal takes it back.
    _refuse_what_may_not_go(row, now=now)
    _record(row, action, by=by, now=now, old=old)
    if settings.IS_QUEUE_REMOTE:
        # In one process the next tick, seconds away, finds it: no page waits for a mail server.
        wake_senders(now=now)
    return row


def _refuse_what_may_not_go(row: Reminder, *, now: datetime) -> None:
    ruling = rule_now(row, now=now)
    if ruling.reason is not None:
        reason = Reason(ruling.reason).label
        raise MessageError(_("It may not go: %(reason)s.") % {"reason": reason}, code="may_not_go")
    if ruling.wait_until is not None:
        local = ruling.wait_until.astimezone(ZoneInfo(row.clinic.time_zone))
        raise MessageError(
            _("It may not go before %(time)s: these are quiet hours, or the day's messages are used up.")
            % {"time": f"{local:%H:%M}"},
            code="may_not_go",
        )


def _lock(row: Reminder) -> Reminder:
    rows = Reminder.objects.select_for_update(of=("self",)).select_related("clinic")
    return rows.get(pk=row.pk)


def _lock_uncertain(row: Reminder) -> Reminder:
    locked = _lock(row)
    if locked.state != ReminderState.UNCERTAIN:
        raise MessageError(
            _("It is already known what became of this message. Reload the page."), code="not_uncertain"
        )
    return locked


def _write(row: Reminder, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


def _record(
    row: Reminder, action: str, *, by: Actor, now: datetime, old: dict[str, Any] | None = None
) -> None:
    record(
        action,
        at=now,
        by=by,
        clinic_code=row.clinic.code,
        subject_kind="reminder",
        subject_code=row.code,
        old=old,
        new={"state": row.state},
    )


def message_ahead(row: Reminder, *, now: datetime) -> Message:
    """Return how a message would read if it went now; it carries no secret links, and nothing is sent.

    Cost: three to eight queries.
    """
    seen = load_rows([row.pk], now=now)[row.pk]
    schedule = load_schedule(seen) if seen.trigger in TELLING_TRIGGERS else None
    # The secret end of the address is made when the message goes.
    page = f"{settings.BASE_URL.rstrip('/')}/…"
    links = Links(session=page if seen.session_id else "", course=page if seen.course_id else "")
    return write_message([Part(seen, schedule=schedule, links=links)], address="", now=now)
