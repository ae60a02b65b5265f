"""Words, colours and addresses of states; everything here is handed its rows and runs no query."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import phonenumbers
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from clients.models import Channel, Client
from clinics.access import Capability, is_allowed
from clinics.models import StaffMember
from courses.core.ribbon import RibbonFacts
from courses.core.sentences import SENTENCES
from courses.models import (
    OUTCOME_STATUSES,
    Cause,
    Course,
    CourseStatus,
    DriftState,
    Flag,
    FlagKind,
    PauseReason,
    Reaction,
    SessionStatus,
    Severity,
    TreatmentSession,
)
from staff.templatetags.interface import day


@dataclass(frozen=True, slots=True)
class Badge:
    """A word with its colour and sign; `hint` says more to who points at it."""

    label: str
    tone: str
    icon: str
    hint: str = ""


# ---------------------------------------------------------------- sessions

_SESSION_LOOK: Final = {
    SessionStatus.PLANNED: ("quiet", "calendar-time"),
    SessionStatus.BOOKED: ("quiet", "calendar"),
    SessionStatus.CONFIRMED: ("accent", "calendar-check"),
    SessionStatus.ARRIVED: ("accent", "user-check"),
    SessionStatus.ATTENDED: ("good", "circle-check"),
    SessionStatus.NO_SHOW: ("serious", "user-x"),
    SessionStatus.CANCELLED_LATE: ("warning", "ban"),
    SessionStatus.CANCELLED_BY_CLIENT: ("quiet", "ban"),
    SessionStatus.CANCELLED_BY_CLINIC: ("quiet", "ban"),
}


def session_badge(session: TreatmentSession, *, today: date) -> Badge:
    tone, icon = _SESSION_LOOK[SessionStatus(session.status)]
    if session.is_booked and session.on < today:
        return Badge(_("Not recorded"), "warning", "help-circle")
    label = capfirst(session.get_status_display())
    if session.status == SessionStatus.BOOKED and session.starts_at and not session.confirmed_at:
        return Badge(_("Not confirmed"), tone, icon)
    if session.status == SessionStatus.ARRIVED and session.arrived_at:
        return Badge(
            _("Here since %(time)s") % {"time": f"{timezone.localtime(session.arrived_at):%H:%M}"}, tone, icon
        )
    return Badge(label, tone, icon, session.cancel_reason)


def amount_words(phase: dict[str, Any]) -> str:
    """Return how many sessions a phase asks for, for example "10–15"; empty when only its duration counts."""
    if phase["target"]:
        return str(phase["target"])
    if not phase["sessions_max"]:
        return ""
    if phase["sessions_min"] in (None, phase["sessions_max"]):
        return str(phase["sessions_max"])
    return f"{phase['sessions_min']}–{phase['sessions_max']}"


def session_progress(session: Any, phases: Sequence[dict[str, Any]]) -> str:
    """Return which session of its phase it is, for example "Session 7 of 10–15".

    The session carries the counts of courses.selectors.clinic_sessions().
    """
    course = session.course
    is_attended = session.status == SessionStatus.ATTENDED
    if course.session_number is None or course.phase_position is None:
        number = session.attended_until + (0 if is_attended else 1)
        return _("Session %(number)s") % {"number": number}
    done_here = course.session_number - 1
    if is_attended:
        number = done_here - (course.attended_count - session.attended_until)
    else:
        number = course.session_number + session.booked_before
    position = course.phase_position
    if number < 1:
        # Attended in an earlier phase: its number there would need the whole history.
        return _("Session %(number)s") % {"number": session.attended_until}
    amount = phases[position]["target"] or phases[position]["sessions_max"]
    if amount and number > amount and position + 1 < len(phases):
        number, position = number - amount, position + 1
    return number_in_phase(number, phases[position])


def number_in_phase(number: int, phase: dict[str, Any]) -> str:
    if words := amount_words(phase):
        return _("Session %(number)s of %(amount)s") % {"number": number, "amount": words}
    return _("Session %(number)s, %(phase)s") % {"number": number, "phase": phase_kind_words(phase["kind"])}


def phase_kind_words(kind: str) -> str:
    return pgettext("phase", "maintenance") if kind == "maintenance" else pgettext("phase", "intensive")


# ---------------------------------------------------------------- courses

_STATE_LOOK: Final = {
    DriftState.NOT_STARTED: ("quiet", "hourglass"),
    DriftState.RESTING: ("good", "circle-check"),
    DriftState.DUE: ("accent", "calendar-due"),
    DriftState.LATE: ("warning", "clock"),
    DriftState.OVERDUE: ("serious", "alert-triangle"),
    DriftState.LAPSED: ("serious", "alert-triangle"),
    DriftState.PAUSED: ("quiet", "player-pause"),
    DriftState.FINISHED: ("good", "checks"),
}


def course_badge(course: Course) -> Badge:
    """Return where a course stands: its drift while it runs, else how it ended."""
    if course.status in (CourseStatus.ACTIVE, CourseStatus.PAUSED) and course.state:
        tone, icon = _STATE_LOOK[DriftState(course.state)]
        return Badge(capfirst(course.get_state_display()), tone, icon)
    tone, icon = {
        CourseStatus.COMPLETED: ("good", "checks"),
        CourseStatus.DISCONTINUED: ("quiet", "player-stop"),
    }.get(CourseStatus(course.status), ("quiet", "hourglass"))
    return Badge(capfirst(course.get_status_display()), tone, icon, course.end_reason)


def course_url(course: Course) -> str:
    return reverse("staff:course-detail", args=[course.code])


def client_url(client: Client) -> str:
    return reverse("staff:client-edit", args=[client.code])


def protocol_name(course: Course) -> str:
    return course.protocol.name_in(get_language() or "en")


def window_words(course: Course, *, today: date) -> tuple[str, ...]:
    """Return the days of the next session's window: its first and last, one when they are the same, or none."""
    if course.due_from_on is None or course.due_by_on is None:
        return ()
    days = dict.fromkeys((course.due_from_on, course.due_by_on))
    return tuple(day(on, today) for on in days)


