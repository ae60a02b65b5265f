"""A clock that jumps: nothing is planned or sent until it can be trusted again (F35)."""

from datetime import timedelta

import pytest

from reminders.models import JobState, Reminder, TickRun
from reminders.services import claim_due, jumps, run_tick
from reminders.services.jumps import is_clock_steady
from tests.reminders.builders import NOW, at, make_desk

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
HOURS = timedelta(hours=6)


def is_jumping(*, now):
    return jumps.is_jumping({job.job: job for job in JobState.objects.all()}, now=now)


class Times:
    """A clock and a counter that go together until told otherwise."""

    def __init__(self, monkeypatch):
        self.now = NOW
        self.counter = 1000.0
        monkeypatch.setattr(jumps, "_count_seconds", lambda: self.counter)
        jumps.forget()

    def go(self, by=MINUTE):
        self.now += by
        self.counter += by.total_seconds()

    def look(self, by=MINUTE):
        self.go(by)
        return is_clock_steady(now=self.now)


@pytest.fixture
def times(monkeypatch, settings):
    settings.IS_QUEUE_REMOTE = True
    yield Times(monkeypatch)
    jumps.forget()


def test_clock_that_goes_with_the_counter_is_steady(times):
    assert [times.look() for _ in range(5)] == [True] * 5
    assert not is_jumping(now=times.now)


@pytest.mark.parametrize("step", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_small_step_is_within_tolerance(times, step):
    times.look()
    times.now += step

    assert times.look()


@pytest.mark.parametrize("jump", [HOURS, -HOURS, timedelta(minutes=2, seconds=1)])
def test_jump_is_not_trusted_and_shown(times, jump):
    times.look()
    times.now += jump

    assert not times.look()
    assert is_jumping(now=times.now)
    assert JobState.objects.get(job="clock").last_counts["jump_seconds"] == jump.total_seconds()


def test_clock_that_comes_back_is_trusted_at_once(times):
    times.look()
    times.now += HOURS
    assert not times.look()
    times.now -= HOURS

    assert times.look()
    assert not is_jumping(now=times.now)


def test_jump_that_stays_for_ten_minutes_is_the_truth(times):
    times.look()
    times.now += HOURS

    looks = [times.look() for _ in range(12)]

    assert looks == [False] * 10 + [True] * 2
    assert not is_jumping(now=times.now)


def test_ten_minutes_are_counted_in_the_ticks_of_one_process_too(times, settings):
    settings.IS_QUEUE_REMOTE = False
    times.look()
    times.now += HOURS

    looks = [times.look(timedelta(seconds=5)) for _ in range(121)]

    assert looks == [False] * 120 + [True]


def test_machine_that_slept_has_not_jumped(times):
    times.look()

    assert times.look(HOURS)


def test_new_process_takes_the_word_of_the_one_before(times):
    times.look()
    times.now += HOURS
    times.look()
    jumps.forget()

    assert not times.look()


def test_other_process_accepts_what_one_has_believed(times):
    times.look()
    old = jumps._last
    times.now += HOURS
    while not times.look():
        pass
    jumps._last = old

    assert times.look()


def test_new_process_sees_the_way_back_from_the_last_tick(times):
    run_tick(now=times.now)
    jumps.forget()
    times.now -= HOURS

    assert not times.look()


def test_outage_is_no_jump_for_a_new_process(times):
    run_tick(now=times.now)
    jumps.forget()
    times.now += timedelta(days=7)

    assert times.look()


def test_way_back_that_stays_gives_up_what_lies_ahead(times):
    make_desk()
    times.now = at("2026-03-03 15:00")
    times.look()
    run_tick(now=times.now)
    claim_due(owner="gone", now=times.now, limit=10)
    times.now -= HOURS
    assert is_jumping(now=times.now)
    while not times.look():
        pass

    assert TickRun.objects.filter(period_start__gt=times.now).count() == 0
    assert {row.lease_until for row in Reminder.objects.filter(state="claimed")} == {times.now + MINUTE}
    assert run_tick(now=times.now) is not None
    assert not is_jumping(now=times.now)
