"""Small makers of the core's facts: a clinic in Riga, one course, the rules of a new clinic."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from clinics.core import to_utc
from reminders.core import (
    ClientFacts,
    ClinicFacts,
    CourseFacts,
    QuietHours,
    RuleSpec,
    SessionFacts,
    desired_reminders,
)

RIGA = ZoneInfo("Europe/Riga")
DAY_BEFORE = RuleSpec("day-before", "before_session", ("email", "sms"), useful_minutes=360, lead_days=1)
TWO_HOURS = RuleSpec("two-hours", "before_session", ("email",), useful_minutes=30, lead_minutes=120)
PREPARATION = RuleSpec(
    "preparation",
    "preparation",
    ("email",),
    useful_minutes=1440,
    lead_days=2,
    at_time=time(18),
    is_first_only=True,
)
MISSED = RuleSpec("missed", "missed_session", ("email",), useful_minutes=2880, wait_minutes=60)
HOW_WAS_IT = RuleSpec(
    "how-was-it",
    "after_session",
    ("email",),
    useful_minutes=2880,
    wait_minutes=240,
    is_first_only=True,
)
OVERDUE = RuleSpec(
    "overdue", "overdue", ("email",), useful_minutes=2880, at_time=time(10), repeat_days=3, cap_count=3
)
BOOK_NEXT = RuleSpec(
    "book-next", "book_next", ("email",), useful_minutes=2880, at_time=time(10), wait_minutes=120
)
MAINTENANCE = RuleSpec(
    "maintenance",
    "maintenance_due",
    ("email",),
    useful_minutes=2880,
    lead_days=4,
    at_time=time(10),
    wait_minutes=120,
)
SCHEDULE = RuleSpec("schedule", "schedule", ("email",), useful_minutes=1440, wait_minutes=3)
CHANGE = RuleSpec("change", "change", ("email",), useful_minutes=1440, wait_minutes=3)
COMPLETED = RuleSpec("completed", "course_completed", ("email",), useful_minutes=4320, wait_minutes=60)
ALL_RULES = (
    DAY_BEFORE,
    TWO_HOURS,
    PREPARATION,
    MISSED,
    OVERDUE,
    BOOK_NEXT,
    MAINTENANCE,
    SCHEDULE,
    CHANGE,
    COMPLETED,
)


def at(text: str, zone: ZoneInfo = RIGA) -> datetime:
    """Return the UTC instant of a wall time such as "2026-03-04 10:00"."""
    local = datetime.fromisoformat(text)
    return to_utc(local.date(), local.time(), zone)


def session(starts: str = "2026-03-04 10:00", status: str = "booked", **changes) -> SessionFacts:
    starts_at = at(starts)
    values = {"code": f"s-{starts}", "version": 1, "status": status, "on": starts_at.astimezone(RIGA).date()}
    return SessionFacts(**values | {"starts_at": starts_at} | changes)


def course(*sessions: SessionFacts, **changes) -> CourseFacts:
    values = {
        "code": "c",
        "version": 7,
        "status": "active",
        "state": "due",
        "phase": 0,
        "phase_kind": "intensive",
        "session_number": 2,
        "due_from": date(2026, 3, 5),
        "due_by": date(2026, 3, 6),
        "sessions": sessions,
        # What is booked has been told, unless a test is about telling.
        "told": frozenset((s.code, s.starts_at) for s in sessions if s.starts_at),
        "was_told": True,
    }
    return CourseFacts(**values | changes)


def client(zone: ZoneInfo = RIGA, quiet: tuple[time, time] = (time(21), time(8)), reachable=("email",)):
    return ClientFacts(QuietHours(*quiet, zone), frozenset(reachable))


def clinic(**changes) -> ClinicFacts:
    values = {"zone": RIGA, "booking_lead_days": 3, "shows_treatment": False}
    return ClinicFacts(**values | changes)


def desire(facts: CourseFacts, *rules: RuleSpec, now: str = "2026-03-01 12:00", **parts):
    return desired_reminders(
        course=facts,
        rules=rules or ALL_RULES,
        clinic=parts.get("clinic", clinic()),
        client=parts.get("client", client()),
        now=at(now),
    )


def riga(instant: datetime) -> str:
    return f"{instant.astimezone(RIGA):%Y-%m-%d %H:%M}"


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
