"""The rules a clinic starts with, and what a version of a rule keeps."""

from datetime import datetime, time
from typing import Any, Final

from django.db import transaction

from audit.services import Actor
from clients.models import Channel
from clinics.models import Clinic
from reminders.models import ReminderRule, RuleVersion, Trigger

_HOUR: Final = 60
_DAY: Final = 24 * _HOUR

# What of a rule moves messages that wait already when it changes.
TIMING: Final = (
    "is_active",
    "channels",
    "lead_days",
    "lead_minutes",
    "at_time",
    "wait_minutes",
    "useful_minutes",
    "repeat_days",
    "cap_count",
    "is_first_only",
)
CHANGEABLE: Final = (*TIMING, "skips_confirmed", "texts")

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
        # Of the first visit, when bruises and pain are news; to ask after each would be many messages.
        "slug": "how-was-it",
        "trigger": Trigger.AFTER_SESSION,
        "wait_minutes": 4 * _HOUR,
        "useful_minutes": 2 * _DAY,
        "is_first_only": True,
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
    # Waits a little, so that further changes join in one notice.
    {"slug": "change", "trigger": Trigger.CHANGE, "wait_minutes": 3, "useful_minutes": _DAY},
    {"slug": "earlier-slot", "trigger": Trigger.EARLIER_SLOT, "useful_minutes": 12 * _HOUR},
    {
        "slug": "access-code",
        "trigger": Trigger.ACCESS_CODE,
        "useful_minutes": 15,
        "channels": ["sms", "email"],
    },
    {
        "slug": "course-completed",
        "trigger": Trigger.COURSE_COMPLETED,
        "wait_minutes": _HOUR,
        "useful_minutes": 3 * _DAY,
    },
    {
        "slug": "staff-digest",
        "trigger": Trigger.STAFF_DIGEST,
        "channels": [Channel.EMAIL],
        "at_time": time(7, 30),
        "useful_minutes": 4 * _HOUR,
    },
)
FIRST_SLUGS: Final = frozenset(values["slug"] for values in _FIRST_RULES)


def seed_rules(*, clinic: Clinic, now: datetime) -> None:
    """Give the clinic the rules it lacks, each with its first version; those it has stay as they are.

    Cost: four queries.
    """
    with transaction.atomic():
        has = dict(ReminderRule.objects.for_clinic(clinic).values_list("slug", "is_active"))
        rules = [
            ReminderRule(clinic=clinic, created_at=now, **{"channels": ["email", "sms"], **values})
            for values in _FIRST_RULES
            if values["slug"] not in has
        ]
        for rule in rules:
            if rule.trigger == Trigger.CHANGE:
                # A clinic that tells no schedules does not tell their changes either.
                rule.is_active = has.get("schedule", True)
        ReminderRule.objects.bulk_create(rules, ignore_conflicts=True)
        unversioned = ReminderRule.objects.for_clinic(clinic).filter(versions__isnull=True)
        RuleVersion.objects.bulk_create(
            [make_version(rule, at=rule.created_at, by=None) for rule in unversioned], ignore_conflicts=True
        )


def rule_values(rule: ReminderRule) -> dict[str, Any]:
    """Return the fields of a rule that make a version, as JSON values."""
    values = {name: getattr(rule, name) for name in CHANGEABLE}
    values["at_time"] = rule.at_time.isoformat("minutes") if rule.at_time else None
    values["channels"] = [str(channel) for channel in rule.channels]
    return values


def make_version(rule: ReminderRule, *, at: datetime, by: Actor | None) -> RuleVersion:
    """Return the unsaved version that a rule is now."""
    return RuleVersion(
        clinic_id=rule.clinic_id,
        rule=rule,
        number=rule.version,
        values=rule_values(rule),
        changed_at=at,
        changed_by_id=by.staff_member_id if by else None,
    )
