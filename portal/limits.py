"""How often one address may guess and one link be pressed. Counted in the cache, and here while that is away."""

import logging
import time
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# With the cache away a limit for each process is better than none, and much better than an error.
_HERE: Final = LocMemCache("portal-limits", {})


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` events under one key in each stretch of `seconds`."""

    name: str
    most: int
    seconds: int


# Links that lead nowhere, by address: people meet a few withdrawn ones, guessers very many.
GUESSES: Final = Limit("guess", 60, 600)
# Buttons, by link.
PRESSES: Final = Limit("press", 30, 600)
# Wrong years of birth, by client: of some eighty that are likely, whoever found a message may try five a day.
WRONG_YEARS: Final = Limit("year", 5, 86_400)


def is_over(limit: Limit, key: str) -> bool:
    """Tell whether no further event is to be let through."""
    return _counted(limit, key, add=0) >= limit.most


def count_event(limit: Limit, key: str) -> None:
    """Count one event."""
    _counted(limit, key, add=1)


def may_try(limit: Limit, key: str) -> bool:
    """Count one try before it is judged, so that many at once cannot all slip through; return whether it may be made."""
    return _counted(limit, key, add=1) <= limit.most


def give_back(limit: Limit, key: str) -> None:
    """Take back one try that was right: only wrong ones are limited."""
    _counted(limit, key, add=-1)


def address_of(request: HttpRequest) -> str:
    """Return where a request comes from, as the last proxy of our own saw it; of IPv6 the network.

    Whoever holds one address of IPv6 holds them all up to its 64th bit.
    """
    seen = request.META.get("REMOTE_ADDR", "")
    if settings.PROXY_COUNT:
        hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",")]
        # What stands further left was written by whoever asked.
        seen = hops[-settings.PROXY_COUNT] if len(hops) >= settings.PROXY_COUNT else seen
    try:
        address = ip_address(seen)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ip_network(f"{address}/64", strict=False))
    return str(address)


def _counted(limit: Limit, key: str, *, add: int) -> int:
    try:
        return _count_in(cache, limit, key, add)
    except (RedisError, OSError) as error:
        logger.warning("The cache is away (%s); limits are counted by this process.", type(error).__name__)
        return _count_in(_HERE, limit, key, add)


def _count_in(store: BaseCache, limit: Limit, key: str, add: int) -> int:
    # A fingerprint: neither addresses nor links are to be read in a cache.
    name = blake2b(key.encode(), digest_size=12, key=settings.SECRET_KEY.encode()[:64]).hexdigest()
    window = f"portal:{limit.name}:{int(time.time()) // limit.seconds}:{name}"
    if not add:
        return int(store.get(window, 0))
    store.add(window, 0, timeout=limit.seconds * 2)
    try:
        return int(store.incr(window, add))
    except ValueError:
        # It was pushed out of the cache between the two.
        return add
