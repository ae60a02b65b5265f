"""Bringing a course's rows in line with what should exist: create, cancel, revive, retime, leave."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from clinics.models import Clinic
from courses.models import BOOKED_STATUSES, Course, CourseStatus, TreatmentSession
from reminders.convert import (
    clinic_facts,
    load_clients_facts,
    load_courses_facts,
    read_told,
    rule_spec,
)
from reminders.core import (
    AWAITED,
    TELLING,
    ClientFacts,
    CourseFacts,
    Desired,
    Told,
    desired_reminders,
    is_paused_on,
    slot_text,
)
from reminders.models import LIVE_STATES, Reason, Reminder, ReminderRule, ReminderState, Trigger
from reminders.services.outcomes import UNCLAIMED, decided
from reminders.services.reminded import note_reminded
from reminders.services.seeding import FIRST_SLUGS, seed_rules


@dataclass(slots=True)
class SyncCounts:
    """How many rows a sync wrote, by what it did to them."""

    created: int = 0
    cancelled: int = 0
    expired: int = 0
    revived: int = 0
    retimed: int = 0


@dataclass(slots=True)
class _Existing:
    """A course's rows: by their unique key, and the newest not cancelled one about each occurrence."""

    by_key: dict[tuple[Any, ...], Reminder] = field(default_factory=dict)
    newest: dict[tuple[Any, ...], Reminder] = field(default_factory=dict)
    live: dict[int, Reminder] = field(default_factory=dict)
    told: frozenset[Told] = frozenset()
    was_told: bool = False


@dataclass(slots=True)
class _Writes:
    """What is to be written of several courses at once, and what has been."""

    counts: SyncCounts = field(default_factory=SyncCounts)
    dropped: defaultdict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    fresh: list[Reminder] = field(default_factory=list)


def sync_course_reminders(*, course_id: int, now: datetime, course: Course | None = None) -> SyncCounts:
    """Make a course's rows what they should be; runs in the caller's transaction, if there is one.

    `course` is its row as the transaction has it, with clinic, client and protocol; without it, it is read.
    Cost: as sync_reminders_of().
    """
    if course is None:
        course = Course.objects.select_related("clinic", "client", "protocol").get(pk=course_id)
    return sync_reminders_of(courses=[course], now=now)


def sync_reminders_of(*, courses: Sequence[Course], now: datetime) -> SyncCounts:
    """Make the rows of some courses of one clinic what they should be; runs in the caller's transaction, if there is one.

    The courses are as the transaction has them, with clinic, client and protocol.

    A row that is on the wire cannot be called back and is left. Safe to run twice and at once: the rows'
    unique key decides.
    Cost: eight queries (two where the clinic sends nothing), one for creating and one for each reason of cancelling, however
    many courses; and one for every row that moves, and up to three for outcomes that are new.
    """
    if not courses:
        return SyncCounts()
    clinic = courses[0].clinic
    with transaction.atomic():
        rules, existing = _load_rules(clinic, now), _load_existing(courses)
        if not any(rule.is_active and rule.channels for rule in rules.values()):
            # Nothing is wanted, and of most nothing ever was: the clinic sends no messages.
            courses = [course for course in courses if existing[course.pk].by_key]
            if not courses:
                return SyncCounts()
        told = {pk: (found.told, found.was_told) for pk, found in existing.items()}
        facts = load_courses_facts(courses, told=told)
        note_reminded(
            [session for course in courses for session in facts[course.pk].sessions],
            [row for course in courses for row in existing[course.pk].by_key.values()],
        )
        clients = load_clients_facts([course.client for course in courses], clinic)
        writes, missing = _Writes(), dict[int, list[Desired]]()
        for course in courses:
            desired = _desired(course, facts[course.pk], clients[course.client_id], rules, now)
            missing[course.pk] = _compare(existing[course.pk], desired, rules, writes)
            _drop(course, facts[course.pk], rules, existing[course.pk].live.values(), writes, now)
        _write_dropped(writes, now)
        session_ids = _session_ids([wanted for lines in missing.values() for wanted in lines])
        for course in courses:
            _add_missing(course, missing[course.pk], rules, existing[course.pk], session_ids, writes, now)
        Reminder.objects.bulk_create(writes.fresh, ignore_conflicts=True)
        writes.counts.created = len(writes.fresh)
        return writes.counts


def _load_rules(clinic: Clinic, now: datetime) -> dict[str, ReminderRule]:
    rules = list(ReminderRule.objects.for_clinic(clinic))
    if not {rule.slug for rule in rules} >= FIRST_SLUGS:
        # Rules are switched off, never deleted: one that is missing has never been given, so it is given now.
        seed_rules(clinic=clinic, now=now)
        rules = list(ReminderRule.objects.for_clinic(clinic))
    return {rule.slug: rule for rule in rules}


