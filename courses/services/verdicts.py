"""How attended sessions lay in their windows, copied from the assessment to their rows, where reports count them."""

from collections.abc import Iterable
from datetime import date
from hashlib import blake2b
from typing import Final

from django.db.models import Q

from courses.core.types import Gap
from courses.models import Course, SessionStatus, TreatmentSession

_COLUMNS: Final = ("verdict", "verdict_days", "late_cause")
_Values = tuple[str, int, str]
_NONE: Final[_Values] = ("", 0, "")


def verdict_digest(gaps: Iterable[Gap]) -> str:
    """Return what tells whether the verdicts of some gaps are those that were written last; never blank."""
    text = "".join(f"{gap.on.toordinal()}{gap.verdict}{gap.days}{gap.cause or ''};" for gap in gaps)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def write_verdicts(course: Course, gaps: Iterable[Gap]) -> None:
    """Bring the sessions' verdicts in line with the gaps of an assessment.

    Runs in the caller's transaction, which must hold the course's row. A session without a gap has no verdict.
    Cost: one query to read and one to write what changed.
    """
    wanted: dict[date, _Values] = {gap.on: (gap.verdict, gap.days, gap.cause or "") for gap in gaps}
    rows = TreatmentSession.objects.filter(Q(status=SessionStatus.ATTENDED) | ~Q(verdict=""), course=course)
    changed = [row for row in rows.only("status", "on", *_COLUMNS) if _take_verdict(row, wanted)]
    if changed:
        TreatmentSession.objects.bulk_update(changed, _COLUMNS)


def _take_verdict(session: TreatmentSession, wanted: dict[date, _Values]) -> bool:
    """Set the columns of a session to what its day asks for, and tell whether that changed anything."""
    is_attended = session.status == SessionStatus.ATTENDED
    values = wanted.get(session.on, _NONE) if is_attended else _NONE
    if (session.verdict, session.verdict_days, session.late_cause) == values:
        return False
    session.verdict, session.verdict_days, session.late_cause = values
    return True
