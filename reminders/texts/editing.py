"""For whoever edits a text: what it may name, what is wrong with it, how it would read."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clinics.models import Clinic
from courses.models import FlagKind
from reminders.channels.base import Message
from reminders.models import Reminder
from reminders.texts.compiling import Value
from reminders.texts.dates import day_text, short_day_text
from reminders.texts.values import KNOWN, Part, Values, View
from reminders.texts.writing import compose, text_of

_BRACES: Final = re.compile(r"\{([^{}]*)\}")
# A Wednesday, so that "best before" reads as a weekday in the middle of a week.
_SAMPLE_AT: Final = datetime(2027, 3, 3, 13, tzinfo=UTC)
_SAMPLES: Final[dict[str, dict[str, Value]]] = {
    "en": {
        "name": "Anna",
        "treatment": "Classical massage",
        "progress": "Session 7 of 10–15",
        "preparation": ("Take a warm shower.", "Do not eat for two hours before."),
    },
    "ru": {
        "name": "Анна",
        "treatment": "Классический массаж",
        "progress": "Сеанс 7 из 10–15",
        "preparation": ("Примите тёплый душ.", "Не ешьте за два часа до сеанса."),
    },
}
_ABOUT_COURSES: Final = ("overdue", "book_next", "maintenance_due", "schedule", "change", "course_completed")
_SECRET: Final = ("treatment", "progress", "preparation", "best_before")


def check_text(text: str) -> list[str]:
    """Return what is wrong with a text, each as a full sentence; an empty list when nothing is."""
    problems = []
    unknown = dict.fromkeys(name for name in _BRACES.findall(text) if name not in KNOWN)
    for name in unknown:
        problems.append(_("There is no placeholder {%(name)s}.") % {"name": name})
    if re.search(r"[{}]", _BRACES.sub("", text)):
        problems.append(_("Every { needs its } around the name of a placeholder."))
    return problems


def preview_message(rule: Any, *, language: str, clinic: Clinic, channel: str) -> Message:
    """Return how a rule's message would read, with the clinic's own facts and an invented visit; nothing is sent.

    The rule may be unsaved.
    """
    row = Reminder(clinic=clinic, trigger=rule.trigger, channel=channel)
    view = View(Part(row, links=_SampleLinks()), _SAMPLE_AT, language, ZoneInfo(clinic.time_zone))
    values = Values(view)
    values.update(_sample_values(view, clinic))
    return compose([view], [text_of(rule, rule.trigger, language)], [values], address="")


class _SampleLinks:
    session = "https://example.com/v/sample"
    course = "https://example.com/k/sample"
    unsubscribe = "https://example.com/u/sample"


def _sample_values(view: View, clinic: Clinic) -> dict[str, Value]:
    language, words = view.language, view.words
    on = _SAMPLE_AT.date() + timedelta(days=1)
    later = on + timedelta(days=1)
    slots = (f"{day_text(on, language)}, 15:00", f"{day_text(later, language)}, 15:00")
    is_digest = view.row.trigger == "staff_digest"
    values: dict[str, Value] = {
        **_SAMPLES[language],
        "day": day_text(on, language),
        "date": short_day_text(on, language),
        "near": words["tomorrow"],
        "when": f"{words['tomorrow']}, {day_text(on, language)}",
        "time": "15:00",
        "until": "15:45",
        "hours": "15:00–15:45",
        "due_from": day_text(on, language),
        "due_by": day_text(later, language),
        "window": f"{day_text(on, language)} – {day_text(later, language)}",
        "window_short": f"{short_day_text(on, language)} - {short_day_text(later, language)}",
        "visits": slots,
        "cancelled_visits": (f"{day_text(_SAMPLE_AT.date(), language)}, 15:00",),
        "next_visit": slots[0],
        "earlier": f"{day_text(_SAMPLE_AT.date(), language)}, 17:00",
        "link": _SampleLinks.course if view.row.trigger in _ABOUT_COURSES else _SampleLinks.session,
        "code": "123456",
        "best_before": day_text(later, language),
        "sessions_today": "12",
        "findings": (f"{FlagKind.OVERDUE.label}: 2", f"{FlagKind.UNBOOKED.label}: 1"),
        "unrecorded": "1",
        "failed": "1",
        "disabled": "1",
        "expired": "",
    }
    if not clinic.shows_treatment_in_messages or is_digest:
        values |= {name: () if name == "preparation" else "" for name in _SECRET}
    return values
