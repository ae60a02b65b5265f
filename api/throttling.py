"""So many requests a minute from one address and no more."""

import logging

from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class OperationThrottle(ScopedRateThrottle):
    """Counts in the cache; where that does not answer nobody is turned away."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return bool(super().allow_request(request, view))
        except (RedisError, OSError):
            logger.warning("Requests of the API cannot be counted.")
            return True
