"""A session in the calendar: a week has hundreds, and a template takes three times as long for each."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from staff.presenters.calendar import Block
from staff.templatetags.interface import address, icon

register = template.Library()


@register.simple_tag
def calendar_block(block: Block, place: str = "") -> SafeString:
    """Return a session as an item of its list: `place` are the classes that put it where it belongs."""
    badge = block.badge
    where = format_html(' <span class="cal-where">{}</span>', block.where) if block.where else ""
    return format_html(
        '<li class="cal-block tone-{}{} {}">'
        '<a id="calendar-session-{}" href="{}" title="{}–{} {} · {}{}" {}>'
        '<time>{}<span class="cal-until">–{}</span></time> <strong>{}</strong> '
        '<span class="cal-state">{}</span>{}</a></li>',
        badge.tone,
        " cal-over" if block.is_over else "",
        place,
        block.code,
        block.url,
        block.starts,
        block.ends,
        block.name,
        badge.label,
        f" · {block.where}" if block.where else "",
        _handle(block),
        block.starts,
        block.ends,
        block.name,
        icon(badge.icon, str(badge.label)),
        where,
    )


def _handle(block: Block) -> SafeString:
    """Return what the page needs to let a session be dragged, or that it may not be."""
    if not block.is_movable:
        return format_html('draggable="{}"', "false")
    return format_html(
        'draggable="true" data-move="{}" data-window="{}" data-at="{}" data-minutes="{}" data-version="{}" '
        'data-practitioner="{}" data-room="{}"',
        address("staff:calendar-move", block.code),
        address("staff:calendar-window", block.code),
        block.starts,
        block.minutes,
        block.version,
        block.practitioner,
        block.room,
    )
