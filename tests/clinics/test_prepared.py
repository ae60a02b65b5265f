"""Counts whose text is put together once answer for every clinic and day as if it were their own."""

from datetime import date

import pytest

from clinics.models import Closure, Room
from clinics.prepared import PreparedCounts
from tests.factories import ClinicFactory, RoomFactory

TODAY = date(2026, 3, 2)

pytestmark = pytest.mark.django_db


def closures_until(clinic, today):
    return Closure.objects.for_clinic(clinic).filter(from_on__lte=today).order_by()


def test_each_clinic_and_day_has_counts_of_its_own(django_assert_num_queries):
    counts = PreparedCounts(
        lambda clinic, today: {
            "rooms": Room.objects.for_clinic(clinic).order_by(),
            "closed": closures_until(clinic, today).union(closures_until(clinic, today), all=True),
        }
    )
    clinic, other = ClinicFactory(), ClinicFactory()
    RoomFactory.create_batch(2, clinic=clinic)
    for owner, on in ((clinic, TODAY), (other, TODAY), (other, date(2026, 3, 3))):
        Closure.objects.create(clinic=owner, from_on=on, to_on=on)

    with django_assert_num_queries(3):
        assert counts.ask(clinic, today=date(2026, 3, 1)) == {"rooms": 2, "closed": 0}
        assert counts.ask(clinic, today=TODAY) == {"rooms": 2, "closed": 2}
        assert counts.ask(other, today=date(2026, 3, 3)) == {"rooms": 0, "closed": 4}
