from datetime import date, timedelta

import pytest

from courses.convert import load_calendar
from courses.models import Course, Flag
from reminders.models import Reminder, ReminderState
from simulation.ledger import wrongs
from simulation.management.commands.simulate import simulate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_simulated_days_break_no_rule_and_the_ledger_sees_what_would():
    ledger = simulate(days=9, seed=3, client_count=3)
    figures = ledger.figures_at_end

    assert ledger.broken == []
    assert figures["sent"] > 0
    assert (figures["extra"], figures["lost"], figures["unmarked"]) == (0, 0, 0)
    ends = ("sent", "failed", "expired", "cancelled", "suppressed", "uncertain")
    assert figures["due"] == sum(figures[end] for end in ends)
    # The same days, for living them takes longer than all that is asked of them.
    check_summaries(ledger)
    check_lost_and_second_copies_are_seen(ledger)
    check_voided_session_is_seen()
    check_wrong_flag_is_seen(ledger)


def check_summaries(ledger):
    """The owner and the reception got a summary on every open day."""
    digests = Reminder.objects.filter(trigger="staff_digest")
    opens = load_calendar(ledger.clinic).is_open
    open_days = [day for n in range(9) if opens(day := date(2026, 1, 5) + timedelta(days=n))]
    assert set(digests.values_list("state", flat=True)) == {"sent"}
    days = sorted(set(digests.values_list("about", flat=True)))
    assert days == [f"morning:{day.isoformat()}" for day in open_days]
    assert digests.count() == 2 * len(days)


def check_lost_and_second_copies_are_seen(ledger):
    lost, twice, *_ = ledger.sink.copies
    del ledger.sink.copies[lost]
    ledger.sink.copies[twice] += 1

    ledger.check_figures()

    due = ledger.figures_at_end["due"]
    assert ledger.broken == [f"{due} messages were due, {due - 1} have an end", "1 extra", "1 lost"]


def check_voided_session_is_seen():
    """A message about a session that the clinic had cancelled."""
    row = Reminder.objects.filter(trigger="before_session", state=ReminderState.SENT).first()
    row.session.status = "cancelled_by_clinic"

    assert "its session is cancelled_by_clinic" in list(wrongs(row, row.send_at))


def check_wrong_flag_is_seen(ledger):
    """A flag that is missing, and a course that nobody assessed."""
    course = Course.objects.filter(status="active").first()
    now = course.clinic.sessions.latest("created_at").created_at + timedelta(days=30)
    before = len(ledger.broken)
    Flag.objects.filter(course=course).delete()
    Course.objects.filter(pk=course.pk).update(state="lapsed", next_check_at=now - timedelta(days=2))

    ledger.check_day(now.date(), now)

    assert any(f"course {course.code}" in text for text in ledger.broken[before:])
    assert any("has been due for an assessment" in text for text in ledger.broken[before:])
