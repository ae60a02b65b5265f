"""Tokens of the API in words; nothing here runs a query."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clinics.models import ApiToken
from staff.presenters.badges import Badge
from staff.presenters.sessions import moment_words
from staff.templatetags.interface import day
from staff.token_forms import SCOPE_WORDS

# How long before its end a token asks for attention.
_SOON: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class TokenLine:
    token: ApiToken
    may: str
    made: str
    used: str
    until: str
    badge: Badge
    is_over: bool


def token_line(token: ApiToken, *, now: datetime, today: date) -> TokenLine:
    """Return a token as its line reads; who made it must be loaded."""
    until = day(token.expires_at - timedelta(seconds=1), today)
    return TokenLine(
        token=token,
        may="; ".join(str(words) for scope, words in SCOPE_WORDS.items() if scope in token.scopes),
        made=_("made %(day)s by %(name)s")
        % {"day": day(token.created_at, today), "name": token.created_by.display_name},
        used=_("last used %(moment)s") % {"moment": moment_words(token.last_used_at, today=today)}
        if token.last_used_at
        else _("never used"),
        until=_("until %(day)s") % {"day": until},
        badge=_badge(token, now=now),
        is_over=token.revoked_at is not None or token.expires_at <= now,
    )


def _badge(token: ApiToken, *, now: datetime) -> Badge:
    if token.revoked_at is not None:
        return Badge(pgettext("token", "Revoked"), "quiet", "ban")
    if token.expires_at <= now:
        return Badge(pgettext("token", "Expired"), "quiet", "clock")
    if token.expires_at <= now + _SOON:
        return Badge(pgettext("token", "Expires soon"), "warning", "alert-triangle")
    return Badge(pgettext("token", "Valid"), "good", "check")
