"""A prescription in words, in the present language; everything here is handed its values and runs no query."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.core.types import Cadence, PhaseSpec


def range_words(least: int | None, most: int | None) -> str:
    """Return two numbers as people write a range: "10–15", or "10" where they are the same."""
    return f"{most}" if least is None or least == most else f"{least}–{most}"


def cadence_words(cadence: Cadence) -> str:
    """Return how often sessions come, for example "every 1–2 days" or "2 times a week"."""
    least, most, times = cadence.period_min, cadence.period_max, cadence.frequency
    if times > 1:
        if least == most == 7:
            return ngettext("%(n)s time a week", "%(n)s times a week", times) % {"n": times}
        period = ngettext("%(n)s day", "%(n)s days", most) % {"n": range_words(least, most)}
        return ngettext("%(n)s time in %(period)s", "%(n)s times in %(period)s", times) % {
            "n": times,
            "period": period,
        }
    if least != most:
        return ngettext("every %(n)s day", "every %(n)s days", most) % {"n": range_words(least, most)}
    if most == 1:
        return _("every day")
    if most == 2:
        return _("every other day")
    if most == 7:
        return _("once a week")
    if most % 7 == 0:
        return ngettext("every %(n)s week", "every %(n)s weeks", most // 7) % {"n": most // 7}
    return ngettext("every %(n)s day", "every %(n)s days", most) % {"n": most}


def duration_words(days: int) -> str:
    """Return a length of time in the largest unit that fits, for example "1 year"."""
    if days % 365 == 0:
        return ngettext("%(n)s year", "%(n)s years", days // 365) % {"n": days // 365}
    if days % 7 == 0:
        return ngettext("%(n)s week", "%(n)s weeks", days // 7) % {"n": days // 7}
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def phase_words(phase: PhaseSpec) -> str:
    """Return a phase as part of a sentence: "10–15 sessions, every 1–2 days, 30–60 minutes"."""
    parts = []
    if phase.sessions_max is not None:
        amount = range_words(phase.sessions_min, phase.sessions_max)
        sessions = ngettext("%(n)s session", "%(n)s sessions", phase.sessions_max) % {"n": amount}
        if phase.target is not None and phase.sessions_min != phase.sessions_max:
            sessions = _("%(target)s of %(sessions)s") % {"target": phase.target, "sessions": sessions}
        parts.append(sessions)
    rhythm = cadence_words(phase.cadence)
    if phase.duration_days is not None:
        rhythm = _("%(rhythm)s for %(duration)s") % {
            "rhythm": rhythm,
            "duration": duration_words(phase.duration_days),
        }
    parts.append(rhythm)
    if phase.minutes_max is not None:
        length = range_words(phase.minutes_min, phase.minutes_max)
        parts.append(ngettext("%(n)s minute", "%(n)s minutes", phase.minutes_max) % {"n": length})
    return ", ".join(parts)


def prescription_words(phases: Sequence[PhaseSpec]) -> str:
    """Return a whole prescription as one sentence without its end."""
    return _("; then ").join(phase_words(phase) for phase in phases)
