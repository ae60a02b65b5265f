"""Offered slots and proposed plans in words; everything here is handed its rows and runs no query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Literal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.core.plan import Plan, PlannedSession
from courses.models import TreatmentSession
from courses.services import PlanProposal, SlotOffer, SlotOffers
from staff import presenters
from staff.planning_words import reason_words, span_words
from staff.templatetags.interface import day


@dataclass(frozen=True, slots=True)
class OfferButton:
    """One free slot as a button: what it shows and what it posts."""

    time: str
    who: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OfferDay:
    """A day with its free slots, and whether it lies inside the window."""

    name: str
    note: str
    is_inside: bool
    buttons: tuple[OfferButton, ...]


def window_sentence(offers: SlotOffers, *, today: date) -> str:
    """Return for which session the slots are and when it may be."""
    window = offers.window
    if window is None:
        return _("Everything prescribed is booked or done.")
    return _("Allowed for session %(number)s: %(window)s.") % {
        "number": window.session,
        "window": span_words(window.due_from, window.due_by, today=today),
    }


def offer_days(
    offers: SlotOffers, people: Mapping[str, str], rooms: Mapping[str, str], *, today: date
) -> list[OfferDay]:
    """Return the offered slots by day; `people` and `rooms` are names by code."""
    days = []
    for on, slots in groupby(offers.slots, key=lambda slot: slot.starts_at.date()):
        found = list(slots)
        late = found[0].late_days
        note = ngettext("%(n)s day after the window", "%(n)s days after the window", late) % {"n": late}
        buttons = tuple(_button(slot, offers.minutes, people, rooms) for slot in found)
        days.append(OfferDay(day(on, today), note if late else "", not late, buttons))
    return days


def _button(
    slot: SlotOffer, minutes: int, people: Mapping[str, str], rooms: Mapping[str, str]
) -> OfferButton:
    names = [people.get(slot.practitioner or "", ""), rooms.get(slot.room or "", "")]
    values = (
        ("on", slot.starts_at.date().isoformat()),
        ("at", f"{slot.starts_at:%H:%M}"),
        ("minutes", str(minutes)),
        ("practitioner", slot.practitioner or ""),
        ("room", slot.room or ""),
    )
    return OfferButton(f"{slot.starts_at:%H:%M}", ", ".join(name for name in names if name), values)


def slot_initial(session: TreatmentSession) -> dict[str, Any]:
    """Return what the form that moves a session starts from."""
    starts_at = timezone.localtime(session.starts_at) if session.starts_at else None
    return {
        "on": session.on,
        "at": starts_at.time() if starts_at else None,
        "minutes": presenters.booked_minutes(session),
        "practitioner": session.practitioner.code if session.practitioner else None,
        "room": session.room.code if session.room else None,
    }


def moment(session: TreatmentSession, *, today: date) -> str:
    return presenters.moment_words(session.starts_at, today=today) or day(session.on, today)


# ---------------------------------------------------------------- old and new side by side

Change = Literal["same", "moved", "new", "gone", "kept"]


@dataclass(frozen=True, slots=True)
class ComparedSlot:
    """One line of a replan: what is booked now and what would be."""

    change: Change
    label: str
    number: str
    old: str
    new: str
    who: str
    why: tuple[str, ...]


def compare(
    proposal: PlanProposal, people: Mapping[str, str], rooms: Mapping[str, str], *, today: date
) -> list[ComparedSlot]:
    """Return the bookings replaced beside the slots proposed, in the order of time.

    A slot that stays is matched with itself; the others as apply_plan() moves them, in the order of dates.
    """
    olds = [row for row in proposal.before if row.starts_at is not None]
    news = [planned for planned in proposal.plan.planned if planned.start is not None]
    starts = {planned.start for planned in news}
    staying = {row.starts_at: row for row in olds if row.starts_at in starts}
    moving = iter([row for row in olds if row.starts_at not in staying])
    lines: list[tuple[datetime, ComparedSlot]] = []
    for planned in news:
        start = planned.start
        if start is None:
            continue
        old = staying.get(start) or next(moving, None)
        kind: Change = "same" if start in staying else "moved" if old else "new"
        lines.append((start, _line(kind, old, planned, people, rooms, today=today)))
    lines += [
        (row.starts_at, _line("gone", row, None, people, rooms, today=today))
        for row in moving
        if row.starts_at is not None
    ]
    return [line for _start, line in sorted(lines, key=lambda pair: pair[0])]


def _line(
    kind: Change,
    old: TreatmentSession | None,
    new: PlannedSession | None,
    people: Mapping[str, str],
    rooms: Mapping[str, str],
    *,
    today: date,
) -> ComparedSlot:
    labels = {
        "same": _("stays"),
        "moved": _("moves"),
        "new": _("new"),
        "gone": _("falls away"),
        "kept": _("pinned"),
    }
    names = [people.get(new.practitioner or "", ""), rooms.get(new.room or "", "")] if new else []
    return ComparedSlot(
        kind,
        labels[kind],
        str(new.session) if new and new.session else "",
        moment(old, today=today) if old else "",
        slot_words(new, today=today) if new else "",
        ", ".join(name for name in names if name),
        tuple(reason_words(reason, today=today) for reason in new.why) if new else (),
    )


def slot_words(planned: PlannedSession, *, today: date) -> str:
    """Return a planned slot as weekday, date and time; a date alone where it has no time yet."""
    if planned.start is None:
        return day(planned.on, today)
    return f"{day(planned.on, today)}, {planned.start:%H:%M}"


def note_sentences(plan: Plan, *, today: date) -> list[str]:
    """Return where the prescription could not be kept, as sentences."""
    return [reason_words(note, today=today) for note in plan.notes]


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One planned session of a preview."""

    phase: int
    number: str
    when: str
    who: str
    why: tuple[str, ...]
    is_outside: bool


def preview_lines(
    plan: Plan, people: Mapping[str, str], *, today: date, shown: int
) -> tuple[list[PreviewLine], int]:
    """Return the first planned sessions with their reasons, and how many more there are."""
    sessions: Sequence[PlannedSession] = plan.planned
    lines = [
        PreviewLine(
            planned.phase or 0,
            str(planned.session or ""),
            slot_words(planned, today=today),
            people.get(planned.practitioner or "", ""),
            tuple(reason_words(reason, today=today) for reason in planned.why),
            planned.days_outside > 0,
        )
        for planned in sessions[:shown]
    ]
    return lines, max(0, len(sessions) - shown)
