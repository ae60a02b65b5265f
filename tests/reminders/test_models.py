"""Each constraint of the messages' tables: one row that keeps it, one that breaks it."""

import pytest
from django.db import IntegrityError, transaction

from reminders.models import DeliveryAttempt, JobState, Reminder, ReminderRule, TickRun
from tests.factories import ClientFactory, ClinicFactory
from tests.reminders.builders import NOW, at, make_desk

pytestmark = pytest.mark.django_db
LATER = at("2026-03-02 09:00")


def breaks(name, work):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        work()


def change(desk, **values):
    return lambda: Reminder.objects.filter(pk=desk.row("day-before").pk).update(**values)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "reminder_sent_before_expiry",
            {"send_at": NOW, "expires_at": LATER},
            {"send_at": NOW, "expires_at": NOW},
        ),
        (
            "reminder_decision_with_reason",
            {"state": "suppressed", "decided_at": NOW, "decision_reason": "capped"},
            {"state": "suppressed", "decided_at": NOW, "decision_reason": ""},
        ),
        (
            "reminder_decision_with_reason",
            {"state": "failed", "decided_at": NOW, "decision_reason": "bounced"},
            {"state": "failed", "decided_at": None, "decision_reason": "bounced"},
        ),
        (
            "reminder_decision_with_reason",
            {"state": "due", "decided_at": None, "decision_reason": ""},
            {"state": "due", "decided_at": NOW, "decision_reason": ""},
        ),
        (
            "reminder_sent_with_time",
            {"state": "sent", "decided_at": NOW, "sent_at": NOW},
            {"state": "sent", "decided_at": NOW, "sent_at": None},
        ),
        (
            "reminder_claimed_with_lease",
            {"state": "claimed", "lease_until": NOW, "lease_owner": "a", "on_wire_at": NOW},
            {"state": "claimed", "lease_until": None, "lease_owner": "a"},
        ),
        (
            "reminder_claimed_with_lease",
            {"state": "due", "lease_until": None, "lease_owner": "", "on_wire_at": None},
            {"state": "due", "lease_until": None, "lease_owner": "", "on_wire_at": NOW},
        ),
    ],
)
def test_reminder_holds_together(name, good, bad):
    desk = make_desk()

    assert change(desk, **good)() == 1
    breaks(name, change(desk, **bad))


def test_reminder_once():
    desk = make_desk()
    row = desk.row("day-before")
    row.pk, row.code, row.occurrence = None, Reminder._meta.get_field("code").default(), 1
    row.save(force_insert=True)

    row.pk, row.code = None, Reminder._meta.get_field("code").default()
    # SQLite names the columns, PostgreSQL the constraint.
    breaks("reminder_once|subject_key", lambda: row.save(force_insert=True))


def rule(clinic, **changes):
    values = {
        "clinic": clinic,
        "slug": "own",
        "trigger": "before_session",
        "lead_minutes": 60,
        "useful_minutes": 30,
        "created_at": NOW,
    }
    return ReminderRule(**values | changes)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("rule_one_kind_of_lead", {"lead_days": 1}),
        ("rule_before_session_has_lead", {"lead_minutes": None}),
        ("rule_before_session_has_lead", {"lead_minutes": 0}),
        ("rule_useful_for_a_while", {"useful_minutes": 0}),
        ("rule_repeats_by_days", {"cap_count": 2}),
        ("rule_repeats_by_days", {"cap_count": 0}),
    ],
)
def test_rule_holds_together(name, bad):
    clinic = ClinicFactory()
    rule(clinic, slug="good", cap_count=2, repeat_days=3).save()

    breaks(name, lambda: rule(clinic, **bad).save())


def test_rule_once_per_clinic():
    clinic = ClinicFactory()
    rule(clinic).save()
    rule(ClinicFactory()).save()

    breaks("rule_once_per_clinic|slug", lambda: rule(clinic).save())


def test_attempt_is_numbered_and_finished_with_an_outcome():
    row = make_desk().row("day-before")
    values = {"clinic": row.clinic, "reminder": row, "generation": 1, "started_at": NOW}
    DeliveryAttempt.objects.create(number=1, **values)

    breaks("attempt_numbered|number", lambda: DeliveryAttempt.objects.create(number=1, **values))
    breaks(
        "attempt_finished_with_outcome",
        lambda: DeliveryAttempt.objects.create(number=2, outcome="sent", **values),
    )


def test_one_run_a_period_and_one_state_a_job():
    TickRun.objects.create(job="tick", period_start=NOW)
    TickRun.objects.create(job="tick", period_start=LATER)
    JobState.objects.create(job="tick", last_started_at=NOW)

    breaks("tick_once|job", lambda: TickRun.objects.create(job="tick", period_start=NOW))
    breaks("job", lambda: JobState.objects.create(job="tick", last_started_at=NOW))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_message_cannot_point_into_another_clinic():
    desk = make_desk()
    stranger = ClientFactory(clinic=ClinicFactory())

    breaks("client_id_same_clinic", change(desk, client=stranger))
