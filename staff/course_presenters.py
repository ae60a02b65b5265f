"""The course page in words, colours and addresses; everything here is handed its rows and runs no query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Generic, TypeVar

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinics.access import Capability, is_allowed
from clinics.models import StaffMember
from courses.convert import CourseFacts
from courses.core.ribbon import RibbonFacts
from courses.core.types import Assessment, Gap
from courses.models import (
    Course,
    CourseStatus,
    Flag,
    FlagKind,
    Pause,
    RecordedContraindication,
    TreatmentSession,
)
from courses.prescription_words import phase_words
from staff import presenters
from staff.planning_words import kept_reasons_words, span_words
from staff.presenters import Badge
from staff.presenters.from_clients import Said, said_after
from staff.templatetags.interface import day

# ---------------------------------------------------------------- the sentence at the top


def state_sentences(
    course: Course,
    assessment: Assessment,
    *,
    pauses: Sequence[Pause],
    bookings: Sequence[TreatmentSession],
    today: date,
) -> list[str]:
    """Return where the course stands and what comes next, in two or three plain sentences."""
    if course.status == CourseStatus.DISCONTINUED:
        return [_("The course was stopped: %(reason)s.") % {"reason": course.end_reason.rstrip(".")}]
    said = [_standing(course, assessment, pauses=pauses, today=today)]
    if assessment.state == "finished":
        return said
    if bookings:
        first = bookings[0]
        booked = _("Booked for %(moment)s") % {
            "moment": presenters.moment_words(first.starts_at, today=today)
        }
        if first.practitioner:
            booked = _("%(booked)s with %(name)s") % {
                "booked": booked,
                "name": first.practitioner.display_name,
            }
        said.append(booked + ".")
    else:
        said.append(_("Nothing is booked."))
    return said


def _standing(course: Course, assessment: Assessment, *, pauses: Sequence[Pause], today: date) -> str:
    due_from, due_by, number = assessment.due_from, assessment.due_by, assessment.session
    if due_from is None or due_by is None:
        return _("Everything prescribed is done.")
    values = {
        "number": number,
        "window": span_words(due_from, due_by, today=today),
        "due_by": day(due_by, today),
        "start": day(course.start_on, today),
    }
    if assessment.state == "paused":
        return _paused_sentence(pauses, today=today)
    return {
        "not_started": _("The course starts on %(start)s; session %(number)s is due %(window)s."),
        "resting": _("The body rests; session %(number)s is due %(window)s."),
        "due": _("Session %(number)s is due now, until %(due_by)s."),
        "late": _("Session %(number)s was due by %(due_by)s and is a little late."),
        "overdue": _("Session %(number)s was due by %(due_by)s and is overdue."),
        "lapsed": _("Session %(number)s was due by %(due_by)s: the course has lapsed."),
    }[assessment.state] % values


def _paused_sentence(pauses: Sequence[Pause], *, today: date) -> str:
    pause = next(p for p in pauses if p.from_on <= today and (p.to_on is None or today <= p.to_on))
    values = {"reason": pause.get_reason_display(), "until": day(pause.to_on, today)}
    if pause.to_on is None:
        return _("The course is paused without an end: %(reason)s.") % values
    return _("The course is paused until %(until)s: %(reason)s.") % values


# ---------------------------------------------------------------- flags


@dataclass(frozen=True, slots=True)
class FlagCard:
    """One open finding: its sentence, cause, age and what can be done about it here."""

    flag: Flag
    badge: Badge
    sentence: str
    cause: str
    since: str
    actions: tuple[tuple[str, str], ...]


# What a page offers against each kind of finding: names of actions, the likeliest first.
_REMEDIES: Final[dict[str, tuple[str, ...]]] = {
    FlagKind.OVERDUE: ("book", "pause"),
    FlagKind.LAPSED: ("restart", "discontinue"),
    FlagKind.INTERRUPTED: ("restart", "book"),
    FlagKind.UNBOOKED: ("book", "replan"),
    FlagKind.BOOKED_LATE: ("replan",),
    FlagKind.MISBOOKED: ("replan",),
    FlagKind.TOO_FREQUENT: ("replan",),
    FlagKind.BEHIND: ("replan",),
    FlagKind.MISSED_STREAK: ("book", "pause"),
    FlagKind.DECISION_DUE: ("target", "end-phase"),
    FlagKind.CONTRAINDICATED: ("replan", "pause"),
}


def flag_cards(flags: Sequence[Flag], actions: Mapping[str, "Action"], *, today: date) -> list[FlagCard]:
    return [
        FlagCard(
            flag=flag,
            badge=presenters.severity_badge(flag),
            sentence=presenters.flag_sentence(flag),
            cause=presenters.cause_words(flag),
            since=_("since %(day)s") % {"day": day(flag.since_on, today)},
            actions=tuple(
                (actions[name].url, str(actions[name].label))
                for name in _REMEDIES.get(flag.kind, ())
                if name in actions
            ),
        )
        for flag in flags
    ]


# ---------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class Action:
    """Something the reader may do with the course: where it is done and what the button says."""

    name: str
    url: str
    label: str
    icon: str


def course_actions(
    course: Course, facts: CourseFacts, assessment: Assessment, member: StaffMember
) -> dict[str, Action]:
    """Return what this member may do with the course as it stands, by name."""
    if not course.is_open:
        return {}
    is_running = assessment.phase is not None
    phase = facts.prescription.phases[assessment.phase or 0]
    has_range = is_running and phase.sessions_min != phase.sessions_max
    offered = (
        ("book", _("Book next session"), "calendar-plus", Capability.BOOK, is_running),
        ("replan", _("Replan"), "arrows-exchange", Capability.BOOK, is_running),
        ("pause", _("Pause"), "player-pause", Capability.BOOK, True),
        ("condition", _("Record a condition"), "heartbeat", Capability.RECORD, True),
        ("target", _("Decide the number of sessions"), "target", Capability.PRESCRIBE, has_range),
        ("end-phase", _("End this phase"), "checks", Capability.PRESCRIBE, is_running),
        ("restart", _("Restart"), "refresh", Capability.PRESCRIBE, is_running),
        ("change", _("Change the prescription"), "edit", Capability.PRESCRIBE, is_running),
        ("discontinue", _("Stop the course"), "player-stop", Capability.PRESCRIBE, True),
    )
    return {
        name: Action(name, reverse(f"staff:course-{name}", args=[course.code]), label, icon)
        for name, label, icon, capability, is_possible in offered
        if is_possible and is_allowed(member, capability)
    }


# ---------------------------------------------------------------- tables

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class SplitRows(Generic[_Row]):
    """The rows of a table that are seen at once, and those behind a fold."""

    seen: tuple[_Row, ...]
    folded: tuple[_Row, ...]


def split(rows: Sequence[_Row], most: int) -> SplitRows[_Row]:
    """Return the first rows and the rest; a fold that would hide one row only is not made."""
    if len(rows) <= most + 1:
        return SplitRows(tuple(rows), ())
    return SplitRows(tuple(rows[:most]), tuple(rows[most:]))


# ---------------------------------------------------------------- sessions


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session of the course's table."""

    session: TreatmentSession
    number: str
    window: str
    badge: Badge
    verdict: Badge | None
    details: str
    why: tuple[str, ...]
    can_move: bool
    can_correct: bool
    said: Said | None = None


