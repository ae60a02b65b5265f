"""What the notice after an act carries, so that the act can be taken back: a signed slip without names."""

from dataclasses import asdict, fields
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.core import signing

from courses.models import Flag, TreatmentSession
from courses.services import SessionBefore, before_act
from staff.access import StaffRequest

_SALT: Final = "staff.undo"
# The day of the act is what counts; a slip is looked at by nobody the day after.
_LONGEST: Final = timedelta(days=1)
_MOMENTS: Final = frozenset({"starts_at", "ends_at", "confirmed_at", "arrived_at", "acted_at"})
# How a message says that it can be undone, or where to go from it.
UNDO_TAG: Final = "undo:"
LINK_TAG: Final = "link:"


def session_slip(
    before: TreatmentSession, after: TreatmentSession, *, acted_at: datetime, back: str, is_booking: bool
) -> str:
    """Return the slip for one act on a session, nothing when it cannot be taken back.

    `is_booking`: taking it back needs the right to book. The session `before` must have its practitioner and room.
    """
    found = before_act(before, after, acted_at=acted_at)
    if found is None:
        return ""
    values = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(found).items()
    }
    return _sign({"session": str(before.code), "before": values, "back": back, "is_booking": is_booking})


def flags_slip(pairs: list[tuple[Flag, Flag]], *, acted_at: datetime, back: str) -> str:
    """Return the slip for flags that were taken care of, each before and after it."""
    rows = [
        [
            str(before.code),
            before.acknowledged_at is not None,
            before.snoozed_until_on.isoformat() if before.snoozed_until_on else None,
            after.stamp,
        ]
        for before, after in pairs
    ]
    return _sign({"flags": rows, "acted_at": acted_at.isoformat(), "back": back}) if rows else ""


def _sign(values: dict[str, Any]) -> str:
    return signing.dumps(values, salt=_SALT, compress=True)


def read_slip(slip: str) -> dict[str, Any]:
    """Return what stands on a slip of ours.

    Raises: signing.BadSignature for any other text, and for a slip of the day before.
    """
    values: dict[str, Any] = signing.loads(slip, salt=_SALT, max_age=_LONGEST)
    return values


def read_before(values: dict[str, Any]) -> SessionBefore:
    """Return what a slip says of a session."""
    names = [field.name for field in fields(SessionBefore)]
    told: dict[str, Any] = {
        name: datetime.fromisoformat(values[name]) if name in _MOMENTS and values[name] else values[name]
        for name in names
    }
    return SessionBefore(**told)


def read_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def say_done(request: StaffRequest, words: str, slip: str = "") -> None:
    """Say that something is done; with a slip the notice has a button that takes it back."""
    messages.success(request, words, extra_tags=f"{UNDO_TAG}{slip}" if slip else "")
