"""Virtual days in which senders die, servers fail and people change their minds."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from reminders.models import Reminder, ReminderState
from reminders.texts import message_key
from simulation.management.commands.simulate import simulate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def ledger():
    return simulate(days=9, seed=8, client_count=3, has_faults=True)


def test_misfortune_breaks_no_rule_and_the_ledger_sees_what_would(ledger):
    figures, went_wrong = ledger.figures_at_end, ledger.misfortunes

    assert ledger.broken == []
    assert (figures["lost"], figures["unmarked"]) == (0, 0)
    assert figures["sent"] > 0
    assert went_wrong["deaths of ticks"] > 0
    assert went_wrong["deaths of senders"] > 0
    assert went_wrong["double ticks"] > 0
    # The same days, for living them takes longer than all that is asked of them.
    check_excess_and_denial_are_seen(ledger)


def check_excess_and_denial_are_seen(ledger):
    """Copies that no death excuses, and a message that arrived and is denied."""
    twice = next(iter(ledger.sink.copies))
    excused = ledger.misfortunes["deaths of senders"] + ledger.misfortunes["silences after taking"]
    ledger.sink.copies[twice] += excused + 1
    sent = Reminder.objects.filter(state=ReminderState.SENT, sent_with=None)
    row = next(row for row in sent if message_key(row) in ledger.sink.copies)
    Reminder.objects.filter(pk=row.pk).update(
        state="expired",
        decision_reason="stale",
        sent_at=None,
        decided_at=row.expires_at + timedelta(minutes=1),
    )

    ledger.check_figures()

    assert [text for text in ledger.broken if text.endswith((" extra", " unmarked"))] != []
    assert f"{row.trigger} {row.code} arrived, but is expired: stale" in ledger.broken


def test_command_tells_what_went_wrong(monkeypatch, capsys):
    # The test's own database is scratch enough.
    monkeypatch.setattr(connection.creation, "create_test_db", lambda **options: None)
    monkeypatch.setattr(connection.creation, "destroy_test_db", lambda name, **options: None)

    call_command("simulate", days=3, seed=8, clients=2, faults=True)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "seed 8, 3 days, 2 clients"
    assert any(line.endswith(" deaths of ticks") for line in lines)
    assert lines[-1] == "0 broken rules"
