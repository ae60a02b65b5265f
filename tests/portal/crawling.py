"""What programs do that look at links before people: mail scanners, previews, crawlers."""

import re
from urllib.parse import urlsplit

from django.apps import apps

from clients.models import AccessLink

# What an opening may change: its own count.
COUNTED = {AccessLink: {"use_count", "last_used_at"}}


def links_of(message):
    """Return the paths of all addresses in a message: text, HTML, short form and headers."""
    parts = [message.text, message.html, message.short, *(value for _, value in message.headers)]
    found = [address for part in parts for address in re.findall(r"https?://[^\s\"'<>]+", part)]
    return sorted({urlsplit(address).path for address in found})


def links_in(page):
    """Return the paths on this site that a page leads to, its forms' among them."""
    found = re.findall(r'(?:href|action|src)="(/[^"#]*)"', page)
    return sorted({path for path in found if path.startswith("/c/")})


def everything():
    """Return every row of the database but for what counts openings."""
    rows = {}
    for model in apps.get_models():
        left_out = COUNTED.get(model, set())
        names = [field.attname for field in model._meta.concrete_fields if field.attname not in left_out]
        rows[model._meta.label] = sorted(map(repr, model._default_manager.values_list(*names)))
    return rows
