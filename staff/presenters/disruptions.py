"""Disruptions in words: who is hit, where each session could go, and what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from clinics.models import StaffMember
from courses.core.types import Finding
from courses.models import (
    DisruptedSession,
    Disruption,
    DisruptionStatus,
    Flag,
    MoveChoice,
    MoveOutcome,
    TreatmentSession,
    UndoOutcome,
)
from courses.services import drift_values
from staff.planning_words import kept_reasons_words, span_words
from staff.presenters.badges import Badge
from staff.presenters.courses import course_url
from staff.presenters.flags import flag_chip
from staff.presenters.sessions import moment_words

Words = str | Promise

_REFUSALS: Final[Mapping[str, Words]] = {
    "no_slot": gettext_lazy("No time was found that fits."),
    "not_asked": gettext_lazy("The prescription asks for no more sessions."),
    "stale_plan": gettext_lazy("The course or the calendar has changed since this was planned."),
    "slot_taken": gettext_lazy("Somebody else was quicker: the time is taken."),
    "day_taken": gettext_lazy("The course has another session on that day."),
    "course_not_open": gettext_lazy("The course is over."),
    "count_out_of_range": gettext_lazy("There are too many ways to plan this course."),
    "never_open": gettext_lazy("The clinic has no opening hours."),
    "changed_since": gettext_lazy("Somebody has changed this session since."),
    "confirmed_since": gettext_lazy("The client has confirmed the new time."),
    "slot_past": gettext_lazy("Its old time has passed."),
    "clinic_closed": gettext_lazy("The clinic is closed on that day."),
    "outside_hours": gettext_lazy("That is outside the clinic's opening hours."),
    "practitioner_absent": gettext_lazy("The practitioner is away on that day."),
    "practitioner_off": gettext_lazy("The practitioner does not work at that time."),
    "practitioner_unknown": gettext_lazy("The practitioner treats nobody here any more."),
    "room_unknown": gettext_lazy("The room is not in use any more."),
    "course_paused": gettext_lazy("The course is paused on that day."),
    "contraindicated": gettext_lazy("A recorded condition speaks against a session on that day."),
}


def outage_title(practitioner: StaffMember | None) -> str:
    """Return who is away, or that nobody is there."""
    if practitioner is None:
        return _("The clinic is closed")
    return _("%(name)s is away") % {"name": practitioner.display_name}


# ---------------------------------------------------------------- who is hit


@dataclass(frozen=True, slots=True)
class HitLine:
    """One session that cannot take place, and what its course would drift into."""

    when: str
    client: str
    url: str
    practitioner: str
    chips: tuple[Badge, ...]


def hit_lines(
    sessions: Iterable[TreatmentSession], drift: Mapping[int, Sequence[Finding]], *, today: date
) -> list[HitLine]:
    return [
        HitLine(
            when=moment_words(session.starts_at, today=today),
            client=session.course.client.name,
            url=course_url(session.course),
            practitioner=session.practitioner.display_name if session.practitioner else "",
            chips=tuple(_chip(drift_values(finding)) for finding in drift.get(session.course_id, ())),
        )
        for session in sessions
    ]


def _chip(values: Mapping[str, Any]) -> Badge:
    return flag_chip(Flag(**values))


def hit_words(sessions: Sequence[TreatmentSession]) -> str:
    """Return how many sessions of how many clients are hit."""
    number = len(sessions)
    clients = len({session.client_id for session in sessions})
    booked = ngettext("%(n)s session is booked then", "%(n)s sessions are booked then", number)
    with_clients = ngettext("with %(n)s client", "with %(n)s clients", clients)
    return f"{booked % {'n': number}}, {with_clients % {'n': clients}}."


def drift_words(drift: Mapping[int, Sequence[Finding]]) -> str:
    """Return how many courses would drift if nothing is done; nothing when none would."""
    number = sum(1 for findings in drift.values() if findings)
    if not number:
        return _("No course would be late by then even if they fell out.")
    return ngettext(
        "If nothing is done, %(n)s course drifts from its prescription.",
        "If nothing is done, %(n)s courses drift from their prescription.",
        number,
    ) % {"n": number}


# ---------------------------------------------------------------- recent ones


@dataclass(frozen=True, slots=True)
class DisruptionLine:
    """One disruption as a line of the list."""

    title: str
    days: str
    url: str
    badge: Badge
    by: str
    at: datetime


def disruption_line(disruption: Disruption, *, today: date) -> DisruptionLine:
    return DisruptionLine(
        title=outage_title(disruption.practitioner),
        days=span_words(*disruption.days, today=today),
        url=reverse("staff:disruption-detail", args=[disruption.code]),
        badge=disruption_badge(disruption),
        by=disruption.created_by.display_name if disruption.created_by else "",
        at=disruption.created_at,
    )


def disruption_badge(disruption: Disruption) -> Badge:
    job = disruption.job
    if job is not None and job.has_ended and disruption.status in ("planning", "applying", "undoing"):
        return Badge(_("Stopped half-way"), "warning", "alert-triangle")
    badges = {
        DisruptionStatus.PLANNING: Badge(_("Being planned"), "accent", "hourglass"),
        DisruptionStatus.PLANNED: Badge(_("Not applied yet"), "notice", "calendar-time"),
        DisruptionStatus.APPLYING: Badge(_("Being applied"), "accent", "hourglass"),
        DisruptionStatus.APPLIED: Badge(_("Applied"), "good", "circle-check"),
        DisruptionStatus.UNDOING: Badge(_("Being taken back"), "accent", "hourglass"),
        DisruptionStatus.UNDONE: Badge(_("Taken back"), "quiet", "arrow-back-up"),
    }
    return badges[DisruptionStatus(disruption.status)]


# ---------------------------------------------------------------- moves


@dataclass(frozen=True, slots=True)
class MoveLine:
    """One session hit: where it was, where it is to go and why, what is chosen and what came of it."""

    row: DisruptedSession
    client: str
    url: str
    old: str
    old_who: str
    new: str
    new_who: str
    outside: str
    why: tuple[str, ...]
    chips: tuple[Badge, ...]
    choices: tuple[tuple[str, str, bool], ...]
    badge: Badge | None
    refusal: str

    @property
    def is_at_old(self) -> bool:
        """The old time holds: nothing was done, or it was taken back."""
        is_changed = self.row.outcome in (MoveOutcome.MOVED, MoveOutcome.CANCELLED)
        return not is_changed or self.row.undone == UndoOutcome.BACK


def move_line(row: DisruptedSession, *, today: date) -> MoveLine:
    outside = ngettext("%(n)s day outside the window", "%(n)s days outside the window", row.days_outside) % {
        "n": row.days_outside
    }
    return MoveLine(
        row=row,
        client=row.course.client.name,
        url=course_url(row.course),
        old=moment_words(row.starts_at, today=today),
        old_who=_who(row.practitioner, row.room),
        new=moment_words(row.new_starts_at, today=today) if row.has_slot else "",
        new_who=_who(row.new_practitioner, row.new_room),
        outside=outside if row.days_outside else "",
        why=tuple(kept_reasons_words(row.why, today=today)),
        chips=tuple(_chip(values) for values in row.drift) if row.is_hit else (_makes_room(),),
        choices=tuple(
            (choice.value, str(choice.label), choice == row.choice)
            for choice in MoveChoice
            if row.has_slot or choice != MoveChoice.MOVE
        ),
        badge=_outcome_badge(row),
        refusal=str(_REFUSALS.get(row.refusal, _("This could not be done."))) if row.refusal else "",
    )


def _makes_room() -> Badge:
    return Badge(
        _("Makes room"),
        "notice",
        "info-circle",
        _("It is not hit itself, but would come too early or too late if it stayed."),
    )


def _who(*rows: Any) -> str:
    return ", ".join(str(row) for row in rows if row is not None)


def _outcome_badge(row: DisruptedSession) -> Badge | None:
    badges = {
        MoveOutcome.MOVED: Badge(_("Moved"), "good", "circle-check"),
        MoveOutcome.LEFT: Badge(_("Left as it was"), "notice", "calendar-time"),
        MoveOutcome.CANCELLED: Badge(_("Cancelled"), "quiet", "ban"),
        MoveOutcome.REFUSED: Badge(_("Not moved"), "warning", "alert-triangle"),
    }
    undone = {
        UndoOutcome.BACK: Badge(_("Back where it was"), "good", "arrow-back-up"),
        UndoOutcome.KEPT: Badge(_("Not taken back"), "warning", "alert-triangle"),
    }
    if row.undone:
        return undone[UndoOutcome(row.undone)]
    return badges[MoveOutcome(row.outcome)] if row.outcome else None


def undo_count_words(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return what came of taking a disruption back, as count_words() does of applying it."""
    labels = {
        UndoOutcome.BACK: pgettext("so many sessions", "back where they were"),
        UndoOutcome.KEPT: pgettext("so many sessions", "could not be taken back"),
    }
    return [(str(counts[name]), label) for name, label in labels.items() if counts.get(name)]


