"""The last look at a message before it goes: may it still, and to which address?"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from clients.models import Channel, Consent, ContactPoint
from clinics.core import to_utc
from clinics.models import Clinic, Closure, OpeningHours, StaffMember
from courses.models import (
    BOOKED_STATUSES,
    Course,
    CourseStatus,
    EarlierOutcome,
    EarlierSlot,
    Pause,
    Protocol,
    ReactionReport,
    SessionStatus,
    TreatmentSession,
)
from courses.services import may_report
from reminders.convert import (
    closed_on,
    load_course_details,
    load_session_facts,
    quiet_hours,
    read_told,
    shows_treatment,
    zone_of,
)
from reminders.core import (
    AWAITED,
    TELLING,
    CourseFacts,
    QuietHours,
    Told,
    is_held_out,
    quiet_span,
    slot_text,
    untold,
    upcoming,
)
from reminders.models import Reason, Reminder, ReminderRule, ReminderState, Trigger
from reminders.services.building import read_messages

_ABOUT_BOOKING: Final = (Trigger.OVERDUE, Trigger.BOOK_NEXT, Trigger.MAINTENANCE_DUE)
_ABOUT_SLOTS: Final = (Trigger.BEFORE_SESSION, Trigger.PREPARATION)
# How soon a message is looked at again that the day's cap may or may not allow.
CAP_WAIT: Final = timedelta(seconds=60)
# How soon one is looked at again whose rule has changed; every tick brings some of them up to date.
FOLLOW_WAIT: Final = timedelta(seconds=60)
_BOOKABLE: Final = ("not_started", "resting", "due", "late")


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is decided about a message: to go (to `address`), to wait (`wait_until`), or never to go.

    `contact` is the client's address as a row; staff and a clinic's own system have none.
    """

    address: str = ""
    contact: ContactPoint | None = None
    wait_until: datetime | None = None
    state: ReminderState | None = None
    reason: Reason | None = None


def checked_rows() -> QuerySet[Reminder]:
    """Return reminders with all that a ruling and a text need, in one query; for a few rows."""
    return _annotated().select_related(
        "rule", "client", "clinic", "session", "course__protocol", "staff_member__user"
    )


@dataclass(slots=True)
class Shared:
    """What many rows share, kept by a sender for as long as a look may be old."""

    rules: dict[int, ReminderRule] = field(default_factory=dict)
    clinics: dict[int, Clinic] = field(default_factory=dict)

    def fill(self, rows: Collection[Any]) -> None:
        """Load what is missing for some rows.

        Cost: two queries at most.
        """
        if missing := {row.rule_id for row in rows} - self.rules.keys():
            self.rules |= ReminderRule.objects.in_bulk(missing)
        if missing := {row.clinic_id for row in rows} - self.clinics.keys():
            self.clinics |= Clinic.objects.in_bulk(missing)


def load_rows(pks: Collection[int], *, now: datetime, shared: Shared | None = None) -> dict[int, Any]:
    """Return the rows of a batch by id, with all that a ruling and a text need.

    What many rows share is loaded once, and what only some rows need only for those: asking for all of it
    beside each row costs several times as much. `shared` brings along what an earlier batch has loaded.
    Cost: four queries; three more where a row is about a session, one where it asks to book, one each for
    protocols and staff, three for details of courses.
    """
    found = read_messages(pks)
    shared = shared or Shared()
    shared.fill(found)
    clients = {row.client_id for row in found}
    agreed = Consent.objects.filter(client__in=clients, withdrawn_at=None)
    consents = set(agreed.values_list("client_id", "channel"))
    staff_ids = {row.staff_member_id for row in found if row.staff_member_id is not None}
    staff = StaffMember.objects.select_related("user").in_bulk(staff_ids) if staff_ids else {}
    asking = {row.course_id for row in found if row.trigger in _ABOUT_BOOKING}
    booked = TreatmentSession.objects.filter(course__in=asking, status__in=BOOKED_STATUSES)
    bookings = set(booked.values_list("course_id", flat=True)) if asking else set()
    for row in found:
        row.rule, row.clinic = shared.rules[row.rule_id], shared.clinics[row.clinic_id]
        row.has_consent = (row.client_id, row.channel) in consents
        row.has_booking = row.course_id in bookings
        row.is_session_paused = row.is_session_closed = False
        if row.staff_member_id is not None:
            row.staff_member = staff[row.staff_member_id]
    _load_days([row for row in found if row.trigger in _ABOUT_SLOTS])
    _load_courses(found, now)
    return {row.pk: row for row in found}


