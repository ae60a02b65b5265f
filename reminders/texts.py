"""The words of a message: one source per language, from which text and HTML are both made.

A source is a template whose first line is the subject; a blank line parts the blocks below it. A block of
lines that start with "| " is the card with day, time and place, one of "- " a list, any other a paragraph.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_location
from django.conf import settings
from django.template.loader import get_template

from clinics.models import Clinic
from courses.models import TreatmentSession
from reminders.channels.base import Message
from reminders.convert import zone_of
from reminders.core import CourseFacts, upcoming
from reminders.models import Reminder, Trigger

# A schedule lists this many sessions, then says how many more there are.
LISTED_MOST: Final = 10
_SPACE: Final = re.compile(r"[\s\x00-\x1f\x7f]+")
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_PATTERNS: Final = {"en": "EEEE, d MMMM", "ru": "EEEE, d MMMM"}
_NEAR: Final = {"en": ("today", "tomorrow"), "ru": ("сегодня", "завтра")}
_ZONE: Final = {"en": "{} time", "ru": "время: {}"}


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a message: a paragraph, a card or a list, as lines without their marks."""

    kind: str
    lines: tuple[str, ...]


def message_key(row: Reminder) -> str:
    """Return the Message-ID of a reminder, the same at every try."""
    host = (
        parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or urlsplit(settings.BASE_URL).hostname
    )
    return f"<{row.code}@{host}>"


def write_message(row: Any, *, address: str, schedule: CourseFacts | None, now: datetime) -> Message:
    """Return the message of a row as it reads now, in the client's language.

    Written at the moment of sending, so that "tomorrow" is never yesterday's word. The row comes from
    checked_rows(); a schedule's needs `schedule`.
    """
    clinic: Clinic = row.clinic
    language = row.client.language
    values = _values(row, schedule=schedule, now=now)
    source = get_template(f"messages/{language}/{row.trigger}.txt").render(values)
    subject, _, body = source.strip().partition("\n")
    own_subject = row.rule.texts.get(language, {}).get("subject", "")
    if own_subject:
        subject = fill(own_subject, values)
    blocks = parse_blocks(body)
    return Message(
        key=message_key(row),
        address=address,
        subject=_plain(subject),
        text=write_text(blocks),
        html=get_template("messages/layout.html").render(
            {"blocks": blocks, "subject": _plain(subject), "language": language, "clinic": values["clinic"]}
        ),
        sender_name=values["clinic"],
        reply_to=clinic.reply_to_email,
        clinic_id=clinic.pk,
    )


def parse_blocks(body: str) -> tuple[Block, ...]:
    """Return the blocks of a source's body in order."""
    return tuple(_block(chunk.splitlines()) for chunk in re.split(r"\n\s*\n", body.strip()) if chunk.strip())


def write_text(blocks: Iterable[Block]) -> str:
    """Return the message as plain text."""
    marks = {"card": "    ", "list": "- ", "text": ""}
    return "\n\n".join("\n".join(marks[b.kind] + line for line in b.lines) for b in blocks) + "\n"


def fill(text: str, values: dict[str, Any]) -> str:
    """Return a clinic's own words with the known placeholders replaced; unknown ones stay as written.

    Deliberately no template language: a clinic writes these.
    """
    known = {name: values[name] for name in ("name", "clinic", "phone", "day", "time") if values.get(name)}
    return _PLACEHOLDER.sub(lambda found: str(known.get(found[1], found[0])), text)


def day_text(day: date, language: str) -> str:
    """Return a date with its weekday, in the order and words of the language."""
    return format_date(day, _PATTERNS[language], locale=language)


def _block(lines: list[str]) -> Block:
    stripped = [line.strip() for line in lines if line.strip()]
    for mark, kind in (("| ", "card"), ("- ", "list")):
        if all(line.startswith(mark) for line in stripped):
            return Block(kind, tuple(line[len(mark) :] for line in stripped))
    return Block("text", tuple(stripped))


def _plain(text: str) -> str:
    """Return a text on one line: a name may hold anything, a header and a card may not."""
    return _SPACE.sub(" ", text).strip()


