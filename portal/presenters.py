"""A visit in the words of its page; runs no query."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clients.models import Client
from courses.models import (
    CANCELLED_STATUSES,
    Reaction,
    ReactionReport,
    SessionStatus,
    TreatmentSession,
)
from courses.services import can_come_earlier, may_report
from reminders.convert import shows_treatment
from reminders.services.answering import is_notice_over
from reminders.texts.dates import city_text, day_text, offset, time_text

# What the last press came to where the state alone does not say it, by the word in the address.
MOVED: Final = "moved"
BUSY: Final = "busy"
DONE: Final = "done"
LATE: Final = "late"
TAKEN: Final = "taken"
FELT: Final = "felt"
GONE: Final = "gone"
KEPT: Final = "kept"
# As long as an opened page is remembered: right after a slip of the finger it can be put right.
_RECALLED_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class VisitPage:
    """What one visit's page shows; `kind` says how it stands with it, `is_done` that the note is good news."""

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
    can_move: bool = False
    can_wait: bool = False
    can_book: bool = False
    can_feel: bool = False
    has_felt: bool = False
    next_step: str = ""
    is_late: bool = False
    is_gone: bool = False
    notice_hours: int = 0
    version: int = 0
    note: str = ""
    is_done: bool = False


def present_visit(
    session: TreatmentSession,
    client: Client,
    *,
    is_paused: bool,
    now: datetime,
    is_known: bool = False,
    can_book: bool = False,
    report: ReactionReport | None = None,
    note: str = "",
) -> VisitPage:
    """Return a visit as its client may see it, in the language in force.

    `is_known`: whoever looks has proved to be the client, and may see what the treatment is. `can_book`: the course
    has room for another visit, which can be booked on its page.
    """
    clinic = session.clinic
    kind = kind_of(session, client, is_paused=is_paused, now=now)
    can_book = can_book and kind in ("cancelled", "cancelled-by-clinic")
    heading, says, tone = _words(kind, can_book=can_book)
    name = clinic.sender_name or clinic.name
    if kind == "erased":
        return VisitPage(kind, tone, heading, says, name, clinic.phone)
    zone, language = ZoneInfo(clinic.time_zone), client.language
    shows = is_known or shows_treatment(client, clinic)
    protocol = session.course.protocol
    is_open = kind in ("open", "confirmed")
    is_late = is_open and is_notice_over(session, now=now)
    return VisitPage(
        kind=kind,
        tone=tone,
        heading=heading,
        says=says,
        clinic=name,
        phone=clinic.phone,
        address=clinic.address,
        day=day_text(session.on, language),
        hours=hours_text(session, client, zone),
        starts_at=session.starts_at.astimezone(zone) if session.starts_at else None,
        treatment=protocol.name_in(language) if shows else "",
        preparation=lines_of(protocol.preparation_in(language)) if shows and is_open else (),
        can_confirm=kind == "open",
        can_cancel=is_open,
        can_move=is_open and not is_late,
        can_wait=is_open and can_come_earlier(session, now=now),
        can_book=can_book,
        can_feel=may_report(session, now=now),
        has_felt=report is not None,
        next_step=_next_step(report, recalls=recalls(report, shows=shows, now=now))
        if report is not None
        else "",
        is_late=is_late,
        is_gone=session.status in CANCELLED_STATUSES,
        notice_hours=clinic.notice_hours,
        version=session.version,
        note=_note(note, kind),
        is_done=note == DONE,
    )


def kind_of(session: TreatmentSession, client: Client, *, is_paused: bool, now: datetime) -> str:
    """Return how it stands with a visit: the same order in which an answer about it would be refused."""
    if client.erased_at is not None:
        return "erased"
    if session.status in CANCELLED_STATUSES and not session.course.is_open:
        return "cancelled-with-course"
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


