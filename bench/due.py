"""What is due at a measured instant: rows of all clinics that are made to wait, and woken some at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from bench.model_clinic import COURSES, TODAY, local
from bench.multiply import STRIDE
from courses.models import Course
from reminders.models import Reminder, ReminderState

MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Ids in the model clinic: courses that today changes, and messages for tomorrow's sessions of other courses."""

    courses: tuple[int, ...]
    messages: tuple[int, ...]


def instant_of(number: int) -> datetime:
    """Return the instant of a measured tick: nine in the morning and so many minutes."""
    return local(TODAY, 9, number)


def find_candidates() -> Candidates:
    """Choose in the model clinic what may become due; no course is chosen for both."""
    tomorrow = TODAY + timedelta(days=1)
    messages = Reminder.objects.filter(
        state=ReminderState.DUE, rule__slug="day-before", session__on=tomorrow, course__status="active"
    ).order_by("pk")
    reminded = list(messages.values_list("pk", "course_id")[: COURSES * 2 // 5])
    # Assessing a course brings its messages up to date; none of them may become due by that.
    waiting = Reminder.objects.filter(state=ReminderState.DUE, send_at__lte=instant_of(59)).values("course")
    courses = Course.objects.filter(next_check_on=TODAY).exclude(pk__in=waiting)
    courses = courses.exclude(pk__in=[course for _, course in reminded])
    return Candidates(
        courses=tuple(courses.order_by("pk").values_list("pk", flat=True)),
        messages=tuple(pk for pk, _ in reminded),
    )


def quieten() -> None:
    """Put off by some days all that is due around the measured instants, so that only what is woken then is."""
    Course.objects.filter(next_check_at__lte=instant_of(59)).update(
        next_check_at=F("next_check_at") + timedelta(days=3)
    )
    # What comes due within the hour would go along with what is woken.
    Reminder.objects.filter(state=ReminderState.DUE, send_at__lte=instant_of(59) + timedelta(hours=1)).update(
        send_at=F("send_at") + timedelta(days=3), expires_at=F("expires_at") + timedelta(days=3)
    )


def wake(candidates: Candidates, *, number: int, runs: int, clinics: int, due: int) -> None:
    """Make `due` courses and as many messages due for one of several ticks, evenly spread over the clinics.

    Raises: ValueError when there are too few of them for so many ticks.
    """
    now = instant_of(number)
    courses = spread(candidates.courses, number=number, runs=runs, clinics=clinics, amount=due)
    messages = spread(candidates.messages, number=number, runs=runs, clinics=clinics, amount=due)
    Course.objects.filter(pk__in=courses).update(next_check_at=local(TODAY, 0))
    Reminder.objects.filter(pk__in=messages).update(send_at=now - MINUTE, expires_at=now + timedelta(hours=6))


def spread(ids: tuple[int, ...], *, number: int, runs: int, clinics: int, amount: int) -> list[int]:
    """Return so many ids over all clinics for one of several runs; no id is given to two runs.

    Every run, among however many clinics, has the same share of each original, so that the work is the same.
    Raises: ValueError when there are fewer clinics than that takes.
    """
    rounds = -(-amount // len(ids))
    if clinics < rounds * runs:
        raise ValueError(
            f"{clinics} clinics are too few for {runs} runs of {amount}, {len(ids)} in each clinic"
        )
    found = []
    for place in range(amount):
        turn, original = divmod(place, len(ids))
        clinic = (turn * runs + number) * clinics // (rounds * runs) + original * clinics // len(ids)
        found.append(ids[original] + clinic % clinics * STRIDE)
    return found


# ---------------------------------------------------------------- e-mails


def find_mails() -> tuple[int, ...]:
    """Return the ids in the model clinic of one message a client, about a session that is still ahead."""
    ahead = Reminder.objects.filter(
        state=ReminderState.DUE, rule__slug="day-before", session__on__gt=TODAY, course__status="active"
    ).order_by("pk")
    first: dict[int, int] = {}
    for pk, client_id in ahead.values_list("pk", "client_id"):
        first.setdefault(client_id, pk)
    return tuple(first.values())
