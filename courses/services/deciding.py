"""A prescriber's decisions on a running course: how many sessions, the end of a phase, a restart, the end of it all."""

from dataclasses import replace
from datetime import date, datetime

from django.utils.translation import gettext as _

from audit.services import Actor
from courses import convert
from courses.core.cadence import ClientDays, Progress, replay
from courses.errors import CourseError
from courses.models import (
    Course,
    CourseStatus,
    PhaseEnd,
    ResolvedReason,
    Restart,
    SessionStatus,
    TreatmentSession,
)
from courses.services.assessing import resolve_flags
from courses.services.changes import (
    change_session,
    changing,
    finish_change,
    fitting_text,
    lock_course,
    refuse,
    require_open,
    require_prescriber,
    require_reason,
    transacting,
)
from courses.services.news import SessionNews, stand_of, tell_sessions
from courses.services.prescribing import LATEST_START, revise_phases


def set_target(
    *, course: Course, target: int | None, by: Actor, now: datetime, phase: int | None = None
) -> None:
    """Decide how many sessions the current phase has within its range; None leaves it open again.

    phase: the 0-based position that was looked at; when the course is in another one by now, that is refused.
    Raises: CourseError for anybody but a prescriber, a phase without a range, a target outside it or below what
    is attended: that would put the sessions above it into the next phase; `other_phase`.
    """
    member = require_prescriber(by, course.clinic)
    with changing(
        course, action="target_set", by=by, now=now, reason=ResolvedReason.DECIDED, target=target
    ) as locked:
        progress = _progress(locked, now=now)
        _refuse_other_phase(progress, phase)
        position, phases = progress.index, list(progress.phases)
        spec = phases[position]
        if spec.sessions_min is None or spec.sessions_max is None:
            raise refuse("target", _("This phase has no number of sessions to decide."), code="no_range")
        if target is not None and not spec.sessions_min <= target <= spec.sessions_max:
            raise refuse(
                "target",
                _("Choose a number from %(least)s to %(most)s.")
                % {"least": spec.sessions_min, "most": spec.sessions_max},
                code="target_out_of_range",
            )
        if target is not None and target < progress.taken:
            raise refuse(
                "target",
                _("%(count)s sessions are attended already. Choose that number or a higher one.")
                % {"count": progress.taken},
                code="target_below_attended",
            )
        phases[position] = replace(spec, target=target)
        revise_phases(locked, phases, member=member, now=now, reason=_("number of sessions decided"))


def _progress(course: Course, *, now: datetime) -> Progress:
    """Return how far the course has come through its phases today.

    Raises: CourseError when all of them are complete.
    """
    today = convert.local_today(course.clinic, now)
    facts = convert.load_facts([course])[course.pk]
    attended = sorted(
        record.on.toordinal()
        for record in facts.sessions
        if record.status == "attended" and record.on <= today
    )
    days = ClientDays(facts.calendar, facts.pauses, today=today)
    progress = replay(facts.prescription, attended, days, today=today)
    progress.roll(today.toordinal())
    if progress.is_complete:
        raise CourseError(_("All phases of this course are complete."), code="course_finished")
    return progress


def _refuse_other_phase(progress: Progress, phase: int | None) -> None:
    if phase is not None and phase != progress.index:
        raise CourseError(
            _("The course has meanwhile come into another phase. Look at the course, then decide anew."),
            code="other_phase",
        )


