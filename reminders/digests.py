"""What a morning's summary tells the staff: counts only, never a name."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Max
from django.utils.translation import override

from clients.models import ContactPoint
from clinics.core import to_utc
from courses.models import BOOKED_STATUSES, Flag, FlagKind, TreatmentSession
from reminders.models import Reminder, ReminderState, Trigger

# How far back the first summary looks, or one after a long time without any.
_LOOK_BACK: Final = timedelta(days=1)
_LOOK_BACK_MOST: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Morning:
    """The counts of one clinic on one morning; `findings` are (kind, count), serious kinds first."""

    sessions_today: int
    unrecorded: int
    findings: tuple[tuple[str, int], ...]
    failed: int
    disabled: int
    expired: int


def count_morning(row: Any, *, now: datetime) -> Morning:
    """Return the counts for a digest row, of messages since the summary before it.

    Cost: six queries.
    """
    clinic = row.clinic
    zone = ZoneInfo(clinic.time_zone)
    today = now.astimezone(zone).date()
    since = _since(row, now)
    booked = TreatmentSession.objects.for_clinic(clinic).filter(status__in=BOOKED_STATUSES)
    messages = Reminder.objects.for_clinic(clinic).filter(decided_at__gte=since, decided_at__lt=now)
    flags = Flag.objects.for_clinic(clinic).filter(resolved_at=None)
    kinds = flags.values("kind").annotate(number=Count("pk"), rank=Max("severity_rank"))
    return Morning(
        sessions_today=TreatmentSession.objects.for_clinic(clinic)
        .filter(on=today, starts_at__isnull=False)
        .exclude(status__startswith="cancelled")
        .count(),
        unrecorded=booked.filter(starts_at__lt=to_utc(today, time(0), zone)).count(),
        findings=tuple(
            (found["kind"], found["number"])
            for found in sorted(kinds, key=lambda k: (-k["rank"], -k["number"], k["kind"]))
        ),
        failed=messages.filter(state__in=(ReminderState.FAILED, ReminderState.UNCERTAIN)).count(),
        disabled=ContactPoint.objects.for_clinic(clinic)
        .filter(disabled_at__gte=since, disabled_at__lt=now)
        .count(),
        expired=messages.filter(state=ReminderState.EXPIRED).count(),
    )


def finding_lines(morning: Morning, *, language: str) -> tuple[str, ...]:
    """Return a line for each kind of open finding in a language."""
    with override(language):
        return tuple(f"{FlagKind(kind).label}: {number}" for kind, number in morning.findings)


def _since(row: Any, now: datetime) -> datetime:
    """Return when the summary before this one went out, so that nothing is told twice or never."""
    before = Reminder.objects.filter(
        staff_member=row.staff_member_id,
        trigger=Trigger.STAFF_DIGEST,
        state=ReminderState.SENT,
        sent_at__gte=now - _LOOK_BACK_MOST,
    ).exclude(pk=row.pk)
    last = before.order_by("-sent_at").values_list("sent_at", flat=True).first()
    return last or now - _LOOK_BACK
