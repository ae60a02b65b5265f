"""How clients felt after a visit: kept in their words, and shown to staff where a person has to look."""

from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from audit.services import Actor, record
from courses.errors import CourseError
from courses.models import BOOKED_STATUSES, Reaction, ReactionReport, SessionStatus, TreatmentSession
from courses.services.changes import (
    fitting_text,
    lock_course,
    lock_session,
    refuse,
    require_staff,
    transacting,
)

REPORTED_WITHIN: Final = timedelta(days=14)
# From here on a person reads it the same day.
STRONG_PAIN: Final = 7
MOST_PAIN: Final = 10


def may_report(session: TreatmentSession, *, now: datetime) -> bool:
    """Return whether a client can say how a visit was: it took place, as far as is known, and not long ago."""
    if session.starts_at is None or session.ends_at is None or now - session.ends_at > REPORTED_WITHIN:
        return False
    if session.status == SessionStatus.ATTENDED:
        return session.starts_at <= now
    return session.status in BOOKED_STATUSES and session.ends_at <= now


def report_reaction(
    *,
    session: TreatmentSession,
    reaction: str,
    pain: int | None,
    note: str,
    by: Actor,
    now: datetime,
) -> ReactionReport:
    """Keep what a client says about a visit; said again, the later word stands, and a new one is read anew.

    Nothing about the course changes: to pause it is for staff to decide.
    Raises: CourseError for an unknown reaction, pain beyond 0 to 10, a visit that cannot be reported on.
    """
    if reaction not in Reaction:
        raise refuse("reaction", _("Choose one of the answers."), code="unknown_reaction")
    if pain is not None and not 0 <= pain <= MOST_PAIN:
        raise refuse("pain", _("Choose a number from 0 to 10."), code="pain_out_of_range")
    text = fitting_text(note, column=ReactionReport.note, field="note")
    values = {"reaction": reaction, "pain": pain, "note": text}
    with transacting():
        course = lock_course(session.course)
        locked = lock_session(session)
        if not may_report(locked, now=now):
            raise CourseError(_("Nothing can be said about this visit now."), code="report_refused")
        report = ReactionReport.objects.filter(session=locked).first()
        if report is not None and {name: getattr(report, name) for name in values} == values:
            return report
        report = report or ReactionReport(clinic=course.clinic, session=locked)
        for name, value in values.items():
            setattr(report, name, value)
        report.needs_person = reaction == Reaction.BRUISES or (pain or 0) >= STRONG_PAIN or bool(text)
        report.reported_at, report.handled_at = now, None
        report.save()
        # Which visit, never what was said of it.
        _record("course.reaction_reported", report, by=by, now=now)
    return report


def close_report(*, report: ReactionReport, by: Actor, now: datetime) -> None:
    """Put on record that a person has read a report; twice is harmless.

    Raises: CourseError when `by` is not of the clinic's staff.
    """
    with transacting():
        require_staff(by, report.clinic)
        if ReactionReport.objects.filter(pk=report.pk, handled_at=None).update(handled_at=now):
            _record("course.report_closed", report, by=by, now=now)


def _record(action: str, report: ReactionReport, *, by: Actor, now: datetime) -> None:
    record(
        action,
        at=now,
        by=by,
        clinic_code=report.clinic.code,
        subject_kind="course",
        subject_code=report.session.course.code,
        new={"session": str(report.session.code)},
    )
