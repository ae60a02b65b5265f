"""What fell between two chairs is found, counted and, where it can be, mended."""

from datetime import date, time, timedelta

import pytest

from clinics.models import Closure
from courses.models import Pause
from reminders.models import DeliveryAttempt, DeliveryReport, JobState, Reminder, ReminderRule
from reminders.services import run_tick
from reminders.services.reconciling import reconcile
from tests.reminders.builders import NOW, Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db

NOTHING = {"stuck": 0, "unclaimed": 0, "unplanned": 0, "matched": 0, "unmatched": 0, "unreported": 0}
SOON = at("2026-03-03 14:00")


def found(now=SOON):
    return {name: count for name, count in reconcile(now=now).items() if count}


def test_nothing_is_found_where_all_is_well():
    make_desk()
    send_at("2026-03-02 08:03", Memory())

    assert reconcile(now=SOON) == NOTHING


@pytest.mark.parametrize(("minutes", "count"), [(9, 0), (10, 0), (11, 1)])
def test_claims_that_every_tick_passed_over(minutes, count):
    make_desk()
    Reminder.objects.filter(rule__slug="day-before").update(
        state="claimed", lease_owner="a", lease_until=at("2026-03-03 15:01")
    )

    assert found(at("2026-03-03 15:01") + timedelta(minutes=minutes)).get("stuck", 0) == count


@pytest.mark.parametrize(
    ("now", "count"),
    [
        ("2026-03-03 15:09", 0),
        ("2026-03-03 15:10", 0),
        ("2026-03-03 15:11", 1),
        ("2026-03-03 20:59", 1),
        ("2026-03-03 21:00", 0),  # expired by the tick
    ],
)
def test_due_messages_that_nobody_took(now, count):
    make_desk()
    send_at("2026-03-02 08:03", Memory())

    assert found(at(now)).get("unclaimed", 0) == count


def test_message_that_waits_for_another_try_is_not_forgotten():
    make_desk()
    send_at("2026-03-02 08:03", Memory())
    Reminder.objects.filter(rule__slug="day-before").update(retry_at=at("2026-03-03 16:00"))

    assert found(at("2026-03-03 16:09")) == {}
    assert found(at("2026-03-03 16:11")) == {"unclaimed": 1}


# ---------------------------------------------------------------- sessions without a message


@pytest.fixture
def lost():
    """Return a desk whose session is tomorrow at three and whose messages are gone without a trace."""
    desk = make_desk()
    send_at("2026-03-02 08:03", Memory())
    Reminder.objects.filter(trigger="before_session").delete()
    return desk


@pytest.mark.parametrize(
    ("now", "count"),
    [("2026-03-03 14:59", 0), ("2026-03-03 15:00", 1), ("2026-03-04 14:59", 0), ("2026-03-04 15:00", 0)],
)
def test_session_within_the_longest_lead_without_a_message_gets_it(lost, now, count):
    assert found(at(now)).get("unplanned", 0) == count

    if count:
        assert lost.states("two-hours-before") == [("due", "")]
        assert found(at(now)) == {}


def test_decided_message_is_a_message(lost):
    desk = make_desk()
    Reminder.objects.filter(course=desk.course, rule__slug="two-hours-before").delete()
    Reminder.objects.filter(course=desk.course, rule__slug="day-before").update(
        state="suppressed", decision_reason="capped", decided_at=NOW
    )

    reconcile(now=at("2026-03-03 15:30"))

    assert desk.states("two-hours-before") == []
    assert lost.states("two-hours-before") == [("due", "")]


def pause(desk):
    Pause.objects.create(
        clinic=desk.course.clinic,
        course=desk.course,
        from_on=date(2026, 3, 4),
        reason="illness",
        created_at=NOW,
    )


def close(desk):
    Closure.objects.create(clinic=desk.course.clinic, from_on=date(2026, 3, 4), to_on=date(2026, 3, 4))


def switch_off(desk):
    ReminderRule.objects.filter(trigger="before_session").update(is_active=False)


def erase(desk):
    desk.course.client.erased_at = NOW
    desk.course.client.save()


@pytest.mark.parametrize("change", [pause, close, switch_off, erase])
def test_session_that_needs_no_message_is_left(lost, change):
    change(lost)

    assert found(at("2026-03-03 15:30")) == {}
    assert not Reminder.objects.filter(trigger="before_session").exists()


def test_booking_at_short_notice_is_left():
    desk = make_desk(on=date(2026, 3, 2), starts=time(9))
    send_at("2026-03-02 08:03", Memory())

    assert desk.states("day-before") == []
    assert found(at("2026-03-02 08:30")) == {}


# ---------------------------------------------------------------- reports


def report(**values):
    return DeliveryReport.objects.create(
        **{
            "provider": "brevo",
            "provider_id": "p1",
            "event_id": "e1",
            "kind": "delivered",
            "happened_at": at("2026-03-02 08:04"),
            "received_at": at("2026-03-02 08:04"),
            **values,
        }
    )


def test_report_that_came_too_early_finds_its_message():
    desk = make_desk()
    report()
    assert found(at("2026-03-02 08:05")) == {"unmatched": 1}
    send_at("2026-03-02 08:05", Memory())
    DeliveryAttempt.objects.update(provider_id="p1")

    assert found(at("2026-03-02 08:10")) == {"matched": 1}
    assert found(at("2026-03-02 08:15")) == {}

    row = desk.row("schedule")
    assert DeliveryReport.objects.get().reminder == row
    assert (row.delivery, row.delivered_at) == ("delivered", at("2026-03-02 08:04"))


@pytest.mark.parametrize(
    ("now", "count"),
    [("2026-03-02 09:03", 0), ("2026-03-02 09:04", 1), ("2026-03-03 08:03", 1), ("2026-03-03 08:04", 0)],
)
def test_sent_messages_without_any_report_are_counted(now, count):
    make_desk()
    send_at("2026-03-02 08:03", Memory())
    assert found(at(now)) == {}
    DeliveryAttempt.objects.update(provider_id="p1")

    assert found(at(now)).get("unreported", 0) == count


def test_tick_keeps_the_counts(lost):
    run_tick(now=at("2026-03-03 15:00"))

    assert JobState.objects.get(job="reconcile").last_counts == {**NOTHING, "unplanned": 1}


@pytest.mark.parametrize("count", [1, 3])
def test_query_count_does_not_grow(count, django_assert_num_queries):
    for _ in range(count):
        make_desk()

    with django_assert_num_queries(7):
        reconcile(now=SOON)
