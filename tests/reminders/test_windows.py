"""Several messages on the wire at once, and what a sender that ends in the midst of them leaves behind."""

import json
from dataclasses import dataclass
from datetime import timedelta

import pytest

from reminders.channels.base import Outcome
from reminders.models import DeliveryAttempt, Reminder
from reminders.services import Sender, claim_due
from reminders.services.claiming import recover_journals, recover_leases
from reminders.services.journal import Journal, boot_id
from tests.reminders.builders import Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db
WHEN = at("2026-03-03 15:00")


@dataclass
class Network(Memory):
    """The same over a network: in a thread of its own, several messages at a time."""

    runs_apart: bool = True


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.JOURNAL_DIR = tmp_path / "senders"
    return settings.JOURNAL_DIR


def day_before():
    return Reminder.objects.filter(rule__slug="day-before").order_by("pk")


def put_window_on_wire(number):
    """Leave so many messages on the wire, as a sender does that is killed before the first is handed over."""
    for _ in range(number):
        make_desk()
    claimed = claim_due(owner="host:1:lost", now=WHEN, limit=number)
    sender = Sender(clock=lambda: WHEN, factories={"email": Network})
    sender._groups.extend(claimed)
    sender._look_at(WHEN)
    sender._write(list(sender._ready))
    assert day_before().exclude(on_wire_at=None).count() == number
    return list(sender._ready)


def test_window_goes_whole_and_is_on_record():
    for _ in range(9):
        make_desk()
    channel = Network()

    assert send_at(WHEN, channel) == {"sent": 9}

    assert sorted(m.key for m in channel.messages) == sorted(
        day_before().values_list("message_id", flat=True)
    )
    assert set(DeliveryAttempt.objects.values_list("outcome", "number")) == {("sent", 1)}


def test_journal_is_gone_when_all_is_on_record(folder):
    make_desk()

    send_at(WHEN, Network())

    assert list(folder.iterdir()) == []


def test_message_behind_a_broken_connection_was_never_tried():
    for _ in range(6):
        make_desk()
    down = Outcome("transient", "smtp-unreachable", is_channel_down=True)

    counts = send_at(WHEN, Network(script=[Outcome("sent"), down]))

    assert counts["sent"] == 1
    attempts = DeliveryAttempt.objects.values_list("outcome", flat=True)
    assert sorted(attempts) == ["sent", "transient"]
    waiting = day_before().filter(state="due")
    assert [row.attempt_count for row in waiting] == [1, 0, 0, 0, 0]
    assert all(row.retry_at > WHEN for row in waiting)


# ---------------------------------------------------------------- a dead sender's journal


def leave_behind(window, *, ended=(), begun=()):
    journal = Journal("host:1:lost")
    for ready in [*ended, *begun]:
        journal.begin(ready)
    for ready in ended:
        journal.end(ready, Outcome("sent"))
    journal.close(is_settled=False)


def test_journal_says_what_was_sent_what_is_in_doubt_and_what_never_left():
    window = put_window_on_wire(4)
    leave_behind(window, ended=window[:2], begun=window[2:3])

    assert recover_journals(now=WHEN) == 4

    assert list(day_before().values_list("state", "attempt_count")) == [
        *[("sent", 1)] * 2,
        ("due", 1),
        ("due", 0),
    ]
    attempts = DeliveryAttempt.objects.order_by("reminder__pk").values_list("outcome", "error_code")
    assert list(attempts) == [("sent", ""), ("sent", ""), ("uncertain", "sender-lost")]
    assert day_before()[2].retry_at == WHEN + timedelta(seconds=60)


def test_journal_is_taken_up_once():
    window = put_window_on_wire(1)
    leave_behind(window, begun=window)

    assert (recover_journals(now=WHEN), recover_journals(now=WHEN)) == (1, 0)

    assert day_before().get().uncertain_count == 1


def test_journal_of_a_living_sender_is_left_alone():
    window = put_window_on_wire(1)
    journal = Journal("host:1:lost")
    journal.begin(window[0])

    assert recover_journals(now=WHEN) == 0
    assert day_before().get().state == "claimed"

    journal.close(is_settled=False)
    assert recover_journals(now=WHEN) == 1


def test_journal_says_nothing_about_rows_that_another_has_taken():
    window = put_window_on_wire(1)
    leave_behind(window, ended=window)
    recover_leases(now=WHEN + timedelta(seconds=60))
    claim_due(owner="other", now=WHEN + timedelta(seconds=120), limit=1)

    assert recover_journals(now=WHEN + timedelta(seconds=120)) == 0

    row = day_before().get()
    assert (row.state, row.lease_owner) == ("claimed", "other")


def test_journal_of_an_earlier_start_of_the_machine_proves_nothing(folder):
    window = put_window_on_wire(1)
    leave_behind(window)
    file = next(folder.iterdir())
    file.write_text(file.read_text().replace(boot_id(), "another"), encoding="utf-8")

    assert recover_journals(now=WHEN) == 0

    assert day_before().get().state == "claimed"
    assert list(folder.iterdir()) == []


def test_line_cut_short_by_the_kill_is_no_line(folder):
    window = put_window_on_wire(2)
    leave_behind(window, ended=window[:1])
    file = next(folder.iterdir())
    file.write_text(file.read_text() + '["begin", [[1', encoding="utf-8")

    recover_journals(now=WHEN)

    assert list(day_before().values_list("state", flat=True)) == ["sent", "due"]


def test_without_a_journal_all_on_the_wire_is_in_doubt():
    """The control: what the journal is for."""
    put_window_on_wire(4)

    recover_leases(now=WHEN + timedelta(seconds=60))

    assert list(day_before().values_list("uncertain_count", flat=True)) == [1, 1, 1, 1]


def test_journal_holds_numbers_only(folder):
    window = put_window_on_wire(1)
    leave_behind(window, ended=window)

    lines = [json.loads(line) for line in next(folder.iterdir()).read_text().splitlines()]

    row = day_before().get()
    entry = [row.pk, row.generation, 1, 0]
    assert lines == [
        ["owner", "host:1:lost", boot_id()],
        ["begin", [entry]],
        ["end", [entry], "sent", "", ""],
    ]


def test_folder_that_cannot_be_written_stops_nobody(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.JOURNAL_DIR = tmp_path / "file" / "senders"
    make_desk()

    assert send_at(WHEN, Network()) == {"sent": 1}


# ---------------------------------------------------------------- stopped for a while


def test_sender_that_was_stopped_begins_nothing_afterwards(monkeypatch):
    window = put_window_on_wire(3)
    now = [0.0]
    monkeypatch.setattr("reminders.services.delivering._since_boot", lambda: now[0])

    def be_stopped(message):
        now[0] += 21

    channel = Network(script=[be_stopped])
    came = Sender(clock=lambda: WHEN)._hand_over(window, channel, 0.0, None)

    assert ([ready for ready, _ in came.results], came.unsent) == (window[:1], window[1:])
    assert len(channel.messages) == 1
