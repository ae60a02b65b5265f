"""The window of a session on a given day: where a booking may be moved, and what one more would be to its course."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from courses import convert
from courses.convert import CourseFacts
from courses.core.cadence import ClientDays
from courses.core.ribbon import WindowSpan
from courses.core.types import Finding, SessionRecord
from courses.models import BOOKED_STATUSES, Course, TreatmentSession
from courses.ribbons import ribbon_of
from courses.services.slots import session_minutes


@dataclass(frozen=True, slots=True)
class MoveWindow:
    """A session's window, None when the prescription asks for none; `days` are those of it that can be booked."""

    window: WindowSpan | None
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class DayFit:
    """What a booking on a day would be to a course: the window of that session, None when none is asked for then.

    `late_days` counts open days, `early_days` all; `findings` are those that the booking brings or makes worse;
    `minutes` is the length prescribed.
    """

    window: WindowSpan | None
    early_days: int
    late_days: int
    findings: tuple[Finding, ...]
    minutes: int

    @property
    def is_good(self) -> bool:
        """Whether the day lies inside the window and the booking makes nothing worse."""
        return self.window is not None and not (self.early_days or self.late_days or self.findings)


def window_for_move(*, session: TreatmentSession, now: datetime) -> MoveWindow:
    """Return where a booking may be moved: its window follows from what was attended or is booked before it.

    Whether practitioner, room and client are free at a time of those days is for the move to say.
    Cost: as `load_facts` of one course.
    """
    course = session.course
    facts = convert.load_facts([course])[course.pk]
    today = convert.local_today(course.clinic, now)
    others = [row for row in facts.sessions if row.status not in BOOKED_STATUSES or row.on != session.on]
    window = _window_before(course, facts, others, session.on, now=now)
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


def fit_day(*, courses: Sequence[Course], on: date, now: datetime) -> dict[int, DayFit]:
    """Return what a booking on a day would be to each course, by its id; the courses' clinic must be loaded.

    Cost: as `load_facts`, however many courses; each is assessed twice.
    """
    loaded = convert.load_facts(courses) if courses else {}
    return {course.pk: _fit(course, loaded[course.pk], on, now=now) for course in courses}


def _fit(course: Course, facts: CourseFacts, on: date, *, now: datetime) -> DayFit:
    today = convert.local_today(course.clinic, now)
    window = _window_before(course, facts, facts.sessions, on, now=now)
    before = convert.assess_facts(facts, today=today)
    wished = replace(facts, sessions=(*facts.sessions, SessionRecord(on, "booked")))
    known = {finding.kind: _magnitude(finding) for finding in before.findings}
    findings = tuple(
        finding
        for finding in convert.assess_facts(wished, today=today).findings
        if finding.kind not in known or _magnitude(finding) > known[finding.kind]
    )
    phases = facts.prescription.phases
    minutes = session_minutes(phases[window.phase : window.phase + 1] if window else phases[-1:])
    if window is None:
        return DayFit(None, 0, 0, findings, minutes)
    days = ClientDays(facts.calendar, facts.pauses, today=today)
    return DayFit(
        window,
        max(0, (window.due_from - on).days),
        days.lateness(window.due_by.toordinal(), on.toordinal()),
        findings,
        minutes,
    )


def _magnitude(finding: Finding) -> int:
    return (finding.days if finding.count is None else finding.count) or 0


def _window_before(
    course: Course, facts: CourseFacts, sessions: Iterable[SessionRecord], on: date, *, now: datetime
) -> WindowSpan | None:
    """Return the window of the session that follows what was attended, or is booked before a day."""
    kept = tuple(row for row in sessions if row.status not in BOOKED_STATUSES or row.on < on)
    left = replace(facts, sessions=kept)
    assessment = convert.assess_facts(left, today=convert.local_today(course.clinic, now))
    ribbon = ribbon_of(course, left, assessment, now=now)
    return next((window for window in ribbon.windows if window.role == "next"), None)
