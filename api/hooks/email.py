"""Reports of the installation's e-mail provider, read by anymail once it is known who sent them."""

import hmac
from typing import Any, Final

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.utils import get_request_basic_auth
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.mailjet import MailjetTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.resend import ResendTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView
from django.conf import settings
from django.http import Http404, HttpRequest
from django.utils import timezone

from api.hooks.signatures import HookError, check_standard

_VIEWS: Final[dict[str, Any]] = {
    "brevo": BrevoTrackingWebhookView,
    "mailgun": MailgunTrackingWebhookView,
    "mailjet": MailjetTrackingWebhookView,
    "postmark": PostmarkTrackingWebhookView,
    "resend": ResendTrackingWebhookView,
    "sparkpost": SparkPostTrackingWebhookView,
}
_SVIX: Final = ("id", "timestamp", "signature")


def take_email_reports(request: HttpRequest) -> None:
    """Check who calls, and tell each event of the call to those who listen to anymail's signal.

    Everybody needs the password of EMAIL_WEBHOOK_SECRET, since not every provider signs; the signature is checked
    as well where there is a key for it.
    Raises: Http404 where no provider or password is set, HookError for a call that is not taken.
    """
    name = settings.EMAIL_BACKEND.removeprefix("anymail.backends.").partition(".")[0]
    if name not in _VIEWS or not settings.EMAIL_WEBHOOK_SECRET:
        raise Http404
    given = get_request_basic_auth(request) or ""
    if not hmac.compare_digest(given.encode(), settings.EMAIL_WEBHOOK_SECRET.encode()):
        raise HookError("forged")
    view = _view(name, request)
    try:
        view.run_validators(request)
        events = view.parse_events(request)
    except AnymailWebhookValidationFailure as error:
        raise HookError("forged") from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise HookError("bad-body", 400) from error
    for event in events:
        view.signal.send(sender=type(view), event=event, esp_name=view.esp_name)


def _view(name: str, request: HttpRequest) -> Any:
    if name != "resend":
        return _VIEWS[name]()
    # Signed as Standard Webhooks are, under its own names; anymail would need another package for it.
    if secret := settings.ANYMAIL.get("RESEND_SIGNING_SECRET"):
        headers = {f"webhook-{part}": request.headers.get(f"svix-{part}", "") for part in _SVIX}
        check_standard(request.body, headers, [str(secret)], now=timezone.now())
    return _VIEWS[name](signing_secret=None)