def _load_existing(courses: Sequence[Course]) -> dict[int, _Existing]:
    # What is offered or was asked for is made and judged by itself: see tell_earlier_slots() and send_code().
    others = (Trigger.EARLIER_SLOT, Trigger.ACCESS_CODE)
    by_course: defaultdict[int | None, list[Reminder]] = defaultdict(list)
    for row in Reminder.objects.filter(course__in=courses).exclude(trigger__in=others).order_by("pk"):
        by_course[row.course_id].append(row)
    return {course.pk: _existing(by_course[course.pk]) for course in courses}


def _existing(rows: Iterable[Reminder]) -> _Existing:
    found = _Existing()
    told_at: datetime | None = None
    for row in rows:
        found.by_key[_key(row)] = row
        if row.state != ReminderState.CANCELLED:
            about = row.rule_id, row.subject_key, _occurrence(row)
            before = found.newest.get(about)
            if before is None or before.state not in LIVE_STATES or before.fallback_for_id != row.pk:
                # Else an older row has taken over from this one, which failed.
                found.newest[about] = row
        if row.state in LIVE_STATES and row.on_wire_at is None:
            found.live[row.pk] = row
        at = (
            row.sent_at
            or row.on_wire_at
            or (row.decided_at if row.state == ReminderState.UNCERTAIN else None)
        )
        if row.trigger in TELLING and at is not None and (told_at is None or at >= told_at):
            found.told, found.was_told, told_at = read_told(row.told), True, at
    return found


def _key(row: Reminder) -> tuple[Any, ...]:
    return row.rule_id, row.subject_key, row.subject_revision, row.channel, row.occurrence


def _occurrence(row: Reminder) -> int:
    # Schedules are numbered only to keep their keys apart: the newest speaks for all of them.
    return 0 if row.trigger in TELLING else row.occurrence


def _desired(
    course: Course, facts: CourseFacts, client: ClientFacts, rules: dict[str, ReminderRule], now: datetime
) -> tuple[Desired, ...]:
    if course.client.erased_at is not None:
        return ()
    return desired_reminders(
        course=facts,
        rules=tuple(rule_spec(rule) for rule in rules.values() if rule.is_active and rule.channels),
        clinic=clinic_facts(course.clinic, course.client),
        client=client,
        now=now,
    )


def _compare(
    existing: _Existing, desired: Iterable[Desired], rules: dict[str, ReminderRule], writes: _Writes
) -> list[Desired]:
    """Retime the rows that say what is wanted, and return what none of them says; those that stay live are wanted no more."""
    missing: list[Desired] = []
    for wanted in desired:
        row = existing.newest.get((rules[wanted.rule].pk, wanted.subject, wanted.occurrence))
        if row is None or not _speaks_for(row, wanted):
            missing.append(wanted)
        elif existing.live.pop(row.pk, None) is not None:
            writes.counts.retimed += _retime(row, wanted, version=rules[wanted.rule].version)
    return missing


def _add_missing(
    course: Course,
    missing: Iterable[Desired],
    rules: dict[str, ReminderRule],
    existing: _Existing,
    session_ids: dict[str, int],
    writes: _Writes,
    now: datetime,
) -> None:
    """Make a row of each thing that is wanted and not said: a new one, or one that was cancelled before."""
    for wanted in missing:
        if wanted.is_news and wanted.send_at <= now:
            continue
        row = _new_row(course, rules[wanted.rule], wanted, session_ids, now)
        taken = existing.by_key.get(_key(row))
        if taken is not None and _is_told_schedule(taken):
            row.occurrence = _free_occurrence(row)
            taken = None
        if taken is None:
            writes.fresh.append(row)
        elif taken.state == ReminderState.CANCELLED or taken.pk in existing.live:
            writes.counts.revived += _revive(taken, row)


def _speaks_for(row: Reminder, wanted: Desired) -> bool:
    """Tell whether the row says, or has said, what is wanted."""
    if row.state in LIVE_STATES and row.on_wire_at is None:
        # One that took over from a channel that failed stays on its own, whatever channel is first.
        if row.channel != wanted.channel and row.fallback_for_id is None:
            return False
        # One notice for the whole change: a further one joins the notice that still waits.
        return row.about == wanted.about or row.trigger in TELLING
    return row.about == wanted.about


def _is_told_schedule(row: Reminder) -> bool:
    return row.trigger in TELLING and row.state != ReminderState.CANCELLED


