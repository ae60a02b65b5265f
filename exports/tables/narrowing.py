"""What tables have in common when they are narrowed."""

from datetime import date, time, timedelta
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet

from clinics.core import to_utc
from clinics.models import Clinic, StaffMember
from exports.core.choice import Choice

_Row = TypeVar("_Row", bound=Model)


def within_days(rows: QuerySet[_Row], field: str, choice: Choice) -> QuerySet[_Row]:
    """Return the rows whose date lies in the period, both ends included."""
    if choice.from_on:
        rows = rows.filter(**{f"{field}__gte": choice.from_on})
    return rows.filter(**{f"{field}__lte": choice.to_on}) if choice.to_on else rows


def within(rows: QuerySet[_Row], field: str, choice: Choice, clinic: Clinic) -> QuerySet[_Row]:
    """Return the rows whose instant lies on one of the period's days in the clinic's zone."""
    zone = ZoneInfo(clinic.time_zone)

    def midnight(day: date) -> Any:
        return to_utc(day, time(0), zone)

    if choice.from_on:
        rows = rows.filter(**{f"{field}__gte": midnight(choice.from_on)})
    if choice.to_on:
        rows = rows.filter(**{f"{field}__lt": midnight(choice.to_on + timedelta(days=1))})
    return rows


def practitioner_of(clinic: Clinic, choice: Choice) -> StaffMember | None:
    """Return the member whose code a filter names, or None where it names nobody."""
    code = choice.filters.get("practitioner")
    return StaffMember.objects.for_clinic(clinic).filter(code=UUID(code)).first() if code else None
