"""So many requests a minute from one address or with one token and no more; each answer says how many are left."""

import logging

from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class OperationThrottle(ScopedRateThrottle):
    """Counts in the cache; where that does not answer nobody is turned away."""

    is_counted = False

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            is_allowed = bool(super().allow_request(request, view))
        except (RedisError, OSError):
            logger.warning("Requests of the API cannot be counted.")
            return True
        self.is_counted = True
        # For the headers of the answer.
        view.counted_by = self  # type: ignore[attr-defined]
        return is_allowed

    def headers(self) -> dict[str, str]:
        """Return what is left as the HTTP working group drafts it (RateLimit, RateLimit-Policy)."""
        # The newest request stands first; the oldest is the first to be forgotten.
        history: list[float] = self.history
        found = self.parse_rate(self.get_rate())
        most, seconds = found[0] or 0, found[1] or 0
        oldest = history[-1] if history else self.now
        resets = max(1, round(seconds - (self.now - oldest)))
        name = f'"{self.scope}"'
        return {
            "RateLimit-Policy": f"{name};q={most};w={seconds}",
            "RateLimit": f"{name};r={max(0, most - len(history))};t={resets}",
        }