def _load_days(found: list[Any]) -> None:
    """Tell of the rows about a session whether its day is paused, and whether the clinic is closed then."""
    if not found:
        return
    clinics = {row.clinic_id for row in found}
    first, last = min(row.session.on for row in found), max(row.session.on for row in found)
    pauses: defaultdict[int, list[tuple[date, date | None]]] = defaultdict(list)
    spans = Pause.objects.filter(
        Q(to_on__isnull=True) | Q(to_on__gte=first),
        course__in={row.course_id for row in found},
        from_on__lte=last,
    )
    for course_id, from_on, to_on in spans.values_list("course_id", "from_on", "to_on"):
        pauses[course_id].append((from_on, to_on))
    closures: defaultdict[int, list[tuple[date, date]]] = defaultdict(list)
    for clinic_id, closed_from, closed_to in Closure.objects.filter(
        clinic__in=clinics, to_on__gte=first, from_on__lte=last
    ).values_list("clinic_id", "from_on", "to_on"):
        closures[clinic_id].append((closed_from, closed_to))
    weekdays: defaultdict[int, set[int]] = defaultdict(set)
    for clinic_id, weekday in OpeningHours.objects.filter(clinic__in=clinics).values_list(
        "clinic_id", "weekday"
    ):
        weekdays[clinic_id].add(weekday)
    for row in found:
        on = row.session.on
        row.is_session_paused = any(
            begins <= on and (ends is None or on <= ends) for begins, ends in pauses[row.course_id]
        )
        # A clinic that has not said its hours yet is taken as open.
        week = weekdays[row.clinic_id]
        row.is_session_closed = bool(week) and on.isoweekday() not in week
        row.is_session_closed |= any(begins <= on <= ends for begins, ends in closures[row.clinic_id])


def _load_courses(found: list[Any], now: datetime) -> None:
    """Give the rows whose texts may name them their protocols and the visits ahead."""
    shown = [row for row in found if row.course is not None and shows_treatment(row.client, row.clinic)]
    if shown:
        protocols = Protocol.objects.in_bulk({row.course.protocol_id for row in shown})
        for row in shown:
            row.course.protocol = protocols[row.course.protocol_id]
    detailed = shown + [
        row
        for row in found
        if row.trigger == Trigger.MISSED_SESSION and not shows_treatment(row.client, row.clinic)
    ]
    if detailed:
        details = load_course_details({row.course for row in detailed}, now=now)
        for row in detailed:
            row.course_details = details[row.course_id]


def _annotated() -> QuerySet[Reminder]:
    consent = Consent.objects.filter(
        client=OuterRef("client"), channel=OuterRef("channel"), withdrawn_at=None
    )
    booking = TreatmentSession.objects.filter(course=OuterRef("course"), status__in=BOOKED_STATUSES)
    pause = Pause.objects.filter(
        Q(to_on__isnull=True) | Q(to_on__gte=OuterRef("session__on")),
        course=OuterRef("course"),
        from_on__lte=OuterRef("session__on"),
    )
    return Reminder.objects.annotate(
        has_consent=Exists(consent),
        has_booking=Exists(booking),
        is_session_paused=Exists(pause),
        is_session_closed=ExpressionWrapper(closed_on("session__on"), BooleanField()),
    )


@dataclass(slots=True)
class Surroundings:
    """What else decides about the rows of a batch: addresses, and what their clients have had or may yet have.

    `sent` are the instants at which messages went out lately, several that went as one counted once; `pending`
    counts those that other senders hold. What is worked out for a zone is kept: most clients share a few.
    """

    contacts: dict[tuple[int, str], list[ContactPoint]]
    sent: dict[int, list[datetime]]
    pending: dict[int, int]
    nights: dict[tuple[QuietHours, datetime], tuple[datetime, datetime] | None]
    midnights: dict[tuple[int, str, datetime], datetime]


def load_surroundings(rows: Collection[Any], *, now: datetime) -> Surroundings:
    """Return what else decides about rows that one sender holds.

    Cost: two queries, however many rows.
    """
    found = Surroundings(defaultdict(list), defaultdict(list), defaultdict(int), {}, {})
    clients = {row.client_id for row in rows if row.client_id is not None}
    if not clients:
        return found
    for contact in ContactPoint.objects.filter(client__in=clients):
        found.contacts[contact.client_id, contact.channel].append(contact)
    # A day of any zone begins less than this long ago, the 25 hours of a change of clocks included.
    since = now - timedelta(hours=26)
    lately = Q(sent_at__gte=since) | Q(state=ReminderState.UNCERTAIN, decided_at__gte=since)
    others = Reminder.objects.filter(
        lately | Q(state=ReminderState.CLAIMED), client__in=clients, sent_with=None
    )
    held = [row.pk for row in rows]
    for client_id, state, at in others.exclude(pk__in=held).values_list("client_id", "state", "decided_at"):
        if client_id is None:
            continue
        if state == ReminderState.CLAIMED:
            found.pending[client_id] += 1
        elif at is not None:
            found.sent[client_id].append(at)
    return found