def session_rows(
    sessions: Sequence[TreatmentSession],
    ribbon: RibbonFacts,
    assessment: Assessment,
    *,
    today: date,
    can_book: bool,
    can_record: bool,
) -> tuple[list[SessionRow], list[SessionRow]]:
    """Return the sessions ahead, the next first, and those behind, the latest first."""
    gaps = {gap.on: gap for gap in assessment.gaps}
    windows = {window.on: window for window in ribbon.windows if window.on is not None}
    rows = []
    for session in sessions:
        is_counted = session.status == "attended" or (session.is_booked and session.on >= today)
        window = windows.get(session.on) if is_counted else None
        gap = gaps.get(session.on) if session.status == "attended" else None
        rows.append(
            SessionRow(
                session=session,
                number=str(window.session) if window else "",
                window=span_words(window.due_from, window.due_by, today=today) if window else "",
                badge=presenters.session_badge(session, today=today),
                verdict=_verdict(session, gap),
                details=presenters.outcome_words(session),
                why=tuple(kept_reasons_words(session.why, today=today)),
                can_move=can_book and session.status in ("booked", "confirmed") and session.on >= today,
                can_correct=can_record and session.has_outcome,
                said=said_after(session, today=today),
            )
        )
    ahead = [row for row in rows if row.session.on >= today and not row.session.has_outcome]
    behind = [row for row in reversed(rows) if row not in ahead]
    return ahead, behind


