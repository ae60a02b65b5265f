"""A plan in words; everything here is handed its values and runs no query."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Final

from django.utils.translation import gettext, ngettext

from courses.convert import read_reason
from courses.core.plan import Reason
from courses.core.plan.sentences import SENTENCES, sentence_parts
from staff.templatetags.interface import day

# Whether it is one day is no matter of a language's plural forms: 21 days have the form of one in some.
TWO_TEXTS: Final = frozenset({"window"})


def reason_words(reason: Reason, *, today: date) -> str:
    """Return why a session is planned where it is, as one sentence with the reader's dates."""
    key, number, values = sentence_parts(reason)
    said = {name: day(value, today) if isinstance(value, date) else value for name, value in values.items()}
    said["dates"] = _dates_words(reason.dates, today=today)
    if key in TWO_TEXTS:
        return gettext(SENTENCES[key][number != 1]) % said
    return ngettext(*SENTENCES[key], number) % said


def kept_reasons_words(why: Sequence[Mapping[str, Any]], *, today: date) -> list[str]:
    """Return the reasons that a session's row keeps as sentences."""
    return [reason_words(read_reason(values), today=today) for values in why]


def _dates_words(dates: Sequence[date], *, today: date) -> str:
    """Return ordered dates with neighbours drawn together."""
    breaks = [n for n, (one, two) in enumerate(pairwise(dates), 1) if (two - one).days > 1]
    edges = [0, *breaks, len(dates)]
    spans = [dates[start:stop] for start, stop in pairwise(edges) if start < stop]
    return ", ".join(span_words(span[0], span[-1], today=today) for span in spans)


def span_words(from_on: date, to_on: date, *, today: date) -> str:
    """Return a range of days, both included."""
    if from_on == to_on:
        return day(from_on, today)
    return f"{day(from_on, today)} – {day(to_on, today)}"
