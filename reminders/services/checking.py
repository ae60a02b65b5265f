"""The last look at a message before it goes: may it still, and to which address?"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from clients.models import Consent, ContactPoint
from clinics.core import to_utc
from courses.models import BOOKED_STATUSES, Course, CourseStatus, Pause, SessionStatus, TreatmentSession
from reminders.convert import load_session_facts, quiet_hours, read_told, zone_of
from reminders.core import AWAITED, CourseFacts, Told, quiet_span, slot_text, untold, upcoming
from reminders.models import Reason, Reminder, ReminderState, Trigger

_ABOUT_SLOTS: Final = (Trigger.BEFORE_SESSION, Trigger.PREPARATION)
# How soon a message is looked at again that the day's cap may or may not allow.
CAP_WAIT: Final = timedelta(seconds=60)
_BOOKABLE: Final = ("not_started", "resting", "due", "late")


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is decided about a message: to go (`contact`), to wait (`wait_until`), or never to go."""

    contact: ContactPoint | None = None
    wait_until: datetime | None = None
    state: ReminderState | None = None
    reason: Reason | None = None


def checked_rows() -> QuerySet[Reminder]:
    """Return reminders with all that a ruling and a text need, in one query."""
    consent = Consent.objects.filter(
        client=OuterRef("client"), channel=OuterRef("channel"), withdrawn_at=None
    )
    booking = TreatmentSession.objects.filter(course=OuterRef("course"), status__in=BOOKED_STATUSES)
    pause = Pause.objects.filter(
        Q(to_on__isnull=True) | Q(to_on__gte=OuterRef("session__on")),
        course=OuterRef("course"),
        from_on__lte=OuterRef("session__on"),
    )
    return Reminder.objects.select_related(
        "rule", "client", "clinic", "session", "course__protocol"
    ).annotate(has_consent=Exists(consent), has_booking=Exists(booking), is_session_paused=Exists(pause))


@dataclass(slots=True)
class Surroundings:
    """What else decides about the rows of a batch: addresses, and what their clients have had or may yet have.

    `sent` are the instants at which messages went out lately, `pending` counts those that other senders hold.
    """

    contacts: dict[tuple[int, str], list[ContactPoint]]
    sent: dict[int, list[datetime]]
    pending: dict[int, int]


def load_surroundings(rows: Collection[Any], *, now: datetime) -> Surroundings:
    """Return what else decides about rows that one sender holds.

    Cost: two queries, however many rows.
    """
    found = Surroundings(defaultdict(list), defaultdict(list), defaultdict(int))
    clients = {row.client_id for row in rows}
    for contact in ContactPoint.objects.filter(client__in=clients):
        found.contacts[contact.client_id, contact.channel].append(contact)
    # A day of any zone begins less than this long ago, the 25 hours of a change of clocks included.
    since = now - timedelta(hours=26)
    lately = Q(sent_at__gte=since) | Q(state=ReminderState.UNCERTAIN, decided_at__gte=since)
    others = Reminder.objects.filter(lately | Q(state=ReminderState.CLAIMED), client__in=clients)
    held = [row.pk for row in rows]
    for client_id, state, at in others.exclude(pk__in=held).values_list("client_id", "state", "decided_at"):
        if state == ReminderState.CLAIMED:
            found.pending[client_id] += 1
        elif at is not None:
            found.sent[client_id].append(at)
    return found


def rule_on(row: Any, around: Surroundings, *, has_channel: bool, now: datetime) -> Ruling:
    """Decide about one row of checked_rows() as things stand now.

    The order matters to whoever asks why: first what the schedule says, then what the client wants.
    Cost: none, three queries for a schedule.
    """
    if now >= row.expires_at:
        return Ruling(state=ReminderState.EXPIRED, reason=Reason.STALE)
    reason = _why_void(row, now)
    if reason is not None:
        return Ruling(state=ReminderState.CANCELLED, reason=reason)
    if row.rule.skips_confirmed and row.session is not None and row.session.status == SessionStatus.CONFIRMED:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.ALREADY_CONFIRMED)
    if not has_channel:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.NO_CHANNEL)
    contacts = around.contacts[row.client_id, row.channel]
    contact = next((c for c in contacts if c.disabled_at is None), None)
    if contact is None:
        missing = Reason.CONTACT_DISABLED if contacts else Reason.NO_CONTACT
        return Ruling(state=ReminderState.SUPPRESSED, reason=missing)
    if not row.has_consent:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.NO_CONSENT)
    span = quiet_span(now, quiet=quiet_hours(row.client, row.clinic))
    if span is not None and span[1] < row.expires_at:
        return Ruling(wait_until=span[1])
    if span is not None:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.QUIET_HOURS)
    return _under_the_cap(row, around, contact, now)


