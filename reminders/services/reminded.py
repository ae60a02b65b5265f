"""Of each session with an outcome, whether a reminder of its slot went out, in its row, where reports count it."""

from collections import defaultdict
from collections.abc import Iterable

from courses.models import Course, Reminding, TreatmentSession
from reminders.convert import load_session_facts
from reminders.core import SessionFacts, slot_text
from reminders.models import Reason, Reminder, ReminderState, Trigger

_WENT = (ReminderState.SENT, ReminderState.UNCERTAIN)


def note_reminded(sessions: Iterable[SessionFacts], rows: Iterable[Reminder]) -> None:
    """Bring `reminding` of some courses' sessions in line with the messages about them; `rows` are all of the courses.

    A message about a slot that the session has left since is none about the one that it had in the end.
    Cost: none where nothing changed, else one query for each value.
    """
    told = _told(rows)
    changed: defaultdict[str, list[str]] = defaultdict(list)
    for session in sessions:
        slot = slot_text(session.starts_at) if session.starts_at and session.outcome_at else ""
        reminding = told.get((f"session:{session.code}", slot), "")
        if reminding != session.reminding:
            changed[reminding].append(session.code)
    for reminding, codes in changed.items():
        TreatmentSession.objects.filter(code__in=codes).update(reminding=reminding)


def fill_reminded(course: Course) -> None:
    """Note what was sent about the sessions of a course from before it was noted. Cost: two queries, and the above."""
    about = Reminder.objects.filter(course=course, trigger=Trigger.BEFORE_SESSION)
    note_reminded(load_session_facts([course])[course.pk], about)


def _told(rows: Iterable[Reminder]) -> dict[tuple[str, str], str]:
    """Return by session and slot what was sent; once something was, no reminder was held back."""
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.trigger != Trigger.BEFORE_SESSION:
            continue
        key = row.subject_key, row.about
        if row.state in _WENT:
            found[key] = Reminding.SENT.value
        elif row.decision_reason == Reason.HELD_OUT:
            found.setdefault(key, Reminding.HELD_OUT.value)
    return found
