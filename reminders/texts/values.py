"""What stands in place of each placeholder: worked out for one message, and only what its text asks for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from reminders.codes import code_of
from reminders.convert import CourseDetails, load_course_details, shows_treatment, zone_of
from reminders.core import CourseFacts, upcoming
from reminders.digests import count_morning, finding_lines
from reminders.texts.compiling import Value
from reminders.texts.dates import (
    city_text,
    day_text,
    offset,
    on_day_text,
    short_day_text,
    time_text,
)
from reminders.texts.shipped import shipped_words

# A schedule lists this many sessions, then says how many more there are.
LISTED_MOST: Final = 10

# What a text may name; a clinic's page lists them with these words.
PLACEHOLDERS: Final[dict[str, Any]] = {
    "name": _("the client's given name"),
    "clinic": _("the clinic's name as its sender"),
    "address": _("the clinic's address"),
    "phone": _("the clinic's telephone"),
    "contact": _("a sentence that says how to reach the clinic"),
    "day": _("the day of the visit with its weekday"),
    "date": _("the day of the visit, abbreviated for SMS"),
    "near": _("“today”, “tomorrow” or the day of the visit"),
    "when": _("the day of the visit, with “today” or “tomorrow” before it"),
    "time": _("the time at which the visit begins"),
    "until": _("the time at which the visit ends"),
    "hours": _("the times at which the visit begins and ends"),
    "due_from": _("the first day that suits the next visit"),
    "due_by": _("the last day that suits the next visit"),
    "window": _("the days that suit the next visit"),
    "window_short": _("the days that suit the next visit, abbreviated for SMS"),
    "visits": _("the visits that are booked, as a list"),
    "cancelled_visits": _("the visits that are no longer booked, as a list"),
    "next_visit": _("the next booked visit"),
    "earlier": _("the earlier time that is offered to a client who waits for one"),
    "link": _("the client's page: of the visit, else of the course"),
    "code": _("the code that a client has asked for"),
    "treatment": _("the name of the treatment, only where the clinic shows it"),
    "preparation": _("how to prepare, as a list, only where the clinic shows the treatment"),
    "progress": _("which session of how many it is, only where the clinic shows the treatment"),
    "best_before": _("the last day that suits the visit, only where the clinic shows the treatment"),
    "sessions_today": _("for staff: how many visits are booked today"),
    "findings": _("for staff: the open findings by kind, as a list"),
    "unrecorded": _("for staff: how many past visits have no outcome"),
    "failed": _("for staff: how many messages could not be delivered"),
    "disabled": _("for staff: how many addresses have stopped working"),
    "expired": _("for staff: how many messages became too late to be of use"),
}
KNOWN: Final = frozenset(PLACEHOLDERS)


class MessageLinks(Protocol):
    """The addresses that a message carries; blank where it carries none."""

    @property
    def session(self) -> str: ...
    @property
    def course(self) -> str: ...
    @property
    def unsubscribe(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Part:
    """One reminder of a message: its row, the schedule where it tells one, and the addresses it carries."""

    row: Any
    schedule: CourseFacts | None = None
    links: MessageLinks | None = None


@dataclass
class View:
    """What the values of one part are read from."""

    part: Part
    now: datetime
    language: str
    zone: ZoneInfo
    words: dict[str, str] = field(init=False)
    _details: CourseDetails | None = None
    _morning: Any = None

    def __post_init__(self) -> None:
        self.words = shipped_words(self.language)

    @property
    def row(self) -> Any:
        return self.part.row

    @property
    def is_open(self) -> bool:
        """Whether the client is shown what the treatment is."""
        return self.row.course is not None and shows_treatment(self.row.client, self.row.clinic)

    @property
    def details(self) -> CourseDetails:
        """What is booked ahead and how far the course is; loaded with the batch, else now."""
        if self._details is None:
            found = getattr(self.row, "course_details", None)
            self._details = found or load_course_details([self.row.course], now=self.now)[self.row.course.pk]
        return self._details

    @property
    def morning(self) -> Any:
        if self._morning is None:
            self._morning = count_morning(self.row, now=self.now)
        return self._morning

    def with_zone(self, text: str, at: datetime) -> str:
        """Name the clinic's time after a time where the client's clock shows another."""
        if self.row.client is None or not self.row.client.time_zone:
            return text
        theirs = zone_of(self.row.client, self.row.clinic)
        if offset(at, self.zone) == offset(at, theirs):
            return text
        return self.words["zone"].format(time=text, city=city_text(self.zone, self.language))

    def slot(self, at: datetime) -> str:
        """Return a day and its time."""
        text = f"{day_text(at.astimezone(self.zone).date(), self.language)}, {time_text(at, self.zone)}"
        return self.with_zone(text, at)


class Values(dict[str, Value]):
    """The values of one part, each worked out when first asked for."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    def __missing__(self, name: str) -> Value:
        value = self[name] = _MAKERS[name](self._view)
        return value


