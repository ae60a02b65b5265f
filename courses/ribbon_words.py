"""What a ribbon says, in the reader's language; runs no queries."""

from collections import Counter
from datetime import date

from django.utils.dateformat import format as format_date
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from clinics.dates import day_format, short_day_within
from courses.core.ribbon import (
    ATTENDED_MARKS,
    BOOKED_MARKS,
    EndFlag,
    Mark,
    PhaseSpan,
    RibbonFacts,
    Tick,
    WindowSpan,
)
from courses.core.types import PauseSpan
from courses.models import PauseReason, PhaseKind


class TranslatedWords:
    """The texts of the large ribbon; dates name their weekday, and their year when it is not today's."""

    def __init__(self, today: date) -> None:
        self.year = today.year

    def day(self, on: date) -> str:
        return short_day_within(on, with_year=on.year != self.year)

    def days(self, from_on: date, to_on: date) -> str:
        if from_on == to_on:
            return self.day(from_on)
        return _("%(from)s to %(to)s") % {"from": self.day(from_on), "to": self.day(to_on)}

    def today(self, day: date) -> tuple[str, ...]:
        return (_("today"),)

    def tick(self, tick: Tick, *, with_year: bool) -> str:
        if tick.unit in ("day", "week"):
            form = day_format(with_year=with_year)
        elif tick.unit == "year":
            form = "Y"
        else:
            form = pgettext("month format", "M Y") if with_year else pgettext("month format", "M")
        return format_date(tick.on, form)

    def mark(self, mark: Mark) -> str:
        """Return one session as a whole sentence without its end."""
        said = capfirst(_("%(day)s: %(what)s") % {"day": self.day(mark.on), "what": self._what(mark)})
        if mark.session is None:
            return said
        return _("%(said)s, session %(number)s") % {"said": said, "number": mark.session}

    def _what(self, mark: Mark) -> str:
        match mark.kind:
            case "on_time":
                return _("attended on time")
            case "extra":
                return _("attended, not prescribed any more")
            case "early":
                return ngettext("attended %(n)s day early", "attended %(n)s days early", mark.days) % {
                    "n": mark.days
                }
            case "late":
                return ngettext("attended %(n)s day late", "attended %(n)s days late", mark.days) % {
                    "n": mark.days
                }
            case "no_show":
                return _("did not come")
            case "cancelled_late":
                return _("cancelled late by the client")
            case "cancelled_by_client":
                return _("cancelled by the client")
            case "cancelled_by_clinic":
                return _("cancelled by the clinic")
            case "planned":
                return _("planned, without a time yet")
            case "unrecorded":
                return _("was booked, and nothing is recorded")
            case _:
                return self._booking(mark)

    def _booking(self, mark: Mark) -> str:
        booked = _("confirmed") if mark.is_sure else _("booked")
        if mark.kind == "booked_early":
            text = ngettext("%(booked)s, %(n)s day too early", "%(booked)s, %(n)s days too early", mark.days)
        elif mark.kind == "booked_late":
            text = ngettext("%(booked)s, %(n)s day late", "%(booked)s, %(n)s days late", mark.days)
        elif mark.kind == "misbooked":
            text = _("%(booked)s on a closed or paused day, or after the end")
        else:
            return booked
        return text % {"booked": booked, "n": mark.days}

    def verdict(self, mark: Mark) -> tuple[str, ...]:
        if "early" in mark.kind:
            text = ngettext("%(n)s day early", "%(n)s days early", mark.days) % {"n": mark.days}
            return (text, f"\N{MINUS SIGN}{mark.days}")
        return (ngettext("%(n)s day late", "%(n)s days late", mark.days) % {"n": mark.days}, f"+{mark.days}")

    def window(self, window: WindowSpan) -> str:
        return _("Window of session %(number)s: %(days)s") % {
            "number": window.session,
            "days": self.days(window.due_from, window.due_by),
        }

    def next_window(self, window: WindowSpan) -> tuple[str, ...]:
        days = self.days(window.due_from, window.due_by)
        return (_("next: %(days)s") % {"days": days}, days, _("next"))

    def pause(self, pause: PauseSpan) -> tuple[str, ...]:
        reason = PauseReason(pause.reason).label if pause.reason in PauseReason.values else pause.reason
        short = _("paused: %(reason)s") % {"reason": reason} if reason else _("paused")
        if pause.to_on is None:
            return (_("%(paused)s, no end set") % {"paused": short}, short, _("paused"))
        return (short, _("paused"))

    def phase(self, span: PhaseSpan) -> tuple[str, ...]:
        return (str(PhaseKind(span.kind).label),)

    def restart(self, day: date) -> tuple[str, ...]:
        return (_("restarted %(day)s") % {"day": self.day(day)}, _("restarted"))

    def end(self, flag: EndFlag) -> tuple[str, ...]:
        day = self.day(flag.on)
        if flag.kind == "completed":
            return (_("completed %(day)s") % {"day": day}, _("completed"))
        if flag.kind == "stopped":
            return (_("stopped %(day)s") % {"day": day}, _("stopped"))
        if flag.session is None:
            return (_("projected end %(day)s") % {"day": day}, day)
        values = {"day": day, "number": flag.session}
        return (_("%(day)s, session %(number)s") % values, day)


