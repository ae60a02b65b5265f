"""Sessions counted by the day: which days are to be counted anew, and the counting."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import BooleanField, Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.functions import ExtractHour

from clinics.models import Clinic
from courses.convert import zone_of
from courses.models import COUNTED_STATUSES, DayTally, HourTally, StaleDay, TreatmentSession

# Days counted in one transaction.
_DAYS: Final = 60


def tally_days() -> int:
    """Count anew the days that are marked, a few in a transaction; return how many.

    Safe at any time and by several at once: whoever does not get a clinic's row leaves its days to the other. A mark
    that comes while its day is counted stays, so that the day is counted again.
    Cost: seven queries for each 60 days of a clinic.
    """
    if not keeps_tallies():
        return 0
    total = 0
    for clinic_id in StaleDay.objects.order_by().values_list("clinic", flat=True).distinct():
        while count := _tally_some(clinic_id):
            total += count
    return total


def keeps_tallies() -> bool:
    """Return whether the database keeps tallies: only where it marks the days that change."""
    return connection.vendor == "postgresql"


def _tally_some(clinic_id: int) -> int:
    with transaction.atomic():
        clinic = Clinic.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=clinic_id).first()
        if clinic is None:
            return 0
        marks = StaleDay.objects.for_clinic(clinic)
        days = list(marks.order_by("on").values_list("on", flat=True).distinct()[:_DAYS])
        seen = list(marks.filter(on__in=days).values_list("pk", flat=True))
        # Read after the marks: what changes from here on has a mark of its own.
        write_tallies(clinic, days)
        StaleDay.objects.filter(pk__in=seen).delete()
    return len(days)


def write_tallies(clinic: Clinic, days: Collection[date]) -> None:
    """Put the tallies of some days in place of those that stand. Cost: four queries and two to write."""
    for model in (DayTally, HourTally):
        model._default_manager.filter(clinic=clinic, on__in=days).delete()
    sessions = TreatmentSession.objects.for_clinic(clinic).filter(on__in=days, status__in=COUNTED_STATUSES)
    DayTally.objects.bulk_create(DayTally(clinic=clinic, **row) for row in _day_rows(sessions.order_by()))
    HourTally.objects.bulk_create(
        HourTally(clinic=clinic, **row) for row in _hour_rows(sessions.order_by(), clinic)
    )


def _day_rows(sessions: QuerySet[TreatmentSession]) -> list[dict[str, Any]]:
    length = ExpressionWrapper(F("ends_at") - F("starts_at"), output_field=DurationField())
    attended = Q(status="attended")
    rows = (
        sessions.annotate(
            protocol_id=F("course__protocol"),
            is_confirmed=ExpressionWrapper(Q(confirmed_at__isnull=False), output_field=BooleanField()),
        )
        .values("on", "protocol_id", "practitioner_id", "is_confirmed", "reminding")
        .annotate(
            attended=Count("pk", filter=attended),
            no_show=Count("pk", filter=Q(status="no_show")),
            cancelled_late=Count("pk", filter=Q(status="cancelled_late")),
            walked_in=Count("pk", filter=attended & Q(starts_at__isnull=True)),
            **{name: Count("pk", filter=attended & Q(verdict=name)) for name in ("on_time", "early", "late")},
            **{
                f"{name}_days": Sum("verdict_days", filter=attended & Q(verdict=name), default=0)
                for name in ("early", "late")
            },
            held=Sum(length, default=timedelta()),
            given=Sum(length, filter=attended, default=timedelta()),
            noted=Sum("minutes", filter=attended & Q(starts_at__isnull=True), default=0),
        )
    )
    return [_with_minutes(dict(row)) for row in rows]


def _with_minutes(row: dict[str, Any]) -> dict[str, Any]:
    held, given, noted = (row.pop(name) for name in ("held", "given", "noted"))
    return row | {"held_minutes": _minutes(held), "attended_minutes": _minutes(given) + noted}


def _minutes(spent: timedelta) -> int:
    return int(spent.total_seconds() // 60)


def _hour_rows(sessions: QuerySet[TreatmentSession], clinic: Clinic) -> list[dict[str, Any]]:
    rows = (
        sessions.filter(starts_at__isnull=False)
        .annotate(hour=ExtractHour("starts_at", tzinfo=zone_of(clinic)), protocol_id=F("course__protocol"))
        .values("on", "hour", "protocol_id", "practitioner_id")
        .annotate(**{status: Count("pk", filter=Q(status=status)) for status in COUNTED_STATUSES})
    )
    return [dict(row) for row in rows]
