"""A visit in the words of its page; runs no query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clients.models import Client
from courses.models import CANCELLED_STATUSES, SessionStatus, TreatmentSession
from courses.services.booking import cancelled_status
from reminders.texts.dates import city_text, day_text, offset, time_text

# What the last press came to where the state alone does not say it, by the word in the address.
MOVED: Final = "moved"
BUSY: Final = "busy"


@dataclass(frozen=True)
class VisitPage:
    """What one visit's page shows; `kind` says how it stands with it."""

    kind: str
    tone: str
    heading: str
    says: str
    clinic: str
    phone: str
    address: str = ""
    day: str = ""
    hours: str = ""
    starts_at: datetime | None = None
    treatment: str = ""
    preparation: tuple[str, ...] = ()
    can_confirm: bool = False
    can_cancel: bool = False
    is_late: bool = False
    is_gone: bool = False
    notice_hours: int = 0
    version: int = 0
    note: str = ""


def present_visit(
    session: TreatmentSession, client: Client, *, is_paused: bool, now: datetime, note: str = ""
) -> VisitPage:
    """Return a visit as its client may see it, in the language in force."""
    clinic = session.clinic
    kind = kind_of(session, client, is_paused=is_paused, now=now)
    heading, says, tone = _words(kind)
    name = clinic.sender_name or clinic.name
    if kind == "erased":
        return VisitPage(kind, tone, heading, says, name, clinic.phone)
    zone, language = ZoneInfo(clinic.time_zone), client.language
    shows = clinic.shows_treatment_in_messages
    protocol = session.course.protocol
    is_open = kind in ("open", "confirmed")
    return VisitPage(
        kind=kind,
        tone=tone,
        heading=heading,
        says=says,
        clinic=name,
        phone=clinic.phone,
        address=clinic.address,
        day=day_text(session.on, language),
        hours=_hours(session, client, zone),
        starts_at=session.starts_at.astimezone(zone) if session.starts_at else None,
        treatment=protocol.name_in(language) if shows else "",
        preparation=_lines(protocol.preparation_in(language)) if shows and is_open else (),
        can_confirm=kind == "open",
        can_cancel=is_open,
        is_late=is_open
        and cancelled_status(session, whose="client", now=now) == SessionStatus.CANCELLED_LATE,
        is_gone=session.status in CANCELLED_STATUSES,
        notice_hours=clinic.notice_hours,
        version=session.version,
        note=_note(note, kind),
    )


def kind_of(session: TreatmentSession, client: Client, *, is_paused: bool, now: datetime) -> str:
    """Return how it stands with a visit: the same order in which an answer about it would be refused."""
    if client.erased_at is not None:
        return "erased"
    if session.status in CANCELLED_STATUSES:
        is_clinics = session.status == SessionStatus.CANCELLED_BY_CLINIC
        return "cancelled-by-clinic" if is_clinics else "cancelled"
    if session.has_outcome:
        return "over"
    if session.status == SessionStatus.ARRIVED:
        return "arrived"
    if session.starts_at is not None and session.starts_at <= now:
        return "begun"
    if not session.course.is_open:
        return "ended"
    if session.starts_at is None:
        return "unplanned"
    if is_paused:
        return "paused"
    return "confirmed" if session.status == SessionStatus.CONFIRMED else "open"


def _words(kind: str) -> tuple[str, str, str]:
    """Return the heading, the sentence below it, and the tone."""
    return {
        "open": (_("Your visit"), _("Please confirm that you are coming."), "accent"),
        "confirmed": (_("You have confirmed"), _("Thank you. We expect you."), "good"),
        "cancelled": (
            _("You have cancelled this visit"),
            _("It no longer takes place. To book another one, call the clinic."),
            "quiet",
        ),
        "cancelled-by-clinic": (
            _("The clinic has cancelled this visit"),
            _("It does not take place. To book another one, call the clinic."),
            "warning",
        ),
        "over": (_("This visit is over"), _("There is nothing more to do here."), "quiet"),
        "arrived": (_("You have arrived"), _("The clinic knows that you are here."), "good"),
        "begun": (
            _("This visit has already begun"),
            _("It can no longer be changed here. If you are late, call the clinic."),
            "warning",
        ),
        "ended": (
            _("This visit can no longer be changed here"),
            _("The course that it belongs to has ended. If you have a question, call the clinic."),
            "quiet",
        ),
        "unplanned": (
            _("The time of this visit is not fixed yet"),
            _("The clinic will tell you when it is."),
            "quiet",
        ),
        "paused": (
            _("This visit is on hold"),
            _("It falls into a break. The clinic will tell you how it goes on; if in doubt, call."),
            "warning",
        ),
        "erased": (
            _("There is nothing here any more"),
            _("Your data were erased. If you have a question, call the clinic."),
            "quiet",
        ),
    }[kind]


def _note(note: str, kind: str) -> str:
    """Return what has to be said of the last press, where it still makes sense."""
    if note == MOVED and kind in ("open", "confirmed"):
        return _(
            "The time was changed after you had opened this page. Look at the new time, then press again."
        )
    if note == BUSY:
        return _("The clinic was changing this visit at the same moment. Press again.")
    return ""


def _hours(session: TreatmentSession, client: Client, zone: ZoneInfo) -> str:
    if session.starts_at is None or session.ends_at is None:
        return ""
    text = f"{time_text(session.starts_at, zone)}–{time_text(session.ends_at, zone)}"
    theirs = ZoneInfo(client.time_zone) if client.time_zone else zone
    if offset(session.starts_at, theirs) == offset(session.starts_at, zone):
        return text
    return _("%(hours)s (%(city)s time)") % {"hours": text, "city": city_text(zone, client.language)}


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
