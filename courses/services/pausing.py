"""Pauses: dated, reasoned stops that never count as lateness."""

from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _

from audit.services import Actor
from clinics.dates import short_day_within
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import Course, Pause, PauseReason, ResolvedReason
from courses.services.changes import changing, fitting_text, refuse

_LONGEST_PAUSE: Final = timedelta(days=366)
_FURTHEST_START: Final = timedelta(days=3 * 366)


def pause_course(
    *,
    course: Course,
    from_on: date,
    to_on: date | None,
    reason: str,
    by: Actor,
    now: datetime,
    note: str = "",
) -> Pause:
    """Pause the course on the days given, both included; without an end the pause is open.

    Raises: CourseError for a range upside down or longer than a year, one that begins years away, an unknown
    reason, or a pause that overlaps another.
    """
    if to_on is not None and to_on < from_on:
        raise refuse("to_on", _("The pause ends before it begins."), code="range_upside_down")
    if to_on is not None and to_on - from_on > _LONGEST_PAUSE:
        raise refuse(
            "to_on", _("That is longer than a year. Leave the end open instead."), code="range_too_long"
        )
    if reason not in PauseReason:
        raise refuse("reason", _("Choose one of the reasons."), code="unknown_reason")
    text = fitting_text(note, column=Pause.note, field="note")
    with changing(
        course,
        action="paused",
        by=by,
        now=now,
        reason=ResolvedReason.PAUSED,
        # Why is clinical, and stays out of the audit trail.
        from_on=from_on,
        to_on=to_on,
    ) as locked:
        if abs(from_on - local_today(locked.clinic, now)) > _FURTHEST_START:
            raise refuse(
                "from_on", _("That is more than three years away. Check the date."), code="date_far_away"
            )
        _refuse_overlap(locked, from_on, to_on)
        pause = Pause.objects.create(
            clinic=locked.clinic,
            course=locked,
            from_on=from_on,
            to_on=to_on,
            reason=reason,
            note=text,
            created_at=now,
        )
    return pause


def _refuse_overlap(course: Course, from_on: date, to_on: date | None) -> None:
    clash = Pause.objects.filter(course=course).filter(Q(to_on__isnull=True) | Q(to_on__gte=from_on))
    if to_on is not None:
        clash = clash.filter(from_on__lte=to_on)
    other = clash.order_by("from_on").first()
    if other is not None:
        raise refuse(
            "from_on",
            _("The course is already paused from %(from_on)s. Change that pause instead.")
            % {"from_on": short_day_within(other.from_on, with_year=other.from_on.year != from_on.year)},
            code="pause_overlaps",
        )


def resume_course(*, course: Course, on: date, by: Actor, now: datetime) -> None:
    """End the pause that holds on the day, so that the course goes on from that day.

    A pause that would not have begun before that day is removed.
    Raises: CourseError when the course is not paused then.
    """
    with changing(course, action="resumed", by=by, now=now, reason=ResolvedReason.RESUMED, on=on) as locked:
        pause = (
            Pause.objects.filter(course=locked, from_on__lte=on)
            .filter(Q(to_on__isnull=True) | Q(to_on__gte=on))
            .first()
        )
        if pause is None:
            raise refuse("on", _("The course is not paused on that day."), code="not_paused")
        last_on = on - timedelta(days=1)
        if last_on < pause.from_on:
            pause.delete()
        else:
            pause.to_on = last_on
            pause.save(update_fields=["to_on"])


def remove_pause(*, pause: Pause, by: Actor, now: datetime) -> None:
    """Take back a pause that was entered by mistake.

    Raises: CourseError when somebody else has taken it back already.
    """
    with changing(
        pause.course,
        action="pause_removed",
        by=by,
        now=now,
        reason=ResolvedReason.CORRECTED,
        from_on=pause.from_on,
        to_on=pause.to_on,
    ):
        removed, _rows = Pause.objects.filter(pk=pause.pk).delete()
        if not removed:
            raise CourseError(_("This pause is gone already."), code="pause_gone")


def is_pause_too_long(pause: Pause, *, now: datetime) -> bool:
    """Return whether a pause has gone on, or will go on, beyond the clinic's longest; it asks for a review."""
    clinic = pause.clinic
    last_on = pause.to_on or local_today(clinic, now)
    return (last_on - pause.from_on).days + 1 > clinic.longest_pause_days
