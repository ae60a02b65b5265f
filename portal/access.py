"""Who a visitor is: a secret link, remembered for an hour in a signed cookie so that no address holds the token."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers

from clients.links import KEPT_FOR, find_expired_link, find_given_link, find_link_by_hash, note_use
from clients.models import AccessLink, LinkPurpose
from portal.limits import GUESSES, PRESSES, address_of, count_event, is_over, may_try
from reminders.models import Reminder

_SALT: Final = "portal.links"
_KEPT_SALT: Final = "portal.kept"
_REMEMBERED_SECONDS: Final = 3600
# Behind the name of a link: whoever holds it has also said what only the client knows.
_KNOWN_MARK: Final = "!"
# Somebody may have the pages of several visits, or of several members of a family, open at once.
_REMEMBERED_MOST: Final = 6
_REF_LENGTH: Final = 16

View = Callable[..., HttpResponse]


def portal_page(view: View) -> View:
    """Let nobody keep, list or be told of a page that one person may see."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **parts: Any) -> HttpResponse:
        response = view(request, *args, **parts)
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return shown


def ref_of(link: AccessLink) -> str:
    """Return how addresses without a token name a link: the beginning of its hash, which opens nothing."""
    return link.token_hash[:_REF_LENGTH]


def follow_link(request: HttpRequest, token: str, purpose: LinkPurpose, route: str) -> HttpResponse:
    """Remember a link that works and lead on to its page; say of one that was given out that it is too old.

    All others are answered alike.

    A HEAD request, which only looks whether there is something, is not counted as an opening.
    """
    link = find_or_count(request, token, purpose)
    if not isinstance(link, AccessLink):
        return link
    if request.method == "GET":
        note_use(link, now=timezone.now())
    response = redirect(route, ref=ref_of(link))
    # The address that is left behind holds the token.
    response["Referrer-Policy"] = "no-referrer"
    _remember(request, response, link)
    return response


def find_or_count(request: HttpRequest, token: str, purpose: LinkPurpose) -> AccessLink | HttpResponse:
    """Return the link of a token, or the answer to one that leads nowhere, which counts against its sender.

    A token is looked up before the limit answers: hundreds of telephones share one address of their carrier, and a
    guesser among them must not shut out the others. That helps no guesser, who would need 130 random bits.
    Cost: one query, whatever the token.
    """
    link = find_given_link(token, purpose)
    if link is None:
        return not_found(request) if may_try(GUESSES, address_of(request)) else too_many(request)
    if link.expires_at <= timezone.now():
        # No guess: nobody but who was sent it knows the token.
        return not_found(request) if link.client.erased_at is not None else expired(request, link)
    return link


def held_link(request: HttpRequest, ref: str, *purposes: LinkPurpose) -> AccessLink | None:
    """Return a remembered link for one of the purposes while it still works.

    Cost: one query, whether it is remembered or not.
    """
    found = next((name for name in _remembered(request) if name[:_REF_LENGTH] == ref), "")
    return find_link_by_hash(found, purposes, timezone.now())


def is_known(request: HttpRequest, link: AccessLink) -> bool:
    """Return whether the visitor has proved to be the client, beyond holding the link."""
    return _remembered(request).get(link.token_hash, False)


def make_known(request: HttpRequest, response: HttpResponse, link: AccessLink) -> None:
    """Remember for as long as the link is that its holder has proved to be the client."""
    _remember(request, response, link, is_known=True)


def kept_link(request: HttpRequest) -> AccessLink | None:
    """Return the link that this telephone keeps for its home screen, while it works.

    Cost: one query, none where nothing is kept.
    """
    token_hash = _kept(request)
    if not token_hash:
        return None
    return find_link_by_hash(token_hash, (LinkPurpose.COURSE,), timezone.now())


def keep_link(response: HttpResponse, token_hash: str) -> None:
    """Let this telephone keep a link for as long as it lives."""
    seconds = int(KEPT_FOR.total_seconds())
    _set_cookie(response, _kept_name(), signing.dumps(token_hash, salt=_KEPT_SALT), seconds)


