"""Journals that are late, foreign, broken or cut short: none of them stops the sending or hides a message's fate."""

import os
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError

from clients.models import Consent, ContactPoint
from reminders.channels.base import Outcome
from reminders.models import DeliveryAttempt, Reminder
from reminders.services import Sender, claim_due, delivering, drain, run_tick, wire
from reminders.services.claiming import recover_journals, recover_leases
from reminders.services.journal import Journal
from reminders.services.wire import take_back
from tests.reminders.builders import NOW, Memory, make_desk, send_at
from tests.reminders.test_windows import WHEN, Network, day_before, leave_behind, put_window_on_wire

pytestmark = pytest.mark.django_db
LEASE_OVER = WHEN + timedelta(seconds=60)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.JOURNAL_DIR = tmp_path / "senders"
    return settings.JOURNAL_DIR


def states():
    return list(day_before().values_list("state", flat=True))


# ---------------------------------------------------------------- read late


def test_what_was_sent_is_known_after_the_lease_ran_out_too():
    window = put_window_on_wire(3)
    leave_behind(window, ended=window)
    recover_leases(now=LEASE_OVER)
    assert states() == ["due"] * 3

    recover_journals(now=LEASE_OVER)

    assert states() == ["sent"] * 3


def test_tick_reads_journals_before_it_judges_by_leases():
    window = put_window_on_wire(3)
    leave_behind(window, ended=window)

    run_tick(now=LEASE_OVER)

    assert states() == ["sent"] * 3


def test_journal_can_be_read_after_its_sender_lost_the_database(monkeypatch):
    make_desk()
    is_away = []
    write = Sender._write

    def break_off(*args, **options):
        if is_away:
            raise OperationalError
        return write(*args, **options)

    class Connection:
        in_atomic_block = False
        close = staticmethod(lambda: None)

    monkeypatch.setattr(Sender, "_write", break_off)
    monkeypatch.setattr(delivering, "release", break_off)
    monkeypatch.setattr(delivering, "connection", Connection)
    monkeypatch.setattr(delivering, "LEASE", timedelta(0))
    monkeypatch.setattr(delivering.time, "sleep", lambda seconds: None)
    channel = Network(script=[lambda message: is_away.append(message)])

    with (
        pytest.raises(OperationalError),
        Sender(clock=lambda: WHEN, factories={"email": lambda: channel}) as sender,
    ):
        sender.run()

    assert (len(channel.messages), recover_journals(now=WHEN)) == (1, 1)
    assert states() == ["sent"]


# ---------------------------------------------------------------- what it must know of


class Killed(BaseException):
    """Stands for the end of the process: nothing after it runs."""


def test_message_outside_the_network_is_in_doubt_beside_those_of_the_network():
    """A sender that had sent e-mails is killed inside an SMS: nobody knows whether that one arrived."""
    make_desk()
    desk = make_desk()
    client = desk.course.client
    Reminder.objects.filter(pk=desk.row("day-before").pk).update(channel="sms")
    ContactPoint.objects.create(clinic=client.clinic, client=client, channel="sms", value="+37120000001")
    Consent.objects.create(
        clinic=client.clinic, client=client, channel="sms", granted_at=NOW, granted_source="test"
    )

    def die(message):
        raise Killed

    sms, again = Memory(script=[die]), Memory()
    sender = Sender(clock=lambda: WHEN, factories={"email": Network, "sms": lambda: sms})
    with pytest.raises(Killed):
        sender.work(claim_due(owner=sender.owner, now=WHEN, limit=9))
    os.close(sender._journal._file)

    drain(clock=lambda: WHEN, factories={"email": Network, "sms": lambda: again})

    row = desk.row("day-before")
    assert (len(sms.messages), again.messages, row.state, row.uncertain_count) == (1, [], "uncertain", 1)


@pytest.mark.parametrize("written", [0, 5])
def test_journal_that_cannot_be_written_says_nothing_rather_than_too_little(monkeypatch, written):
    window = put_window_on_wire(1)
    journal = Journal("host:1:lost")

    def full(file, text):
        if not written:
            raise OSError(28, "No space left on device")
        return written

    monkeypatch.setattr("reminders.services.journal.os.write", full)
    journal.begin(window[0])
    monkeypatch.undo()
    journal.begin(window[0])
    journal.close(is_settled=False)

    assert recover_journals(now=WHEN) == 0
    recover_leases(now=LEASE_OVER)
    assert day_before().get().uncertain_count == 1


# ---------------------------------------------------------------- broken ones


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\n", b"5\nnull\n[]\n", b'["owner"]\n', b'["begin", 5]\n'])
def test_broken_journal_stops_nobody(folder, content):
    folder.mkdir()
    (folder / "sender-x.jsonl").write_bytes(content)
    make_desk()

    assert send_at(WHEN, Network()) == {"sent": 1}


def test_another_users_journal_stops_nobody(folder, monkeypatch):
    folder.mkdir()
    (folder / "sender-root.jsonl").write_text('["owner", "host:1:root"]\n')
    make_desk()
    open_file = os.open

    def refuse(path, *args):
        if "sender-root" in str(path):
            raise PermissionError
        return open_file(path, *args)

    monkeypatch.setattr("reminders.services.journal.os.open", refuse)

    assert send_at(WHEN, Network()) == {"sent": 1}


# ---------------------------------------------------------------- somebody else's


def test_taking_back_a_void_claim_leaves_the_next_senders_attempt():
    window = put_window_on_wire(1)
    Reminder.objects.update(generation=2)
    DeliveryAttempt.objects.update(generation=2)

    take_back(window, retry_at=None)

    assert DeliveryAttempt.objects.filter(outcome="sending").count() == 1


@pytest.mark.parametrize("provider_id", ["a\x00b", "a\ud800b"])
def test_what_no_column_takes_is_left_out_of_a_providers_words(provider_id):
    make_desk()

    assert send_at(WHEN, Memory(script=[Outcome("sent", provider_id=provider_id)])) == {"sent": 1}


@pytest.mark.django_db(transaction=True)
def test_what_is_removed_while_a_message_goes_on_the_wire_costs_a_second_look(monkeypatch):
    """An address changed in the same moment: the attempt would name a row that is gone."""
    desk = make_desk()
    begin, looks = wire._begin, []

    def lose_address(*args):
        looks.append(args)
        if len(looks) == 1:
            raise IntegrityError
        return begin(*args)

    monkeypatch.setattr(wire, "_begin", lose_address)
    channel = Network()

    assert send_at(WHEN, channel) == {"void": 1}
    assert desk.states("day-before") == [("due", "")]
    assert send_at(WHEN + timedelta(seconds=1), channel) == {"sent": 1}
    assert len(channel.messages) == 1
