"""What became of every message, told by the receiving end, and the rules that must hold after every day.

The sink is the independent witness: it counts what arrived, the rows only say what was thought to be sent.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import ClassVar

from django.db.models import F

from clinics.models import Clinic
from courses import convert
from courses.models import BOOKED_STATUSES, Course, Flag, SessionStatus, TreatmentSession
from reminders.channels.base import SENT, Channel, Message, Outcome
from reminders.models import LIVE_STATES, Reminder, ReminderState
from reminders.texts import message_key


@dataclass(slots=True)
class Sink:
    """The receiving end: what arrived, how often, and when by the story's clock."""

    copies: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    now: datetime | None = None

    def open(self) -> Channel:
        """Return a channel into this sink."""
        return _SinkChannel(self)


class _SinkChannel(Channel):
    name: ClassVar[str] = "email"

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def send(self, message: Message) -> Outcome:
        self._sink.copies[message.key] += 1
        code = message.key.strip("<>").partition("@")[0]
        row = Reminder.objects.select_related("session", "clinic", "course", "client").get(code=code)
        now = self._sink.now
        assert now is not None
        self._sink.wrong += [f"{row.trigger} {row.code}: {why}" for why in wrongs(row, now)]
        return SENT


def wrongs(row: Reminder, now: datetime) -> Iterator[str]:
    """Yield why a message should not have gone out at a moment; judged from rows, not by the sender's rules."""
    session = row.session
    if now > row.expires_at:
        yield "stale"
    if now < row.send_at:
        yield "early"
    if session is not None and row.trigger in ("before_session", "preparation"):
        if session.status not in (SessionStatus.BOOKED, SessionStatus.CONFIRMED):
            yield f"its session is {session.status}"
        if session.starts_at is None or now >= session.starts_at:
            yield "its session has begun"
        if not convert.load_calendar(row.clinic).is_open(session.on):
            yield "the clinic is closed that day"
    if row.client is None:
        # A summary for staff: it needs no consent, and comes before the quiet hours end.
        return
    if not row.client.consents.filter(channel=row.channel, withdrawn_at=None).exists():
        yield "without consent"
    wall = now.astimezone(convert.zone_of(row.clinic)).time()
    quiet_from, quiet_to = row.clinic.quiet_from_time, row.clinic.quiet_to_time
    is_quiet = (
        quiet_from <= wall or wall < quiet_to if quiet_from > quiet_to else quiet_from <= wall < quiet_to
    )
    if is_quiet and not row.client.time_zone:
        yield "in quiet hours"