def _verdict(session: TreatmentSession, gap: Gap | None) -> Badge | None:
    if session.status != "attended":
        return None
    if gap is None:
        return Badge(_("Not prescribed any more"), "quiet", "info-circle")
    if gap.verdict == "early":
        words = ngettext("%(n)s day early", "%(n)s days early", gap.days) % {"n": gap.days}
        return Badge(
            words, "warning", "clock", _("Too soon after the session before: the effect is reduced.")
        )
    if gap.verdict == "late":
        words = ngettext("%(n)s day late", "%(n)s days late", gap.days) % {"n": gap.days}
        return Badge(words, "serious", "clock", _cause_of(gap))
    return Badge(_("On time"), "good", "check")


def _cause_of(gap: Gap) -> str:
    return {
        "client": _("The client missed or cancelled"),
        "clinic": _("The clinic cancelled"),
        "both": _("Client and clinic cancelled"),
        "scheduling": _("Booked late or not at all"),
    }.get(gap.cause or "", "")


# ---------------------------------------------------------------- prescription and measures


@dataclass(frozen=True, slots=True)
class PhaseLine:
    name: str
    words: str
    is_current: bool


def phase_lines(facts: CourseFacts, assessment: Assessment) -> list[PhaseLine]:
    return [
        PhaseLine(
            capfirst(presenters.phase_kind_words(phase.kind)),
            phase_words(phase),
            position == assessment.phase,
        )
        for position, phase in enumerate(facts.prescription.phases)
    ]


def measure_rows(assessment: Assessment, *, today: date) -> list[tuple[str, str]]:
    """Return the measures that have a value, named."""
    measures = assessment.measures
    found = [(_("Attended"), str(measures.attended))]
    for name, rate in (
        (_("Came to what was booked"), measures.attendance_rate),
        (_("On time"), measures.on_time_rate),
        (_("Early"), measures.early_rate),
        (_("Late"), measures.late_rate),
    ):
        if rate is not None:
            found.append((name, _("%(percent)s %%") % {"percent": round(rate * 100)}))
    if measures.slippage_days:
        slipped = ngettext("%(n)s day", "%(n)s days", measures.slippage_days) % {"n": measures.slippage_days}
        found.append((_("Late in all, this phase"), slipped))
    if measures.projected_end is not None:
        found.append((_("Projected end of this phase"), day(measures.projected_end, today)))
    return found


# ---------------------------------------------------------------- pauses and conditions


@dataclass(frozen=True, slots=True)
class PauseRow:
    pause: Pause
    words: str
    reason: str
    is_now: bool
    is_too_long: bool


def pause_rows(pauses: Sequence[Pause], *, longest_days: int, today: date) -> list[PauseRow]:
    """Return the pauses, the latest first; one beyond the clinic's longest asks for a review."""
    return [
        PauseRow(
            pause,
            open_span_words(pause.from_on, pause.to_on, today=today),
            capfirst(pause.get_reason_display()),
            pause.from_on <= today and (pause.to_on is None or today <= pause.to_on),
            ((pause.to_on or today) - pause.from_on).days + 1 > longest_days,
        )
        for pause in sorted(pauses, key=lambda pause: pause.from_on, reverse=True)
    ]


def open_span_words(from_on: date, to_on: date | None, *, today: date) -> str:
    if to_on is None:
        return _("from %(day)s on") % {"day": day(from_on, today)}
    return span_words(from_on, to_on, today=today)


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """A recorded condition that the protocol knows, and whether a prescriber set it aside."""

    condition: str
    name: str
    strength: str
    words: str
    is_active: bool
    override: str
    can_override: bool


def condition_rows(
    recorded: Sequence[RecordedContraindication],
    known: Mapping[str, tuple[str, str]],
    overrides: Mapping[str, str],
    *,
    may_override: bool,
    today: date,
) -> list[ConditionRow]:
    """Return the client's conditions, those in force first; `known` is name and strength by condition."""
    rows = []
    for row in recorded:
        if row.condition not in known:
            continue
        name, strength = known[row.condition]
        is_active = row.from_on <= today and (row.to_on is None or today <= row.to_on)
        reason = overrides.get(row.condition, "")
        rows.append(
            ConditionRow(
                row.condition,
                name,
                strength,
                open_span_words(row.from_on, row.to_on, today=today),
                is_active,
                reason,
                may_override and not reason and strength != "caution",
            )
        )
    return sorted(rows, key=lambda row: not row.is_active)
