"""Controls that are written as text are letter by letter what Django's templates give."""

from datetime import date
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy, override

from config.widgets import TextRenderer

_CHOICES = [
    ("", gettext_lazy("Any")),
    (1, 1234567),
    ("<&'\">", mark_safe("a<b>b</b>")),  # stands for what is safe already
    ("Gr'oup", [("x", "X & x"), ("y", "Y")]),
]


class Titled(forms.Select):
    """A list whose options are drawn by a template of their own."""

    option_template_name = "django/forms/widgets/radio_option.html"


class AllKinds(forms.Form):
    one = forms.ChoiceField(choices=_CHOICES)
    several = forms.MultipleChoiceField(choices=_CHOICES)
    text = forms.CharField(max_length=1200, required=False, strip=False)
    day = forms.DateField(
        widget=forms.DateInput(attrs={"min": date(2026, 3, 2), "disabled": True, "data-x": False})
    )
    number = forms.IntegerField(min_value=1000, max_value=2000)
    hidden = forms.CharField(widget=forms.HiddenInput)
    secret = forms.CharField(widget=forms.PasswordInput)
    time = forms.TimeField()
    mail = forms.EmailField()
    own = forms.ChoiceField(choices=_CHOICES, widget=Titled)
    box = forms.BooleanField()
    long = forms.CharField(widget=forms.Textarea)


_SENT: list[dict[str, Any]] = [
    {},
    {
        "one": "<&'\">",
        "several": ["1", "x"],
        "text": "\"<a&b>'",
        "day": "2026-03-02",
        "number": "1500",
        "hidden": "é",
        "own": "x",
        "box": "on",
    },
]


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("sent", [None, *_SENT])
def test_every_control_is_what_the_templates_give(language, sent):
    with override(language):
        ours, plain = (
            AllKinds(sent, renderer=kind(), initial={"one": 1, "text": 'q"', "number": 1500})
            for kind in (TextRenderer, DjangoTemplates)
        )
        for field in ours.fields:
            attrs = {"class": "form-select", "aria-describedby": "a'b"}
            assert str(ours[field].as_widget(attrs=attrs)) == str(plain[field].as_widget(attrs=attrs))
