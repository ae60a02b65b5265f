"""How a staff view answers an action: the changed fragment to htmx, a redirect to everybody else."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

from courses.errors import CourseError
from staff.access import StaffRequest


@dataclass
class Attempt:
    """Whether a verb was refused; set when the block of `attempt` ends."""

    is_refused: bool = False


@contextmanager
def attempt(request: StaffRequest, form: forms.Form | None = None) -> Iterator[Attempt]:
    """Turn a refusal of a service into an error of the form, or without one into a message on the page."""
    outcome = Attempt()
    try:
        yield outcome
    except CourseError as error:
        outcome.is_refused = True
        if form is None:
            messages.error(request, error.message)
        else:
            add_refusal(form, error)
    except ValidationError as error:
        outcome.is_refused = True
        if form is None:
            raise
        form.add_error(None, error)


def add_refusal(form: forms.Form, error: CourseError) -> None:
    # A form may ask for what a verb takes as one value in several fields of other names.
    aliases: dict[str, str] = getattr(form, "refused_as", {})
    named = {aliases.get(name, name): text for name, text in error.fields.items()}
    known = {name: text for name, text in named.items() if name in form.fields}
    for name, text in known.items():
        form.add_error(name, text)
    if not known:
        form.add_error(None, error.message)


def answer(
    request: StaffRequest,
    template: str,
    context: dict[str, Any],
    *,
    redirect_to: str,
    is_refused: bool = False,
) -> HttpResponse:
    """Answer a POST: htmx gets the fragment and any messages as toasts, others are sent on."""
    if not request.htmx:
        return redirect(redirect_to)
    body = render_to_string(template, context, request=request)
    toasts = render_to_string("components/toasts_oob.html", {}, request=request)
    return vary_on_htmx(HttpResponse(body + toasts, status=422 if is_refused else 200))


def kept_query(source: QueryDict, names: Sequence[str]) -> str:
    """Return what a list's address says of these names, without its question mark: its filters and its page."""
    return urlencode({name: source[name] for name in names if source.get(name)})


def show(
    request: StaffRequest, page: str, fragment: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Show a page, or to htmx only its fragment."""
    template = fragment if request.htmx and not request.htmx.history_restore_request else page
    return vary_on_htmx(render(request, template, context, status=status))


def vary_on_htmx(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["HX-Request"])
    return response
