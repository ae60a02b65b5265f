"""Reminder rules and how the clinic writes to its clients: settings of the owner."""

import copy
import uuid
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Channel
from clinics.access import Capability
from clinics.models import Clinic, Language
from courses.convert import local_today
from reminders.models import ReminderRule, Trigger
from reminders.selectors import clinic_rules, live_counts_by_rule
from reminders.services.preferences import change_message_settings
from reminders.services.rules import change_rule, pause_rule, resume_rule, seed_rules
from reminders.services.sampling import send_test
from reminders.texts import PLACEHOLDERS, check_text, preview_message, sms_segments
from staff.access import StaffRequest, acting, staff_page
from staff.answers import attempt, show
from staff.overtaken import undisturbed
from staff.presenters import rules as shown
from staff.rule_forms import MessageSettingsForm, PreviewForm, RuleForm, TestMessageForm, version_values
from staff.views.messages import open_channels

_LIST: Final = "staff/rules/rule_list.html"
_EDIT: Final = "staff/rules/rule_edit.html"
_PREVIEW: Final = "staff/rules/_preview.html"
_SETTINGS: Final = "staff/rules/message_settings.html"
# Values of the staff's own summary; messages to clients have the others.
_STAFF_NAMES: Final = frozenset({"sessions_today", "findings", "unrecorded", "failed", "disabled", "expired"})


