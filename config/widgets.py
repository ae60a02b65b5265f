"""Django's plainest form controls as text: a page of lists has a hundred options, and a template takes ten times as long for each.

What comes out is what Django's own templates give, letter by letter; any other control is left to them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.formats import localize
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_FOLDER: Final = "django/forms/widgets/"
_OPTION: Final = f"{_FOLDER}select_option.html"
_INPUTS: Final = ("date", "email", "hidden", "number", "password", "text", "time")


class TextRenderer(DjangoTemplates):
    """Django's renderer of forms, with the controls that pages have most of written as text."""

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> SafeString:
        write = _WRITERS.get(template_name)
        text = write(context["widget"]) if write else None
        if text is None:
            text = super().render(template_name, context, request)
        return mark_safe(text)  # noqa: S308  # every value went through an escape, here or there


def _select(widget: Mapping[str, Any]) -> str | None:
    """Return a list to choose from; None for one whose options look otherwise."""
    parts = [f'<select name="{_said(widget["name"])}"{_attributes(widget["attrs"])}>']
    for group, options, _number in widget["optgroups"]:
        if group:
            parts.append(f'\n  <optgroup label="{_said(group)}">')
        for option in options:
            if option["template_name"] != _OPTION:
                return None
            value, attributes = conditional_escape(option["value"]), _attributes(option["attrs"])
            parts.append(f'\n  <option value="{value}"{attributes}>{_said(option["label"])}</option>\n')
        if group:
            parts.append("\n  </optgroup>")
    parts.append("\n</select>")
    return "".join(parts)


def _input(widget: Mapping[str, Any]) -> str:
    value = widget["value"]
    said = "" if value is None else f' value="{conditional_escape(value)}"'
    return (
        f'<input type="{widget["type"]}" name="{_said(widget["name"])}"{said}{_attributes(widget["attrs"])}>'
    )


def _attributes(attributes: Mapping[str, Any]) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{conditional_escape(value)}"'
        for name, value in attributes.items()
        if value is not False
    )


def _said(value: Any) -> str:
    """Return a value as a template writes it: a number in the reader's way."""
    return conditional_escape(localize(value))


_WRITERS: Final[dict[str, Callable[[Mapping[str, Any]], str | None]]] = {
    f"{_FOLDER}select.html": _select,
    **{f"{_FOLDER}{name}.html": _input for name in _INPUTS},
}
