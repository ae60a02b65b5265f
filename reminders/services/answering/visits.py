"""What clients do about their visits: they confirm, cancel and move them, and book the next."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import Actor
from clients.models import Client
from clinics.models import Room, StaffMember
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    CANCELLED_STATUSES,
    Course,
    EarlierOutcome,
    EarlierSlot,
    SessionStatus,
    TreatmentSession,
)
from courses.services import book_session, cancel_session, confirm_session, move_session
from courses.services.booking import cancelled_status
from courses.services.changes import lock_course, lock_session, transacting
from courses.services.slots import minutes_of
from courses.services.waiting import close_lost, close_taken
from reminders.core import slot_text
from reminders.models import Answer, AnswerKind, AnswerVia, Reminder, Trigger
from reminders.services.answering.answers import actor_of, first_answer

# What is no answer at all: it can be tried again, or typed again.
_TRY_AGAIN: Final = frozenset({"busy", "text_too_long", "text_unreadable"})
_ABOUT_SLOTS: Final = (Trigger.BEFORE_SESSION, Trigger.PREPARATION)


@dataclass(frozen=True, slots=True)
class ChosenSlot:
    """A slot that was offered to a client and taken up."""

    starts_at: datetime
    minutes: int
    practitioner: StaffMember | None
    room: Room | None


def confirm_by_client(
    *,
    session: TreatmentSession,
    client: Client,
    via: AnswerVia | str,
    event_key: str = "",
    reminder: Reminder | None = None,
    now: datetime,
    seen_version: int | None = None,
) -> Answer:
    """Put on record that a client confirmed a visit; the answer's `refusal` says why where that cannot be.

    `event_key` names an event that may be delivered twice: its first answer is returned. Without one, a press
    that changes nothing returns the answer that stands. `seen_version` is the session's version on the page that was
    pressed: a visit moved since is not confirmed unseen.
    Raises: CourseError `busy` when the same may be tried again, `session_unknown` for another client's session.
    """
    return _answer_about(
        AnswerKind.CONFIRM,
        session=session,
        client=client,
        via=AnswerVia(via),
        event_key=event_key,
        reminder=reminder,
        now=now,
        seen_version=seen_version,
        act=lambda session, by: confirm_session(session=session, by=by, now=now),
    )


def cancel_by_client(
    *,
    session: TreatmentSession,
    client: Client,
    via: AnswerVia | str,
    reason: str = "",
    event_key: str = "",
    reminder: Reminder | None = None,
    now: datetime,
    seen_version: int | None = None,
) -> Answer:
    """Cancel a visit for a client, late or in time by the clinic's notice time; else as confirm_by_client().

    Raises: CourseError also for a reason that is too long or unreadable.
    """
    return _answer_about(
        AnswerKind.CANCEL,
        session=session,
        client=client,
        via=AnswerVia(via),
        event_key=event_key,
        reminder=reminder,
        now=now,
        seen_version=seen_version,
        act=lambda session, by: cancel_session(
            session=session, whose="client", by=by, now=now, reason=reason
        ),
    )


def move_by_client(
    *,
    session: TreatmentSession,
    client: Client,
    slot: ChosenSlot,
    via: AnswerVia | str,
    reminder: Reminder | None = None,
    now: datetime,
    seen_version: int | None = None,
) -> Answer:
    """Move a visit for a client to a slot that was offered, in time by the clinic's notice; else as confirm_by_client().

    Whether the slot suits the prescription is for the offer to say. The refusal is `notice_passed` too late for a move,
    `slot_taken` or another of move_session() where the slot cannot be held any more.
    """
    return _answer_about(
        AnswerKind.MOVE,
        session=session,
        client=client,
        via=AnswerVia(via),
        event_key="",
        reminder=reminder,
        now=now,
        seen_version=seen_version,
        slot=slot,
        needs_notice=True,
        act=lambda session, by: _move(session, slot, by=by, now=now),
    )


def take_earlier_by_client(
    *,
    offer: EarlierSlot,
    client: Client,
    via: AnswerVia | str,
    reminder: Reminder | None = None,
    now: datetime,
) -> Answer:
    """Move a visit for a client to the earlier slot that was offered; the first of all who were asked has it.

    Coming earlier needs no notice. A second press finds the visit moved; whoever comes too late is refused with
    `offer_gone`, or with why the slot cannot be held.
    Raises: as confirm_by_client().
    """
    freed, visit = offer.freed, offer.waiting.session
    slot = ChosenSlot(freed.starts_at, minutes_of(visit), freed.practitioner, freed.room)

    def act(session: TreatmentSession, by: Actor) -> None:
        open_ones = EarlierSlot.objects.filter(pk=offer.pk, outcome=EarlierOutcome.OPEN, expires_at__gt=now)
        if not open_ones.exists() or (session.starts_at and session.starts_at <= freed.starts_at):
            raise CourseError(_("This time is no longer free."), code="offer_gone")
        _move(session, slot, by=by, now=now)
        close_taken(offer=offer, by=by, now=now)

    with transacting():
        answer = _answer_about(
            AnswerKind.MOVE,
            session=visit,
            client=client,
            via=AnswerVia(via),
            event_key="",
            reminder=reminder,
            now=now,
            seen_version=None,
            slot=slot,
            act=act,
        )
        if answer.refusal:
            close_lost(offer=offer)
    return answer


def _move(session: TreatmentSession, slot: ChosenSlot, *, by: Actor, now: datetime) -> None:
    move_session(
        session=session,
        starts_at=slot.starts_at,
        minutes=slot.minutes,
        practitioner=slot.practitioner,
        room=slot.room,
        by=by,
        now=now,
    )


def book_by_client(
    *,
    course: Course,
    client: Client,
    slot: ChosenSlot,
    via: AnswerVia | str,
    reminder: Reminder | None = None,
    now: datetime,
) -> Answer:
    """Book a client's next visit at a slot that was offered; a second press finds it booked and changes nothing.

    Refused with `already_booked` when something else is booked by now: whoever offered, offered the next visit.
    Raises: as confirm_by_client().
    """
    with transacting():
        locked = lock_course(course)
        if locked.client_id != client.pk:
            raise CourseError(_("This course is not yours."), code="course_unknown")
        booked = TreatmentSession.objects.filter(
            course=locked, status__in=BOOKED_STATUSES, starts_at__gt=now
        ).order_by("starts_at")
        same = booked.filter(starts_at=slot.starts_at).first()
        known = (
            Answer.objects.filter(session=same, kind=AnswerKind.BOOK, refusal="").first() if same else None
        )
        if known is not None:
            return known
        made: list[TreatmentSession] = []
        refusal = "client_erased" if locked.client.erased_at else "already_booked" if booked.exists() else ""
        refusal = refusal or _tried(lambda: made.append(_book(locked, client, slot, now)))
        return Answer.objects.create(
            clinic_id=locked.clinic_id,
            client=client,
            reminder=reminder,
            session=made[0] if made else None,
            kind=AnswerKind.BOOK,
            via=via,
            channel=reminder.channel if reminder else "",
            refusal=refusal,
            answered_at=now,
        )


def _book(course: Course, client: Client, slot: ChosenSlot, now: datetime) -> TreatmentSession:
    return book_session(
        course=course,
        starts_at=slot.starts_at,
        minutes=slot.minutes,
        practitioner=slot.practitioner,
        room=slot.room,
        by=actor_of(client),
        now=now,
    )


def _answer_about(
    kind: AnswerKind,
    *,
    session: TreatmentSession,
    client: Client,
    via: AnswerVia,
    event_key: str,
    reminder: Reminder | None,
    now: datetime,
    seen_version: int | None,
    act: Callable[[TreatmentSession, Actor], object],
    slot: ChosenSlot | None = None,
    needs_notice: bool = False,
) -> Answer:
    with transacting():
        lock_course(session.course)
        session = lock_session(session)
        if session.client_id != client.pk:
            raise CourseError(_("This visit is not yours."), code="session_unknown")
        known = first_answer(event_key) or _standing_answer(kind, session, event_key, slot)
        if known is not None:
            return known
        by_text = reminder if via == AnswerVia.SMS else None
        refusal = _why_not(session, client, reminder=by_text, seen_version=seen_version, now=now)
        if not refusal and needs_notice and is_notice_over(session, now=now):
            refusal = "notice_passed"
        refusal = refusal or _tried(lambda: act(session, actor_of(client)))
        if refusal and not event_key and (last := _same_refusal(kind, session, refusal)) is not None:
            return last
        return Answer.objects.create(
            clinic_id=session.clinic_id,
            client=client,
            reminder=reminder,
            session=session,
            kind=kind,
            via=via,
            channel=reminder.channel if reminder else "",
            event_key=event_key,
            refusal=refusal,
            answered_at=now,
        )


def _same_refusal(kind: AnswerKind, session: TreatmentSession, refusal: str) -> Answer | None:
    """Return the last answer about a visit when it was a press refused for the same reason."""
    last = Answer.objects.filter(session=session).order_by("-answered_at", "-pk").first()
    if last is None or (last.kind, last.refusal, last.event_key) != (kind, refusal, ""):
        return None
    return last


def is_notice_over(session: TreatmentSession, *, now: datetime) -> bool:
    """Return whether a client who cancels now cancels late; it is too late to move the visit then, too."""
    return cancelled_status(session, whose="client", now=now) == SessionStatus.CANCELLED_LATE


def _standing_answer(
    kind: AnswerKind, session: TreatmentSession, event_key: str, slot: ChosenSlot | None
) -> Answer | None:
    """Return the answer that a further press would only repeat; an event of its own is always kept."""
    if slot is not None:
        if session.starts_at != slot.starts_at or session.status not in BOOKED_STATUSES:
            return None
        moves = Answer.objects.filter(session=session, kind=kind, refusal="")
        return moves.order_by("-answered_at", "-pk").first()
    since = session.confirmed_at if kind == AnswerKind.CONFIRM else session.outcome_at
    by_client = (SessionStatus.CANCELLED_BY_CLIENT, SessionStatus.CANCELLED_LATE)
    holds = (SessionStatus.CONFIRMED,) if kind == AnswerKind.CONFIRM else by_client
    if event_key or since is None or session.status not in holds:
        return None
    answers = Answer.objects.filter(session=session, kind=kind, refusal="", answered_at__gte=since)
    return answers.order_by("answered_at", "pk").first()


def _why_not(
    session: TreatmentSession,
    client: Client,
    *,
    reminder: Reminder | None,
    seen_version: int | None,
    now: datetime,
) -> str:
    """Return why a client can no longer answer about a visit as a short code, or nothing."""
    if client.erased_at is not None:
        return "client_erased"
    if session.status in CANCELLED_STATUSES:
        return "session_cancelled"
    if session.has_outcome or session.status == SessionStatus.ARRIVED:
        return "session_over"
    if session.starts_at is not None and session.starts_at <= now:
        # Cancelling afterwards would turn a missed visit into a cancelled one.
        return "session_begun"
    if seen_version is not None and seen_version != session.version:
        return "session_moved"
    is_about_slot = reminder is not None and reminder.trigger in _ABOUT_SLOTS
    if is_about_slot and reminder.about != _slot(session):  # type: ignore[union-attr]  # not None, see above
        # A "yes" by SMS means the time that the message named.
        return "session_moved"
    return ""


def _slot(session: TreatmentSession) -> str:
    return slot_text(session.starts_at) if session.starts_at else ""


def _tried(act: Callable[[], object]) -> str:
    """Do what was asked; return why it could not be done as a short code, or nothing."""
    try:
        with transaction.atomic():
            act()
    except CourseError as error:
        if error.code in _TRY_AGAIN:
            raise
        return error.code
    return ""