def view_of(part: Part, *, now: datetime) -> View:
    """Return what the values of a part are read from, in its recipient's language."""
    row = part.row
    if row.client is not None:
        language = row.client.language
    else:
        language = row.staff_member.user.language or row.clinic.language
    return View(part, now, language, ZoneInfo(row.clinic.time_zone))


def plain(text: str) -> str:
    """Return a text on one line of printable characters: a name may hold anything, a header may not."""
    if text.isprintable():
        return text.strip()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# ---------------------------------------------------------------- clinic and recipient


def sender_name(view: View) -> str:
    return plain(view.row.clinic.sender_name or view.row.clinic.name)


def _name(view: View) -> str:
    client = view.row.client
    return plain(client.given_name if client is not None else view.row.staff_member.display_name)


def _contact(view: View) -> str:
    phone = plain(view.row.clinic.phone)
    if phone:
        return view.words["call"].format(phone=phone)
    can_reply = view.row.channel == "email" and view.row.clinic.reply_to_email
    return view.words["reply"] if can_reply else ""


# ---------------------------------------------------------------- the visit


def _on(view: View) -> date:
    """Return the day that the message is about: its visit's, else today."""
    session = view.row.session
    return session.on if session is not None else view.now.astimezone(view.zone).date()


def _ahead(view: View) -> str:
    days = (_on(view) - view.now.astimezone(view.zone).date()).days
    return view.words[("today", "tomorrow")[days]] if 0 <= days <= 1 else ""


def _near(view: View) -> str:
    return _ahead(view) or on_day_text(_on(view), view.language)


def _when(view: View) -> str:
    day, ahead = day_text(_on(view), view.language), _ahead(view)
    return f"{ahead}, {day}" if ahead else day


def _time(view: View, end: str = "starts_at") -> str:
    session = view.row.session
    at = getattr(session, end) if session is not None else None
    return "" if at is None else view.with_zone(time_text(at, view.zone), at)


def _hours(view: View) -> str:
    session = view.row.session
    if session is None or session.starts_at is None or session.ends_at is None:
        return ""
    text = f"{time_text(session.starts_at, view.zone)}–{time_text(session.ends_at, view.zone)}"
    return view.with_zone(text, session.starts_at)


def _link(view: View) -> str:
    if view.row.client is None:
        return f"{settings.BASE_URL.rstrip('/')}/"
    links = view.part.links
    return (links.session or links.course) if links is not None else ""


# ---------------------------------------------------------------- the course


def _due(view: View, end: str) -> str:
    course = view.row.course
    on = getattr(course, end) if course is not None else None
    return "" if on is None else day_text(on, view.language)


def _window(view: View, text: Callable[[date, str], str] = day_text, dash: str = " – ") -> str:
    course = view.row.course
    if course is None or course.due_from_on is None:
        return ""
    first = text(course.due_from_on, view.language)
    if course.due_by_on is None or course.due_by_on <= course.due_from_on:
        return first
    return first + dash + text(course.due_by_on, view.language)


def _treatment(view: View) -> str:
    return plain(view.row.course.protocol.name_in(view.language)) if view.is_open else ""


def _preparation(view: View) -> tuple[str, ...]:
    if not view.is_open or view.row.session is None:
        return ()
    lines = view.row.course.protocol.preparation_in(view.language).splitlines()
    return tuple(text for line in lines if (text := plain(line)))


# About a visit that is over.
_BEHIND: Final = ("missed_session", "after_session")


