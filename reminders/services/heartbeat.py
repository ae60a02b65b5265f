"""A sign of life to somebody outside, who notices when it stays away."""

import logging
from datetime import datetime
from typing import Final

import requests
from django.conf import settings

from reminders.channels.egress import Exchange, post, watched
from reminders.models import TickRun
from reminders.services.fence import is_held

logger = logging.getLogger(__name__)

_JOB: Final = "heartbeat"
_SECONDS: Final = 5.0


def send_heartbeat(*, now: datetime) -> bool:
    """Call the address of the settings once a minute and tell whether it answered well; never raises.

    Nothing is called while the outbox is held: that it stays away is how somebody hears of it.
    Cost: two queries, and a request of five seconds at most; no transaction may be open.
    """
    if not settings.HEARTBEAT_URL or is_held() or not _is_mine(now):
        return False
    try:
        with watched(Exchange(seconds=_SECONDS)) as exchange:
            post(settings.HEARTBEAT_URL, data=b"")
    except (requests.RequestException, OSError):
        # The address is a secret of its own, and so is what an error says about it.
        logger.warning("The heartbeat could not be sent.")
        return False
    return 200 <= exchange.status < 300


def _is_mine(now: datetime) -> bool:
    minute = now.replace(second=0, microsecond=0)
    return TickRun.objects.get_or_create(job=_JOB, period_start=minute)[1]
