"""Writing to a client at once because a course slips: the message that its rules have ready goes now."""

from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from audit.services import Actor
from courses.models import Course
from reminders.errors import MessageError
from reminders.models import Reminder, ReminderState, Trigger
from reminders.services.handling import send_now

# What asks a client to come back or to book.
NUDGES: Final = (Trigger.OVERDUE, Trigger.BOOK_NEXT, Trigger.MAINTENANCE_DUE, Trigger.MISSED_SESSION)


def nudge_client(*, course: Course, by: Actor, now: datetime) -> Reminder:
    """Let the next message that asks the course's client to come or to book go at once, whatever its time.

    The rules still decide what is said, how often and whether at all: without such a message nothing goes out.
    Raises: MessageError `no_nudge` when none waits, and as send_now().
    Cost: one query more than send_now().
    """
    waiting = Reminder.objects.filter(
        course=course, trigger__in=NUDGES, state=ReminderState.DUE, on_wire_at=None, expires_at__gt=now
    )
    row = waiting.order_by("send_at", "pk").first()
    if row is None:
        raise MessageError(_("The rules have no message ready for this course."), code="no_nudge")
    return send_now(row=row, by=by, now=now)
