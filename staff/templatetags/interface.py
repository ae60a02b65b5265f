"""What every template needs: icons, form fields, and dates in the reader's own order."""

import re
from datetime import date, datetime
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django import forms, template
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from clinics.dates import bare_day_format, full_day_format, short_day_within
from staff.undo import LINK_TAG, UNDO_TAG

if TYPE_CHECKING:
    from staff.presenters.badges import Badge

register = template.Library()

_CONTROL_CLASS: dict[type[forms.Widget], str] = {
    forms.CheckboxInput: "form-check-input",
    forms.Select: "form-select",
}
_RANGE = re.compile(r"\d+–\d+")
_UNBROKEN = r'<span class="nowrap">\g<0></span>'
# A code that nothing has.
_ANY: Final = str(UUID(int=0))
_GROUPS = (forms.RadioSelect, forms.CheckboxSelectMultiple)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Return an icon of the sprite: hidden from screen readers unless it has a label."""
    return _icon(name, label)


def with_icon(name: str, words: str) -> str:
    """Return the inside of a button: an icon and words, escaped."""
    return f"{icon(name)}{escape(words)}"


def token_field(context: Context) -> str:
    """Return the hidden field of a form that is written as text."""
    token = escape(str(context.get("csrf_token", "")))
    return f'<input type="hidden" name="csrfmiddlewaretoken" value="{token}">'


@lru_cache(maxsize=2000)
def _icon(name: str, label: str) -> SafeString:
    # A page of visits or a calendar has some thousand of a few dozen.
    address = static("vendor/icons.svg")
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>', label, address, name
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', address, name)


@register.simple_tag
def badge(of: "Badge") -> SafeString:
    """Return where something stands: a word with its colour and sign."""
    return _signed("state", of)


@register.simple_tag
def chip(of: "Badge") -> SafeString:
    """Return what is to be known about something in two or three words, with its colour and sign."""
    return _signed("chip", of)


def _signed(kind: str, of: "Badge") -> SafeString:
    hint = f' title="{escape(of.hint)}"' if of.hint else ""
    return mark_safe(  # noqa: S308  # what is said is escaped, the rest is our own
        f'<span class="{kind} tone-{of.tone}"{hint}>{icon(of.icon)}{escape(of.label)}</span>'
    )


@register.simple_tag
def address(name: str, *codes: UUID | str) -> str:
    """Return the address of a page about these things, as `url` does, for lists that have thousands of them."""
    found = _address_of_any(name, len(codes))
    for code in codes:
        found = found.replace(_ANY, str(code), 1)
    return found


@lru_cache
def _address_of_any(name: str, code_count: int) -> str:
    return reverse(name, args=[_ANY] * code_count)


@register.inclusion_tag("components/field.html")
def field(bound: forms.BoundField, wide: bool = False) -> dict[str, Any]:
    """Return a form field with its label, help and errors tied to the control."""
    widget = bound.field.widget
    if isinstance(widget, _GROUPS):
        described = _described_by(bound)
        return {
            "field": bound,
            "is_group": True,
            "wide": wide,
            "optional": _optional(),
            "described_by": described,
        }
    control_class = next(
        (name for kind, name in _CONTROL_CLASS.items() if isinstance(widget, kind)), "form-control"
    )
    attrs: dict[str, str | bool] = {"class": f"{widget.attrs.get('class', '')} {control_class}".strip()}
    if described := _described_by(bound):
        attrs["aria-describedby"] = described
    if str(widget.attrs.get("placeholder", "")) == str(bound.label):
        # It would say once more what stands above, and look as if the field were filled.
        attrs["placeholder"] = False
    if bound.errors:
        attrs |= {"aria-invalid": "true", "class": f"{attrs['class']} is-invalid"}
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attrs),
        "is_check": isinstance(widget, forms.CheckboxInput),
        "wide": wide,
        "optional": _optional(),
    }


def _optional() -> str:
    return _("optional")


def _described_by(bound: forms.BoundField) -> str:
    hint = f"{bound.auto_id}_helptext" if bound.help_text else ""
    error = f"{bound.auto_id}_error" if bound.errors else ""
    return f"{hint} {error}".strip()


@register.filter
def undo_slip(message: Any) -> str:
    """Return the slip with which what a notice tells can be taken back; empty when it cannot."""
    tags = str(message.extra_tags or "")
    return tags.removeprefix(UNDO_TAG) if tags.startswith(UNDO_TAG) else ""


@register.filter
def next_step(message: Any) -> str:
    """Return the address that a notice leads to; empty when it leads nowhere."""
    tags = str(message.extra_tags or "")
    return tags.removeprefix(LINK_TAG) if tags.startswith(LINK_TAG) else ""


@register.filter
def unbroken(text: str) -> SafeString:
    """Return a text in which a line breaks neither a range ("10–15") nor a day of a span of days."""
    first, *rest = (_RANGE.sub(_UNBROKEN, part) for part in conditional_escape(text).split(" – "))
    if not rest:
        return mark_safe(first)  # noqa: S308 (escaped above)
    days = [f"{one} –" for one in (first, *rest[:-1])] + rest[-1:]
    return format_html_join(" ", '<span class="nowrap">{}</span>', ((mark_safe(one),) for one in days))  # noqa: S308


@register.filter
def day(value: date | datetime | None, today: date | None = None) -> str:
    """Return a date with its weekday, short, in the reader's order; the year stands when it is not this one."""
    if value is None:
        return ""
    on = timezone.localtime(value).date() if isinstance(value, datetime) else value
    this_year = (today or timezone.localdate()).year
    return short_day_within(on, with_year=on.year != this_year)


@register.filter
def full_day(value: date | datetime | None) -> str:
    """Return a date in full words, for headings."""
    if value is None:
        return ""
    on = timezone.localtime(value).date() if isinstance(value, datetime) else value
    return format_date(on, full_day_format())


def bare_day(value: date) -> str:
    """Return a date without its weekday, for birthdays."""
    return format_date(value, bare_day_format())


@register.filter
def clock(value: datetime | None) -> str:
    """Return the wall time of an instant in the zone of the page."""
    return f"{timezone.localtime(value):%H:%M}" if value else ""


@register.filter
def initials(name: str) -> str:
    """Return the first letters of the first two words of a name."""
    return "".join(word[0] for word in name.split()[:2]).upper()
