"""Reads with two or more callers; each is bounded by the clinic and an index, in a constant number of queries."""

from clinics.models import Clinic
from courses.models import Flag, Severity


def serious_flag_count(clinic: Clinic) -> int:
    """Return the number of open serious flags of a clinic, snoozed ones included.

    Cost: one query on the open flags of the clinic.
    """
    return Flag.objects.for_clinic(clinic).filter(resolved_at__isnull=True, severity=Severity.SERIOUS).count()