def count_words(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return what became of the sessions, as pairs of a number and what it counts; nothing that there is none of."""
    labels = {
        MoveOutcome.MOVED: pgettext("so many sessions", "moved"),
        MoveOutcome.CANCELLED: pgettext("so many sessions", "cancelled"),
        MoveOutcome.LEFT: pgettext("so many sessions", "left as they were"),
        MoveOutcome.REFUSED: pgettext("so many sessions", "could not be moved"),
        "": pgettext("so many sessions", "not worked on"),
    }
    return [(str(counts[name]), label) for name, label in labels.items() if counts.get(name)]


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a plan would do, in numbers."""

    total: int
    placed: int
    outside: int
    unplaced: int
    # Not hit, but moved so that the others fit.
    joining: int = 0

    @property
    def words(self) -> str:
        said = ngettext(
            "%(placed)s of %(total)s session has another time",
            "%(placed)s of %(total)s sessions have another time",
            self.total,
        ) % {"placed": self.placed, "total": self.total}
        if self.outside:
            said += ", " + ngettext(
                "%(n)s of them outside its window", "%(n)s of them outside their windows", self.outside
            ) % {"n": self.outside}
        if not self.joining:
            return f"{said}."
        others = ngettext("%(n)s more moves to make room.", "%(n)s more move to make room.", self.joining) % {
            "n": self.joining
        }
        return f"{said}. {others}"


def remaining_words(number: int) -> str:
    """Return how many findings are open on the courses that were hit."""
    if not number:
        return _("No course that was hit has an open finding.")
    return ngettext(
        "%(n)s finding is open on the courses that were hit:",
        "%(n)s findings are open on the courses that were hit:",
        number,
    ) % {"n": number}
