"""What a search found: clients, courses and pages, each as one line that leads there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.models import Course
from staff.navigation import Place
from staff.presenters.badges import Badge
from staff.presenters.clients import client_line, client_url
from staff.presenters.courses import course_badge, course_url, protocol_name
from staff.templatetags.interface import day


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found; `detail` tells two of the same name apart."""

    url: str
    icon: str
    title: str
    detail: str = ""
    badge: Badge | None = None


@dataclass(frozen=True, slots=True)
class HitGroup:
    """What was found of one kind; `has_more` when not all of it is shown."""

    name: str
    label: str
    hits: tuple[Hit, ...]
    has_more: bool = False


def hit_groups(
    clients: Sequence[Any], courses: Sequence[Course], places: Iterable[Place], *, most: int
) -> list[HitGroup]:
    """Return what was found by kinds, at most so many of each; kinds of which there is nothing are left out."""
    found = (
        ("clients", _("Clients"), [_client_hit(client) for client in clients]),
        ("courses", _("Courses"), [_course_hit(course) for course in courses]),
        ("pages", _("Pages"), [_place_hit(place) for place in places]),
    )
    return [
        HitGroup(name, label, tuple(hits[:most]), has_more=len(hits) > most)
        for name, label, hits in found
        if hits
    ]


def found_words(groups: Sequence[HitGroup], text: str) -> str:
    """Return what came of a search in one sentence, which is also read aloud."""
    if not text:
        return ""
    if not groups:
        return _("Nothing found. Any part of a name, an e-mail address or a telephone number finds a client.")
    count = sum(len(group.hits) for group in groups)
    words = ngettext("%(n)s found.", "%(n)s found.", count) % {"n": count}
    if any(group.has_more for group in groups):
        return f"{words} {_('There are more: type more of the name.')}"
    return words


def _client_hit(client: Any) -> Hit:
    line = client_line(client)
    detail = ", ".join(part for part in (line.phone or line.email, line.courses) if part)
    return Hit(client_url(client), "user", client.name, detail)


def _course_hit(course: Course) -> Hit:
    begun = _("from %(on)s") % {"on": day(course.start_on)}
    detail = f"{protocol_name(course)}, {begun}"
    return Hit(course_url(course), "timeline", course.client.name, detail, course_badge(course))


def _place_hit(place: Place) -> Hit:
    return Hit(reverse(f"staff:{place.name}"), place.icon, capfirst(str(place.label)), str(place.within))