def course_progress(course: Course, phases: Sequence[dict[str, Any]]) -> str:
    """Return how much of a course's present phase is done, for example "6 of 10–15"."""
    if course.session_number is None or course.phase_position is None:
        return ngettext("%(number)s session", "%(number)s sessions", course.attended_count) % {
            "number": course.attended_count
        }
    phase, done = phases[course.phase_position], course.session_number - 1
    if words := amount_words(phase):
        return _("%(number)s of %(amount)s") % {"number": done, "amount": words}
    return _("%(number)s, %(phase)s") % {"number": done, "phase": phase_kind_words(phase["kind"])}


# ---------------------------------------------------------------- flags

SEVERITY_LOOK: Final = {
    Severity.SERIOUS: ("serious", "alert-triangle"),
    Severity.WARNING: ("warning", "alert-circle"),
    Severity.NOTICE: ("notice", "info-circle"),
}


def severity_badge(flag: Flag) -> Badge:
    tone, icon = SEVERITY_LOOK[Severity(flag.severity)]
    return Badge(capfirst(flag.get_severity_display()), tone, icon)


def flag_chip(flag: Flag) -> Badge:
    """Return a flag in two or three words, its sentence as the hint."""
    tone, icon = SEVERITY_LOOK[Severity(flag.severity)]
    return Badge(flag_words(flag), tone, icon, flag_sentence(flag))


