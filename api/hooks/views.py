"""Calls by providers: no login, no cookie; whoever signed them with an account's secret is believed, once."""

import logging
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from api.hooks.email import take_email_reports
from api.hooks.readers import (
    Call,
    Report,
    Text,
    read_standard_report,
    read_standard_text,
    read_twilio_report,
    read_twilio_text,
    read_vonage_report,
    read_vonage_text,
)
from api.hooks.signatures import HookError
from api.hooks.throttling import is_too_often
from clients.models import Channel
from courses.errors import CourseError
from reminders.channels.inbound import hook_secrets
from reminders.models import ChannelAccount
from reminders.sealing import SealError, unseal
from reminders.services.answering import record_report
from reminders.services.receiving import receive_text

logger = logging.getLogger(__name__)

_BYTES_MOST: Final = 64 * 1024
# By a clinic's provider; every other gateway signs as Standard Webhooks lays down.
_TEXTS: Final[dict[str, Callable[[Call], Text]]] = {"twilio": read_twilio_text, "vonage": read_vonage_text}
_REPORTS: Final[dict[str, Callable[[Call], Report]]] = {
    "twilio": read_twilio_report,
    "vonage": read_vonage_report,
}


@csrf_exempt
@never_cache
@require_POST
def receive_sms(request: HttpRequest, code: UUID) -> HttpResponse:
    account = get_object_or_404(_accounts(), code=code, channel=Channel.SMS)

    def take(call: Call) -> None:
        text = _TEXTS.get(account.provider, read_standard_text)(call)
        receive_text(
            account=account, sender=text.sender, text=text.text, event_id=text.event_id, now=call.now
        )

    return _answer(request, account, take)


@csrf_exempt
@never_cache
@require_POST
def receive_report(request: HttpRequest, code: UUID) -> HttpResponse:
    account = get_object_or_404(_accounts(), code=code)

    def take(call: Call) -> None:
        report = _REPORTS.get(account.provider, read_standard_report)(call)
        if report.kind is None:
            return
        record_report(
            provider=account.provider,
            # Under the account's name: another clinic's events cannot take its place.
            event_id=f"{account.code}:{report.event_id}",
            kind=report.kind,
            provider_id=report.provider_id,
            reference=report.reference,
            is_permanent=report.is_permanent,
            happened_at=min(report.happened_at or call.now, call.now),
            clinic=account.clinic,
            now=call.now,
        )

    return _answer(request, account, take)


@csrf_exempt
@never_cache
@require_POST
def receive_email_reports(request: HttpRequest) -> HttpResponse:
    return _guarded(request, "email", lambda: take_email_reports(request))


def _accounts() -> Any:
    # Also one that is switched off: whoever got its messages may still say stop.
    return ChannelAccount.objects.select_related("clinic")


def _answer(request: HttpRequest, account: ChannelAccount, take: Callable[[Call], None]) -> HttpResponse:
    response = _guarded(request, str(account.code), lambda: take(_call(request, account)))
    if account.provider == "twilio" and response.status_code == 200:
        # Words would be sent to the client as an SMS.
        return HttpResponse("<Response/>", content_type="text/xml")
    return response


def _guarded(request: HttpRequest, whose: str, take: Callable[[], None]) -> HttpResponse:
    """Do what a call asks for and answer in a word; logs hold an account's code and a reason, never what it said."""
    if is_too_often(whose):
        return _refusal("too-often", 429)
    if int(request.headers.get("content-length") or 0) > _BYTES_MOST or len(request.body) > _BYTES_MOST:
        return _refusal("too-large", 413)
    try:
        take()
    except HookError as error:
        logger.warning("A call for %s was not taken: %s.", whose, error.code)
        return _refusal(error.code, error.status)
    except CourseError as error:
        # Two answers at once, or staff at work on the same course: the provider asks again.
        logger.info("A call for %s has to come again: %s.", whose, error.code)
        return _refusal("busy", 503)
    return HttpResponse(status=200)


def _refusal(code: str, status: int) -> HttpResponse:
    return HttpResponse(f"{code}\n", content_type="text/plain", status=status)


def _call(request: HttpRequest, account: ChannelAccount) -> Call:
    try:
        secrets = unseal(account.sealed_secrets)
    except SealError as error:
        raise HookError("secrets-unreadable", 503) from error
    standard = [secrets["secret"]] if account.channel == Channel.WEBHOOK and "secret" in secrets else []
    return Call(
        body=request.body,
        headers={name.lower(): value for name, value in request.headers.items()},
        # As the provider was given it, whatever proxies lie between.
        url=f"{settings.BASE_URL}{request.get_full_path()}",
        secrets=secrets,
        hook_secrets=(*standard, *hook_secrets(account)),
        now=timezone.now(),
    )
