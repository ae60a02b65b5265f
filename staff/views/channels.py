"""Settings, Channels: over which providers the clinic writes to its clients, and how each of them fares."""

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clients.models import Channel
from clinics.access import Capability
from clinics.models import Clinic
from courses.convert import local_today
from reminders.channels.inbound import hook_secret
from reminders.channels.providers import Provider, find_provider, providers_of
from reminders.channels.registry import EMAIL_SCOPE, account_scope
from reminders.models import ChannelAccount, ChannelHealth
from reminders.services.accounts import has_unreadable_secrets, save_account, switch_account, test_account
from staff.access import StaffRequest, acting, staff_page
from staff.answers import attempt
from staff.channel_forms import AccountForm, ChannelTestForm
from staff.overtaken import undisturbed
from staff.presenters import channels as shown
from staff.presenters import moment_words

_LIST: Final = "staff/channels/channel_list.html"
_EDIT: Final = "staff/channels/channel_edit.html"
_OWN: Final = tuple(channel for channel in Channel.values if channel != Channel.EMAIL)


@staff_page(read=Capability.MANAGE)
def channel_list(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    accounts = {account.channel: account for account in _accounts(clinic)}
    health = _health([EMAIL_SCOPE, *map(account_scope, accounts.values())])
    now = timezone.now()
    lines = [shown.email_line(health.get(EMAIL_SCOPE), moment=_moments(clinic, now), now=now)]
    lines += [_line(clinic, channel, accounts.get(channel), health, now=now) for channel in _OWN]
    return render(request, _LIST, {"lines": lines})


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def new_channel(request: StaffRequest) -> HttpResponse:
    channel = request.GET.get("channel", "")
    if channel not in _OWN:
        return redirect("staff:channel-list")
    account = _accounts(request.staff_member.clinic).filter(channel=channel).first()
    if account is not None and request.method != "POST":
        return redirect("staff:channel-edit", account.code)
    return _edit(request, channel, account)


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def edit_channel(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    account = _find(request, code)
    return _edit(request, account.channel, account)


@staff_page(write=Capability.MANAGE)
def switch_channel(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    account = _find(request, code)
    is_active = request.POST.get("to") == "on"
    if switch_account(account=account, is_active=is_active, by=acting(request), now=timezone.now()):
        label = shown.channel_label(account.channel)
        said = _("%(channel)s is switched on.") if is_active else _("%(channel)s is switched off.")
        messages.success(request, said % {"channel": label})
    return redirect("staff:channel-list")


@staff_page(write=Capability.MANAGE)
def test_channel(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    account = _find(request, code)
    form = ChannelTestForm(request.POST, channel=account.channel)
    if form.is_valid():
        with attempt(request, form) as tried:
            outcome = test_account(
                account=account,
                address=form.cleaned_data.get("address", ""),
                language=get_language() or "en",
                by=acting(request),
                now=timezone.now(),
            )
        if not tried.is_refused:
            say = messages.success if outcome.kind == "sent" else messages.error
            say(request, shown.test_words(outcome))
            return redirect("staff:channel-edit", account.code)
    provider = find_provider(account.channel, account.provider)
    return _show_edit(request, account.channel, account, provider, test_form=form, status=422)


def _edit(request: StaffRequest, channel: str, account: ChannelAccount | None) -> HttpResponse:
    wanted = request.GET.get("provider") or (account.provider if account else "")
    provider = find_provider(channel, wanted)
    if request.method != "POST":
        if request.GET.get("provider") and provider is None:
            raise Http404
        return _show_edit(request, channel, account, provider)
    if provider is None:
        raise Http404
    clinic = request.staff_member.clinic
    with undisturbed(request, Clinic.objects.select_for_update().filter(pk=clinic.pk)):
        account = _accounts(clinic).filter(channel=channel).first()
        form = _account_form(provider, account, data=request.POST)
        if form.is_valid():
            with attempt(request, form) as tried:
                saved = save_account(
                    clinic=clinic,
                    channel=channel,
                    provider_key=provider.key,
                    answers=form.answers(),
                    per_minute=form.cleaned_data["per_minute"],
                    renews=form.cleaned_data.get("renews", False),
                    by=acting(request),
                    now=timezone.now(),
                )
            if not tried.is_refused:
                if saved.made:
                    # Shown in the answer itself, once: a redirect would have to keep it somewhere on the way.
                    return _show_edit(request, channel, saved.account, provider, made=saved.made)
                messages.success(request, _("Saved. Now send a test message."))
                return redirect("staff:channel-edit", saved.account.code)
    return _show_edit(request, channel, account, provider, form=form, status=422)


def _show_edit(
    request: StaffRequest,
    channel: str,
    account: ChannelAccount | None,
    provider: Provider | None,
    *,
    form: AccountForm | None = None,
    test_form: ChannelTestForm | None = None,
    made: Any = None,
    status: int = 200,
) -> HttpResponse:
    clinic = request.staff_member.clinic
    health = _health([account_scope(account)] if account else [])
    offered = providers_of(channel)
    if provider is None and len(offered) == 1:
        provider = offered[0]
    context = {
        "channel": channel,
        "account": account,
        "line": _line(clinic, channel, account, health, now=timezone.now()),
        "providers": offered,
        "provider": provider,
        "form": form or (_account_form(provider, account) if provider else None),
        "test_form": test_form or ChannelTestForm(channel=channel),
        "made": made,
        "hooks": shown.hook_lines(account) if account else [],
        "hook_secret": hook_secret(account) if account else "",
    }
    return render(request, _EDIT, context, status=status)


def _account_form(provider: Provider, account: ChannelAccount | None, data: Any = None) -> AccountForm:
    return AccountForm(
        data,
        provider=provider,
        account=account,
        usual_rate=settings.CHANNEL_RATES[provider.channel],
        has_lost_keys=account is not None and has_unreadable_secrets(account),
    )


def _accounts(clinic: Clinic) -> Any:
    return ChannelAccount.objects.for_clinic(clinic).select_related("clinic")


def _find(request: StaffRequest, code: uuid.UUID) -> ChannelAccount:
    found: ChannelAccount = get_object_or_404(_accounts(request.staff_member.clinic), code=code)
    return found


def _health(scopes: list[str]) -> dict[str, ChannelHealth]:
    return {health.scope: health for health in ChannelHealth.objects.filter(scope__in=scopes)}


def _moments(clinic: Clinic, now: datetime) -> Callable[[datetime], str]:
    return partial(moment_words, today=local_today(clinic, now))


def _line(
    clinic: Clinic,
    channel: str,
    account: ChannelAccount | None,
    health: dict[str, ChannelHealth],
    *,
    now: datetime,
) -> shown.ChannelLine:
    return shown.channel_line(
        channel,
        account,
        provider=find_provider(channel, account.provider) if account else None,
        health=health.get(account_scope(account)) if account else None,
        has_lost_keys=account is not None and has_unreadable_secrets(account),
        moment=_moments(clinic, now),
        now=now,
    )
