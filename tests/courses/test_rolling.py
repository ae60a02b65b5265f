"""Rolling plans forward as the booking horizon reaches them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from courses.models import Course, PlanRevision
from courses.services import roll_forward_due
from tests.courses.build import apply_best, at, march
from tests.factories import maintenance, prescribe

pytestmark = pytest.mark.django_db


def test_year_of_maintenance_is_booked_to_the_horizon_and_rolled_forward(member, by):
    course = prescribe(member=member, phases=[maintenance()])
    apply_best(course, by)
    horizon = march(2) + timedelta(days=60)
    booked = course.sessions.filter(status="booked").count()
    planned = list(course.sessions.filter(status="planned").order_by("on").values_list("on", flat=True))
    assert booked == 5
    assert min(planned) > horizon
    assert len(planned) > 18

    before = at(planned[0] - timedelta(days=60)) - timedelta(hours=8, minutes=1)
    assert roll_forward_due(now=before) == 0
    assert roll_forward_due(now=before + timedelta(minutes=1)) == 1
    assert roll_forward_due(now=before + timedelta(minutes=2)) == 0

    assert course.sessions.filter(status="booked").count() == booked + 1
    assert list(PlanRevision.objects.values_list("number", "policy")) == [(1, "shift"), (2, "roll_forward")]


@pytest.mark.parametrize(("state", "rolled"), [("due", 1), ("overdue", 0), ("lapsed", 0)])
def test_client_who_stays_away_is_booked_no_further(member, by, state, rolled):
    course = prescribe(member=member, phases=[maintenance()])
    apply_best(course, by)
    Course.objects.filter(pk=course.pk).update(state=state)

    assert roll_forward_due(now=datetime(2026, 4, 1, 6, tzinfo=UTC)) == rolled


def test_what_cannot_be_rolled_forward_blocks_nobody(member, by, monkeypatch):
    course = prescribe(member=member, phases=[maintenance()])
    apply_best(course, by)
    now = datetime(2026, 4, 1, 6, tzinfo=UTC)
    reached = date(2026, 4, 1) + timedelta(days=60)
    assert course.sessions.filter(status="planned", on__lte=reached).exists()

    def broken(**arguments):
        raise RuntimeError("broken")

    monkeypatch.setattr("courses.services.rolling.propose_plan", broken)
    assert roll_forward_due(now=now) == 0

    assert not course.sessions.filter(status="planned", on__lte=reached).exists()
    assert course.sessions.filter(status="planned").exists()
