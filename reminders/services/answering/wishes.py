"""How a client wishes to be written to: language, zone, quiet hours, how much is said."""

from datetime import datetime, time
from typing import Any

from clients.models import Client
from clients.services import change_wishes
from courses.services.changes import transacting
from reminders.services.answering.answers import actor_of
from reminders.services.answering.channels import lock_client, sync_courses


def change_wishes_by_client(
    *,
    client: Client,
    language: str,
    time_zone: str,
    quiet_from_time: time | None,
    quiet_to_time: time | None,
    detail_level: str,
    now: datetime,
) -> Client:
    """Keep a client's wishes; messages that wait already follow at once. Twice the same changes nothing.

    Raises: ValidationError by field; CourseError `busy` when the same may be tried again.
    """
    values: dict[str, Any] = {
        "language": language,
        "time_zone": time_zone,
        "quiet_from_time": quiet_from_time,
        "quiet_to_time": quiet_to_time,
        "detail_level": detail_level,
    }
    with transacting():
        courses, locked = lock_client(client)
        if change_wishes(client=locked, values=values, by=actor_of(client), now=now):
            sync_courses(courses, now=now)
    return locked
