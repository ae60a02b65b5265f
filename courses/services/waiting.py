"""Waiting for an earlier slot: who would come, what becomes free, and whom it is offered."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _

from audit.services import Actor, record
from courses import convert
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    EarlierOutcome,
    EarlierSlot,
    FreedSlot,
    SessionStatus,
    TreatmentSession,
    Waiting,
)
from courses.services.changes import lock_course, lock_session, transacting
from courses.services.freeing import USEFUL_AHEAD
from courses.services.slots import minutes_of, wish_slot
from courses.services.windows import window_for_move

# Asked at once, so that one of them answers in time; those who have waited longest come first.
ASKED_AT_ONCE: Final = 5
_LOOKED_THROUGH: Final = 50
_FREED_AT_ONCE: Final = 50
_GOOD_FOR: Final = timedelta(hours=12)
_AWAITED: Final = (SessionStatus.BOOKED, SessionStatus.CONFIRMED)


def can_come_earlier(session: TreatmentSession, *, now: datetime) -> bool:
    """Return whether an earlier slot can still be offered to a booking: what it begins before must be of use to somebody."""
    starts_at = session.starts_at if session.status in _AWAITED else None
    return starts_at is not None and starts_at > now + USEFUL_AHEAD


def wait_for_earlier(*, session: TreatmentSession, by: Actor, now: datetime) -> Waiting:
    """Put a booking on the list of those that would take an earlier slot; twice is harmless.

    Raises: CourseError when it is not booked or begins too soon for any.
    """
    with transacting():
        course = lock_course(session.course)
        locked = lock_session(session)
        if not can_come_earlier(locked, now=now):
            raise CourseError(
                _("Only a booked session that does not begin soon can come earlier."), code="not_booked"
            )
        waiting, is_new = Waiting.objects.get_or_create(
            session=locked, ended_at=None, defaults={"clinic": course.clinic, "created_at": now}
        )
        if is_new:
            _record("course.waiting_began", waiting, by=by, now=now)
    return waiting


def stop_waiting(*, session: TreatmentSession, by: Actor, now: datetime) -> None:
    """Take a booking off the list of those that would take an earlier slot; twice is harmless."""
    with transacting():
        lock_course(session.course)
        waiting = Waiting.objects.filter(session=session, ended_at=None).first()
        if waiting is not None:
            waiting.ended_at = now
            waiting.save(update_fields=["ended_at"])
            _record("course.waiting_ended", waiting, by=by, now=now)


def offer_freed_slots(*, now: datetime) -> int:
    """Offer slots that became free to those who wait for an earlier one; return how many offers were made.

    Safe to run twice and at once: each slot is claimed by one. What suits nobody is forgotten.
    Cost: one query when nothing was freed.
    """
    count = 0
    fresh = FreedSlot.objects.filter(offered_at=None).order_by("freed_at", "pk")
    for freed in list(fresh.select_related("clinic", "practitioner", "room")[:_FREED_AT_ONCE]):
        with transacting():
            if FreedSlot.objects.filter(pk=freed.pk, offered_at=None).update(offered_at=now):
                count += _offer(freed, now=now)
    return count


def _offer(freed: FreedSlot, *, now: datetime) -> int:
    expires_at = min(now + _GOOD_FOR, freed.starts_at - USEFUL_AHEAD / 2)
    if freed.starts_at < now + USEFUL_AHEAD or not is_free(freed):
        return 0
    waiting = Waiting.objects.for_clinic(freed.clinic).filter(
        ended_at=None, session__status__in=_AWAITED, session__starts_at__gt=freed.starts_at
    )
    waiting = waiting.select_related(
        "session__course__clinic", "session__course__client", "session__course__protocol"
    )
    fitting: list[Waiting] = []
    for wish in waiting.order_by("created_at", "pk")[:_LOOKED_THROUGH]:
        if len(fitting) == ASKED_AT_ONCE:
            break
        if _suits(wish.session, freed, now=now):
            fitting.append(wish)
    EarlierSlot.objects.bulk_create(
        [
            EarlierSlot(clinic=freed.clinic, waiting=wish, freed=freed, created_at=now, expires_at=expires_at)
            for wish in fitting
        ],
        ignore_conflicts=True,
    )
    return len(fitting)


def is_free(freed: FreedSlot, *, but: TreatmentSession | None = None) -> bool:
    """Return whether nothing holds the practitioner or the room of a freed slot again; one query."""
    holders = TreatmentSession.objects.filter(
        Q(practitioner=freed.practitioner_id or 0) | Q(room=freed.room_id or 0),
        status__in=BOOKED_STATUSES,
        starts_at__lt=freed.ends_at,
        ends_at__gt=freed.starts_at,
    )
    return not (holders if but is None else holders.exclude(pk=but.pk)).exists()


def _suits(session: TreatmentSession, freed: FreedSlot, *, now: datetime) -> bool:
    """Return whether a booking may come at the freed slot: long enough, inside its window, its client free.

    What a practitioner left who is away then, or a clinic that is closed then, is no slot.
    """
    if timedelta(minutes=minutes_of(session)) > freed.ends_at - freed.starts_at:
        return False
    others = TreatmentSession.objects.filter(
        client=session.client_id,
        status__in=BOOKED_STATUSES,
        starts_at__lt=freed.ends_at,
        ends_at__gt=freed.starts_at,
    )
    if others.exclude(pk=session.pk).exists():
        return False
    on = freed.starts_at.astimezone(convert.zone_of(freed.clinic)).date()
    if on not in window_for_move(session=session, now=now).days:
        return False
    try:
        wish_slot(
            course=session.course,
            starts_at=freed.starts_at,
            minutes=minutes_of(session),
            practitioner=freed.practitioner,
            room=freed.room,
            now=now,
        )
    except CourseError:
        return False
    return True


def close_taken(*, offer: EarlierSlot, by: Actor, now: datetime) -> None:
    """Put on record that an offer was taken: its client waits no more, and whoever else was asked has lost it.

    Runs in the transaction of the move, which holds the slot.
    """
    offers = EarlierSlot.objects.filter(freed=offer.freed_id, outcome=EarlierOutcome.OPEN)
    offers.filter(pk=offer.pk).update(outcome=EarlierOutcome.TAKEN)
    offers.exclude(pk=offer.pk).update(outcome=EarlierOutcome.LOST)
    Waiting.objects.filter(pk=offer.waiting_id, ended_at=None).update(ended_at=now)
    _record("course.waiting_ended", offer.waiting, by=by, now=now)


def close_lost(*, offer: EarlierSlot) -> None:
    """Put on record that the slot of an offer is gone."""
    EarlierSlot.objects.filter(pk=offer.pk, outcome=EarlierOutcome.OPEN).update(outcome=EarlierOutcome.LOST)


def _record(action: str, waiting: Waiting, *, by: Actor, now: datetime) -> None:
    session = waiting.session
    record(
        action,
        at=now,
        by=by,
        clinic_code=session.course.clinic.code,
        subject_kind="course",
        subject_code=session.course.code,
        new={"session": str(session.code)},
    )
