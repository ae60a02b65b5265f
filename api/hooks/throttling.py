"""So many calls a minute and no more: a flood of forged ones must cost little."""

import logging
import time
from typing import Final

from django.core.cache import cache
from redis import RedisError

logger = logging.getLogger(__name__)

PER_MINUTE: Final = 600
_KEPT_SECONDS: Final = 120


def is_too_often(whose: str) -> bool:
    """Count one more call of this minute and tell whether it is one too many.

    Where the cache does not answer nobody is turned away: a lost STOP would be worse than a flood.
    """
    key = f"hook:{whose}:{int(time.time()) // 60}"
    try:
        cache.add(key, 0, timeout=_KEPT_SECONDS)
        return int(cache.incr(key)) > PER_MINUTE
    except (RedisError, OSError, ValueError):
        logger.warning("Calls by providers cannot be counted.")
        return False
