"""Clients: how to reach them, and the lines of their list."""

from dataclasses import dataclass
from typing import Any

import phonenumbers
from django.urls import reverse
from django.utils.translation import ngettext

from clients.models import Channel, Client


def client_url(client: Client) -> str:
    return reverse("staff:client-edit", args=[client.code])


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
