"""Messages: what went out, what will, what did not, and what waits for a person."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import AuditEvent
from clients.models import Channel
from clinics.access import Capability
from clinics.models import Clinic, ListPage, StaffMember
from courses.convert import local_today
from reminders.channels.registry import find_ways
from reminders.models import LIVE_STATES, Answer, KeptMessage, Reminder
from reminders.selectors import (
    WAITING,
    MessageFilter,
    clinic_messages,
    disabled_contacts,
    filter_messages,
    group_counts,
    open_answers,
    waiting_count,
)
from reminders.services import handling
from staff import presenters
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import answer, attempt, show
from staff.message_forms import GROUPS, MessageFilterForm
from staff.paging import page_of
from staff.presenters import messages as shown
from staff.searches import go_to_found, searched
from staff.views.saved_views import views_context

PAGE_SIZE: Final = 50
# Of addresses and answers that wait, so many are shown above the messages.
WAITING_SHOWN: Final = 50
_LIST = "staff/messages/message_list.html"
_DETAIL = "staff/messages/message_detail.html"


@staff_page(read=Capability.READ, write=Capability.READ)
def message_list(request: StaffRequest) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    form = MessageFilterForm(searched(request), clinic=clinic)
    if request.method == "POST":
        return go_to_found(request, names=form.fields)
    wanted = form.wanted()
    page = page_of(filter_messages(clinic, wanted), request.GET.get("page"), size=PAGE_SIZE)
    channels = open_channels(clinic)
    context = {
        "form": form,
        "wanted": wanted,
        "page": page,
        "lines": [shown.message_line(row, today=today, channels=channels) for row in page.object_list],
        "tabs": _tabs(clinic, wanted),
        "today": today,
        "is_waiting": wanted.group == WAITING,
        "is_filtered": any((wanted.channel, wanted.trigger, wanted.from_on, wanted.to_on, wanted.text)),
        "may_export": may(request, Capability.EXPORT),
        "may_book": may(request, Capability.BOOK),
        **views_context(request, ListPage.MESSAGES, form),
    }
    if wanted.group == WAITING:
        context |= _waiting_context(clinic, today=today)
    return show(request, _LIST, f"{_LIST}#messages", context)


def open_channels(clinic: Clinic) -> frozenset[str]:
    """Return the channels on which the clinic can send.

    Cost: one query.
    """
    pairs = [(clinic.pk, channel) for channel in Channel.values]
    return frozenset(channel for _clinic, channel in find_ways(pairs))


def _tabs(clinic: Clinic, wanted: MessageFilter) -> list[dict[str, Any]]:
    counts = group_counts(clinic) | {WAITING: waiting_count(clinic)}
    return [
        {
            "name": name,
            "label": label,
            "count": counts[name.replace("-", "_")],
            "is_here": name == wanted.group,
        }
        for name, label in GROUPS
    ]


def _waiting_context(clinic: Clinic, *, today: Any) -> dict[str, Any]:
    return {
        "bad_contacts": [
            (contact, presenters.client_url(contact.client), shown.contact_problem(contact, today=today))
            for contact in disabled_contacts(clinic)[:WAITING_SHOWN]
        ],
        "answers": [
            (found, presenters.client_url(found.client), shown.answer_event(found))
            for found in open_answers(clinic)[:WAITING_SHOWN]
        ],
    }


# ---------------------------------------------------------------- one message


def _messages(request: StaffRequest) -> QuerySet[Reminder]:
    return clinic_messages(request.staff_member.clinic).select_related("clinic", "sent_with", "fallback_for")


@staff_page(read=Capability.READ)
def message_detail(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(_messages(request), code=code)
    return show(request, _DETAIL, _DETAIL, detail_context(request, row))


def detail_context(request: StaffRequest, row: Reminder) -> dict[str, Any]:
    """Return everything the page of one message shows.

    Cost: about fifteen queries, whatever happened to it.
    """
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    acts = list(
        AuditEvent.objects.for_clinic(clinic)
        .filter(subject_kind="reminder", subject_code=row.code)
        .order_by("at", "pk")
    )
    codes = {act.actor_code for act in acts if act.actor_code}
    names = dict(
        StaffMember.objects.for_clinic(clinic).filter(code__in=codes).values_list("code", "display_name")
    )
    related = clinic_messages(clinic)
    return {
        "line": shown.message_line(row, today=today, channels=open_channels(clinic)),
        "row": row,
        "today": today,
        "attempts": shown.attempt_lines(list(row.attempts.select_related("contact_point"))),
        "events": shown.event_lines(list(row.delivery_reports.all()), list(row.answers.all()), acts, names),
        "times": shown.time_lines(row, today=today),
        "carried": _lines(related.filter(sent_with=row), today),
        "leader": _lines(related.filter(carried_reminders=row), today),
        "followers": _lines(related.filter(fallback_for=row), today),
        "forerunner": _lines(related.filter(fallbacks=row), today),
        "words": _words_of(row, now=now),
        "version": row.rule.versions.select_related("changed_by").filter(number=row.rule_version).first(),
        "acts": _acts(request, row, now=now),
        "may_manage": may(request, Capability.MANAGE),
    }


def _lines(rows: QuerySet[Reminder], today: Any) -> list[shown.MessageLine]:
    return [shown.message_line(row, today=today) for row in rows.order_by("send_at", "pk")]


def _words_of(row: Reminder, *, now: datetime) -> dict[str, Any]:
    """Return what a message says: the copy that was kept, else, before it goes, how it would read."""
    if row.message_id:
        kept = KeptMessage.objects.for_clinic(row.clinic).filter(message_id=row.message_id).first()
        if kept is not None:
            return {"subject": kept.subject, "text": kept.text, "is_kept": True}
    if row.state not in LIVE_STATES:
        return {}
    # At its time, not now: "tomorrow" depends on it.
    message = handling.message_ahead(row, now=max(now, row.send_at))
    is_long = row.channel == Channel.EMAIL
    return {
        "subject": message.subject if is_long else "",
        "text": message.text if is_long else message.short,
        "files": [attachment.name for attachment in message.attachments] if is_long else [],
    }


def _acts(request: StaffRequest, row: Any, *, now: Any) -> dict[str, bool]:
    """Return what the reader may do about the message now."""
    if not may(request, Capability.BOOK):
        return {}
    is_useful = now < row.expires_at
    acts = {
        "send": row.state in handling.SENDABLE and is_useful and not row.is_taken_over,
        "stop": row.state == "due",
        "arrived": row.state == "uncertain",
        "again": row.state == "uncertain" and is_useful,
        "close": row.state in handling.CLOSABLE and row.handled_at is None,
    }
    return {name: True for name, is_open in acts.items() if is_open}


_Verb = Callable[..., Any]


def _act(request: StaffRequest, code: uuid.UUID, verb: _Verb, said: str) -> HttpResponse:
    """Do one thing to one message and go back to its page, or to the list it was done from."""
    row = get_object_or_404(_messages(request), code=code)
    with attempt(request) as tried:
        verb(row=row, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        messages.success(request, said)
    back = reverse("staff:message-detail", args=[code])
    if not request.htmx:
        return redirect(back)
    fresh = _messages(request).get(pk=row.pk)
    return answer(
        request,
        f"{_DETAIL}#message",
        detail_context(request, fresh),
        redirect_to=back,
        is_refused=tried.is_refused,
    )


@staff_page(write=Capability.BOOK)
def send_message(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    return _act(request, code, handling.send_now, _("It goes out in a moment."))


@staff_page(write=Capability.BOOK)
def stop_message(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    return _act(request, code, handling.stop_message, _("It will not go out."))


@staff_page(write=Capability.BOOK)
def mark_arrived(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    return _act(request, code, handling.mark_arrived, _("Recorded: it arrived."))


@staff_page(write=Capability.BOOK)
def send_again(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    return _act(request, code, handling.send_again, _("It goes out once more in a moment."))


@staff_page(write=Capability.BOOK)
def close_message(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    return _act(request, code, handling.close_message, _("Taken off the list."))


@staff_page(write=Capability.BOOK)
def close_answer(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    clinic = request.staff_member.clinic
    found = get_object_or_404(Answer.objects.for_clinic(clinic), code=code)
    with attempt(request) as tried:
        handling.close_answer(answer=found, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        messages.success(request, _("Taken off the list."))
    return redirect(f"{reverse('staff:message-list')}?show={WAITING}")
