"""How much a clinic may send over a channel: a bucket that refills by the minute, one row for each."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from reminders.models import RateBucket

Pair = tuple[int, str]
_MINUTE: Final = 60.0
_UPDATE: Final = """
    UPDATE reminders_ratebucket AS b SET tokens = v.column2, refilled_at = %s
    FROM (VALUES {rows}) AS v WHERE b.id = v.column1
"""


def take_tokens(
    wanted: Counter[Pair], rates: Mapping[Pair, int], *, now: datetime
) -> tuple[dict[Pair, int], dict[Pair, datetime]]:
    """Take from each (clinic id, channel) what is wanted, as far as it goes.

    Returns how many were granted, and when there is more for those that got less than they wanted. A bucket
    holds a minute's worth. Runs in the caller's transaction, which holds the buckets until it ends; they are
    locked in one order, so that two senders never wait for each other.
    Cost: one query and one write for all, one more for a clinic's first message over a channel.
    """
    _make_missing(wanted, rates, now)
    buckets = list(
        RateBucket.objects.select_for_update()
        .filter(clinic__in={clinic for clinic, _ in wanted}, channel__in={channel for _, channel in wanted})
        .order_by("clinic_id", "channel")
    )
    granted: dict[Pair, int] = {}
    later: dict[Pair, datetime] = {}
    changed = []
    for bucket in buckets:
        pair = (bucket.clinic_id, bucket.channel)
        if pair not in wanted:
            continue
        per_second = rates[pair] / _MINUTE
        passed = max(0.0, (now - bucket.refilled_at).total_seconds())
        tokens = min(float(rates[pair]), bucket.tokens + passed * per_second)
        granted[pair] = min(wanted[pair], int(tokens))
        missing = wanted[pair] - granted[pair]
        if missing:
            later[pair] = now + timedelta(seconds=max(1.0, min(_MINUTE, missing / per_second)))
        changed.append((bucket.pk, tokens - granted[pair]))
    _write(changed, now)
    return granted, later


def _write(changed: Iterable[tuple[int, float]], now: datetime) -> None:
    rows = ", ".join(f"({int(pk)}, {float(tokens)!r})" for pk, tokens in changed)
    if not rows:
        return
    with connection.cursor() as cursor:
        # Built by hand: a case for each of fifty clinics takes Django longer than all else here.
        cursor.execute(_UPDATE.format(rows=rows), [connection.ops.adapt_datetimefield_value(now)])


def _make_missing(wanted: Counter[Pair], rates: Mapping[Pair, int], now: datetime) -> None:
    known = set(
        RateBucket.objects.filter(clinic__in={clinic for clinic, _ in wanted}).values_list(
            "clinic_id", "channel"
        )
    )
    RateBucket.objects.bulk_create(
        [
            RateBucket(clinic_id=clinic, channel=channel, tokens=rates[clinic, channel], refilled_at=now)
            for clinic, channel in sorted(set(wanted) - known)
        ],
        ignore_conflicts=True,
    )
