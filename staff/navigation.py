"""The main menu: which pages there are, for whom, and where the reader is."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinics.access import Capability, is_allowed
from clinics.models import StaffMember
from clinics.prepared import PreparedCounts
from courses.selectors import serious_flags
from reminders.selectors import waiting_keys


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu; `pages` are the url names under which it is the current one."""

    name: str
    icon: str
    label: str | Promise
    short_label: str | Promise
    capability: Capability
    pages: tuple[str, ...]
    is_on_phone: bool = False
    # Who may do this finds the page behind another entry.
    unless: Capability | None = None


@dataclass(frozen=True, slots=True)
class Item:
    url: str
    icon: str
    label: str | Promise
    short_label: str | Promise
    is_here: bool
    is_on_phone: bool
    count: int = 0
    # What is counted, for who cannot see the number's colour.
    counted: str | Promise = ""


ENTRIES: Final = (
    Entry("today", "calendar-check", _("Today"), _("Today"), Capability.READ, ("today", "session-"), True),
    Entry(
        "attention",
        "flag",
        _("Needs attention"),
        pgettext_lazy("short for Needs attention", "Attention"),
        Capability.READ,
        ("attention", "flag-"),
        True,
    ),
    Entry(
        "calendar",
        "calendar",
        _("Calendar"),
        _("Calendar"),
        Capability.READ,
        ("calendar", "disruption-", "job-"),
        True,
    ),
    # A table for a desk: on a telephone a course is reached through its client, a finding or a session.
    Entry("course-list", "timeline", _("Courses"), _("Courses"), Capability.READ, ("course-",)),
    Entry("client-list", "users", _("Clients"), _("Clients"), Capability.READ, ("client-",), True),
    Entry("message-list", "mail", _("Messages"), _("Messages"), Capability.READ, ("message-",), True),
    Entry("report-list", "chart-bar", _("Reports"), _("Reports"), Capability.EXPORT, ("report-",)),
    Entry("export-list", "file-export", _("Exports"), _("Exports"), Capability.EXPORT, ("export-",)),
    Entry(
        "settings-clinic",
        "settings",
        _("Settings"),
        _("Settings"),
        Capability.MANAGE,
        ("rule-", "settings-", "channel-", "people-", "audit-", "protocol-", "token-", "hook-", "import-"),
    ),
    Entry(
        "protocol-list",
        "clipboard-list",
        _("Protocols"),
        _("Protocols"),
        Capability.PRESCRIBE,
        ("protocol-",),
        unless=Capability.MANAGE,
    ),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A page that a search finds by its name; `within` is the page of the menu that it belongs to."""

    name: str
    icon: str
    label: str | Promise
    capability: Capability
    within: str | Promise = ""


_SETTINGS: Final = (
    ("settings-clinic", _("Clinic")),
    ("settings-hours", _("Opening hours")),
    ("settings-closures", _("Closures")),
    ("settings-holidays", _("Public holidays")),
    ("settings-rooms", _("Rooms")),
    ("people-list", _("People")),
    ("people-new", _("Add a person")),
    ("rule-list", _("Reminder rules")),
    ("settings-messages", _("How we write")),
    ("channel-list", _("Channels")),
    ("token-list", _("API tokens")),
    ("hook-list", _("Webhooks")),
    ("import-list", pgettext_lazy("noun", "Import")),
    ("audit-list", _("Audit log")),
)
PLACES: Final = (
    *(
        Place(entry.name, entry.icon, entry.label, entry.capability)
        for entry in ENTRIES
        if entry.name != "settings-clinic"
    ),
    Place("course-new", "plus", _("Prescribe a course"), Capability.PRESCRIBE, _("Courses")),
    Place("client-add", "user-plus", _("New client"), Capability.BOOK, _("Clients")),
    Place("profile", "user", _("Profile"), Capability.READ),
    *(Place(name, "settings", label, Capability.MANAGE, _("Settings")) for name, label in _SETTINGS),
)


def find_places(member: StaffMember, text: str) -> list[Place]:
    """Return the pages the member may open whose name, with that of the page they belong to, holds every word."""
    words = text.casefold().split()
    return [
        place
        for place in PLACES
        if words
        and is_allowed(member, place.capability)
        and all(word in f"{place.within} {place.label}".casefold() for word in words)
    ]


# What stands beside two of the pages, and how it is called.
_COUNTED: Final = {"attention": _("serious:"), "message-list": _("need a person:")}
_COUNTS: Final = PreparedCounts(
    lambda clinic, today: {
        "attention": serious_flags(clinic, today=today),
        "message-list": waiting_keys(clinic),
    }
)


def menu(member: StaffMember, url_name: str, *, today: date) -> list[Item]:
    """Return the pages the member may open, in order.

    Cost: one query, for serious flags and messages that wait for a person.
    """
    counts = _COUNTS.ask(member.clinic, today=today)
    return [
        Item(
            url=reverse(f"staff:{entry.name}"),
            icon=entry.icon,
            label=entry.label,
            short_label=entry.short_label,
            is_here=any(url_name.startswith(page) for page in entry.pages),
            is_on_phone=entry.is_on_phone,
            count=counts.get(entry.name, 0),
            counted=_COUNTED.get(entry.name, ""),
        )
        for entry in ENTRIES
        if is_allowed(member, entry.capability) and not (entry.unless and is_allowed(member, entry.unless))
    ]
