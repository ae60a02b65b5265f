"""Hears of changes to courses inside their own transaction, so that no change can lose its messages."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from courses.signals import course_changed
from reminders.services import sync_course_reminders
from reminders.services.linking import extend_links


@receiver(course_changed, dispatch_uid="reminders.sync_course")
def sync_course(*, course_id: int, now: datetime, **_: Any) -> None:
    sync_course_reminders(course_id=course_id, now=now)
    extend_links(course_id=course_id, now=now)
