"""A course in the words of its client's page; runs no query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _

from clients.models import Channel, Client
from courses.models import Course, CourseStatus, Pause, TreatmentSession
from portal.presenters import VisitPage, bare_hours, lines_of, present_visit, zone_note
from reminders.convert import CourseDetails
from reminders.texts.dates import day_text, short_day_text


@dataclass(frozen=True)
class VisitLine:
    """A further visit as a line, with the address of its page."""

    day: str
    hours: str
    url: str


@dataclass(frozen=True)
class CoursePage:
    """What the page of a course shows; `kind` says how it stands, `next` is the visit that comes first.

    `asks_year`: more is shown to whoever says the client's year of birth.
    """

    kind: str
    tone: str
    heading: str
    says: str
    clinic: str
    phone: str
    address: str = ""
    next: VisitPage | None = None
    next_code: UUID | None = None
    further: tuple[VisitLine, ...] = ()
    zone_note: str = ""
    can_book: bool = False
    window: str = ""
    treatment: str = ""
    progress: str = ""
    done: int = 0
    most: int | None = None
    preparation: tuple[str, ...] = ()
    has_ribbon: bool = False
    asks_year: bool = False
    is_shown: bool = False


def present_course(
    course: Course,
    client: Client,
    *,
    ref: str,
    sessions: Sequence[TreatmentSession],
    pauses: Sequence[Pause],
    details: CourseDetails,
    is_shown: bool,
    now: datetime,
) -> CoursePage:
    """Return a course as its client may see it, in the language in force.

    `sessions` are those booked that are not over, by time; `is_shown` whether it may be said what they are for.
    """
    clinic, zone = course.clinic, ZoneInfo(course.clinic.time_zone)
    today = now.astimezone(zone).date()
    is_paused = _is_paused(pauses, today)
    kind = _kind(course, client, sessions, is_paused=is_paused)
    heading, says, tone = _words(kind)
    name = clinic.sender_name or clinic.name
    if kind == "erased":
        return CoursePage(kind, tone, heading, says, name, clinic.phone)
    for session in sessions:
        # Loaded once for all of them.
        session.course, session.clinic = course, clinic
    first = sessions[0] if kind == "booked" else None
    visit = None
    if first is not None:
        visit = present_visit(
            first, client, is_paused=_is_paused(pauses, first.on), is_known=is_shown, now=now
        )
        heading, says, tone = visit.heading, visit.says, visit.tone
    done = max(0, (course.session_number or 1) - 1)
    return CoursePage(
        kind=kind,
        tone=tone,
        heading=heading,
        says=says,
        clinic=name,
        phone=clinic.phone,
        address=clinic.address,
        next=visit,
        next_code=first.code if first else None,
        further=tuple(visit_line(session, client, ref) for session in sessions[1:] if first),
        zone_note=zone_note((session.starts_at for session in sessions[1:]), client, zone),
        can_book=kind == "unbooked",
        window=_window(course, client) if kind == "unbooked" else "",
        treatment=course.protocol.name_in(client.language) if is_shown else "",
        progress=_progress(course, done, details) if is_shown else "",
        done=done,
        most=details.most,
        preparation=lines_of(course.protocol.preparation_in(client.language)) if is_shown and first else (),
        has_ribbon=is_shown,
        asks_year=not is_shown and client.birth_on is not None,
        is_shown=is_shown,
    )


def _kind(course: Course, client: Client, sessions: Sequence[TreatmentSession], *, is_paused: bool) -> str:
    if client.erased_at is not None:
        return "erased"
    if course.status == CourseStatus.DISCONTINUED:
        return "ended"
    if sessions:
        return "booked"
    if course.status == CourseStatus.COMPLETED:
        return "completed"
    return "paused" if is_paused else "unbooked"


def _words(kind: str) -> tuple[str, str, str]:
    """Return the heading, the sentence below it, and the tone."""
    return {
        "booked": ("", "", "accent"),
        "unbooked": (
            _("No visit is booked"),
            _("Visits do most good when they follow each other as planned. Choose the time of the next one."),
            "warning",
        ),
        "paused": (
            _("Your visits are on hold"),
            _("The clinic has put them on hold for a while and will tell you how it goes on."),
            "warning",
        ),
        "completed": (
            _("You have completed your course"),
            _("Thank you for keeping to it. If you would like to go on, call the clinic."),
            "good",
        ),
        "ended": (
            _("These visits have ended"),
            _("Nothing more is planned. If you have a question, call the clinic."),
            "quiet",
        ),
        "erased": (
            _("There is nothing here any more"),
            _("Your data were erased. If you have a question, call the clinic."),
            "quiet",
        ),
    }[kind]


def _is_paused(pauses: Sequence[Pause], day: date) -> bool:
    return any(pause.from_on <= day and (pause.to_on is None or day <= pause.to_on) for pause in pauses)


def channel_name(channel: str) -> str:
    """Return a channel in words, in the language in force; none is an empty text."""
    return str(Channel(channel).label) if channel else ""


def visit_line(session: TreatmentSession, client: Client, ref: str) -> VisitLine:
    """Return a visit as a line that leads to its page."""
    return VisitLine(
        short_day_text(session.on, client.language),
        bare_hours(session, ZoneInfo(client.clinic.time_zone)),
        reverse("portal:visit", kwargs={"ref": ref, "code": session.code}),
    )


def _window(course: Course, client: Client) -> str:
    """Return the days that suit the next visit."""
    if course.due_from_on is None or course.due_by_on is None:
        return ""
    first = day_text(course.due_from_on, client.language)
    last = day_text(course.due_by_on, client.language)
    return first if first == last else f"{first} – {last}"


def _progress(course: Course, done: int, details: CourseDetails) -> str:
    if course.session_number is None:
        return _("Visits you have had: %(done)s") % {"done": course.attended_count}
    if details.amount:
        return _("Visits you have had: %(done)s of %(amount)s") % {"done": done, "amount": details.amount}
    return _("Visits you have had in this part of the course: %(done)s") % {"done": done}
