"""A client's visits as a calendar file: one event each, the same at every change, neutral to whoever sees it.

The method is PUBLISH, not REQUEST. A schedule tells several visits at once, of which some may be new, some moved
and some cancelled: RFC 5546 allows REQUEST and CANCEL for one UID only (3.2.2, 3.2.5), while PUBLISH holds any
number of events, cancelled ones among them (3.2.1). Real programs agree: of an invitation with several events
Outlook keeps the first and drops the rest without a word (MS-STANOICAL 2.2.175, on RFC 6047 section 4.4), whereas a
published file is opened as a file, with every event in it. And an invitation has buttons whose answer goes
nowhere: a client who presses "Yes" there would believe to have confirmed. For the same reason there is no
ATTENDEE, which a published event must not have.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import (
    Calendar,
    Event,
    Timezone,
    TimezoneDaylight,
    TimezoneStandard,
    vCalAddress,
    vText,
)

from courses.models import TreatmentSession
from reminders.channels.base import Attachment
from reminders.core import CourseFacts, upcoming

MEDIA_TYPE: Final = "text/calendar; method=PUBLISH; charset=utf-8"
FEED_MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
FILE_NAME: Final = "invite.ics"
# How often programs that follow a feed may ask again; most decide that themselves.
_ASKED_EVERY: Final = timedelta(hours=1)
# Everything that could end a line for one program or another, and what no calendar may hold at all.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff]+")


class Visit(NamedTuple):
    """One visit for a calendar; instants are in UTC. `version` grows with every change of the session."""

    code: UUID
    version: int
    starts_at: datetime
    ends_at: datetime | None
    is_cancelled: bool


def calendar_file(*, row: Any, schedule: CourseFacts, now: datetime) -> Attachment | None:
    """Return the file for a message that tells a schedule, or None where there is nothing to tell.

    It holds the visits to come, and as cancelled those that the client was told and that are not any more.
    Wall times are the clinic's, with its zone, so that a later change of the zone's rules keeps them.
    Cost: one query.
    """
    booked = {session.code for session in upcoming(schedule, now=now)}
    gone = {code: at for code, at in schedule.told if at > now and code not in booked}
    visits = _load_visits(row.course_id, booked, gone)
    if not visits:
        return None
    content = write_calendar(visits, clinic=row.clinic, language=row.client.language, now=now)
    return Attachment(FILE_NAME, MEDIA_TYPE, content)


def write_calendar(
    visits: list[Visit], *, clinic: Any, language: str, now: datetime, is_feed: bool = False
) -> bytes:
    """Return visits as an iCalendar file, in the order given; a feed is one that programs fetch again and again."""
    zone = ZoneInfo(clinic.time_zone)
    calendar = Calendar()
    calendar.add("prodid", "-//Regimen//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    if is_feed:
        name = _plain(clinic.sender_name or clinic.name)
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", _ASKED_EVERY, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", "PT1H")
    years = [visit.starts_at.year for visit in visits] or [now.year]
    if clinic.time_zone not in ("UTC", "Etc/UTC"):
        calendar.add_component(_zone_rules(clinic.time_zone, min(years), max(years)))
    with translation.override(language):
        for visit in visits:
            calendar.add_component(_event(visit, clinic, zone, now))
    return bytes(calendar.to_ical())


def _load_visits(course_id: int, booked: set[str], gone: dict[str, datetime]) -> list[Visit]:
    """Return the visits by time; one without a slot is cancelled at the time that the client was told."""
    rows = TreatmentSession.objects.filter(course=course_id, code__in=[*booked, *gone])
    visits = []
    for code, version, starts_at, ends_at in rows.values_list("code", "version", "starts_at", "ends_at"):
        at = starts_at or gone.get(str(code))
        if at is not None:
            visits.append(Visit(code, version, at, ends_at, str(code) not in booked))
    return sorted(visits, key=lambda visit: (visit.starts_at, visit.code))


def _event(visit: Visit, clinic: Any, zone: ZoneInfo, now: datetime) -> Event:
    name = _plain(clinic.sender_name or clinic.name)
    event = Event()
    event.add("uid", f"{visit.code}@{urlsplit(settings.BASE_URL).hostname or 'localhost'}")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("sequence", visit.version)
    event.add("dtstart", visit.starts_at.astimezone(zone))
    if visit.ends_at is not None:
        event.add("dtend", visit.ends_at.astimezone(zone))
    event.add("status", "CANCELLED" if visit.is_cancelled else "CONFIRMED")
    # Never the treatment, whatever the clinic shows in its messages: a calendar is open to colleagues and lock screens.
    event.add("summary", _("Appointment: %(clinic)s") % {"clinic": name})
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT" if visit.is_cancelled else "OPAQUE")
    if address := _plain(clinic.address):
        event.add("location", address)
    if phone := _plain(clinic.phone):
        event.add("description", _("To change the time, call %(phone)s.") % {"phone": phone})
    organizer = vCalAddress(f"mailto:{_mailbox(clinic)}")
    # Neither has a way to be written in a parameter, and readers differ on what a backslash there would mean.
    organizer.params["CN"] = vText(name.replace('"', "'").replace("\\", "/"))
    event.add("organizer", organizer)
    return event


def _mailbox(clinic: Any) -> str:
    address = parseaddr(clinic.reply_to_email)[1] or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return _UNPRINTABLE.sub("", address) or "noreply@localhost"


@lru_cache(maxsize=256)
def _zone_rules(name: str, first_year: int, last_year: int) -> Timezone:
    """Return a zone's rules over whole years, one more at the end, in which a moved visit may lie.

    Written out change by change, each in the wall time before it, as RFC 5545 3.6.5 has it; the library's own
    generator puts the spring change of a zone an hour late.
    """
    zone = ZoneInfo(name)
    # The last day of the year before: the first of January begins earlier in the east.
    start = datetime(first_year - 1, 12, 31, tzinfo=UTC)
    end = datetime(last_year + 2, 1, 1, tzinfo=UTC)
    rules = Timezone()
    rules.add("tzid", name)
    before = start - timedelta(days=1)
    for at in (start, *_changes(zone, start, end)):
        rules.add_component(_observance(zone, before, at))
        before = at
    return rules


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the instants from start to end at which a zone's offset changes, to the second."""
    day = timedelta(days=1)
    while start < end:
        low, high = start, min(start + day, end)
        while high - low > timedelta(seconds=1) and _offset(zone, low) != _offset(zone, high):
            middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
            low, high = (middle, high) if _offset(zone, middle) == _offset(zone, low) else (low, middle)
        if _offset(zone, low) != _offset(zone, high):
            yield high
        start += day


def _observance(zone: ZoneInfo, before: datetime, at: datetime) -> TimezoneStandard | TimezoneDaylight:
    local, earlier = at.astimezone(zone), _offset(zone, before)
    part = TimezoneDaylight() if local.dst() else TimezoneStandard()
    part.add("dtstart", (at + earlier).replace(tzinfo=None))
    part.add("tzoffsetfrom", earlier)
    part.add("tzoffsetto", _offset(zone, at))
    part.add("tzname", local.tzname() or str(zone))
    return part


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _plain(text: str) -> str:
    """Return a text on one line, without the characters that could begin another."""
    return _UNPRINTABLE.sub(" ", text).strip()
