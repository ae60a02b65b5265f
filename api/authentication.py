"""Who asks: a clinic's own program, by the token in its header. The clinic comes from the token, never from the request."""

import logging
import time
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from redis import RedisError
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from clinics.access import has_scope
from clinics.models import ApiToken
from clinics.tokens import PREFIX, find_token, note_token_use

logger = logging.getLogger(__name__)

# Keys that open nothing, by address: a program with an old one tries a few times, guessers very often.
MOST_FAILURES: Final = 30
_MINUTE: Final = 60
_LONGEST_KEY: Final = 100


@dataclass(frozen=True, slots=True)
class Program:
    """The program that holds a token, in the place of a user."""

    token: ApiToken
    is_authenticated: bool = True

    @property
    def pk(self) -> str:
        """By which requests are counted."""
        return f"token-{self.token.pk}"


class TokenAuthentication(BaseAuthentication):
    """Takes `Authorization: Bearer rgm_…`."""

    def authenticate(self, request: Request) -> tuple[Program, ApiToken] | None:
        scheme, _space, _key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = self._find(key_of(request))
        if token is None:
            # Looked up before: programs of many clinics may share one address, and none is shut out by a guesser there.
            # Behind a socket of the machine's own there is no address.
            if _count_failure(BaseThrottle().get_ident(request) or "") > MOST_FAILURES:
                raise Throttled(wait=_MINUTE)
            raise AuthenticationFailed("This token is unknown.")
        now = timezone.now()
        if token.revoked_at is not None:
            raise AuthenticationFailed("This token was revoked.")
        if token.clinic.deactivated_at is not None:
            raise AuthenticationFailed("The clinic of this token was deactivated.")
        if token.expires_at <= now:
            raise AuthenticationFailed("This token has expired.")
        note_token_use(token, now=now)
        return Program(token), token

    def _find(self, key: str) -> ApiToken | None:
        is_one = key.startswith(PREFIX) and len(key) <= _LONGEST_KEY
        return find_token(key) if is_one else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Regimen"'


class HasScope(BasePermission):
    """Asks for the scope that the view names for the verb in `scopes`; a verb without one is closed."""

    message = "This token was not made for that."

    def has_permission(self, request: Request, view: APIView) -> bool:
        verb = "GET" if request.method == "HEAD" else str(request.method)
        if verb not in view.allowed_methods or verb == "OPTIONS":
            # The view itself says which verbs there are.
            return True
        scope = getattr(view, "scopes", {}).get(verb)
        return scope is not None and isinstance(request.auth, ApiToken) and has_scope(request.auth, scope)


def key_of(request: Request) -> str:
    """Return the key that a request brought."""
    return str(request.headers.get("Authorization", "")).partition(" ")[2].strip()


def _count_failure(address: str) -> int:
    """Count a key that opened nothing; return how many from its address did in this minute, none where that cannot be
    counted."""
    # A fingerprint: addresses are not to be read in a cache.
    name = blake2b(address.encode(), digest_size=12, key=settings.SECRET_KEY.encode()[:64]).hexdigest()
    window = f"api:unknown-token:{int(time.time()) // _MINUTE}:{name}"
    try:
        cache.add(window, 0, timeout=2 * _MINUTE)
        return int(cache.incr(window))
    except (RedisError, OSError, ValueError):
        logger.warning("Unknown tokens cannot be counted.")
        return 0


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its metaclass has no types
    """How the description of the API names it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        text = "A key that an owner makes under Settings, API tokens. It begins with rgm_."
        return {"type": "http", "scheme": "bearer", "description": text}
