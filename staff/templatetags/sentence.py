"""Fields within a sentence: the bare control, named for screen readers by its label."""

from django import forms, template
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def bare(bound: forms.BoundField) -> SafeString:
    """Return a form field's control without its label, which becomes its name."""
    classes = "form-select" if isinstance(bound.field.widget, forms.Select) else "form-control in-sentence"
    attrs: dict[str, str | bool] = {"class": classes, "aria-label": str(bound.label)}
    if bound.errors:
        attrs |= {"aria-invalid": "true", "class": f"{classes} is-invalid"}
    return bound.as_widget(attrs=attrs)