def flag_words(flag: Flag) -> str:
    number = (flag.days if flag.count is None else flag.count) or 0
    words = {
        FlagKind.OVERDUE: lambda: ngettext("%(n)s day overdue", "%(n)s days overdue", number),
        FlagKind.LAPSED: lambda: ngettext("Lapsed, %(n)s day late", "Lapsed, %(n)s days late", number),
        FlagKind.INTERRUPTED: lambda: ngettext(
            "%(n)s day without a session", "%(n)s days without a session", number
        ),
        FlagKind.UNBOOKED: lambda: _("Nothing booked"),
        FlagKind.BOOKED_LATE: lambda: ngettext("Booked %(n)s day late", "Booked %(n)s days late", number),
        FlagKind.MISBOOKED: lambda: _("Booked on a wrong day"),
        FlagKind.TOO_FREQUENT: lambda: ngettext("%(n)s day too early", "%(n)s days too early", number),
        FlagKind.BEHIND: lambda: ngettext("%(n)s day behind", "%(n)s days behind", number),
        FlagKind.MISSED_STREAK: lambda: ngettext("Missed %(n)s time", "Missed %(n)s times in a row", number),
        FlagKind.DECISION_DUE: lambda: _("Decision due"),
        FlagKind.UNRECORDED: lambda: _("Outcome missing"),
        FlagKind.CONTRAINDICATED: lambda: _("Contraindicated"),
        FlagKind.OFF_PROTOCOL: lambda: _("Off protocol"),
    }[FlagKind(flag.kind)]()
    return words % {"n": number}


def flag_sentence(flag: Flag) -> str:
    """Return the finding behind a flag as one sentence in the reader's language."""
    key = str(flag.kind)
    for detail in (flag.severity, flag.cause):
        if f"{flag.kind}.{detail}" in SENTENCES:
            key = f"{flag.kind}.{detail}"
    number = (flag.days if flag.count is None else flag.count) or 0
    on = flag.evidence.get("on")
    values = {
        "number": number,
        "limit": flag.evidence.get("limit"),
        "session": flag.evidence.get("session"),
        "on": day(parse_date(on)) if on else "",
    }
    return ngettext(*SENTENCES[key], number) % values


def cause_words(flag: Flag) -> str:
    """Return who or what a lateness comes from, where the sentence does not say so itself."""
    if f"{flag.kind}.{flag.cause}" in SENTENCES:
        return ""
    words: dict[str, str] = {
        Cause.CLIENT: _("The client missed or cancelled"),
        Cause.CLINIC: _("The clinic cancelled"),
        Cause.BOTH: _("Client and clinic cancelled"),
        Cause.SCHEDULING: _("Booked late or not at all"),
    }
    return words.get(flag.cause, "")


def telephone(client: Client) -> tuple[str, str]:
    """Return a client's telephone as people write it and as a link dials it; both empty without one."""
    points = [
        point
        for point in client.contact_points.all()
        if point.channel == Channel.SMS and not point.disabled_at
    ]
    if not points:
        return "", ""
    number = points[0].value
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number, f"tel:{number}"
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL), f"tel:{number}"


def moment_words(at: datetime | None, *, today: date) -> str:
    """Return an instant as weekday, date and time."""
    return f"{day(at, today)}, {timezone.localtime(at):%H:%M}" if at else ""


