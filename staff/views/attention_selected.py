"""Several findings of the worklist at once: each is tried by itself, and what was not done is said with why."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinics.access import Capability
from courses import services
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import Flag
from reminders.services.nudging import nudge_client
from staff.access import StaffRequest, acting, staff_page
from staff.forms import SelectedFlagsForm
from staff.undo import flags_slip, say_done
from staff.views.attention import PAGE_SIZE, list_address, list_query, show_list

# A code and the stamp of what the reader saw, as the list's check boxes send them.
_Pick = tuple[uuid.UUID, str]
_MOST: Final = 4 * PAGE_SIZE


@staff_page(write=Capability.BOOK)
def act_on_selected(request: StaffRequest) -> HttpResponse:
    """Acknowledge, put off or write because of every selected finding."""
    kept = list_query(request)
    form = SelectedFlagsForm(
        request.POST, today=local_today(request.staff_member.clinic, timezone.now()), auto_id="bulk-%s"
    )
    # Without script one box stands for all that the page shows.
    picked = request.POST.getlist("shown" if request.POST.get("all") else "flag")[:_MOST]
    flags = _find_all(request, _read_picks(picked))
    if not form.is_valid():
        return show_list(request, QueryDict(kept), form=form, selected=picked)
    if not flags:
        messages.warning(request, _("Select at least one finding."))
    else:
        _act(request, form.cleaned_data, flags)
    if not request.htmx:
        return redirect(list_address(kept))
    response = show_list(request, QueryDict(kept))
    response.content += render_to_string("components/toasts_oob.html", {}, request=request).encode()
    return response


def _read_picks(picked: Iterable[str]) -> list[_Pick]:
    picks = []
    for text in dict.fromkeys(picked):
        code, _colon, stamp = text.partition(":")
        try:
            picks.append((uuid.UUID(code), stamp))
        except ValueError:
            raise Http404 from None
    return picks


def _find_all(request: StaffRequest, picks: list[_Pick]) -> list[tuple[Flag, str]]:
    """Return the flags with what was seen of them, also those that have been resolved since; a stranger's is 404."""
    flags = Flag.objects.for_clinic(request.staff_member.clinic).select_related("clinic", "course__client")
    found = {flag.code: flag for flag in flags.filter(code__in=[code for code, _stamp in picks])}
    if len(found) < len(picks):
        raise Http404
    return [(found[code], stamp) for code, stamp in picks]


def _act(request: StaffRequest, wanted: dict[str, Any], flags: list[tuple[Flag, str]]) -> None:
    """Try each flag by itself, and say how many were done and who was left out why."""
    by, now = acting(request), timezone.now()
    verbs: dict[str, Callable[[Flag, str], object]] = {
        "acknowledge": lambda flag, seen: services.acknowledge_flag(flag=flag, seen=seen, by=by, now=now),
        "snooze": lambda flag, seen: services.snooze_flag(
            flag=flag, seen=seen, until_on=wanted["until_on"], by=by, now=now
        ),
        "message": lambda flag, _seen: nudge_client(course=flag.course, by=by, now=now),
    }
    if wanted["action"] == "message":
        # Two findings of one course are one letter.
        flags = list({flag.course_id: (flag, seen) for flag, seen in reversed(flags)}.values())[::-1]
    done: list[Flag] = []
    refused = defaultdict[str, list[str]](list)
    for flag, seen in flags:
        try:
            verbs[wanted["action"]](flag, seen)
        except CourseError as error:
            refused[error.message].append(flag.course.client.name)
        else:
            done.append(flag)
    if done:
        words = _done_words(wanted["action"], len(done))
        say_done(request, words, "" if wanted["action"] == "message" else _slip(request, done, now=now))
    for why, names in refused.items():
        who = ", ".join(dict.fromkeys(names))
        messages.error(request, _("Not done for %(who)s: %(why)s") % {"who": who, "why": why})


def _slip(request: StaffRequest, done: list[Flag], *, now: datetime) -> str:
    """Return what puts these flags, as they were read, back on the list."""
    after = Flag.objects.in_bulk([flag.pk for flag in done])
    back = list_address(list_query(request))
    return flags_slip([(flag, after[flag.pk]) for flag in done], acted_at=now, back=back)


def _done_words(action: str, count: int) -> str:
    words = {
        "acknowledge": lambda: ngettext("%(n)s finding acknowledged.", "%(n)s findings acknowledged.", count),
        "snooze": lambda: ngettext("%(n)s finding put off.", "%(n)s findings put off.", count),
        "message": lambda: ngettext(
            "%(n)s message goes out in a moment.", "%(n)s messages go out in a moment.", count
        ),
    }
    return words[action]() % {"n": count}
