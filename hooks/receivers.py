"""Hears of what happens to courses inside their own transactions, so that no event is lost and none made up."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from courses.models import Course, Flag, TreatmentSession
from courses.services.news import stand_of
from courses.signals import course_acted, course_ended, flag_changed, session_changed
from hooks.core import course_event, session_event
from hooks.services.noting import flag_facts, note_event, pause_facts, session_facts


@receiver(course_acted, dispatch_uid="hooks.course_acted")
def hear_verb(*, course: Course, action: str, details: dict[str, Any], now: datetime, **_: Any) -> None:
    event = course_event(action)
    if event is not None:
        # Each verb makes the course another version.
        note_event(course, event, key=f"{course.code}:{course.version}", now=now, **pause_facts(details))


@receiver(course_ended, dispatch_uid="hooks.course_ended")
def hear_end(*, course: Course, is_over: bool, now: datetime, **_: Any) -> None:
    event = "course.completed" if is_over else "course.reopened"
    note_event(course, event, key=f"{course.code}:{now.isoformat()}", now=now)


@receiver(session_changed, dispatch_uid="hooks.session_changed")
def hear_session(*, session: TreatmentSession, course: Course, before: Any, now: datetime, **_: Any) -> None:
    is_moved = before is not None and replace(before, status=str(session.status)) != stand_of(session)
    event = session_event(before.status if before else None, session.status, is_moved=is_moved)
    if event is not None:
        key = f"{session.code}:{session.version}"
        note_event(course, event, key=key, now=now, session=lambda: session_facts(session))


@receiver(flag_changed, dispatch_uid="hooks.flag_changed")
def hear_flag(*, flag: Flag, course: Course, now: datetime, **_: Any) -> None:
    event = "flag.resolved" if flag.resolved_at else "flag.opened"
    note_event(course, event, key=str(flag.code), now=now, flag=lambda: flag_facts(flag))