# ---------------------------------------------------------------- Today


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session as a line of a day, with what the reader may do about it now."""

    session: TreatmentSession
    badge: Badge
    progress: str
    protocol: str
    chips: tuple[Badge, ...]
    minutes: int | None
    outcome: str
    can_confirm: bool
    can_arrive: bool
    can_attend: bool
    can_miss: bool
    can_cancel: bool
    can_undo: bool
    is_over: bool

    @property
    def has_menu(self) -> bool:
        return self.can_confirm or self.can_miss or self.can_cancel or self.can_undo


_DONE: Final = frozenset(OUTCOME_STATUSES)
# Chips that the line itself already says, or that are no news to who has the client in front of them.
_SAID_BY_THE_LINE: Final = frozenset({FlagKind.UNRECORDED})


def session_line(
    session: TreatmentSession,
    *,
    phases: Sequence[dict[str, Any]],
    flags: Sequence[Flag],
    member: StaffMember,
    today: date,
) -> SessionLine:
    status, is_due = session.status, session.on <= today
    records, books = is_allowed(member, Capability.RECORD), is_allowed(member, Capability.BOOK)
    is_waiting = status in (SessionStatus.BOOKED, SessionStatus.CONFIRMED)
    is_open = session.course.status in (CourseStatus.ACTIVE, CourseStatus.PAUSED)
    return SessionLine(
        session=session,
        badge=session_badge(session, today=today),
        progress=session_progress(session, phases),
        protocol=protocol_name(session.course),
        chips=tuple(flag_chip(flag) for flag in flags if flag.kind not in _SAID_BY_THE_LINE),
        minutes=booked_minutes(session),
        outcome=outcome_words(session),
        can_confirm=books and is_open and status == SessionStatus.BOOKED and session.on >= today,
        can_arrive=records and is_open and is_waiting and session.on == today,
        can_attend=records and is_open and is_due and (is_waiting or status == SessionStatus.ARRIVED),
        can_miss=records and is_open and is_due and is_waiting,
        can_cancel=books and is_open and session.is_booked,
        can_undo=records
        and session.course.status != CourseStatus.DISCONTINUED
        and session.starts_at is not None
        and (status in _DONE or status == SessionStatus.ARRIVED),
        is_over=status in _DONE,
    )


def booked_minutes(session: TreatmentSession) -> int | None:
    if session.minutes:
        return session.minutes
    if session.starts_at and session.ends_at:
        return int((session.ends_at - session.starts_at).total_seconds()) // 60
    return None


def outcome_words(session: TreatmentSession) -> str:
    """Return how an attended session went, for example "bruises, pain 6 → 3"; or why one was cancelled."""
    parts = []
    if session.reaction and session.reaction != Reaction.NONE:
        parts.append(capfirst(session.get_reaction_display()))
    if session.pain_before is not None and session.pain_after is not None:
        parts.append(
            _("pain %(before)s → %(after)s") % {"before": session.pain_before, "after": session.pain_after}
        )
    parts += [text for text in (session.note, session.cancel_reason) if text]
    return " · ".join(parts)


def day_summary(counts: dict[str, int]) -> list[str]:
    """Return how a day stands in a few words, what is nought left out."""
    waiting = counts.get(SessionStatus.BOOKED, 0) + counts.get(SessionStatus.CONFIRMED, 0)
    missed = counts.get(SessionStatus.NO_SHOW, 0)
    cancelled = sum(number for status, number in counts.items() if status.startswith("cancelled"))
    here, done = counts.get(SessionStatus.ARRIVED, 0), counts.get(SessionStatus.ATTENDED, 0)
    said = (
        (waiting, ngettext("%(n)s expected", "%(n)s expected", waiting)),
        (here, ngettext("%(n)s here", "%(n)s here", here)),
        (done, ngettext("%(n)s treated", "%(n)s treated", done)),
        (missed, ngettext("%(n)s did not come", "%(n)s did not come", missed)),
        (cancelled, ngettext("%(n)s cancelled", "%(n)s cancelled", cancelled)),
    )
    return [words % {"n": number} for number, words in said if number]


_PAUSE_FOR: Final = (
    ("bleeding", PauseReason.BLEEDING),
    ("bruise", PauseReason.BRUISES),
    ("infection", PauseReason.ILLNESS),
    ("influenza", PauseReason.ILLNESS),
    ("fever", PauseReason.ILLNESS),
)


def pause_reason_for(conditions: Sequence[str]) -> str:
    """Return the reason of a pause that conditions propose."""
    for part, reason in _PAUSE_FOR:
        if any(part in condition for condition in conditions):
            return reason
    return PauseReason.OTHER


@dataclass(frozen=True, slots=True)
class PersonOfDay:
    """A practitioner in the switch above a day, with the number of sessions there."""

    code: uuid.UUID
    name: str
    count: int


def people_of_day(members: Sequence[StaffMember], sessions: Sequence[TreatmentSession]) -> list[PersonOfDay]:
    """Return the practitioners of a clinic with their sessions of a day, in the clinic's order."""
    counts = Counter(session.practitioner_id for session in sessions)
    return [PersonOfDay(member.code, member.display_name, counts[member.pk]) for member in members]


def first_ahead(lines: Sequence[SessionLine], now: datetime) -> uuid.UUID | None:
    """Return the code of the first session of a day that still lies ahead, if others lie behind."""
    for position, line in enumerate(lines):
        if line.session.starts_at and line.session.starts_at > now:
            return line.session.code if position else None
    return None


# ---------------------------------------------------------------- Needs attention