def _words(kind: str, *, can_book: bool) -> tuple[str, str, str]:
    """Return the heading, the sentence below it, and the tone."""
    return {
        "open": (_("Your visit"), _("Please confirm that you are coming."), "accent"),
        "confirmed": (_("You have confirmed"), _("Thank you. We expect you."), "good"),
        "cancelled": (
            _("You have cancelled this visit"),
            _("It no longer takes place. You can choose another time.")
            if can_book
            else _("It no longer takes place. If you need another time, call the clinic."),
            "quiet",
        ),
        "cancelled-by-clinic": (
            _("The clinic has cancelled this visit"),
            _("It does not take place. You can choose another time.")
            if can_book
            else _("It does not take place. If you need another time, call the clinic."),
            "warning",
        ),
        "cancelled-with-course": (
            _("This visit does not take place"),
            _("The course that it belongs to has ended. If you have a question, call the clinic."),
            "quiet",
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


def recalls(report: ReactionReport, *, shows: bool, now: datetime) -> bool:
    """Return whether a page may repeat what the client said: not for ever to whoever holds only the link."""
    return shows or now - report.reported_at < _RECALLED_FOR


def _next_step(report: ReactionReport, *, recalls: bool) -> str:
    """Return what happens after what the client said; nothing of what it was where the page may not repeat it."""
    if not recalls:
        return _("The clinic has what you said.")
    if report.reaction == Reaction.BRUISES:
        return _(
            "The clinic reads this. Visits usually wait until bruises have healed: it may put yours on hold, and "
            "tells you. Until then your next visit stays as it is booked."
        )
    if report.needs_person:
        return _("The clinic reads this. If it gets worse, do not wait: call.")
    return _("The clinic sees it before your next visit.")


def _note(note: str, kind: str) -> str:
    """Return what has to be said of the last press, where it still makes sense."""
    if note == MOVED and kind in ("open", "confirmed"):
        return _(
            "The time was changed after you had opened this page. Look at the new time, then press again."
        )
    if note == BUSY:
        return _("The clinic was changing this visit at the same moment. Press again.")
    if note == DONE and kind in ("open", "confirmed"):
        return _("Done. This is your new time.")
    if note == GONE:
        return _("Somebody else was quicker. Your visit stays as it is booked.")
    if note == LATE and kind in ("open", "confirmed"):
        return _("It begins too soon to be moved here. Call the clinic.")
    return ""


def hours_text(session: TreatmentSession, client: Client, zone: ZoneInfo) -> str:
    """Return the times at which a visit begins and ends, named where the client's clock shows others."""
    text = bare_hours(session, zone)
    return _named(text, session.starts_at, client, zone) if session.starts_at else text


def bare_hours(session: TreatmentSession, zone: ZoneInfo) -> str:
    """Return the times at which a visit begins and ends, for a list that names the clock once for all."""
    if session.starts_at is None or session.ends_at is None:
        return ""
    return f"{time_text(session.starts_at, zone)}–{time_text(session.ends_at, zone)}"


def zone_note(times: Iterable[datetime | None], client: Client, zone: ZoneInfo) -> str:
    """Return whose time a list of times is in, where the client's clock shows another for one of them."""
    if all(at is None or _is_theirs(at, client, zone) for at in times):
        return ""
    return _("Times are local: %(city)s.") % {"city": city_text(zone, client.language)}


def named_time(at: datetime, client: Client, zone: ZoneInfo) -> str:
    """Return a time of the clinic's, named where the client's clock shows another."""
    return _named(time_text(at, zone), at, client, zone)


def _named(text: str, at: datetime, client: Client, zone: ZoneInfo) -> str:
    if _is_theirs(at, client, zone):
        return text
    return _("%(hours)s (%(city)s time)") % {"hours": text, "city": city_text(zone, client.language)}


def _is_theirs(at: datetime, client: Client, zone: ZoneInfo) -> bool:
    theirs = ZoneInfo(client.time_zone) if client.time_zone else zone
    return offset(at, theirs) == offset(at, zone)


def lines_of(text: str) -> tuple[str, ...]:
    """Return the lines of a text that say something."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
