"""The health page: says whether the database answers and the clock ticks, and nothing about anybody."""

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reminders.services.ticking import last_success, tick_period

logger = logging.getLogger(__name__)

# After this many missed ticks it is red.
_TICKS_MISSED = 3


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    checks = {"database": _check_database()}
    checks["tick"] = _check_tick() if checks["database"] == "ok" else "unknown"
    is_ok = all(answer == "ok" for answer in checks.values())
    return JsonResponse({"status": "ok" if is_ok else "failing", **checks}, status=200 if is_ok else 503)


def _check_database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.exception("The database does not answer.")
        return "unreachable"
    return "ok"


def _check_tick() -> str:
    now = timezone.now()
    succeeded_at = last_success()
    if succeeded_at is None:
        return "never"
    return "ok" if now - succeeded_at <= _TICKS_MISSED * tick_period(now) else "late"
