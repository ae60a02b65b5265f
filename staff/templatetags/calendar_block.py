"""Sessions and free time in the calendar: a week has hundreds, and a template takes twenty times as long for each."""

from html import escape

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from staff.presenters.calendar import Block, Column
from staff.templatetags.interface import address, day, icon

register = template.Library()


@register.simple_tag
def calendar_block(block: Block, place: str = "") -> SafeString:
    """Return a session as an item of its list: `place` are the classes that put it where it belongs."""
    badge, name, where = block.badge, escape(block.name), escape(block.where)
    room = f' <span class="cal-where">{where}</span>' if where else ""
    said = f"{block.starts}–{block.ends} {name} · {escape(badge.label)}{f' · {where}' if where else ''}"
    return mark_safe(  # noqa: S308  # names and words are escaped, the rest is our own
        f'<li class="cal-block tone-{badge.tone}{" cal-over" if block.is_over else ""} {place}">'
        f'<a id="calendar-session-{block.code}" href="{escape(block.url)}" title="{said}" {_handle(block)}>'
        f'<time>{block.starts}<span class="cal-until">–{block.ends}</span></time> <strong>{name}</strong> '
        f'<span class="cal-state">{icon(badge.icon, badge.label)}</span>{room}</a></li>'
    )


@register.simple_tag
def calendar_free(column: Column) -> SafeString:
    """Return how much time is left in a column, leading to where it is booked, or why there is none."""
    if column.note or not column.gaps:
        return conditional_escape(column.note or column.free)
    title = escape(_("Book %(day)s") % {"day": day(column.on)})
    return mark_safe(  # noqa: S308  # words are escaped, the rest is our own
        f'<a class="cal-book" href="{escape(column.gaps[0].url)}" title="{title}">'
        f"{icon('plus')}{escape(column.free)}</a>"
    )


def _handle(block: Block) -> str:
    """Return what the page needs to let a session be dragged, or that it may not be."""
    if not block.is_movable:
        return 'draggable="false"'
    return (
        f'draggable="true" data-move="{address("staff:calendar-move", block.code)}" '
        f'data-window="{address("staff:calendar-window", block.code)}" data-at="{block.starts}" '
        f'data-minutes="{block.minutes}" data-version="{block.version}" '
        f'data-practitioner="{block.practitioner}" data-room="{block.room}"'
    )
