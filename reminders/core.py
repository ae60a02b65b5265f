"""What should be sent: the messages a course deserves, given its state, the clinic's rules and the time.

Nothing is read and nothing is written here. Days before a session are counted on the clinic's wall clock
(09:00 stays 09:00 over a change of clocks), minutes are absolute. Quiet hours are the client's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from typing import Final, Literal
from zoneinfo import ZoneInfo

from clinics.core import to_utc

Trigger = Literal[
    "before_session",
    "preparation",
    "missed_session",
    "after_session",
    "overdue",
    "book_next",
    "maintenance_due",
    "schedule",
    "change",
    "earlier_slot",
    "access_code",
    "course_completed",
    "staff_digest",
]
Told = tuple[str, datetime]

# Both tell the client of the schedule: the first time, and whenever it has changed since.
TELLING: Final = frozenset({"schedule", "change"})
# Only these can still be reminded of; whoever has arrived needs no message.
AWAITED: Final = frozenset({"booked", "confirmed"})
_BOOKABLE: Final = frozenset({"not_started", "resting", "due", "late"})
# A message that moves out of quiet hours leaves the sender this much time before they begin.
QUIET_MARGIN: Final = timedelta(minutes=30)
_DAY: Final = timedelta(days=1)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Wall times between which nothing is sent, in the client's zone; over midnight when from is later.

    The first time is quiet, the last is not; equal times mean no quiet hours at all.
    """

    from_time: time
    to_time: time
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One active rule of the clinic; days, minutes and times as its row has them."""

    slug: str
    trigger: Trigger
    channels: tuple[str, ...]
    useful_minutes: int
    lead_days: int | None = None
    lead_minutes: int | None = None
    at_time: time | None = None
    wait_minutes: int = 0
    repeat_days: int = 0
    cap_count: int = 1
    is_first_only: bool = False


@dataclass(frozen=True, slots=True)
class ClinicFacts:
    """What of the clinic decides about messages."""

    zone: ZoneInfo
    booking_lead_days: int
    shows_treatment: bool


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """Quiet hours in the client's zone, and the channels on which the client may be written to."""

    quiet: QuietHours
    reachable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One session as it stands; instants are in UTC, `on` is the clinic's date.

    `is_closed`: the clinic is closed on that day, so that nobody is expected, whatever the status still says.
    `reminding`: what is on record about reminders of it, once it has an outcome.
    """

    code: str
    version: int
    status: str
    on: date
    starts_at: datetime | None = None
    outcome_at: datetime | None = None
    is_closed: bool = False
    ends_at: datetime | None = None
    reminding: str = ""


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """One course as last assessed, with what its client has been told of the schedule.

    `pauses` are dates, both included, an open one without an end; `phase` is 0-based. `was_told`: the client
    was told a schedule before, be it an empty one.
    """

    code: str
    version: int
    status: str
    state: str = ""
    phase: int | None = None
    phase_kind: str = ""
    session_number: int | None = None
    due_from: date | None = None
    due_by: date | None = None
    overdue_since: date | None = None
    completed_at: datetime | None = None
    has_preparation: bool = False
    sessions: tuple[SessionFacts, ...] = ()
    pauses: tuple[tuple[date, date | None], ...] = ()
    told: frozenset[Told] = frozenset()
    was_told: bool = False


@dataclass(frozen=True, slots=True)
class Desired:
    """One message that should exist; `about` is what it says, so that nobody is told the same twice.

    `is_anchored`: its time counts from the change itself, so a row that already says this keeps its time.
    `is_news`: worthless when its time had passed before it was first wanted.
    """

    rule: str
    trigger: Trigger
    channel: str
    subject: str
    session: str | None
    revision: int
    occurrence: int
    about: str
    send_at: datetime
    expires_at: datetime
    is_anchored: bool = False
    is_news: bool = True


def desired_reminders(
    *,
    course: CourseFacts,
    rules: tuple[RuleSpec, ...],
    clinic: ClinicFacts,
    client: ClientFacts,
    now: datetime,
) -> tuple[Desired, ...]:
    """Return the messages that should exist for a course, in the order in which they go out.

    Those whose use has already passed are left out; those whose time has passed but which are still of
    use are in. Shape: sorted by send_at, then subject, rule and occurrence.
    """
    if course.status == "draft":
        return ()
    wanted = [
        desired
        for rule in rules
        for desired in _wanted(rule, course, clinic, client, now)
        if desired.send_at < desired.expires_at and desired.expires_at > now
    ]
    return tuple(sorted(wanted, key=lambda d: (d.send_at, d.subject, d.rule, d.occurrence)))


def upcoming(course: CourseFacts, *, now: datetime) -> tuple[SessionFacts, ...]:
    """Return the sessions that the client is expected at after now, earliest first.

    A session on a paused or closed day is not expected, whatever its status still says.
    """
    expected = [s for s in _ahead(course, now) if not s.is_closed and not is_paused_on(course, s.on)]
    return tuple(sorted(expected, key=lambda s: s.starts_at or _NEVER))


def _ahead(course: CourseFacts, now: datetime) -> list[SessionFacts]:
    return [
        s for s in course.sessions if s.status in AWAITED and s.starts_at is not None and s.starts_at > now
    ]


def is_paused_on(course: CourseFacts, day: date) -> bool:
    """Return whether the day lies in a pause; an open pause has no end."""
    return any(first <= day and (last is None or day <= last) for first, last in course.pauses)


def untold(course: CourseFacts, *, now: datetime) -> frozenset[Told]:
    """Return the future slots in which the booked sessions and those told to the client differ.

    A booking on a day that the clinic has closed since is no news yet: it is about to be moved, and the
    client hears of it once it was.
    """
    booked = frozenset((s.code, s.starts_at) for s in upcoming(course, now=now) if s.starts_at is not None)
    told = frozenset(slot for slot in course.told if slot[1] > now)
    closed = frozenset((s.code, s.starts_at) for s in _ahead(course, now) if s.is_closed)
    return (booked ^ told) - closed


def pick_channel(rule: RuleSpec, client: ClientFacts) -> str:
    """Return the rule's first channel on which the client can be reached, else its first channel.

    The latter so that a message which cannot go out is on record with its reason.
    """
    return next((name for name in rule.channels if name in client.reachable), rule.channels[0])


# ---------------------------------------------------------------- quiet hours


def quiet_span(at: datetime, *, quiet: QuietHours) -> tuple[datetime, datetime] | None:
    """Return the quiet span (half-open, UTC) in which an instant lies, or None when it is not quiet."""
    at = at.astimezone(UTC)
    day = at.astimezone(quiet.zone).date()
    for first in (day - _DAY, day, day + _DAY):
        begins, ends = _span(first, quiet)
        if begins <= at < ends:
            return begins, ends
    return None


def move_later(at: datetime, *, quiet: QuietHours) -> datetime:
    """Return the instant itself, or the end of the quiet hours in which it lies."""
    # A change of clocks can make two spans touch, never more than a few.
    for _ in range(4):
        span = quiet_span(at, quiet=quiet)
        if span is None:
            break
        at = span[1]
    return at


def move_earlier(at: datetime, *, quiet: QuietHours) -> datetime:
    """Return the instant itself, or one shortly before the quiet hours in which it lies.

    Where fewer minutes than QUIET_MARGIN lie between two quiet spans, the first of them.
    """
    for _ in range(4):
        span = quiet_span(at, quiet=quiet)
        if span is None:
            break
        earlier = span[0] - QUIET_MARGIN
        before = quiet_span(earlier, quiet=quiet)
        if before is None:
            return earlier
        if before[1] < span[0]:
            return before[1]
        # The two spans touch: go on from the start of the earlier one.
        at = before[0]
    return at


def _span(first: date, quiet: QuietHours) -> tuple[datetime, datetime]:
    last = first + _DAY if quiet.to_time < quiet.from_time else first
    return to_utc(first, quiet.from_time, quiet.zone), to_utc(last, quiet.to_time, quiet.zone)


# ---------------------------------------------------------------- triggers


def _wanted(
    rule: RuleSpec, course: CourseFacts, clinic: ClinicFacts, client: ClientFacts, now: datetime
) -> Iterator[Desired]:
    channel = pick_channel(rule, client)
    quiet = client.quiet
    if rule.trigger in TELLING:
        yield from _schedule(rule, course, channel, quiet, now)
    elif rule.trigger == "course_completed":
        yield from _completed(rule, course, channel, quiet)
    elif course.status == "discontinued":
        return
    elif rule.trigger == "before_session":
        yield from _before_sessions(rule, course, channel, clinic, quiet, now)
    elif rule.trigger == "preparation":
        # How to prepare gives the treatment away, so it needs the clinic's leave.
        if clinic.shows_treatment and course.has_preparation:
            yield from _before_sessions(rule, course, channel, clinic, quiet, now)
    elif rule.trigger == "after_session":
        yield from _after_sessions(rule, course, channel, quiet)
    elif course.status == "completed":
        return
    elif rule.trigger == "missed_session":
        yield from _missed(rule, course, channel, quiet)
    elif rule.trigger == "overdue":
        yield from _overdue(rule, course, channel, clinic, quiet)
    elif rule.trigger in ("book_next", "maintenance_due"):
        yield from _book_next(rule, course, channel, clinic, quiet, now)


def _before_sessions(
    rule: RuleSpec, course: CourseFacts, channel: str, clinic: ClinicFacts, quiet: QuietHours, now: datetime
) -> Iterator[Desired]:
    awaited = upcoming(course, now=now)
    if rule.is_first_only:
        awaited = () if any(s.status == "attended" for s in course.sessions) else awaited[:1]
    for session in awaited:
        if session.starts_at is None:
            continue
        wanted = _lead(rule, session.starts_at, clinic.zone)
        yield Desired(
            rule=rule.slug,
            trigger=rule.trigger,
            channel=channel,
            subject=f"session:{session.code}",
            session=session.code,
            revision=session.version,
            occurrence=0,
            about=slot_text(session.starts_at),
            send_at=move_earlier(wanted, quiet=quiet),
            expires_at=min(session.starts_at, wanted + timedelta(minutes=rule.useful_minutes)),
        )


def _lead(rule: RuleSpec, starts_at: datetime, zone: ZoneInfo) -> datetime:
    if rule.lead_minutes is not None:
        return starts_at.astimezone(UTC) - timedelta(minutes=rule.lead_minutes)
    local = starts_at.astimezone(zone)
    day = local.date() - timedelta(days=rule.lead_days or 0)
    return to_utc(day, rule.at_time or local.time(), zone)


def _missed(rule: RuleSpec, course: CourseFacts, channel: str, quiet: QuietHours) -> Iterator[Desired]:
    attended = max((s.on for s in course.sessions if s.status == "attended"), default=date.min)
    for session in course.sessions:
        if session.status != "no_show" or session.outcome_at is None or session.on <= attended:
            continue
        wanted = session.outcome_at.astimezone(UTC) + timedelta(minutes=rule.wait_minutes)
        yield Desired(
            rule=rule.slug,
            trigger=rule.trigger,
            channel=channel,
            subject=f"session:{session.code}",
            session=session.code,
            revision=session.version,
            occurrence=0,
            about=f"missed:{session.on.isoformat()}",
            send_at=move_later(wanted, quiet=quiet),
            expires_at=wanted + timedelta(minutes=rule.useful_minutes),
            is_news=False,
        )


def _after_sessions(
    rule: RuleSpec, course: CourseFacts, channel: str, quiet: QuietHours
) -> Iterator[Desired]:
    attended = sorted((s for s in course.sessions if s.status == "attended"), key=lambda s: s.on)
    for session in attended[:1] if rule.is_first_only else attended:
        if session.ends_at is None:
            # One without a booking: nobody knows when it ended.
            continue
        wanted = session.ends_at.astimezone(UTC) + timedelta(minutes=rule.wait_minutes)
        yield Desired(
            rule=rule.slug,
            trigger=rule.trigger,
            channel=channel,
            subject=f"session:{session.code}",
            session=session.code,
            revision=session.version,
            occurrence=0,
            about=f"attended:{session.on.isoformat()}",
            send_at=move_later(wanted, quiet=quiet),
            # Counted from the visit, not from when it was put on record: later nobody remembers.
            expires_at=wanted + timedelta(minutes=rule.useful_minutes),
            is_news=False,
        )


def _overdue(
    rule: RuleSpec, course: CourseFacts, channel: str, clinic: ClinicFacts, quiet: QuietHours
) -> Iterator[Desired]:
    if course.state != "overdue" or course.overdue_since is None or has_booking(course):
        return
    for number in range(rule.cap_count):
        on = course.overdue_since + timedelta(days=number * rule.repeat_days)
        wanted = to_utc(on, rule.at_time or time(10), clinic.zone)
        expires_at = wanted + timedelta(minutes=rule.useful_minutes)
        if number + 1 < rule.cap_count:
            # The next nudge takes over, so that an outage does not end in several at once.
            following = on + timedelta(days=rule.repeat_days)
            expires_at = min(expires_at, to_utc(following, rule.at_time or time(10), clinic.zone))
        yield Desired(
            rule=rule.slug,
            trigger=rule.trigger,
            channel=channel,
            subject=f"course:{course.code}",
            session=None,
            revision=course.version,
            occurrence=number,
            about=f"due:{course.phase}.{course.session_number}:{course.due_by}",
            send_at=move_later(wanted, quiet=quiet),
            expires_at=expires_at,
            is_news=False,
        )


def _book_next(
    rule: RuleSpec, course: CourseFacts, channel: str, clinic: ClinicFacts, quiet: QuietHours, now: datetime
) -> Iterator[Desired]:
    kind = "maintenance" if rule.trigger == "maintenance_due" else "intensive"
    if course.state not in _BOOKABLE or course.due_from is None or course.due_by is None:
        return
    if course.phase_kind != kind or has_booking(course):
        return
    lead_days = clinic.booking_lead_days if rule.lead_days is None else rule.lead_days
    wanted = to_utc(course.due_from - timedelta(days=lead_days), rule.at_time or time(10), clinic.zone)
    # Already time: the reception may be booking at this very moment, so wait a little.
    is_anchored = wanted <= now
    if is_anchored:
        wanted = now.astimezone(UTC) + timedelta(minutes=rule.wait_minutes)
    outcomes = sum(s.outcome_at is not None for s in course.sessions)
    yield Desired(
        rule=rule.slug,
        trigger=rule.trigger,
        channel=channel,
        subject=f"course:{course.code}",
        session=None,
        revision=course.version,
        occurrence=0,
        about=f"book:{course.phase}.{course.session_number}:{outcomes}",
        send_at=move_later(wanted, quiet=quiet),
        # From the day after due_by the client is late, and other messages say so.
        expires_at=to_utc(course.due_by + _DAY, time(0), clinic.zone),
        is_anchored=is_anchored,
        is_news=False,
    )


def has_booking(course: CourseFacts) -> bool:
    """Return whether any session is booked, ahead or in the past without an outcome.

    Of the latter nobody knows yet whether the client came, so nobody may say that they did not.
    """
    return any(s.status == "arrived" or s.status in AWAITED for s in course.sessions)


def _schedule(
    rule: RuleSpec, course: CourseFacts, channel: str, quiet: QuietHours, now: datetime
) -> Iterator[Desired]:
    changes = untold(course, now=now)
    if course.status == "discontinued" or not changes or course.was_told != (rule.trigger == "change"):
        return
    wanted = now.astimezone(UTC) + timedelta(minutes=rule.wait_minutes)
    booked = [(s.code, s.starts_at) for s in upcoming(course, now=now)]
    yield Desired(
        rule=rule.slug,
        trigger=rule.trigger,
        channel=channel,
        subject=f"course:{course.code}",
        session=None,
        revision=course.version,
        occurrence=0,
        about=f"slots:{_fingerprint(booked)}",
        send_at=move_later(wanted, quiet=quiet),
        expires_at=min(max(at for _, at in changes), wanted + timedelta(minutes=rule.useful_minutes)),
        is_anchored=True,
        is_news=False,
    )


def _completed(rule: RuleSpec, course: CourseFacts, channel: str, quiet: QuietHours) -> Iterator[Desired]:
    if course.status != "completed" or course.completed_at is None:
        return
    wanted = course.completed_at.astimezone(UTC) + timedelta(minutes=rule.wait_minutes)
    yield Desired(
        rule=rule.slug,
        trigger=rule.trigger,
        channel=channel,
        subject=f"course:{course.code}",
        session=None,
        revision=course.version,
        occurrence=0,
        about="completed",
        send_at=move_later(wanted, quiet=quiet),
        expires_at=wanted + timedelta(minutes=rule.useful_minutes),
        is_news=False,
    )


def is_held_out(session_code: str, *, percent: int) -> bool:
    """Return whether a session is among the so many in a hundred whose reminder is not sent.

    The session alone decides, so that all its reminders share one fate and a greater percentage only adds to the group.
    """
    if not percent:
        return False
    number = blake2b(f"hold-out:{session_code}".encode(), digest_size=8).digest()
    return int.from_bytes(number) % 100 < percent


def slot_text(starts_at: datetime) -> str:
    """Return the fingerprint of one slot."""
    return f"slot:{starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _fingerprint(slots: list[tuple[str, datetime | None]]) -> str:
    text = ";".join(f"{code}@{at.astimezone(UTC).isoformat()}" for code, at in slots if at is not None)
    return blake2b(text.encode(), digest_size=12).hexdigest()
