"""The clock by which leases are counted: what a machine sleeps through has passed all the same."""

from datetime import UTC, datetime, timedelta

from clinics import clock

START = datetime(2026, 3, 3, 13, tzinfo=UTC)


def test_clock_counts_on_while_the_machine_sleeps(monkeypatch):
    counter = [100.0]
    monkeypatch.setattr(clock, "database_now", lambda: START)
    monkeypatch.setattr(clock.time, "clock_gettime", lambda which: counter[0])
    # It stands still meanwhile.
    monkeypatch.setattr(clock.time, "monotonic", lambda: 100.0)
    now = clock.database_clock()

    counter[0] += 3 * 3600

    assert now() == START + timedelta(hours=3)
