"""Sessions in words: where each stands, which of its phase it is, how it went, how long it takes."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from courses.models import Reaction, SessionStatus, TreatmentSession
from staff.presenters.badges import Badge
from staff.presenters.phases import number_in_phase
from staff.templatetags.interface import day

_SESSION_LOOK: Final = {
    SessionStatus.PLANNED: ("quiet", "calendar-time"),
    SessionStatus.BOOKED: ("quiet", "calendar"),
    SessionStatus.CONFIRMED: ("accent", "calendar-check"),
    SessionStatus.ARRIVED: ("accent", "user-check"),
    SessionStatus.ATTENDED: ("good", "circle-check"),
    SessionStatus.NO_SHOW: ("serious", "user-x"),
    SessionStatus.CANCELLED_LATE: ("warning", "ban"),
    SessionStatus.CANCELLED_BY_CLIENT: ("quiet", "ban"),
    SessionStatus.CANCELLED_BY_CLINIC: ("quiet", "ban"),
}


def session_badge(session: TreatmentSession, *, today: date) -> Badge:
    status = SessionStatus(session.status)
    tone, icon = _SESSION_LOOK[status]
    if session.is_booked and session.on < today:
        return Badge(_("Not recorded"), "warning", "help-circle")
    if session.status == SessionStatus.BOOKED and session.starts_at and not session.confirmed_at:
        return Badge(_("Not confirmed"), tone, icon)
    if session.status == SessionStatus.ARRIVED and session.arrived_at:
        return Badge(
            _("Here since %(time)s") % {"time": f"{timezone.localtime(session.arrived_at):%H:%M}"}, tone, icon
        )
    return Badge(_status_words(status, get_language()), tone, icon, session.cancel_reason)


@lru_cache
def _status_words(status: SessionStatus, language: str | None) -> str:
    """Return a status in the language that is spoken now, which is named only to remember it: a week has hundreds."""
    return capfirst(str(status.label))


def session_progress(session: Any, phases: Sequence[dict[str, Any]]) -> str:
    """Return which session of its phase it is, for example "Session 7 of 10–15".

    The session carries the counts of courses.selectors.clinic_sessions().
    """
    course = session.course
    is_attended = session.status == SessionStatus.ATTENDED
    if course.session_number is None or course.phase_position is None:
        number = session.attended_until + (0 if is_attended else 1)
        return _("Session %(number)s") % {"number": number}
    done_here = course.session_number - 1
    if is_attended:
        number = done_here - (course.attended_count - session.attended_until)
    else:
        number = course.session_number + session.booked_before
    position = course.phase_position
    if number < 1:
        # Attended in an earlier phase: its number there would need the whole history.
        return _("Session %(number)s") % {"number": session.attended_until}
    amount = phases[position]["target"] or phases[position]["sessions_max"]
    if amount and number > amount and position + 1 < len(phases):
        number, position = number - amount, position + 1
    return number_in_phase(number, phases[position])


def booked_minutes(session: TreatmentSession) -> int | None:
    if session.minutes:
        return session.minutes
    if session.starts_at and session.ends_at:
        return int((session.ends_at - session.starts_at).total_seconds()) // 60
    return None


def outcome_words(session: TreatmentSession) -> str:
    """Return how an attended session went, for example "bruises, pain 6 → 3"; or why one was cancelled."""
    parts = []
    if session.reaction and session.reaction != Reaction.NONE:
        parts.append(capfirst(session.get_reaction_display()))
    if session.pain_before is not None and session.pain_after is not None:
        parts.append(
            _("pain %(before)s → %(after)s") % {"before": session.pain_before, "after": session.pain_after}
        )
    parts += [text for text in (session.note, session.cancel_reason) if text]
    if session.correction_reason:
        parts.append(_("corrected: %(reason)s") % {"reason": session.correction_reason})
    return " · ".join(parts)


def moment_words(at: datetime | None, *, today: date) -> str:
    """Return an instant as weekday, date and time."""
    return f"{day(at, today)}, {timezone.localtime(at):%H:%M}" if at else ""