def _is_next(view: View) -> bool:
    """Return whether the visit that the message is about is the next one of its course."""
    session = view.row.session
    if session is None or view.row.trigger in _BEHIND:
        return True
    return not any(at < session.starts_at for at in view.details.booked)


def _progress(view: View) -> str:
    if not view.is_open or view.row.course.session_number is None:
        return ""
    number = view.row.course.session_number
    session = view.row.session
    if session is not None and session.starts_at is not None and view.row.trigger not in _BEHIND:
        number += sum(at < session.starts_at for at in view.details.booked)
    amount, most = view.details.amount, view.details.most
    if most is not None and number > most:
        # It belongs to the next phase, which counts from one again.
        return ""
    return view.words["progress_of" if amount else "progress"].format(number=number, amount=amount)


def _best_before(view: View) -> str:
    return _due(view, "due_by_on") if view.is_open and _is_next(view) else ""


# ---------------------------------------------------------------- the schedule


def _booked(view: View) -> tuple[datetime, ...]:
    if view.part.schedule is None:
        return view.details.booked if view.row.course is not None else ()
    return tuple(s.starts_at for s in upcoming(view.part.schedule, now=view.now) if s.starts_at is not None)


def _visits(view: View) -> tuple[str, ...]:
    return _listed(view, _booked(view)) or (view.words["no_visits"],)


def _cancelled_visits(view: View) -> tuple[str, ...]:
    facts = view.part.schedule
    if facts is None:
        return ()
    booked = {(s.code, s.starts_at) for s in upcoming(facts, now=view.now)}
    return _listed(view, tuple(sorted(at for code, at in facts.told - booked if at > view.now)))


def _listed(view: View, slots: tuple[datetime, ...]) -> tuple[str, ...]:
    lines = tuple(view.slot(at) for at in slots[:LISTED_MOST])
    more = len(slots) - LISTED_MOST
    return (*lines, view.words["more"].format(count=more)) if more > 0 else lines


def _next_visit(view: View) -> str:
    booked = _booked(view)
    return view.slot(booked[0]) if booked else ""


def _earlier(view: View) -> str:
    """Return the slot that is offered: what the message is about names it."""
    slot = view.row.about.removeprefix("slot:")
    return view.slot(datetime.fromisoformat(slot)) if view.row.trigger == "earlier_slot" else ""


def _code(view: View) -> str:
    return code_of(view.row) if view.row.trigger == "access_code" else ""


# ---------------------------------------------------------------- the morning of the staff


def _count(name: str) -> Callable[[View], str]:
    def text(view: View) -> str:
        number = getattr(view.morning, name) if view.row.staff_member is not None else 0
        # The day's visits are said even when there are none; of trouble only what there is.
        return str(number) if number or name == "sessions_today" else ""

    return text


def _findings(view: View) -> tuple[str, ...]:
    if view.row.staff_member is None:
        return ()
    return finding_lines(view.morning, language=view.language)


_MAKERS: Final[dict[str, Callable[[View], Value]]] = {
    "name": _name,
    "clinic": sender_name,
    "address": lambda view: plain(view.row.clinic.address),
    "phone": lambda view: plain(view.row.clinic.phone),
    "contact": _contact,
    "day": lambda view: day_text(_on(view), view.language),
    "date": lambda view: short_day_text(_on(view), view.language),
    "near": _near,
    "when": _when,
    "time": _time,
    "until": lambda view: _time(view, "ends_at"),
    "hours": _hours,
    "due_from": lambda view: _due(view, "due_from_on"),
    "due_by": lambda view: _due(view, "due_by_on"),
    "window": _window,
    # A plain hyphen: a dash would make an SMS twice as dear.
    "window_short": lambda view: _window(view, short_day_text, " - "),
    "visits": _visits,
    "cancelled_visits": _cancelled_visits,
    "next_visit": _next_visit,
    "earlier": _earlier,
    "code": _code,
    "link": _link,
    "treatment": _treatment,
    "preparation": _preparation,
    "progress": _progress,
    "best_before": _best_before,
    "sessions_today": _count("sessions_today"),
    "findings": _findings,
    "unrecorded": _count("unrecorded"),
    "failed": _count("failed"),
    "disabled": _count("disabled"),
    "expired": _count("expired"),
}
assert _MAKERS.keys() == KNOWN