@staff_page(read=Capability.MANAGE)
def rule_list(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    rules = list(clinic_rules(clinic))
    if not rules:
        # A clinic that has prescribed nothing yet has never been given its rules.
        seed_rules(clinic=clinic, now=timezone.now())
        rules = list(clinic_rules(clinic))
    ahead = live_counts_by_rule(clinic)
    lines = [shown.rule_line(rule, ahead=ahead.get(rule.pk, 0)) for rule in rules]
    return show(request, _LIST, _LIST, {"lines": lines})


def _find(request: StaffRequest, code: uuid.UUID) -> ReminderRule:
    rules = clinic_rules(request.staff_member.clinic).select_related("clinic")
    return get_object_or_404(rules, code=code)


def _rule_url(rule: ReminderRule) -> str:
    return reverse("staff:rule-edit", args=[rule.code])


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def edit_rule(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    rule = _find(request, code)
    if request.method != "POST":
        return show(request, _EDIT, _EDIT, _edit_context(request, rule, RuleForm(rule=rule)))
    if request.POST.get("do") == "preview":
        # Without script the button shows the whole page again, with what was typed and how it reads.
        form = RuleForm(request.POST, rule=rule)
        form.is_valid()
        return show(request, _EDIT, _EDIT, _edit_context(request, rule, form))
    with undisturbed(request, ReminderRule.objects.select_for_update().filter(pk=rule.pk)):
        rule = _find(request, code)
        form = RuleForm(request.POST, rule=rule)
        if form.is_valid():
            with attempt(request, form) as tried:
                change_rule(rule=rule, values=form.values(), by=acting(request), now=timezone.now())
            if not tried.is_refused:
                messages.success(request, _("Saved. Messages that wait already follow within minutes."))
                return redirect(_rule_url(rule))
    return show(request, _EDIT, _EDIT, _edit_context(request, rule, form), status=422)


def _edit_context(
    request: StaffRequest, rule: ReminderRule, form: RuleForm, test_form: TestMessageForm | None = None
) -> dict[str, Any]:
    clinic = request.staff_member.clinic
    today = local_today(clinic, timezone.now())
    language, channel = _looked_at(request, rule, form)
    is_digest = rule.trigger == Trigger.STAFF_DIGEST
    channels = open_channels(clinic)
    return {
        "rule": rule,
        "form": form,
        "line": shown.rule_line(rule, ahead=live_counts_by_rule(clinic).get(rule.pk, 0)),
        "timing": [form[name] for name in form.timing_names if not name.endswith("_unit")],
        "languages": [
            {"code": code, "label": label, "fields": form.texts_of(code), "is_own": code in rule.texts}
            for code, label in Language.choices
        ],
        "looked_at": {"language": language, "channel": channel},
        "channel_choices": _channel_choices(rule),
        "closed_channels": [Channel(name).label for name in rule.channels if name not in channels],
        "placeholders": [
            (name, words) for name, words in PLACEHOLDERS.items() if is_digest or name not in _STAFF_NAMES
        ],
        "preview": _preview(rule, form, language=language, channel=channel),
        "versions": shown.version_lines(
            list(rule.versions.select_related("changed_by")), current=rule.version, today=today
        ),
        "test_form": test_form
        or TestMessageForm(channels=channels, initial={"language": language, "channel": channel}),
        "clinic": clinic,
    }


def _channel_choices(rule: ReminderRule) -> list[tuple[str, Any]]:
    """Return the channels on which a message is looked at: the two forms it has, and those the rule names."""
    is_digest = rule.trigger == Trigger.STAFF_DIGEST
    usual = {Channel.EMAIL} if is_digest else {Channel.EMAIL, Channel.SMS}
    return [(name, label) for name, label in Channel.choices if name in usual or name in rule.channels]


def _looked_at(request: StaffRequest, rule: ReminderRule, form: RuleForm) -> tuple[str, str]:
    """Return the language and the channel to show: the first language with an error, else what was chosen."""
    source = request.POST if request.method == "POST" else request.GET
    chosen = PreviewForm({"language": source.get("shown_language"), "channel": source.get("shown_channel")})
    chosen.is_valid()
    language = chosen.cleaned_data.get("language") or rule.clinic.language
    wrong = [name.rpartition("_")[2] for name in form.errors if name.endswith(tuple(Language.values))]
    if wrong and language not in wrong:
        language = wrong[0]
    return language, chosen.cleaned_data.get("channel") or (rule.channels or [Channel.EMAIL])[0]


def _preview(rule: ReminderRule, form: RuleForm, *, language: str, channel: str) -> shown.Preview:
    """Return how the message would read with the words as typed; what is wrong with them instead, if anything."""
    draft = copy.copy(rule)
    if form.is_bound:
        draft.texts = form.own_texts()
    problems = [problem for text in draft.texts.get(language, {}).values() for problem in check_text(text)]
    if problems:
        return shown.Preview("", "", " ".join(dict.fromkeys(problems)))
    message = preview_message(draft, language=language, clinic=rule.clinic, channel=channel)
    if channel == Channel.EMAIL:
        return shown.Preview(message.subject, message.text, "")
    note = ""
    if channel == Channel.SMS:
        parts = sms_segments(message.short)
        note = ngettext("Goes as %(n)s SMS.", "Goes as %(n)s SMS, each of which is paid for.", parts) % {
            "n": parts
        }
    return shown.Preview("", message.short, note)


@staff_page(write=Capability.MANAGE)
def preview_rule(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    rule = _find(request, code)
    form = RuleForm(request.POST, rule=rule)
    form.is_valid()
    language, channel = _looked_at(request, rule, form)
    chosen = request.POST.get("shown_language")
    if chosen in Language.values:
        # While typing one looks at what one types, wherever else an error stands.
        language = chosen
    context = {
        "rule": rule,
        "preview": _preview(rule, form, language=language, channel=channel),
        "looked_at": {"language": language, "channel": channel},
        "channel_choices": _channel_choices(rule),
    }
    return show(request, _PREVIEW, _PREVIEW, context)


@staff_page(write=Capability.MANAGE)
def pause(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    return _switch(request, code, is_on=False)


@staff_page(write=Capability.MANAGE)
def resume(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    return _switch(request, code, is_on=True)


def _switch(request: StaffRequest, code: uuid.UUID, *, is_on: bool) -> HttpResponse:
    rule = _find(request, code)
    ahead = live_counts_by_rule(rule.clinic).get(rule.pk, 0)
    verb = resume_rule if is_on else pause_rule
    with attempt(request) as tried:
        verb(rule=rule, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        said = (
            _("The rule is on again. What it would have sent meanwhile is not made up for.")
            if is_on
            else ngettext(
                "The rule is paused: %(n)s message that waits does not go out.",
                "The rule is paused: %(n)s messages that wait do not go out.",
                ahead,
            )
            % {"n": ahead}
        )
        messages.success(request, said)
    return redirect(_rule_url(rule) if request.GET.get("from") == "rule" else "staff:rule-list")


@staff_page(write=Capability.MANAGE)
def reset_texts(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Go back to the words that every clinic starts with, in one language."""
    rule, language = _find(request, code), request.POST.get("language", "")
    if language in Language.values:
        texts = {name: parts for name, parts in rule.texts.items() if name != language}
        with attempt(request) as tried:
            change_rule(rule=rule, values={"texts": texts}, by=acting(request), now=timezone.now())
        if not tried.is_refused:
            messages.success(request, _("The words are those that every clinic starts with."))
    return redirect(f"{_rule_url(rule)}?shown_language={language if language in Language.values else ''}")


@staff_page(write=Capability.MANAGE)
def restore_version(request: StaffRequest, code: uuid.UUID, number: int) -> HttpResponse:
    rule = _find(request, code)
    version = rule.versions.filter(number=number).first()
    if version is None:
        raise Http404
    with attempt(request) as tried:
        change_rule(rule=rule, values=version_values(version.values), by=acting(request), now=timezone.now())
    if not tried.is_refused:
        messages.success(request, _("Version %(number)s is in force again.") % {"number": number})
    return redirect(_rule_url(rule))


@staff_page(write=Capability.MANAGE)
def test_rule(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Send the message to oneself, marked as a test."""
    rule = _find(request, code)
    form = TestMessageForm(request.POST, channels=open_channels(rule.clinic))
    if form.is_valid():
        values = form.cleaned_data
        is_email = values["channel"] == Channel.EMAIL
        with attempt(request, form) as tried:
            outcome = send_test(
                rule=rule,
                language=values["language"],
                channel=values["channel"],
                address=request.user.email if is_email else values["address"],
                by=acting(request),
                now=timezone.now(),
            )
        if not tried.is_refused:
            if outcome.kind == "sent":
                messages.success(request, _("The test message is on its way."))
            else:
                messages.error(
                    request, _("The test message did not go out: %(code)s.") % {"code": outcome.code}
                )
            return redirect(_rule_url(rule))
    context = _edit_context(request, rule, RuleForm(rule=rule), form)
    return show(request, _EDIT, _EDIT, context, status=422)


# ---------------------------------------------------------------- how the clinic writes


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def message_settings(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    with undisturbed(request, Clinic.objects.select_for_update().filter(pk=clinic.pk)):
        if request.method == "POST":
            clinic = Clinic.objects.get(pk=clinic.pk)
        form = MessageSettingsForm(request.POST if request.method == "POST" else None, clinic=clinic)
        if form.is_valid():
            try:
                change_message_settings(
                    clinic=clinic, values=form.cleaned_data, by=acting(request), now=timezone.now()
                )
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, _("Saved. Messages that wait already follow within minutes."))
                return redirect("staff:settings-messages")
    return show(request, _SETTINGS, _SETTINGS, {"form": form}, status=422 if form.errors else 200)
