"""Rules in words: when a message goes, over which channels, and how a rule changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from clients.models import Channel
from reminders.models import ReminderRule, RuleVersion, Trigger
from staff.presenters.badges import Badge
from staff.presenters.sessions import moment_words


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule as a line of the settings."""

    rule: ReminderRule
    url: str
    title: str
    when: str
    channels: str
    badge: Badge
    ahead: int
    has_own_words: bool


def rule_line(rule: ReminderRule, *, ahead: int) -> RuleLine:
    return RuleLine(
        rule=rule,
        url=reverse("staff:rule-edit", args=[rule.code]),
        title=rule_title(rule),
        when=when_words(rule),
        channels=channel_words(rule.channels),
        badge=Badge(pgettext("rule", "On"), "good", "check")
        if rule.is_active
        else Badge(pgettext("rule", "Paused"), "quiet", "player-pause"),
        ahead=ahead,
        has_own_words=bool(rule.texts),
    )


def rule_title(rule: ReminderRule) -> str:
    return capfirst(rule.get_trigger_display())


def channel_words(channels: Sequence[str]) -> str:
    """Return channels in order, for example "E-mail, else SMS"."""
    labels = [str(Channel(name).label) for name in channels]
    return capfirst(_(", else ").join(labels))


def span_words(minutes: int) -> str:
    if minutes % (24 * 60) == 0:
        days = minutes // (24 * 60)
        return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
    if minutes % 60 == 0:
        hours = minutes // 60
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}


def when_words(rule: ReminderRule) -> str:
    """Return when a rule's message goes, for example "1 day before the session"."""
    trigger, at = rule.trigger, f"{rule.at_time:%H:%M}" if rule.at_time else ""
    wait = span_words(rule.wait_minutes)
    if trigger in (Trigger.BEFORE_SESSION, Trigger.PREPARATION):
        lead = span_words(rule.lead_minutes or (rule.lead_days or 0) * 24 * 60)
        words = _("%(span)s before the session") % {"span": lead}
    elif trigger in (Trigger.BOOK_NEXT, Trigger.MAINTENANCE_DUE):
        words = (
            _("before the next window begins")
            if rule.lead_days is None
            else _("%(span)s before the next window begins")
            % {"span": span_words(rule.lead_days * 24 * 60) if rule.lead_days else span_words(0)}
        )
    else:
        words = {
            Trigger.MISSED_SESSION: _("%(span)s after a missed session"),
            Trigger.AFTER_SESSION: _("%(span)s after the first session")
            if rule.is_first_only
            else _("%(span)s after each session"),
            Trigger.OVERDUE: _("once the course is overdue"),
            Trigger.SCHEDULE: _("%(span)s after the first booking"),
            Trigger.CHANGE: _("%(span)s after a change"),
            Trigger.EARLIER_SLOT: _("when a time becomes free that a client waits for"),
            Trigger.ACCESS_CODE: _("when a client asks for it"),
            Trigger.COURSE_COMPLETED: _("%(span)s after the course is completed"),
            Trigger.STAFF_DIGEST: _("every morning"),
        }[Trigger(trigger)] % {"span": wait}
    if at:
        words = _("%(when)s, at %(time)s") % {"when": words, "time": at}
    if rule.cap_count > 1:
        again = ngettext("every %(n)s day", "every %(n)s days", rule.repeat_days) % {"n": rule.repeat_days}
        most = ngettext("at most %(n)s time", "at most %(n)s times", rule.cap_count) % {"n": rule.cap_count}
        words = f"{words}, {again}, {most}"
    return capfirst(words)


# ---------------------------------------------------------------- versions


@dataclass(frozen=True, slots=True)
class VersionLine:
    number: int
    at: str
    by: str
    words: str
    is_current: bool


def version_lines(versions: Sequence[RuleVersion], *, current: int, today: date) -> list[VersionLine]:
    """Return the versions of a rule, latest first, each with what it changed."""
    lines = []
    before: Mapping[str, Any] | None = None
    for version in sorted(versions, key=lambda one: one.number):
        lines.append(
            VersionLine(
                version.number,
                moment_words(version.changed_at, today=today),
                version.changed_by.display_name if version.changed_by else _("the system"),
                _changed_words(before, version.values),
                version.number == current,
            )
        )
        before = version.values
    return lines[::-1]


def _changed_words(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    if before is None:
        return _("as the clinic started")
    if before.get("is_active") != after.get("is_active"):
        return _("resumed") if after.get("is_active") else _("paused")
    labels = {
        "channels": _("channels"),
        "lead_days": _("time before"),
        "lead_minutes": _("time before"),
        "at_time": _("time of the day"),
        "wait_minutes": _("time to wait"),
        "useful_minutes": _("time of use"),
        "repeat_days": _("repeats"),
        "cap_count": _("repeats"),
        "is_first_only": _("for whom"),
        "skips_confirmed": _("for whom"),
        "texts": _("words"),
    }
    changed = [label for name, label in labels.items() if before.get(name) != after.get(name)]
    return _("changed: %(what)s") % {"what": ", ".join(dict.fromkeys(changed))} if changed else ""


@dataclass(frozen=True, slots=True)
class Preview:
    """How a message would read on one channel in one language."""

    subject: str
    text: str
    note: str
    moment: datetime | None = None