def rule_on(row: Any, around: Surroundings, *, has_channel: bool, now: datetime) -> Ruling:
    """Decide about one row of load_rows() or checked_rows() as things stand now.

    The order matters to whoever asks why: first what the schedule says, then what the client wants.
    Cost: none, three queries for a schedule.
    """
    if now >= row.expires_at:
        return Ruling(state=ReminderState.EXPIRED, reason=Reason.STALE)
    if row.clinic.deactivated_at is not None:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.CLINIC_INACTIVE)
    if row.staff_member_id is not None:
        return _rule_on_digest(row, has_channel=has_channel)
    reason = _why_void(row, now)
    if reason is not None:
        return Ruling(state=ReminderState.CANCELLED, reason=reason)
    if row.rule_version < row.rule.timing_version:
        # Its rule has another timing or other channels by now: it goes once it has followed.
        return Ruling(wait_until=now + FOLLOW_WAIT)
    if row.rule.skips_confirmed and row.session is not None and row.session.status == SessionStatus.CONFIRMED:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.ALREADY_CONFIRMED)
    if not has_channel:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.NO_CHANNEL)
    address, contact, missing = _address(row, around)
    if missing is not None:
        return Ruling(state=ReminderState.SUPPRESSED, reason=missing)
    if not row.has_consent:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.NO_CONSENT)
    if row.trigger == Trigger.ACCESS_CODE:
        # The client waits for it at this moment.
        return Ruling(address=address, contact=contact)
    night = _night(row, around, now)
    if night is not None and night[1] < row.expires_at:
        return Ruling(wait_until=night[1])
    if night is not None:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.QUIET_HOURS)
    ruling = _under_the_cap(row, around, now)
    if ruling is None and is_in_holdout(row):
        # Last, so that the group is made of those to whom it would have gone.
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.HELD_OUT)
    return ruling or Ruling(address=address, contact=contact)


def is_in_holdout(row: Any) -> bool:
    """Return whether the row is a reminder of a session whose clinic sends none, to compare; its clinic is loaded."""
    percent = row.clinic.reminder_holdout_percent
    if not percent or row.trigger != Trigger.BEFORE_SESSION or row.session is None:
        return False
    return is_held_out(str(row.session.code), percent=percent)


def _rule_on_digest(row: Any, *, has_channel: bool) -> Ruling:
    """Decide about a summary for staff: no consent, no quiet hours and no cap, but the wish and an address."""
    member = row.staff_member
    if not row.rule.is_active:
        return Ruling(state=ReminderState.CANCELLED, reason=Reason.RULE_OFF)
    if not (member.is_active and member.gets_digest and member.user.is_active):
        return Ruling(state=ReminderState.CANCELLED, reason=Reason.NOT_NEEDED)
    if not has_channel:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.NO_CHANNEL)
    if not member.user.email:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.NO_CONTACT)
    return Ruling(address=member.user.email)


def _address(row: Any, around: Surroundings) -> tuple[str, ContactPoint | None, Reason | None]:
    """Return where the message goes, with the address's row if it has one, or why it goes nowhere."""
    if row.channel == Channel.WEBHOOK:
        # The clinic's own system knows its clients by their code.
        return str(row.client.code), None, None
    contacts = around.contacts.get((row.client_id, row.channel), [])
    contact = next((c for c in contacts if c.disabled_at is None), None)
    if contact is None:
        return "", None, Reason.CONTACT_DISABLED if contacts else Reason.NO_CONTACT
    return contact.value, contact, None


def _night(row: Any, around: Surroundings, now: datetime) -> tuple[datetime, datetime] | None:
    quiet = quiet_hours(row.client, row.clinic)
    key = (quiet, now)
    if key not in around.nights:
        around.nights[key] = quiet_span(now, quiet=quiet)
    return around.nights[key]


def _midnight(row: Any, around: Surroundings, now: datetime) -> datetime:
    key = (row.clinic_id, row.client.time_zone, now)
    if key not in around.midnights:
        zone = zone_of(row.client, row.clinic)
        around.midnights[key] = to_utc(now.astimezone(zone).date(), time(0), zone)
    return around.midnights[key]


