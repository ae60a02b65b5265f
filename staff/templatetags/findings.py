"""What can be done about a finding: a page has two dozen, and a template takes ten times as long for each."""

from functools import lru_cache
from html import escape
from typing import NamedTuple

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from staff.presenters.worklist import FlagLine
from staff.templatetags.interface import address, icon, token_field, with_icon

register = template.Library()


class _Words(NamedTuple):
    """The words of the acts in one language, with their icons, ready to stand in a page."""

    call: str
    more: str
    call_inside: str
    dots: str
    acknowledge: str
    release: str
    snooze: str
    pause: str
    message: str
    book: str
    replan: str
    open: str


@register.simple_tag(takes_context=True)
def flag_actions(context: Context, line: FlagLine) -> SafeString:
    """Return the button that records a call about a finding, and the menu of what else can be done."""
    words, token = _words(get_language() or "en"), token_field(context)
    flag, kept = line.flag, escape(str(context.get("kept", "")))
    code, course = str(flag.code), str(flag.course.code)
    name = escape(flag.course.client.name)

    def to(act: str) -> str:
        return f"{address(f'staff:flag-{act}', code)}{kept}"

    def form(act: str, inside: str) -> str:
        return (
            f'<form method="post" action="{to(act)}" hx-post="{to(act)}">{token}'
            f"<button>{inside}</button></form>"
        )

    def panel(act: str, inside: str) -> str:
        return f'<a href="{to(act)}" hx-get="{to(act)}">{inside}</a>'

    def page(of_course: str, inside: str) -> str:
        return f'<a href="{address(of_course, course)}">{inside}</a>'

    items = filter(
        None,
        (
            "" if flag.acknowledged_at else form("acknowledge", words.acknowledge),
            form("release", words.release) if flag.acknowledged_at or flag.snoozed_until_on else "",
            panel("snooze", words.snooze),
            panel("pause", words.pause),
            form("message", words.message),
            "<hr>",
            page("staff:course-book", words.book),
            page("staff:course-replan", words.replan),
            page("staff:course-detail", words.open),
        ),
    )
    more = words.more.replace("%(name)s", name)
    menu = "\n".join(items)
    return mark_safe(  # noqa: S308  # names and words are escaped, the rest is our own
        f'<a class="btn btn-sm" role="button" data-step-focus href="{to("call")}" hx-get="{to("call")}" '
        f'aria-label="{words.call}: {name}">{words.call_inside}</a>\n'
        f'<details class="menu"><summary class="btn btn-sm btn-only btn-quiet" '
        f'aria-label="{more}">{words.dots}</summary>\n'
        f'<div class="menu-items">\n{menu}\n</div></details>'
    )


@lru_cache
def _words(language: str) -> _Words:
    """Return the words of the acts in the language that is spoken now, which is named only to remember them."""
    return _Words(
        call=escape(_("Call")),
        more=escape(_("More for %(name)s")),
        call_inside=with_icon("phone-call", _("Call")),
        dots=icon("dots"),
        acknowledge=with_icon("eye", _("Acknowledge")),
        release=with_icon("arrow-back-up", _("Put back on the list")),
        snooze=with_icon("zzz", _("Put off")),
        pause=with_icon("player-pause", _("Pause the course")),
        message=with_icon("send", _("Send a message")),
        book=with_icon("calendar-plus", _("Book the next session")),
        replan=with_icon("route", _("Replan")),
        open=with_icon("timeline", _("Open the course")),
    )
