"""Whom a list is searched for: kept in the reader's session, so that no name stands in an address."""

import secrets
from collections.abc import Collection
from typing import Final
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect, QueryDict

from staff.access import StaffRequest

# What the address says in place of the text.
SEARCH: Final = "search"
_KEPT: Final = "searches"
# As many as somebody goes back through; typing leaves one for every halt.
_MOST_KEPT: Final = 40
_LONGEST: Final = 100
# Of any other filter: what is longer is none, and no address holds it.
_LONGEST_FILTER: Final = 400


def searched(request: StaffRequest) -> QueryDict:
    """Return what the address asks of a list, with the text that its search stands for as `q`.

    A search of somebody else, or one long forgotten, is none.
    """
    data = request.GET.copy()
    data.pop("q", None)
    if text := request.session.get(_KEPT, {}).get(data.get(SEARCH, ""), ""):
        data["q"] = text
    return data


def go_to_found(request: StaffRequest, *, names: Collection[str]) -> HttpResponse:
    """Answer a list's posted form by its address, with its filters of these names and a key for what was typed."""
    posted = ((name, request.POST.get(name, "")) for name in names if name != "q")
    asked = {name: value for name, value in posted if 0 < len(value) <= _LONGEST_FILTER}
    if text := request.POST.get("q", "").strip()[:_LONGEST]:
        asked[SEARCH] = _keep(request, text)
    query = urlencode(asked)
    return HttpResponseRedirect(f"{request.path}?{query}" if query else request.path)


def _keep(request: StaffRequest, text: str) -> str:
    """Return the key under which the session has a text; the same text keeps its key."""
    kept: dict[str, str] = request.session.get(_KEPT, {})
    key = next((one for one, other in kept.items() if other == text), secrets.token_urlsafe(6))
    # The newest stands last, and the oldest goes first.
    others = [(one, other) for one, other in kept.items() if one != key]
    request.session[_KEPT] = dict([*others, (key, text)][-_MOST_KEPT:])
    return key
