"""Clients: how to reach them, and the lines of their list."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import phonenumbers
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Channel, Client
from clinics.models import Weekday
from staff.templatetags.interface import bare_day


def client_url(client: Client) -> str:
    """Return the address of a client's page; one who was erased has none any more."""
    return "" if client.erased_at else reverse("staff:client-detail", args=[client.code])


def telephone(client: Client) -> tuple[str, str]:
    """Return a client's telephone as people write it and as a link dials it; both empty without one."""
    points = [
        point
        for point in client.contact_points.all()
        if point.channel == Channel.SMS and not point.disabled_at
    ]
    if not points:
        return "", ""
    number = points[0].value
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number, f"tel:{number}"
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL), f"tel:{number}"


def birth_words(client: Client, *, today: date) -> str:
    """Return when a client was born and how old that makes them; nothing when nobody knows."""
    born = client.birth_on
    if born is None:
        return ""
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    age = ngettext("%(n)s year", "%(n)s years", years) % {"n": years}
    return _("born %(on)s, %(age)s") % {"on": bare_day(born), "age": age}


def wish_words(client: Client) -> list[str]:
    """Return when and with whom it suits a client; nothing when anything does."""
    names = dict(Weekday.choices)
    said = []
    if client.prefers_weekdays:
        said.append(", ".join(str(names[day]) for day in sorted(client.prefers_weekdays) if day in names))
    times = (client.prefers_from_time, client.prefers_to_time)
    if all(times):
        said.append(
            _("from %(start)s to %(end)s") % {"start": f"{times[0]:%H:%M}", "end": f"{times[1]:%H:%M}"}
        )
    elif times[0]:
        said.append(_("from %(start)s on") % {"start": f"{times[0]:%H:%M}"})
    elif times[1]:
        said.append(_("until %(end)s") % {"end": f"{times[1]:%H:%M}"})
    if client.prefers_practitioner:
        said.append(_("with %(name)s") % {"name": client.prefers_practitioner.display_name})
    return said


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One client as a line of the list."""

    client: Client
    phone: str
    phone_url: str
    email: str
    courses: str


def client_line(client: Any) -> ClientLine:
    """Return a client of courses.selectors.search_clients() as a line."""
    phone, phone_url = telephone(client)
    emails = [point.value for point in client.contact_points.all() if point.channel == Channel.EMAIL]
    running = client.running_count
    words = ngettext("%(n)s course runs", "%(n)s courses run", running) % {"n": running} if running else ""
    return ClientLine(client, phone, phone_url, emails[0] if emails else "", words)
