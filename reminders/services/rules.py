"""The rules a clinic starts with."""

from datetime import datetime, time
from typing import Any, Final

from clinics.models import Clinic
from reminders.models import ReminderRule, Trigger

_HOUR: Final = 60
_DAY: Final = 24 * _HOUR

# In the order in which a settings page lists them; useful_minutes is how late a message may still go out.
_FIRST_RULES: Final[tuple[dict[str, Any], ...]] = (
    {
        "slug": "day-before",
        "trigger": Trigger.BEFORE_SESSION,
        "lead_days": 1,
        "useful_minutes": 6 * _HOUR,
        # It asks whether the client will come; whoever has said so is reminded on the day itself.
        "skips_confirmed": True,
    },
    {
        "slug": "two-hours-before",
        "trigger": Trigger.BEFORE_SESSION,
        "lead_minutes": 120,
        "useful_minutes": 30,
    },
    {
        "slug": "preparation",
        "trigger": Trigger.PREPARATION,
        "lead_days": 2,
        "at_time": time(18),
        "useful_minutes": _DAY,
        "is_first_only": True,
    },
    {
        "slug": "missed-session",
        "trigger": Trigger.MISSED_SESSION,
        "wait_minutes": _HOUR,
        "useful_minutes": 2 * _DAY,
    },
    {
        "slug": "overdue",
        "trigger": Trigger.OVERDUE,
        "at_time": time(10),
        "repeat_days": 3,
        "cap_count": 3,
        "useful_minutes": 2 * _DAY,
    },
    {
        "slug": "book-next",
        "trigger": Trigger.BOOK_NEXT,
        "at_time": time(10),
        "wait_minutes": 2 * _HOUR,
        "useful_minutes": 2 * _DAY,
    },
    {
        "slug": "maintenance-due",
        "trigger": Trigger.MAINTENANCE_DUE,
        "lead_days": 4,
        "at_time": time(10),
        "wait_minutes": 2 * _HOUR,
        "useful_minutes": 2 * _DAY,
    },
    {"slug": "schedule", "trigger": Trigger.SCHEDULE, "wait_minutes": 3, "useful_minutes": _DAY},
    {
        "slug": "course-completed",
        "trigger": Trigger.COURSE_COMPLETED,
        "wait_minutes": _HOUR,
        "useful_minutes": 3 * _DAY,
    },
)


def seed_rules(*, clinic: Clinic, now: datetime) -> None:
    """Give the clinic the rules it lacks; those it has stay as they are.

    Cost: one query.
    """
    ReminderRule.objects.bulk_create(
        [
            ReminderRule(clinic=clinic, channels=["email", "sms"], created_at=now, **values)
            for values in _FIRST_RULES
        ],
        ignore_conflicts=True,
    )
