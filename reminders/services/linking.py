"""The secret addresses that a message carries: the page of its visit or course, and the one to stop its channel."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from clients.links import NewLink, new_link
from clients.models import AccessLink, Channel, LinkPurpose
from courses.models import Course, TreatmentSession
from courses.services import REPORTED_WITHIN
from reminders.models import Trigger

# After the session is over the page still says so for a day.
SESSION_AFTER: Final = timedelta(hours=24)
UNSUBSCRIBE_FOR: Final = timedelta(days=60)
COURSE_FOR: Final = timedelta(days=30)
# Not by link: the clinic's own system is stopped where it was set up, and a member of staff is no client.
_STOPPABLE: Final = frozenset({Channel.EMAIL, Channel.SMS, Channel.TELEGRAM, Channel.WHATSAPP})


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses; `session` opens one visit and its course, or asks how it was, `course` the course, `unsubscribe` stops the channel.

    Empty where the message has none; one about a visit needs no second address for the course.
    """

    session: str = ""
    course: str = ""
    unsubscribe: str = ""


def new_links(row: Any, *, now: datetime) -> tuple[Links, list[NewLink]]:
    """Return new addresses for a message, with their rows, which the engine saves when it goes on the wire.

    The row comes from checked_rows(). The visit's link lives until a day after its end, also when it is moved:
    see extend_links().
    Cost: no query.
    """
    if row.client_id is None:
        return Links(), []
    made: list[NewLink] = []
    session = course = unsubscribe = ""
    visit = row.session
    ends_at = getattr(visit, "ends_at", None)
    if row.trigger == Trigger.AFTER_SESSION and ends_at is not None:
        # One purpose: it opens neither the visit nor its course.
        session = _add(
            row,
            made,
            purpose=LinkPurpose.FEELING,
            subject_key=f"session:{visit.code}",
            path="c/h/",
            now=now,
            expires_at=ends_at + REPORTED_WITHIN,
        )
    elif ends_at is not None and ends_at + SESSION_AFTER > now:
        session = _add(
            row,
            made,
            purpose=LinkPurpose.SESSION,
            subject_key=f"session:{visit.code}",
            path="c/v/",
            now=now,
            expires_at=ends_at + SESSION_AFTER,
        )
    elif row.course is not None:
        course = _add(
            row,
            made,
            purpose=LinkPurpose.COURSE,
            subject_key=f"course:{row.course.code}",
            path="c/k/",
            now=now,
            expires_at=now + COURSE_FOR,
        )
    if row.channel in _STOPPABLE:
        unsubscribe = _add(
            row,
            made,
            purpose=LinkPurpose.UNSUBSCRIBE,
            subject_key=f"channel:{row.channel}",
            path="c/u/",
            now=now,
            expires_at=now + UNSUBSCRIBE_FOR,
        )
    return Links(session, course, unsubscribe), made


def extend_links(*, course_ids: Collection[int], now: datetime) -> int:
    """Let the links to sessions of courses that were moved to a later time live as long as those; return how many.

    Runs in the transaction of the change. A link is never shortened: it shows the session as it is now.
    Cost: one query, one more where there are such links, and one statement for each that is to live longer.
    """
    links = AccessLink.objects.filter(
        client__in=Course.objects.filter(pk__in=course_ids).values("client"),
        purpose=LinkPurpose.SESSION,
        revoked_at=None,
        expires_at__gt=now,
    )
    expiries = list(links.values_list("pk", "subject_key", "expires_at"))
    if not expiries:
        return 0
    sessions = TreatmentSession.objects.filter(course__in=course_ids, ends_at__gt=now)
    ends = {
        f"session:{code}": ends_at for code, ends_at in sessions.values_list("code", "ends_at") if ends_at
    }
    count = 0
    for pk, subject_key, expires_at in expiries:
        if subject_key in ends and expires_at < ends[subject_key] + SESSION_AFTER:
            count += AccessLink.objects.filter(pk=pk).update(expires_at=ends[subject_key] + SESSION_AFTER)
    return count


def _add(
    row: Any,
    made: list[NewLink],
    *,
    purpose: LinkPurpose,
    subject_key: str,
    path: str,
    now: datetime,
    expires_at: datetime,
) -> str:
    token, link = new_link(
        clinic_id=row.clinic_id,
        client_id=row.client_id,
        purpose=purpose,
        subject_key=subject_key,
        reminder_code=row.code,
        now=now,
        expires_at=expires_at,
    )
    made.append(link)
    return f"{settings.BASE_URL}/{path}{token}/"