def summary_of(facts: RibbonFacts) -> str:
    """Return the whole ribbon in one short line."""
    words = TranslatedWords(facts.today)
    counts: Counter[str] = Counter(mark.kind for mark in facts.marks)
    attended = sum(counts[kind] for kind in ATTENDED_MARKS)
    missed = counts["no_show"] + counts["cancelled_late"]
    booked = sum(counts[kind] for kind in BOOKED_MARKS)
    parts = [ngettext("%(n)s session attended", "%(n)s sessions attended", attended) % {"n": attended}]
    for text, number in (
        (_("%(n)s late"), counts["late"]),
        (_("%(n)s early"), counts["early"]),
        (_("%(n)s missed"), missed),
        (_("%(n)s booked"), booked),
    ):
        if number:
            parts.append(text % {"n": number})
    for window in facts.windows:
        if window.role == "next" and not booked:
            parts.append(words.next_window(window)[0])
    if any(pause.from_on <= facts.today <= (pause.to_on or facts.today) for pause in facts.pauses):
        parts.append(_("paused"))
    if facts.end is not None:
        parts.append(_end_in_words(facts.end, words))
    return "; ".join(parts)


def facts_in_words(facts: RibbonFacts) -> list[str]:
    """Return everything the large ribbon shows, a line each, in the order of time."""
    words = TranslatedWords(facts.today)
    lines: list[tuple[date, str]] = [(mark.on, words.mark(mark)) for mark in facts.marks]
    for pause in facts.pauses:
        end = words.day(pause.to_on) if pause.to_on else _("further notice")
        values = {"from": words.day(pause.from_on), "to": end, "paused": words.pause(pause)[0]}
        lines.append((pause.from_on, _("%(from)s to %(to)s: %(paused)s") % values))
    lines += [(day, words.restart(day)[0]) for day in facts.restarts]
    if len(facts.phases) > 1:
        for span in facts.phases:
            values = {"day": words.day(span.from_on), "phase": words.phase(span)[0]}
            lines.append((span.from_on, _("%(day)s: phase %(phase)s begins") % values))
    lines += [(window.due_from, words.window(window)) for window in facts.windows if window.role != "past"]
    if facts.end is not None:
        lines.append((facts.end.on, _end_in_words(facts.end, words)))
    return [capfirst(line) for _on, line in sorted(lines, key=lambda line: line[0])]


def _end_in_words(flag: EndFlag, words: TranslatedWords) -> str:
    said = words.end(flag)[0]
    return _("projected end %(day)s") % {"day": said} if flag.session is not None else said
