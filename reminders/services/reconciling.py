"""What should be compared with what is, every few minutes: whatever fell between two chairs is found here."""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from courses.models import Pause, TreatmentSession
from reminders.convert import closed_on
from reminders.core import AWAITED
from reminders.models import (
    DeliveryAttempt,
    DeliveryReport,
    Reminder,
    ReminderRule,
    ReminderState,
    Trigger,
)
from reminders.services.answering import match_reports
from reminders.services.syncing import sync_course_reminders

logger = logging.getLogger(__name__)

# A lease is a minute and every tick takes silent ones back: one this old was passed over by several ticks.
STUCK_AFTER: Final = timedelta(minutes=10)
UNCLAIMED_AFTER: Final = timedelta(minutes=10)
# A provider's report may come before its attempt is on record, and is looked for again this long.
UNMATCHED_AFTER: Final = timedelta(seconds=30)
UNMATCHED_UNTIL: Final = timedelta(days=7)
UNREPORTED_AFTER: Final = timedelta(hours=1)
UNREPORTED_UNTIL: Final = timedelta(days=1)
# So many courses a run: what is left is found by the next.
COURSES_MOST: Final = 100
_COUNTED_MOST: Final = 10_000


def reconcile(*, now: datetime) -> dict[str, int]:
    """Look for what should not be, mend what can be mended, and return how many of each were found.

    Counts: `stuck` claims long past their lease, `unclaimed` messages whose time came and which nobody took,
    `unplanned` sessions ahead without a message (their courses are brought up to date), `matched` reports
    whose message was found, `unmatched` ones without, `unreported` messages sent without any report where
    the provider gives them.
    Cost: seven queries, then those of the courses and reports mended.
    """
    return {
        "stuck": _count(
            Reminder.objects.filter(state=ReminderState.CLAIMED, lease_until__lt=now - STUCK_AFTER)
        ),
        "unclaimed": _count(_unclaimed(now)),
        "unplanned": _plan_missing(now),
        "matched": match_reports(now=now),
        "unmatched": _count(
            DeliveryReport.objects.filter(
                reminder=None, received_at__lt=now - UNMATCHED_AFTER, received_at__gte=now - UNMATCHED_UNTIL
            )
        ),
        "unreported": _count(_unreported(now)),
    }


def _count(found: QuerySet[Any]) -> int:
    return found[:_COUNTED_MOST].count()


def _unclaimed(now: datetime) -> QuerySet[Reminder]:
    """Return due messages that are still of use and that nobody put off, long after their time."""
    late = now - UNCLAIMED_AFTER
    return Reminder.objects.filter(
        Q(retry_at__isnull=True) | Q(retry_at__lt=late),
        state=ReminderState.DUE,
        send_at__lt=late,
        expires_at__gt=now,
    )


def _plan_missing(now: datetime) -> int:
    """Bring courses up to date that have a session ahead of which no message says anything, not even why not."""
    before_session = ReminderRule.objects.filter(
        trigger=Trigger.BEFORE_SESSION, is_active=True, is_first_only=False
    ).exclude(channels=[])
    longest = timedelta(0)
    for lead_days, lead_minutes in before_session.values_list("lead_days", "lead_minutes").distinct():
        longest = max(longest, timedelta(days=lead_days or 0, minutes=lead_minutes or 0))
    if not longest:
        return 0
    row = Reminder.objects.filter(session=OuterRef("pk"), trigger=Trigger.BEFORE_SESSION)
    paused = Pause.objects.filter(
        Q(to_on__isnull=True) | Q(to_on__gte=OuterRef("on")),
        course=OuterRef("course"),
        from_on__lte=OuterRef("on"),
    )
    ruled = before_session.filter(clinic=OuterRef("clinic"))
    sessions = TreatmentSession.objects.filter(
        Exists(ruled),
        ~Exists(row),
        ~Exists(paused),
        status__in=AWAITED,
        starts_at__gt=now,
        starts_at__lte=now + longest,
        # A booking made at short notice has no message before it, and never will.
        created_at__lt=F("starts_at") - longest,
        client__erased_at=None,
        course__status__in=("active", "completed"),
    ).exclude(closed_on("on"))
    courses = dict.fromkeys(sessions.order_by("starts_at").values_list("course_id", flat=True)[:COURSES_MOST])
    created = sum(sync_course_reminders(course_id=pk, now=now).created > 0 for pk in courses)
    if created:
        logger.error("%s courses had a session ahead and no message for it.", created)
    return created


def _unreported(now: datetime) -> QuerySet[Reminder]:
    """Return messages that a provider took, which reports what becomes of them, and never did."""
    numbered = DeliveryAttempt.objects.filter(reminder=OuterRef("pk")).exclude(provider_id="")
    return Reminder.objects.filter(
        Exists(numbered),
        state=ReminderState.SENT,
        delivery="",
        sent_at__lt=now - UNREPORTED_AFTER,
        sent_at__gte=now - UNREPORTED_UNTIL,
    )
