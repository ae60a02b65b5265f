"""The window of a session that is booked already: the days to which it may be moved."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from courses import convert
from courses.core.cadence import ClientDays
from courses.core.ribbon import WindowSpan
from courses.models import BOOKED_STATUSES, TreatmentSession
from courses.ribbons import ribbon_of


@dataclass(frozen=True, slots=True)
class MoveWindow:
    """A session's window, None when the prescription asks for none; `days` are those of it that can be booked."""

    window: WindowSpan | None
    days: tuple[date, ...]


def window_for_move(*, session: TreatmentSession, now: datetime) -> MoveWindow:
    """Return where a booking may be moved: its window follows from what was attended or is booked before it.

    Whether practitioner, room and client are free at a time of those days is for the move to say.
    Cost: as `load_facts` of one course.
    """
    course = session.course
    facts = convert.load_facts([course])[course.pk]
    today = convert.local_today(course.clinic, now)
    others = [row for row in facts.sessions if row.status not in BOOKED_STATUSES or row.on != session.on]
    before = [row for row in others if row.status not in BOOKED_STATUSES or row.on < session.on]
    left = replace(facts, sessions=tuple(before))
    ribbon = ribbon_of(course, left, convert.assess_facts(left, today=today), now=now)
    window = next((window for window in ribbon.windows if window.role == "next"), None)
    if window is None:
        return MoveWindow(None, ())
    # A course has one session a day.
    taken = {row.on for row in others if row.status in (*BOOKED_STATUSES, "attended")}
    open_days = ClientDays(facts.calendar, facts.pauses, today=today)
    first = max(window.due_from, today)
    days = [first + timedelta(days=n) for n in range((window.due_by - first).days + 1)]
    return MoveWindow(
        window,
        tuple(
            day
            for day in days
            if day not in taken
            and open_days.is_bookable(day.toordinal())
            and not any(
                span.from_on <= day and (span.to_on is None or day <= span.to_on)
                for span in facts.contraindications
            )
        ),
    )
