"""What the reminders' tests share: a booked course, a fixed clock, a channel that remembers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from audit.services import Actor
from clinics.models import Clinic
from courses.models import Course, TreatmentSession
from reminders.channels.base import SENT, Channel, Message, Outcome
from reminders.core import is_held_out
from reminders.models import Reminder
from reminders.services import drain
from tests.factories import actor_of, book, prescribe
from tests.factories.moulds import Mould
from tests.reminders.core.builders import at, riga

# Monday 2 March 2026, eight in the morning in Riga.
NOW = at("2026-03-02 08:00")


@dataclass
class Desk:
    """One course with one session on Wednesday at three, and who works on it."""

    course: Course
    session: TreatmentSession

    @property
    def by(self) -> Actor:
        return actor_of(self.course.prescribed_by)

    def fresh_session(self) -> TreatmentSession:
        return TreatmentSession.objects.select_related("course__clinic").get(pk=self.session.pk)

    def row(self, slug: str, **filters: Any) -> Reminder:
        return Reminder.objects.get(course=self.course, rule__slug=slug, **filters)

    def states(self, slug: str) -> list[tuple[str, str]]:
        rows = Reminder.objects.filter(course=self.course, rule__slug=slug).order_by("pk")
        return list(rows.values_list("state", "decision_reason"))


def make_desk(**options: Any) -> Desk:
    """Return a desk of its own clinic; `on`, `starts` and what prescribe() takes make it another one than usual."""
    return _make_desk(**options) if options else _USUAL.cast()


def _make_desk(on: date = date(2026, 3, 4), starts: time = time(15), **options: Any) -> Desk:
    course = prescribe(now=NOW, **options)
    session = book(course, on, starts, now=NOW)
    course.refresh_from_db()
    return Desk(course, session)


_USUAL = Mould(_make_desk, now=NOW)


def hold_out(desk: Desk) -> None:
    """Put the session into the group that gets no reminder: half of all, and it has a code that is among them."""
    code = next(code for n in range(99) if is_held_out(str(code := UUID(int=n)), percent=50))
    TreatmentSession.objects.filter(pk=desk.session.pk).update(code=code)
    Reminder.objects.filter(session=desk.session).update(subject_key=f"session:{code}")
    Clinic.objects.filter(pk=desk.course.clinic_id).update(reminder_holdout_percent=50)


@dataclass
class Memory(Channel):
    """A channel that keeps what it is given; `script` answers each send, the last answer for ever."""

    name = "email"
    script: list[Outcome | BaseException | Callable[[Message], Any]] = field(default_factory=lambda: [SENT])
    messages: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> Outcome:
        answer = self.script[0] if len(self.script) == 1 else self.script.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        self.messages.append(message)
        if callable(answer):
            answer = answer(message) or SENT
        return answer


def send_at(when: str | datetime, channel: Channel | None = None) -> dict[str, int]:
    """Send what is due at a wall time in Riga, by e-mail as set up unless a channel is given."""
    instant = at(when) if isinstance(when, str) else when
    factories = None if channel is None else {channel.name: lambda: channel}
    return dict(drain(clock=lambda: instant, factories=factories))


__all__ = ["NOW", "Desk", "Memory", "at", "hold_out", "make_desk", "riga", "send_at"]
