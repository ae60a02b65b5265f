"""What sessions that fall out would do to a course: it is assessed as it will stand once they have."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from courses.core.types import BOOKINGS, Finding, SessionRecord

# What sessions that do not take place can bring about; the other findings have causes of their own.
DRIFTS: Final = frozenset({"behind", "booked_late", "interrupted", "lapsed", "overdue", "unbooked"})


def sessions_by(
    sessions: Sequence[SessionRecord], *, fallen_out: Collection[date], today: date, on: date
) -> tuple[SessionRecord, ...]:
    """Return the sessions as they will stand on a day, if the clinic cancels some and all others take place.

    Order: as given. fallen_out: the dates of the bookings that fall out, of which a course has one a day.
    """
    return tuple(
        replace(session, status="cancelled_by_clinic" if session.on in fallen_out else "attended")
        if session.status in BOOKINGS and today <= session.on < on
        else session
        for session in sessions
    )


def added_drift(without: Sequence[Finding], within: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what is found only because of a disruption, or is found worse: `without` it and `within` it.

    Order: by kind, as given.
    """
    before = {finding.kind: finding.days or 0 for finding in without}
    return tuple(
        finding
        for finding in within
        if finding.kind in DRIFTS and (finding.days or 0) > before.get(finding.kind, -1)
    )
