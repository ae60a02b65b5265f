"""Hears of changes to courses inside their own transaction, so that no change can lose its messages."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from anymail.signals import tracking
from django.dispatch import receiver
from django.utils import timezone

from courses.models import Course
from courses.signals import course_changed, courses_changed
from reminders.channels.bounces import is_for_good
from reminders.models import Delivery
from reminders.services import sync_course_reminders, sync_reminders_of
from reminders.services.answering import record_report
from reminders.services.linking import extend_links

# Anymail's words for what became of an e-mail; the others, such as "opened", are never asked for.
_KINDS: Final = {
    "delivered": Delivery.DELIVERED,
    "bounced": Delivery.BOUNCED,
    "rejected": Delivery.BOUNCED,
    "failed": Delivery.BOUNCED,
    "complained": Delivery.COMPLAINED,
    "unsubscribed": Delivery.COMPLAINED,
}


@receiver(course_changed, dispatch_uid="reminders.sync_course")
def sync_course(*, course_id: int, course: Course | None, now: datetime, **_: Any) -> None:
    sync_course_reminders(course_id=course_id, course=course, now=now)
    extend_links(course_ids=[course_id], now=now)


@receiver(courses_changed, dispatch_uid="reminders.sync_courses")
def sync_courses(*, courses: Sequence[Course], now: datetime, **_: Any) -> None:
    sync_reminders_of(courses=courses, now=now)
    extend_links(course_ids=[course.pk for course in courses], now=now)


@receiver(tracking, dispatch_uid="reminders.record_mail_report")
def record_mail_report(*, event: Any, esp_name: str, **_: Any) -> None:
    """Keep what the e-mail provider reported; it may come twice and in any order."""
    kind = _KINDS.get(event.event_type)
    if kind is None:
        return
    now = timezone.now()
    happened_at = min(event.timestamp, now) if event.timestamp else now
    provider_id = event.message_id or ""
    reference = (event.metadata or {}).get("reminder") or ""
    # Not every provider names its events; of one message there is one of each kind at a time.
    named = event.event_id or f"{provider_id}:{reference}:{event.timestamp}:{event.recipient}"
    record_report(
        provider=esp_name.lower(),
        event_id=hashlib.sha256(f"{event.event_type}:{named}".encode()).hexdigest(),
        kind=kind,
        provider_id=provider_id,
        reference=str(reference),
        is_permanent=is_for_good(event),
        happened_at=happened_at,
        now=now,
    )