def end_phase(
    *, course: Course, on: date, by: Actor, now: datetime, reason: str = "", phase: int | None = None
) -> PhaseEnd:
    """End the current phase on a day, today or earlier; the next one counts from there.

    phase: the 0-based position that was looked at; when the course is in another one by now, that is refused.
    Raises: CourseError for anybody but a prescriber, before sessions_min are attended, for a day ahead,
    or a day before the phase began or before the last attended session; `other_phase`.
    """
    member = require_prescriber(by, course.clinic)
    text = fitting_text(reason, column=PhaseEnd.reason, field="reason")
    with changing(
        course, action="phase_ended", by=by, now=now, reason=ResolvedReason.DECIDED, on=on
    ) as locked:
        today = convert.local_today(locked.clinic, now)
        if on > today:
            raise refuse("on", _("A phase is ended today or in the past."), code="date_future")
        progress = _progress(locked, now=now)
        _refuse_other_phase(progress, phase)
        least = progress.spec.sessions_min or 0
        if progress.taken < least:
            raise refuse(
                "on",
                _("This phase can be ended from session %(least)s on; %(count)s are attended.")
                % {"least": least, "count": progress.taken},
                code="phase_too_short",
            )
        began = progress.left_on or locked.start_on.toordinal()
        if on.toordinal() < max(began, progress.last_on or 0):
            raise refuse(
                "on",
                _("Choose a day from the last attended session and the start of the phase on."),
                code="date_before_session",
            )
        # An end on record that came to nothing, because of what was corrected since, gives way to this one.
        ended, _created = PhaseEnd.objects.update_or_create(
            course=locked,
            phase_position=progress.index,
            defaults={
                "clinic": locked.clinic,
                "ended_on": on,
                "reason": text,
                "by": member,
                "created_at": now,
            },
        )
    return ended


def restart_course(*, course: Course, on: date, by: Actor, now: datetime, reason: str = "") -> Restart:
    """Let the windows count anew from a day, after a lapse or an interruption.

    Raises: CourseError for anybody but a prescriber, a day before the last attended session or more than a year
    ahead, or a second restart of one day.
    """
    member = require_prescriber(by, course.clinic)
    text = fitting_text(reason, column=Restart.reason, field="reason")
    with changing(
        course, action="restarted", by=by, now=now, reason=ResolvedReason.RESTARTED, on=on
    ) as locked:
        last = (
            TreatmentSession.objects.filter(course=locked, status=SessionStatus.ATTENDED)
            .order_by("-on")
            .values_list("on", flat=True)
            .first()
        )
        if on < (last or locked.start_on):
            raise refuse(
                "on", _("Choose a day from the last attended session on."), code="date_before_session"
            )
        if on > convert.local_today(locked.clinic, now) + LATEST_START:
            raise refuse("on", _("That is more than a year ahead. Check the date."), code="date_far_away")
        if Restart.objects.filter(course=locked, restart_on=on).exists():
            raise refuse("on", _("The course already restarts on that day."), code="restart_twice")
        restart = Restart.objects.create(
            clinic=locked.clinic,
            course=locked,
            restart_on=on,
            reason=text,
            by=member,
            created_at=now,
        )
    return restart


def discontinue_course(*, course: Course, by: Actor, now: datetime, reason: str) -> None:
    """Stop a course for good: bookings ahead are cancelled, flags resolved, the record stays.

    What has begun today keeps its booking, so that its outcome can still be recorded.

    Raises: CourseError for anybody but a prescriber, without a reason, for a course that is over.
    """
    require_prescriber(by, course.clinic)
    text = require_reason(reason, column=Course.end_reason)
    with transacting():
        locked = lock_course(course)
        require_open(locked)
        cancel_ahead(locked, by=by, now=now, reason=_("course discontinued"))
        locked.status = CourseStatus.DISCONTINUED
        locked.ended_at = now
        locked.end_reason = text
        locked.next_check_at = None
        locked.next_check_on = None
        locked.save(update_fields=["status", "ended_at", "end_reason", "next_check_at", "next_check_on"])
        resolve_flags(locked, now=now, reason=ResolvedReason.DISCONTINUED)
        finish_change(
            locked,
            action="discontinued",
            by=by,
            now=now,
            reason=ResolvedReason.DISCONTINUED,
            details={},
        )
    course.refresh_from_db()


def cancel_ahead(course: Course, *, by: Actor, now: datetime, reason: str) -> None:
    """Cancel what is booked from now on and forget what is planned by date; the course must be locked."""
    ahead = TreatmentSession.objects.select_for_update(of=("self",)).filter(course=course)
    ahead.filter(status=SessionStatus.PLANNED).delete()
    waiting = (SessionStatus.BOOKED, SessionStatus.CONFIRMED)
    for session in ahead.filter(status__in=waiting, starts_at__gt=now).order_by("pk"):
        stood = stand_of(session)
        change_session(
            session,
            status=SessionStatus.CANCELLED_BY_CLINIC,
            outcome_at=now,
            outcome_by_id=by.staff_member_id,
            cancel_reason=reason,
        )
        tell_sessions(course, [SessionNews(session, stood)], now=now)