def _under_the_cap(row: Any, around: Surroundings, contact: ContactPoint, now: datetime) -> Ruling:
    zone = zone_of(row.client, row.clinic)
    midnight = to_utc(now.astimezone(zone).date(), time(0), zone)
    sent = sum(at >= midnight for at in around.sent[row.client_id])
    if sent >= row.clinic.daily_message_cap:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.CAPPED)
    if sent + around.pending[row.client_id] >= row.clinic.daily_message_cap:
        # Another sender may be about to use the day up, or may fail to: ask again when that is known.
        return Ruling(wait_until=now + CAP_WAIT)
    return Ruling(contact=contact)


def _why_void(row: Any, now: datetime) -> Reason | None:
    """Return why the message is no longer true, or None while it is."""
    course: Course = row.course
    if row.client.erased_at is not None:
        return Reason.CLIENT_ERASED
    if not row.rule.is_active:
        return Reason.RULE_OFF
    if course.status in (CourseStatus.DRAFT, CourseStatus.DISCONTINUED):
        return Reason.COURSE_ENDED
    if row.trigger in _ABOUT_SLOTS:
        return _why_slot_void(row)
    if row.trigger == Trigger.MISSED_SESSION:
        return None if row.session.status == SessionStatus.NO_SHOW else Reason.NOT_NEEDED
    if row.trigger == Trigger.SCHEDULE:
        return None if untold(load_schedule(row), now=now) else Reason.NOT_NEEDED
    if row.trigger == Trigger.COURSE_COMPLETED:
        return None if course.status == CourseStatus.COMPLETED else Reason.NOT_NEEDED
    states = ("overdue",) if row.trigger == Trigger.OVERDUE else _BOOKABLE
    is_wanted = course.state in states and not row.has_booking and course.status != CourseStatus.COMPLETED
    return None if is_wanted else Reason.NOT_NEEDED


def _why_slot_void(row: Any) -> Reason | None:
    session: TreatmentSession = row.session
    if row.is_session_paused:
        return Reason.PAUSED
    if session.status.startswith("cancelled"):
        return Reason.SESSION_CANCELLED
    if session.status not in AWAITED or session.starts_at is None:
        return Reason.SESSION_OVER
    # The slot, not the version: a confirmation is no move.
    return None if slot_text(session.starts_at) == row.about else Reason.SESSION_MOVED


def load_schedule(row: Reminder) -> CourseFacts:
    """Return the course's bookings and pauses, and what its client was last told of them.

    Cost: three queries.
    """
    course = row.course
    assert course is not None, "a schedule belongs to a course"
    return CourseFacts(
        code=str(course.code),
        version=course.version,
        status=course.status,
        sessions=load_session_facts(course),
        pauses=tuple(Pause.objects.filter(course=course).values_list("from_on", "to_on")),
        told=_last_told(course),
    )


def _last_told(course: Course) -> frozenset[Told]:
    told = Reminder.objects.filter(
        course=course, trigger=Trigger.SCHEDULE, state__in=(ReminderState.SENT, ReminderState.UNCERTAIN)
    )
    newest = told.order_by("-decided_at").values_list("told", flat=True).first()
    return read_told(newest or [])


def booked_slots(facts: CourseFacts, *, now: datetime) -> frozenset[Told]:
    """Return the slots at which the client is expected after now."""
    return frozenset((s.code, s.starts_at) for s in upcoming(facts, now=now) if s.starts_at is not None)