def _values(row: Any, *, schedule: CourseFacts | None, now: datetime) -> dict[str, Any]:
    clinic: Clinic = row.clinic
    language = row.client.language
    values: dict[str, Any] = {
        "name": _plain(row.client.given_name),
        "clinic": _plain(clinic.sender_name or clinic.name),
        "phone": _plain(clinic.phone),
        "address": _plain(clinic.address),
    }
    if row.session is not None:
        values |= _session_values(row, row.session, now=now)
    else:
        values |= _course_values(row, language)
    if row.trigger == Trigger.MISSED_SESSION:
        values |= _next_booked(row, now=now)
    if schedule is not None:
        values |= _schedule_values(row, schedule, now=now)
    if clinic.shows_treatment_in_messages:
        protocol = row.course.protocol
        values["treatment"] = _plain(protocol.name_in(language))
        values["preparation"] = [
            _plain(line) for line in protocol.preparation_in(language).splitlines() if line
        ]
    own_intro = row.rule.texts.get(language, {}).get("intro", "")
    values["own_intro"] = _plain(fill(own_intro, values)) if own_intro else ""
    return values


def _session_values(row: Any, session: TreatmentSession, *, now: datetime) -> dict[str, Any]:
    zone = ZoneInfo(row.clinic.time_zone)
    values: dict[str, Any] = {"day": day_text(session.on, row.client.language), "near": ""}
    if session.starts_at is None or session.ends_at is None:
        return values
    language = row.client.language
    ahead = (session.on - now.astimezone(zone).date()).days
    values |= {
        "near": _NEAR[language][ahead] if 0 <= ahead <= 1 else "",
        "time": _time_text(session.starts_at, zone, language),
        "until": _time_text(session.ends_at, zone, language),
        "zone": _zone_text(row, session.starts_at),
    }
    return values


def _course_values(row: Any, language: str) -> dict[str, Any]:
    course = row.course
    values: dict[str, Any] = {"due_from": "", "due_by": ""}
    if course.due_from_on is not None:
        values["due_from"] = day_text(course.due_from_on, language)
    if course.due_by_on is not None and course.due_by_on != course.due_from_on:
        values["due_by"] = day_text(course.due_by_on, language)
    return values


def _next_booked(row: Any, *, now: datetime) -> dict[str, Any]:
    booked = TreatmentSession.objects.filter(
        course=row.course, status__in=("booked", "confirmed"), starts_at__gt=now
    )
    session = booked.order_by("starts_at").first()
    return {"next": _slot_text(row, session.starts_at)} if session and session.starts_at else {}


def _schedule_values(row: Any, schedule: CourseFacts, *, now: datetime) -> dict[str, Any]:
    booked = [(s.code, s.starts_at) for s in upcoming(schedule, now=now) if s.starts_at is not None]
    gone = sorted(at for code, at in schedule.told - frozenset(booked) if at > now)
    return {
        "is_change": bool(schedule.told),
        "slots": [_slot_text(row, at) for _, at in booked[:LISTED_MOST]],
        "more_count": max(0, len(booked) - LISTED_MOST),
        "gone": [_slot_text(row, at) for at in gone[:LISTED_MOST]],
        "zone": _zone_text(row, booked[0][1]) if booked else "",
    }


def _slot_text(row: Any, at: datetime) -> str:
    zone = ZoneInfo(row.clinic.time_zone)
    language = row.client.language
    return f"{day_text(at.astimezone(zone).date(), language)}, {_time_text(at, zone, language)}"


def _time_text(at: datetime, zone: ZoneInfo, language: str) -> str:
    return format_time(at.astimezone(zone), "HH:mm", tzinfo=zone, locale=language)


def _zone_text(row: Any, at: datetime) -> str:
    """Return the name of the clinic's time, or nothing while the client's clock shows the same."""
    clinic_zone, client_zone = ZoneInfo(row.clinic.time_zone), zone_of(row.client, row.clinic)
    if _offset(at, clinic_zone) == _offset(at, client_zone):
        return ""
    language = row.client.language
    return _ZONE[language].format(get_timezone_location(clinic_zone, locale=language, return_city=True))


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
