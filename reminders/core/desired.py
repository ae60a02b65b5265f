"""What should be sent: the messages a course deserves, given its state, the clinic's rules and the time.

Nothing is read and nothing is written here. Days before a session are counted on the clinic's wall clock
(09:00 stays 09:00 over a change of clocks), minutes are absolute. Quiet hours are the client's.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from typing import Final, Required, TypedDict, Unpack
from zoneinfo import ZoneInfo

from clinics.core import to_utc
from reminders.core.ahead import has_booking, slot_text, untold, upcoming
from reminders.core.facts import ClientFacts, ClinicFacts, CourseFacts, Desired, RuleSpec, SessionFacts
from reminders.core.quiet_hours import QuietHours, move_earlier, move_later

# Both tell the client of the schedule: the first time, and whenever it has changed since.
TELLING: Final = frozenset({"schedule", "change"})
_BOOKABLE: Final = frozenset({"not_started", "resting", "due", "late"})
_DAY: Final = timedelta(days=1)


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


def pick_channel(rule: RuleSpec, client: ClientFacts) -> str:
    """Return the rule's first channel on which the client can be reached, else its first channel.

    The latter so that a message which cannot go out is on record with its reason.
    """
    return next((name for name in rule.channels if name in client.reachable), rule.channels[0])


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
        yield _about_session(
            session,
            rule,
            channel,
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
        yield _about_session(
            session,
            rule,
            channel,
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
        yield _about_session(
            session,
            rule,
            channel,
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
        yield _about_course(
            course,
            rule,
            channel,
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
    yield _about_course(
        course,
        rule,
        channel,
        about=f"book:{course.phase}.{course.session_number}:{outcomes}",
        send_at=move_later(wanted, quiet=quiet),
        # From the day after due_by the client is late, and other messages say so.
        expires_at=to_utc(course.due_by + _DAY, time(0), clinic.zone),
        is_anchored=is_anchored,
        is_news=False,
    )


def _schedule(
    rule: RuleSpec, course: CourseFacts, channel: str, quiet: QuietHours, now: datetime
) -> Iterator[Desired]:
    changes = untold(course, now=now)
    if course.status == "discontinued" or not changes or course.was_told != (rule.trigger == "change"):
        return
    wanted = now.astimezone(UTC) + timedelta(minutes=rule.wait_minutes)
    booked = [(s.code, s.starts_at) for s in upcoming(course, now=now)]
    yield _about_course(
        course,
        rule,
        channel,
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
    yield _about_course(
        course,
        rule,
        channel,
        about="completed",
        send_at=move_later(wanted, quiet=quiet),
        expires_at=wanted + timedelta(minutes=rule.useful_minutes),
        is_news=False,
    )


class _Said(TypedDict, total=False):
    """What a message says and when it goes out, whatever it is about."""

    about: Required[str]
    send_at: Required[datetime]
    expires_at: Required[datetime]
    occurrence: int
    is_anchored: bool
    is_news: bool


def _about_session(session: SessionFacts, rule: RuleSpec, channel: str, **said: Unpack[_Said]) -> Desired:
    subject = f"session:{session.code}"
    return _message(rule, channel, subject, session.code, session.version, said)


def _about_course(course: CourseFacts, rule: RuleSpec, channel: str, **said: Unpack[_Said]) -> Desired:
    return _message(rule, channel, f"course:{course.code}", None, course.version, said)


def _message(
    rule: RuleSpec, channel: str, subject: str, session: str | None, revision: int, said: _Said
) -> Desired:
    return Desired(
        rule=rule.slug,
        trigger=rule.trigger,
        channel=channel,
        subject=subject,
        session=session,
        revision=revision,
        **said,
    )


def _fingerprint(slots: list[tuple[str, datetime | None]]) -> str:
    text = ";".join(f"{code}@{at.astimezone(UTC).isoformat()}" for code, at in slots if at is not None)
    return blake2b(text.encode(), digest_size=12).hexdigest()
