"""Flags in words: how severe, what and why."""

from datetime import date
from typing import Final

from django.utils.dateparse import parse_date
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.core.sentences import SENTENCES, sentence_parts
from courses.core.types import Finding
from courses.models import Cause, Flag, FlagKind, Severity
from staff.presenters.badges import Badge
from staff.templatetags.interface import day

SEVERITY_LOOK: Final = {
    Severity.SERIOUS: ("serious", "alert-triangle"),
    Severity.WARNING: ("warning", "alert-circle"),
    Severity.NOTICE: ("notice", "info-circle"),
}


def severity_badge(flag: Flag) -> Badge:
    tone, icon = SEVERITY_LOOK[Severity(flag.severity)]
    return Badge(capfirst(flag.get_severity_display()), tone, icon)


def flag_chip(flag: Flag) -> Badge:
    """Return a flag in two or three words, its sentence as the hint."""
    tone, icon = SEVERITY_LOOK[Severity(flag.severity)]
    return Badge(flag_words(flag), tone, icon, flag_sentence(flag))


def flag_words(flag: Flag) -> str:
    number = (flag.days if flag.count is None else flag.count) or 0
    words = {
        FlagKind.OVERDUE: lambda: ngettext("%(n)s day overdue", "%(n)s days overdue", number),
        FlagKind.LAPSED: lambda: ngettext("Lapsed, %(n)s day late", "Lapsed, %(n)s days late", number),
        FlagKind.INTERRUPTED: lambda: ngettext(
            "%(n)s day without a session", "%(n)s days without a session", number
        ),
        FlagKind.UNBOOKED: lambda: _("Nothing booked"),
        FlagKind.BOOKED_LATE: lambda: ngettext("Booked %(n)s day late", "Booked %(n)s days late", number),
        FlagKind.MISBOOKED: lambda: _("Booked on a wrong day"),
        FlagKind.TOO_FREQUENT: lambda: ngettext("%(n)s day too early", "%(n)s days too early", number),
        FlagKind.BEHIND: lambda: ngettext("%(n)s day behind", "%(n)s days behind", number),
        FlagKind.MISSED_STREAK: lambda: ngettext("Missed %(n)s time", "Missed %(n)s times in a row", number),
        FlagKind.DECISION_DUE: lambda: _("Decision due"),
        FlagKind.UNRECORDED: lambda: _("Outcome missing"),
        FlagKind.CONTRAINDICATED: lambda: _("Contraindicated"),
        FlagKind.OFF_PROTOCOL: lambda: _("Off protocol"),
    }[FlagKind(flag.kind)]()
    return words % {"n": number}


def flag_sentence(flag: Flag) -> str:
    """Return the finding behind a flag as one sentence in the reader's language."""
    key = str(flag.kind)
    for detail in (flag.severity, flag.cause):
        if f"{flag.kind}.{detail}" in SENTENCES:
            key = f"{flag.kind}.{detail}"
    number = (flag.days if flag.count is None else flag.count) or 0
    on = flag.evidence.get("on")
    values = {
        "number": number,
        "limit": flag.evidence.get("limit"),
        "session": flag.evidence.get("session"),
        "on": day(parse_date(on)) if on else "",
    }
    return ngettext(*SENTENCES[key], number) % values


def finding_words(finding: Finding, *, today: date) -> str:
    """Return a finding that is no flag yet as one sentence in the reader's language."""
    key, number, values = sentence_parts(finding)
    return ngettext(*SENTENCES[key], number) % {**values, "on": day(finding.on, today)}


def cause_words(flag: Flag) -> str:
    """Return who or what a lateness comes from, where the sentence does not say so itself."""
    if f"{flag.kind}.{flag.cause}" in SENTENCES:
        return ""
    words: dict[str, str] = {
        Cause.CLIENT: _("The client missed or cancelled"),
        Cause.CLINIC: _("The clinic cancelled"),
        Cause.BOTH: _("Client and clinic cancelled"),
        Cause.SCHEDULING: _("Booked late or not at all"),
    }
    return words.get(flag.cause, "")