def _under_the_cap(row: Any, around: Surroundings, now: datetime) -> Ruling | None:
    """Return what the day's cap says against the message, or None when it says nothing."""
    lately = around.sent.get(row.client_id)
    sent = sum(at >= _midnight(row, around, now) for at in lately) if lately else 0
    if sent >= row.clinic.daily_message_cap:
        return Ruling(state=ReminderState.SUPPRESSED, reason=Reason.CAPPED)
    if sent + around.pending.get(row.client_id, 0) >= row.clinic.daily_message_cap:
        # Another sender may be about to use the day up, or may fail to: ask again when that is known.
        return Ruling(wait_until=now + CAP_WAIT)
    return None


def _why_void(row: Any, now: datetime) -> Reason | None:
    """Return why the message is no longer true, or None while it is."""
    course: Course = row.course
    if row.client.erased_at is not None:
        return Reason.CLIENT_ERASED
    if not row.rule.is_active:
        return Reason.RULE_OFF
    if row.trigger == Trigger.ACCESS_CODE:
        return None
    if course.status in (CourseStatus.DRAFT, CourseStatus.DISCONTINUED):
        return Reason.COURSE_ENDED
    if row.trigger in _ABOUT_SLOTS:
        return _why_slot_void(row)
    if row.trigger == Trigger.MISSED_SESSION:
        return None if row.session.status == SessionStatus.NO_SHOW else Reason.NOT_NEEDED
    if row.trigger == Trigger.AFTER_SESSION:
        return None if _is_unsaid(row, now) else Reason.NOT_NEEDED
    if row.trigger in TELLING:
        facts = load_schedule(row)
        is_wanted = bool(untold(facts, now=now)) and facts.was_told == (row.trigger == Trigger.CHANGE)
        return None if is_wanted else Reason.NOT_NEEDED
    if row.trigger == Trigger.EARLIER_SLOT:
        return None if _is_offered(row, now) else Reason.NOT_NEEDED
    if row.trigger == Trigger.COURSE_COMPLETED:
        return None if course.status == CourseStatus.COMPLETED else Reason.NOT_NEEDED
    states = ("overdue",) if row.trigger == Trigger.OVERDUE else _BOOKABLE
    is_wanted = course.state in states and not row.has_booking and course.status != CourseStatus.COMPLETED
    return None if is_wanted else Reason.NOT_NEEDED


def _is_unsaid(row: Any, now: datetime) -> bool:
    """Return whether a client can say how the visit was and has not yet; one query."""
    attended = row.session.status == SessionStatus.ATTENDED and may_report(row.session, now=now)
    return attended and not ReactionReport.objects.filter(session=row.session_id).exists()


def _is_offered(row: Any, now: datetime) -> bool:
    """Return whether the slot that the message offers is still to be had; one query."""
    offers = EarlierSlot.objects.filter(code=row.subject_key.removeprefix("offer:"))
    return offers.filter(outcome=EarlierOutcome.OPEN, expires_at__gt=now).exists()


def _why_slot_void(row: Any) -> Reason | None:
    session: TreatmentSession = row.session
    if row.is_session_paused:
        return Reason.PAUSED
    if session.status.startswith("cancelled"):
        return Reason.SESSION_CANCELLED
    if session.status not in AWAITED or session.starts_at is None:
        return Reason.SESSION_OVER
    if row.is_session_closed:
        return Reason.CLINIC_CLOSED
    # The slot, not the version: a confirmation is no move.
    return None if slot_text(session.starts_at) == row.about else Reason.SESSION_MOVED


def load_schedule(row: Any) -> CourseFacts:
    """Return the course's bookings and pauses, and what its client was last told of them.

    Kept with the row, so that what was ruled on is what is written.
    Cost: three queries, the first time.
    """
    known: CourseFacts | None = getattr(row, "loaded_schedule", None)
    if known is not None:
        return known
    course = row.course
    assert course is not None, "a schedule belongs to a course"
    told = _last_told(course)
    row.loaded_schedule = facts = CourseFacts(
        code=str(course.code),
        version=course.version,
        status=course.status,
        sessions=tuple(load_session_facts([course])[course.pk]),
        pauses=tuple(Pause.objects.filter(course=course).values_list("from_on", "to_on")),
        told=read_told(told or []),
        was_told=told is not None,
    )
    return facts


def _last_told(course: Course) -> list[list[str]] | None:
    """Return what the client was told last, or None when nothing was ever told."""
    told = Reminder.objects.filter(
        course=course, trigger__in=TELLING, state__in=(ReminderState.SENT, ReminderState.UNCERTAIN)
    )
    return told.order_by("-decided_at").values_list("told", flat=True).first()


def booked_slots(facts: CourseFacts, *, now: datetime) -> frozenset[Told]:
    """Return the slots at which the client is expected after now."""
    return frozenset((s.code, s.starts_at) for s in upcoming(facts, now=now) if s.starts_at is not None)
