"""What can be done about a session of the day: a day has a hundred, and a template takes ten times as long for each."""

from functools import lru_cache
from html import escape
from typing import NamedTuple

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from staff.presenters import SessionLine
from staff.templatetags.interface import address, icon, token_field, with_icon

register = template.Library()


class _Words(NamedTuple):
    """The words of the buttons in one language, and the buttons with their icons, ready to stand in a page."""

    arrived: str
    treated: str
    more: str
    arrive: str
    attend: str
    dots: str
    confirm: str
    miss: str
    cancelled_by_client: str
    cancelled_by_clinic: str
    undo: str


@register.simple_tag(takes_context=True)
def visit_actions(context: Context, line: SessionLine) -> SafeString:
    """Return the buttons of one session's line, each a form of its own, and the menu of those that are rarer."""
    words, token = _words(get_language() or "en"), token_field(context)
    code, name = line.session.code, escape(line.session.client.name)

    def form(act: str, buttons: str) -> str:
        to = address(f"staff:session-{act}", code)
        return f'<form method="post" action="{to}" hx-post="{to}">{token}{buttons}</form>'

    parts = []
    if line.can_arrive:
        button = f'<button class="btn btn-sm" aria-label="{words.arrived}: {name}">{words.arrive}</button>'
        parts.append(form("arrive", button))
    if line.can_attend:
        to = address("staff:session-attend", code)
        is_next = line.session.status == "arrived" or not line.can_arrive
        parts.append(
            f'<a class="btn btn-sm{" btn-primary" if is_next else ""}" role="button" href="{to}" hx-get="{to}" '
            f'aria-label="{words.treated}: {name}">{words.attend}</a>'
        )
    if line.has_menu:
        acts = (
            (line.can_confirm, "confirm", words.confirm),
            (line.can_miss, "miss", words.miss),
            (line.can_cancel, "cancel", words.cancelled_by_client),
            (line.can_cancel, "cancel", words.cancelled_by_clinic),
            (line.can_undo, "undo", words.undo),
        )
        items = "\n".join(form(act, button) for is_allowed, act, button in acts if is_allowed)
        more = words.more.replace("%(name)s", name)
        parts.append(
            f'<details class="menu"><summary class="btn btn-sm btn-only btn-quiet" aria-label="{more}">{words.dots}'
            f'</summary><div class="menu-items">{items}</div></details>'
        )
    return mark_safe("\n".join(parts))  # noqa: S308  # names and words are escaped, the rest is our own


@lru_cache
def _words(language: str) -> _Words:
    """Return the words of the buttons in the language that is spoken now, which is named only to remember them."""
    return _Words(
        arrived=escape(_("Arrived")),
        treated=escape(_("Treated")),
        more=escape(_("More for %(name)s")),
        arrive=with_icon("user-check", _("Arrived")),
        attend=with_icon("check", _("Treated")),
        dots=icon("dots"),
        confirm=_button("calendar-check", _("Confirmed by telephone")),
        miss=_button("user-x", _("Did not come")),
        cancelled_by_client=_button("ban", _("Cancelled by the client"), ' name="whose" value="client"'),
        cancelled_by_clinic=_button("building", _("Cancelled by the clinic"), ' name="whose" value="clinic"'),
        undo=_button("arrow-back-up", _("Undo, back to booked")),
    )


def _button(sign: str, words: str, attributes: str = "") -> str:
    return f"<button{attributes}>{with_icon(sign, words)}</button>"