@dataclass(slots=True)
class Ledger:
    """The figures of a run and every rule that was broken, with its day."""

    clinic: Clinic
    sink: Sink
    broken: list[str] = field(default_factory=list)
    # Kept because the scratch database is gone when the command prints.
    figures_at_end: dict[str, int] = field(default_factory=dict)
    # What went wrong on purpose; a copy and an unanswered message more for each crash on the wire is what is promised.
    misfortunes: Counter[str] = field(default_factory=Counter)

    def check_day(self, day: date, now: datetime, *, is_up: bool = True) -> None:
        """Check everything that must hold at the end of a day; what only a tick can see to, only while ticks live."""
        for rule in (self._overlaps, *((self._flags, self._decisions, self._checks) if is_up else ())):
            self.broken += [f"{day}: {text}" for text in rule(now)]
        self.broken += [f"{day}: {text}" for text in self.sink.wrong]
        self.sink.wrong.clear()

    def _flags(self, now: datetime) -> Iterator[str]:
        """Yield where the stored state or the open flags differ from an assessment made now."""
        today = convert.local_today(self.clinic, now)
        courses = list(
            Course.objects.for_clinic(self.clinic)
            .filter(status__in=["active", "paused"])
            .select_related("clinic")
        )
        facts = convert.load_facts(courses)
        flags: dict[int, set[tuple[str, str]]] = {}
        for course_id, kind, severity in Flag.objects.filter(
            clinic=self.clinic, resolved_at=None
        ).values_list("course_id", "kind", "severity"):
            flags.setdefault(course_id, set()).add((kind, severity))
        for course in courses:
            found = convert.assess_facts(facts[course.pk], today=today)
            wanted = {(finding.kind, finding.severity) for finding in found.findings}
            if flags.get(course.pk, set()) != wanted:
                yield f"course {course.code}: flags {sorted(flags.get(course.pk, set()))}, found {sorted(wanted)}"
            if course.state != found.state:
                yield f"course {course.code}: stored as {course.state}, is {found.state}"

    def _overlaps(self, now: datetime) -> Iterator[str]:
        """Yield two bookings of one practitioner, room or client that meet."""
        rows = list(
            TreatmentSession.objects.for_clinic(self.clinic)
            .filter(status__in=BOOKED_STATUSES)
            .order_by("starts_at")
        )
        for column in ("practitioner_id", "room_id", "client_id"):
            last: dict[int, TreatmentSession] = {}
            for row in rows:
                key = getattr(row, column)
                before = last.get(key)
                if key is not None and before is not None and before.ends_at > row.starts_at:  # type: ignore[operator]  # bookings have slots
                    yield f"sessions {before.code} and {row.code} meet ({column})"
                last[key] = row

    def _decisions(self, now: datetime) -> Iterator[str]:
        """Yield messages that should have been decided by now."""
        late = now - timedelta(minutes=5)
        for row in Reminder.objects.for_clinic(self.clinic).filter(
            state__in=LIVE_STATES, expires_at__lt=late
        ):
            yield f"{row.trigger} {row.code} is still {row.state} after it expired"

    def _checks(self, now: datetime) -> Iterator[str]:
        """Yield courses whose time to be assessed has passed."""
        for course in Course.objects.for_clinic(self.clinic).filter(
            next_check_at__lt=now - timedelta(hours=1)
        ):
            yield f"course {course.code} has been due for an assessment since {course.next_check_at}"

    def figures(self) -> dict[str, int]:
        """Return due, sent, extra, lost, uncertain and the other ends of messages; `wrong` are broken rules."""
        rows = Reminder.objects.for_clinic(self.clinic)
        states = Counter(rows.values_list("state", flat=True))
        ends = {message_key(row): row.state for row in rows.filter(sent_with=None).only("code", "state")}
        sent = {key for key, state in ends.items() if state == ReminderState.SENT}
        joined = rows.filter(state=ReminderState.SENT, sent_with__isnull=False).count()
        arrived = set(self.sink.copies)
        # Of what is uncertain nobody claims anything; what is live may just be on its way.
        silent = {key for key in arrived if ends.get(key) in (ReminderState.UNCERTAIN, *LIVE_STATES)}
        return {
            "due": sum(states[state] for state in _ENDS),
            "sent": len(sent & arrived) + joined,
            "extra": sum(self.sink.copies.values()) - len(arrived),
            "lost": len(sent - arrived),
            "unmarked": len(arrived - sent - silent),
            **{state: states[state] for state in _ENDS if state != ReminderState.SENT},
            "ahead": sum(states[state] for state in LIVE_STATES),
        }

    def _denied(self) -> Iterator[str]:
        """Yield the messages that arrived while their rows say that they did not go."""
        claimed = (ReminderState.SENT, ReminderState.UNCERTAIN, *LIVE_STATES)
        for row in Reminder.objects.for_clinic(self.clinic).exclude(state__in=claimed).filter(sent_with=None):
            if message_key(row) in self.sink.copies:
                yield f"{row.trigger} {row.code} arrived, but is {row.state}: {row.decision_reason}"

    def check_figures(self) -> None:
        """Check that every due message has exactly one end, none is lost, none came twice but what a crash excuses."""
        figures = self.figures()
        ends = figures["sent"] + sum(figures[state] for state in _ENDS if state != ReminderState.SENT)
        if figures["due"] != ends:
            self.broken.append(f"{figures['due']} messages were due, {ends} have an end")
        excused = self.misfortunes["deaths of senders"] + self.misfortunes["silences after taking"]
        most = {"extra": excused, "lost": 0, "unmarked": 0}
        self.broken += [f"{figures[name]} {name}" for name, limit in most.items() if figures[name] > limit]
        self.broken += list(self._denied())
        doubtful = self.misfortunes["deaths of senders"] + self.misfortunes["silences"]
        if figures["uncertain"] > doubtful:
            self.broken.append(f"{figures['uncertain']} uncertain after {doubtful} deaths and silences")
        twice = (
            Reminder.objects.for_clinic(self.clinic)
            .filter(state=ReminderState.SENT, sent_at__gt=F("expires_at"))
            .count()
        )
        if twice:
            self.broken.append(f"{twice} were sent after they had expired")


_ENDS = (
    ReminderState.SENT,
    ReminderState.FAILED,
    ReminderState.EXPIRED,
    ReminderState.CANCELLED,
    ReminderState.SUPPRESSED,
    ReminderState.UNCERTAIN,
)