def forget_kept(response: HttpResponse) -> None:
    """Let this telephone keep no link any more."""
    _set_cookie(response, _kept_name(), "", 0)


def reminder_of(link: AccessLink) -> Reminder | None:
    """Return the message that carried a link, while it is on record."""
    return Reminder.objects.filter(code=link.reminder_code).first() if link.reminder_code else None


def may_press(link: AccessLink) -> bool:
    """Count one press of a button under a link; return whether it may still act."""
    if is_over(PRESSES, link.token_hash):
        return False
    count_event(PRESSES, link.token_hash)
    return True


def show(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    language: str,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """Show a page in the client's language, whatever the browser asks for."""
    with translation.override(language):
        response = render(request, template, context, status=status)
    response["Content-Language"] = language
    return response


def not_found(request: HttpRequest) -> HttpResponse:
    """Answer whatever leads nowhere: unknown, withdrawn, meant for something else, or not remembered.

    A page that was open when its link expired says so instead.
    """
    link = _expired_here(request)
    if link is not None and link.client.erased_at is None:
        return expired(request, link)
    return render(request, "portal/not_found.html", status=HTTPStatus.NOT_FOUND)


def _expired_here(request: HttpRequest) -> AccessLink | None:
    """Return the link that this browser has opened, where its page is asked for too late; one query at most."""
    ref = request.resolver_match.kwargs.get("ref", "") if request.resolver_match else ""
    found = next((name for name in _remembered(request) if ref and name[:_REF_LENGTH] == ref), "")
    return find_expired_link(found, timezone.now()) if found else None


def expired(request: HttpRequest, link: AccessLink) -> HttpResponse:
    """Tell the holder of a link that it is too old, and whom to ask; nothing of what it was about."""
    context = {"clinic": link.clinic.sender_name or link.clinic.name, "phone": link.clinic.phone}
    return show(
        request, "portal/expired.html", context, language=link.client.language, status=HTTPStatus.GONE
    )


def too_many(request: HttpRequest) -> HttpResponse:
    """Answer what comes too often."""
    response = render(request, "portal/too_many.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(GUESSES.seconds)
    return response


@portal_page
def refuse_form(request: HttpRequest) -> HttpResponse:
    """Answer a form without its proof of origin: the page was open too long, or cookies are switched off."""
    return render(request, "portal/again.html", status=HTTPStatus.FORBIDDEN)


def _remembered(request: HttpRequest) -> dict[str, bool]:
    """Return the links that this browser has opened, the latest first, each with whether its holder is known."""
    try:
        held = signing.loads(
            request.COOKIES.get(settings.CLIENT_COOKIE_NAME, ""), salt=_SALT, max_age=_REMEMBERED_SECONDS
        )
    except signing.BadSignature:
        held = []
    found = {str(name).removesuffix(_KNOWN_MARK): str(name).endswith(_KNOWN_MARK) for name in held}
    if kept := _kept(request):
        found.setdefault(kept, False)
    return found


def _kept(request: HttpRequest) -> str:
    try:
        kept = request.COOKIES.get(_kept_name(), "")
        return str(signing.loads(kept, salt=_KEPT_SALT, max_age=KEPT_FOR))
    except signing.BadSignature:
        return ""


def _kept_name() -> str:
    return f"{settings.CLIENT_COOKIE_NAME}-kept"


def _remember(
    request: HttpRequest, response: HttpResponse, link: AccessLink, *, is_known: bool = False
) -> None:
    held = _remembered(request)
    was_known = held.pop(link.token_hash, False)
    held = {link.token_hash: is_known or was_known, **held}
    names = [f"{name}{_KNOWN_MARK}" if known else name for name, known in held.items()]
    value = signing.dumps(names[:_REMEMBERED_MOST], salt=_SALT)
    _set_cookie(response, settings.CLIENT_COOKIE_NAME, value, _REMEMBERED_SECONDS)


def _set_cookie(response: HttpResponse, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        # Not "Strict": the link comes from another site, a mail program in the browser.
        samesite="Lax",
    )
