"""A clinic sends no faster over a channel than its rate allows; what does not fit waits and is not lost."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from reminders.channels.base import Way
from reminders.models import RateBucket, Reminder
from reminders.services import drain
from reminders.services.rates import take_tokens
from tests.reminders.builders import Memory, at, make_desk

pytestmark = pytest.mark.django_db
WHEN = at("2026-03-03 15:00")


def take(wanted, *, per_minute=60, now=WHEN):
    with transaction.atomic():
        return take_tokens(Counter(wanted), dict.fromkeys(wanted, per_minute), now=now)


@pytest.fixture
def clinic():
    return make_desk().course.clinic


def test_bucket_holds_a_minutes_worth(clinic):
    pair = (clinic.pk, "email")

    assert take({pair: 60}) == ({pair: 60}, {})
    granted, later = take({pair: 1})

    assert (granted, later) == ({pair: 0}, {pair: WHEN + timedelta(seconds=1)})


@pytest.mark.parametrize(("seconds", "granted"), [(0, 0), (1, 1), (10, 10), (60, 60), (3600, 60)])
def test_bucket_refills_with_time(clinic, seconds, granted):
    pair = (clinic.pk, "email")
    take({pair: 60})

    found, _ = take({pair: 100}, now=WHEN + timedelta(seconds=seconds))

    assert found == {pair: granted}


def test_clock_that_steps_back_gives_nothing_and_takes_nothing(clinic):
    pair = (clinic.pk, "email")
    take({pair: 30})

    found, _ = take({pair: 100}, now=WHEN - timedelta(hours=6))

    assert found == {pair: 30}


def test_channels_and_clinics_have_buckets_of_their_own(clinic):
    other = make_desk().course.clinic
    pairs = [(clinic.pk, "email"), (clinic.pk, "sms"), (other.pk, "email")]

    granted, later = take(dict.fromkeys(pairs, 60))

    assert (granted, later) == (dict.fromkeys(pairs, 60), {})
    assert RateBucket.objects.count() == 3


def test_queries_do_not_grow_with_clinics(clinic):
    pairs = [(clinic.pk, "email"), *((make_desk().course.clinic.pk, "email") for _ in range(2))]
    take(dict.fromkeys(pairs, 1))
    with CaptureQueriesContext(connection) as one:
        take({pairs[0]: 1})
    with CaptureQueriesContext(connection) as three:
        take(dict.fromkeys(pairs, 1))

    assert len(one) == len(three)


def test_what_does_not_fit_goes_later(monkeypatch):
    desk = make_desk()
    row = desk.row("day-before")
    way = Way("email", "retry_once", 1, Memory)
    monkeypatch.setattr("reminders.services.delivering.find_ways", lambda pairs: dict.fromkeys(pairs, way))
    RateBucket.objects.create(clinic=row.clinic, channel="email", tokens=0, refilled_at=WHEN)

    assert dict(drain(clock=lambda: WHEN)) == {"due": 1}
    retry_at = Reminder.objects.get(pk=row.pk).retry_at
    assert dict(drain(clock=lambda: retry_at)) == {"sent": 1}

    assert retry_at == WHEN + timedelta(seconds=60)