def _retime(row: Reminder, wanted: Desired, *, version: int) -> int:
    is_same = row.about == wanted.about
    if is_same and (
        wanted.is_anchored
        or row.fallback_for_id is not None
        or (row.send_at, row.expires_at) == (wanted.send_at, wanted.expires_at)
    ):
        if row.rule_version != version:
            # It says and does the same under the newer rule, so its claim stays good.
            Reminder.objects.filter(pk=row.pk, state__in=LIVE_STATES).update(rule_version=version)
        return 0
    return Reminder.objects.filter(pk=row.pk, state__in=LIVE_STATES, on_wire_at=None).update(
        state=ReminderState.DUE,
        about=wanted.about,
        send_at=wanted.send_at,
        expires_at=wanted.expires_at,
        rule_version=version,
        **UNCLAIMED,
    )


def _revive(taken: Reminder, row: Reminder) -> int:
    return Reminder.objects.filter(
        pk=taken.pk, state__in=(ReminderState.CANCELLED, *LIVE_STATES), on_wire_at=None
    ).update(
        state=ReminderState.DUE,
        decision_reason="",
        decided_at=None,
        retry_at=None,
        about=row.about,
        send_at=row.send_at,
        expires_at=row.expires_at,
        rule_version=row.rule_version,
        **UNCLAIMED,
    )


def _new_row(
    course: Course, rule: ReminderRule, wanted: Desired, session_ids: dict[str, int], now: datetime
) -> Reminder:
    return Reminder(
        clinic_id=course.clinic_id,
        client_id=course.client_id,
        course_id=course.pk,
        session_id=session_ids[wanted.session] if wanted.session else None,
        rule=rule,
        rule_version=rule.version,
        trigger=wanted.trigger,
        channel=wanted.channel,
        subject_key=wanted.subject,
        subject_revision=wanted.revision,
        occurrence=wanted.occurrence,
        about=wanted.about,
        send_at=wanted.send_at,
        expires_at=wanted.expires_at,
        created_at=now,
    )


def _session_ids(missing: Iterable[Desired]) -> dict[str, int]:
    codes = [wanted.session for wanted in missing if wanted.session]
    if not codes:
        return {}
    return {
        str(code): pk
        for code, pk in TreatmentSession.objects.filter(code__in=codes).values_list("code", "pk")
    }


def _free_occurrence(row: Reminder) -> int:
    used = Reminder.objects.filter(
        rule=row.rule, subject_key=row.subject_key, subject_revision=row.subject_revision, channel=row.channel
    )
    return 1 + (used.aggregate(most=Max("occurrence"))["most"] or 0)


def _drop(
    course: Course,
    facts: CourseFacts,
    rules: dict[str, ReminderRule],
    rows: Iterable[Reminder],
    writes: _Writes,
    now: datetime,
) -> None:
    """Note to cancel the rows that nobody wants any more; those that had outlived their use are expired instead."""
    slugs = {rule.pk: rule for rule in rules.values()}
    for row in rows:
        if row.expires_at <= now:
            writes.dropped[ReminderState.EXPIRED, Reason.STALE].append(row.pk)
        else:
            why = _why_dropped(course, facts, slugs[row.rule_id], row)
            writes.dropped[ReminderState.CANCELLED, why].append(row.pk)


def _write_dropped(writes: _Writes, now: datetime) -> None:
    for (state, reason), ids in writes.dropped.items():
        number = Reminder.objects.filter(pk__in=ids, state__in=LIVE_STATES, on_wire_at=None).update(
            **decided(state, reason, now=now)
        )
        if state == ReminderState.EXPIRED:
            writes.counts.expired += number
        else:
            writes.counts.cancelled += number


def _why_dropped(course: Course, facts: CourseFacts, rule: ReminderRule, row: Reminder) -> Reason:
    if course.client.erased_at is not None:
        return Reason.CLIENT_ERASED
    if not rule.is_active:
        return Reason.RULE_OFF
    if course.status == CourseStatus.DISCONTINUED:
        return Reason.COURSE_ENDED
    session = next((s for s in facts.sessions if row.subject_key == f"session:{s.code}"), None)
    if session is None:
        return Reason.NOT_NEEDED
    if session.status.startswith("cancelled"):
        return Reason.SESSION_CANCELLED
    if session.status in BOOKED_STATUSES and session.starts_at and slot_text(session.starts_at) != row.about:
        return Reason.SESSION_MOVED
    if session.status in AWAITED and is_paused_on(facts, session.on):
        return Reason.PAUSED
    if session.status in AWAITED and session.is_closed:
        return Reason.CLINIC_CLOSED
    return Reason.NOT_NEEDED if session.status in AWAITED else Reason.SESSION_OVER
