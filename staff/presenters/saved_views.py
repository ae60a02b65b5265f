"""Saved views as chips above their list, and as lines of the page where they are renamed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django import forms
from django.urls import reverse
from django.utils.functional import Promise

from clinics.models import ListPage, SavedView, StaffMember

_PAGES: Final = {
    ListPage.ATTENTION: "staff:attention",
    ListPage.COURSES: "staff:course-list",
    ListPage.MESSAGES: "staff:message-list",
}


def list_url(page: str, query: str) -> str:
    """Return the address of a list under these filters."""
    address = reverse(_PAGES[ListPage(page)])
    return f"{address}?{query}" if query else address


@dataclass(frozen=True, slots=True)
class ViewChip:
    name: str
    url: str
    is_shared: bool
    is_here: bool


@dataclass(frozen=True, slots=True)
class ViewBar:
    """The views of one list; `can_save` when it is filtered in a way that none of them has."""

    chips: tuple[ViewChip, ...]
    can_save: bool


def view_bar(views: Sequence[SavedView], *, here: str) -> ViewBar:
    chips = tuple(
        ViewChip(view.name, list_url(view.page, view.query), view.is_shared, view.query == here)
        for view in views
    )
    return ViewBar(chips, can_save=bool(here) and not any(chip.is_here for chip in chips))


@dataclass(frozen=True, slots=True)
class ViewLine:
    """One view of the page of views; without a form the reader may only open it."""

    view: SavedView
    url: str
    # Who saved it, when that was somebody else.
    owner: str
    form: forms.Form | None


@dataclass(frozen=True, slots=True)
class ViewGroup:
    label: str | Promise
    lines: tuple[ViewLine, ...]


def view_groups(
    views: Sequence[SavedView], form_of: Mapping[int, forms.Form], *, member: StaffMember
) -> list[ViewGroup]:
    """Return the views by the list they are of, in the order of the menu; lists without any are left out."""
    lines: dict[str, list[ViewLine]] = {page: [] for page in _PAGES}
    for view in views:
        owner = "" if view.member_id == member.pk else view.member.display_name
        lines[view.page].append(ViewLine(view, list_url(view.page, view.query), owner, form_of.get(view.pk)))
    return [ViewGroup(ListPage(page).label, tuple(found)) for page, found in lines.items() if found]
