"""Days counted beforehand: what a report says is the same, whether its days were counted, changed since, or neither."""

import threading
from datetime import timedelta
from random import Random

import pytest
from django.db import connection, transaction

from courses.models import Course, DayTally, HourTally, StaleDay, TreatmentSession
from courses.services import tally_days, write_tallies
from reports.catalogue import CATALOGUE
from reports.filling import fill_courses
from reports.selectors import Scope, period_figures, uncounted_courses
from reports.tasks import tally
from tests.reports.history import COUNTED, HISTORY, NOW, PERIOD, TODAY

pytestmark = pytest.mark.django_db


def everything(scope):
    return {slug: entry.build(scope) for slug, entry in CATALOGUE.items()}, period_figures(scope)


def change_some(clinic, rng):
    """Change rows behind the services' back, in every way in which what is counted can change."""
    rows = list(TreatmentSession.objects.filter(clinic=clinic).order_by("pk"))
    people = list(clinic.staff_members.all())
    for row in rng.sample(rows, 12):
        change = rng.choice(["status", "on", "practitioner", "verdict", "reminding", "slot", "gone"])
        mine = TreatmentSession.objects.filter(pk=row.pk)
        if change == "status":
            mine.filter(status__in=COUNTED).update(status=rng.choice(COUNTED[1:]))
        elif change == "on":
            mine.filter(status="no_show").update(on=row.on + timedelta(days=1))
        elif change == "practitioner":
            mine.update(practitioner=rng.choice([*people, None]))
        elif change == "verdict":
            mine.filter(status="attended").update(verdict="late", verdict_days=rng.randrange(9))
        elif change == "reminding":
            mine.filter(status__in=COUNTED).update(reminding="sent", confirmed_at=NOW)
        elif change == "slot" and row.starts_at:
            mine.update(starts_at=row.starts_at - timedelta(minutes=70))
        elif change == "gone":
            mine.delete()


@pytest.mark.parametrize("seed", range(3))
def test_reports_say_the_same_counted_changed_or_fresh(seed):
    clinic = HISTORY.cast()
    here, rng = Scope(clinic, PERIOD, TODAY), Random(seed)
    before = everything(here)

    tally_days()
    counted = everything(here)
    change_some(clinic, rng)
    changed = everything(here)
    tally_days()

    assert counted == before
    assert everything(here) == changed != before
    StaleDay.objects.all().delete()
    DayTally.objects.all().delete()
    assert (everything(here) != changed) == (connection.vendor == "postgresql")


def test_tallies_hold_every_session_that_is_counted(scope):
    days = [PERIOD.from_on + timedelta(days=n) for n in range(PERIOD.day_count)]
    write_tallies(scope.clinic, days)
    write_tallies(scope.clinic, days)

    rows = TreatmentSession.objects.filter(clinic=scope.clinic, on__in=days, status__in=COUNTED)
    for status in COUNTED:
        of_status = rows.filter(status=status)
        assert sum(DayTally.objects.values_list(status, flat=True)) == of_status.count() > 0
        with_slot = of_status.filter(starts_at__isnull=False)
        assert sum(HourTally.objects.values_list(status, flat=True)) == with_slot.count()


@pytest.mark.postgres
def test_only_days_of_which_something_counted_changes_are_marked():
    clinic = HISTORY.cast()
    tally()
    assert not StaleDay.objects.exists()
    attended = TreatmentSession.objects.filter(clinic=clinic, status="attended").first()
    booked = TreatmentSession.objects.filter(clinic=clinic, status="booked").first()

    TreatmentSession.objects.filter(pk=booked.pk).update(confirmed_at=NOW, on=booked.on + timedelta(days=1))
    TreatmentSession.objects.filter(pk=attended.pk).update(note="calm", verdict=attended.verdict)
    unmarked = StaleDay.objects.count()
    TreatmentSession.objects.filter(pk=attended.pk).update(on=attended.on + timedelta(days=40))

    assert unmarked == 0
    assert sorted(StaleDay.objects.values_list("on", flat=True)) == [
        attended.on,
        attended.on + timedelta(days=40),
    ]


@pytest.mark.postgres
def test_clinic_that_somebody_else_counts_is_left_to_them(transactional_db):
    clinic = HISTORY.cast()
    marked = StaleDay.objects.count()
    counted: list[int] = []

    def count() -> None:
        counted.append(tally_days())
        connection.close()

    with transaction.atomic():
        type(clinic).objects.select_for_update(no_key=True).get(pk=clinic.pk)
        other = threading.Thread(target=count)
        other.start()
        other.join()

    assert (counted, StaleDay.objects.count()) == ([0], marked)


def test_courses_from_before_are_filled_once(django_assert_num_queries):
    clinic = HISTORY.cast()
    here = Scope(clinic, PERIOD, TODAY)
    forget(clinic)
    fill_courses(now=NOW)
    before = everything(here)
    forget(clinic)
    forgotten = everything(here)

    filled = fill_courses(now=NOW)

    assert (filled, uncounted_courses(clinic)) == (8, 0)
    assert everything(here) == before != forgotten
    with django_assert_num_queries(1):
        assert fill_courses(now=NOW) == 0


def forget(clinic):
    """Put the rows back to what a version left that kept no verdicts."""
    TreatmentSession.objects.filter(clinic=clinic).update(verdict="", verdict_days=0, late_cause="")
    Course.objects.filter(clinic=clinic).update(verdict_digest="")
    assert uncounted_courses(clinic) == 8