@dataclass(frozen=True, slots=True)
class FlagLine:
    """One open flag as a line of the worklist."""

    flag: Flag
    severity: Badge
    title: str
    sentence: str
    cause: str
    protocol: str
    phone: str
    phone_url: str
    ribbon: RibbonFacts
    booking: TreatmentSession | None
    since: str
    last_call: str
    is_put_off: bool
    can_act: bool


def flag_line(
    flag: Flag, *, ribbon: RibbonFacts, booking: TreatmentSession | None, today: date, can_act: bool
) -> FlagLine:
    phone, phone_url = telephone(flag.course.client)
    put_off = flag.snoozed_until_on
    return FlagLine(
        flag=flag,
        severity=severity_badge(flag),
        title=flag_words(flag),
        sentence=flag_sentence(flag),
        cause=cause_words(flag),
        protocol=protocol_name(flag.course),
        phone=phone,
        phone_url=phone_url,
        ribbon=ribbon,
        booking=booking,
        since=since_words(flag, today=today),
        last_call=last_call_words(flag, today=today),
        is_put_off=put_off is not None and put_off > today,
        can_act=can_act,
    )


def since_words(flag: Flag, *, today: date) -> str:
    if flag.since_on >= today:
        return _("since today")
    return _("since %(day)s") % {"day": day(flag.since_on, today)}


def last_call_words(flag: Flag, *, today: date) -> str:
    """Return what became of the latest call about a flag; empty before the first."""
    calls = list(flag.calls.all())
    if not calls:
        return ""
    latest = calls[0]
    words = _("%(day)s, %(who)s: %(outcome)s") % {
        "day": day(latest.created_at, today),
        "who": latest.by.display_name,
        "outcome": latest.get_outcome_display(),
    }
    return f"{words}. {latest.note}" if latest.note else words


# ---------------------------------------------------------------- Courses


@dataclass(frozen=True, slots=True)
class CourseLine:
    """One course as a line of the list."""

    course: Course
    badge: Badge
    protocol: str
    progress: str
    window: tuple[str, ...]
    chips: tuple[Badge, ...]
    ribbon: RibbonFacts
    booking: TreatmentSession | None


def course_line(
    course: Course,
    *,
    phases: Sequence[dict[str, Any]],
    flags: Sequence[Flag],
    ribbon: RibbonFacts,
    booking: TreatmentSession | None,
    today: date,
) -> CourseLine:
    # The state's badge says these already.
    said = {FlagKind.OVERDUE, FlagKind.LAPSED}
    return CourseLine(
        course=course,
        badge=course_badge(course),
        protocol=protocol_name(course),
        progress=course_progress(course, phases),
        window=window_words(course, today=today),
        chips=tuple(flag_chip(flag) for flag in flags if flag.kind not in said),
        ribbon=ribbon,
        booking=booking,
    )


@dataclass(frozen=True, slots=True)
class SortColumn:
    """The head of a column that sorts: what its link asks for, and how it is sorted now."""

    name: str
    label: str
    order: str
    sorted: str


def sort_columns(order: str) -> dict[str, SortColumn]:
    """Return the sortable columns of the course list by name; the link of the present one turns it round."""
    labels = {
        "client": _("Client"),
        "attended": _("Progress"),
        "due": _("Next window"),
        "started": _("Started"),
    }
    return {
        name: SortColumn(
            name=name,
            label=label,
            order=f"-{name}" if order == name else name,
            sorted={name: "ascending", f"-{name}": "descending"}.get(order, ""),
        )
        for name, label in labels.items()
    }


# ---------------------------------------------------------------- Clients


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One client as a line of the list."""

    client: Client
    phone: str
    phone_url: str
    email: str
    courses: str


def client_line(client: Any) -> ClientLine:
    """Return a client of courses.selectors.search_clients() as a line."""
    phone, phone_url = telephone(client)
    emails = [point.value for point in client.contact_points.all() if point.channel == Channel.EMAIL]
    running = client.running_count
    words = ngettext("%(n)s course runs", "%(n)s courses run", running) % {"n": running} if running else ""
    return ClientLine(client, phone, phone_url, emails[0] if emails else "", words)
