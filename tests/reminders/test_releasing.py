"""Out of a hold: what may have gone out since the backup stays back, the rest goes (F30)."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from audit.services import SYSTEM
from reminders.models import DeliveryAttempt, DeliveryReport, Installation, Reminder
from reminders.services import claim_due
from reminders.services.fence import OTHER_EPOCH, RESTORED, hold, is_held
from reminders.services.outside import read_marks
from reminders.services.releasing import Choice, release_outbox, survey_outbox
from tests.reminders.builders import NOW, Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db

# The day-before message is due at three, the one two hours before at one the next day.
BACKUP = at("2026-03-03 12:00")
RESTORE = at("2026-03-03 16:00")


@pytest.fixture
def held(settings, tmp_path):
    """Give a database with a course of three days, restored at four from a backup of noon."""
    settings.INSTALLATION_EPOCH = ""
    settings.INSTALLATION_FILE = tmp_path / "installation"
    Installation.objects.all().delete()
    desk = make_desk()
    send_at("2026-03-02 08:03")
    hold(reason=RESTORED, now=RESTORE)
    return desk


def release(**choice):
    return release_outbox(Choice(**choice), by=SYSTEM, now=RESTORE)


def test_what_came_due_since_the_backup_is_withheld_and_the_rest_goes(held):
    channel = Memory()

    survey = release(since=BACKUP)
    send_at(RESTORE, channel)
    assert channel.messages == []
    send_at("2026-03-04 13:00", channel)

    assert (survey.waiting, survey.come_due, survey.withheld, survey.go_later) == (0, 1, 1, 1)
    assert held.states("day-before") == [("suppressed", "held")]
    assert held.states("two-hours-before") == [("sent", "")]
    assert len(channel.messages) == 1
    assert not is_held()


def test_control_without_withholding_it_goes_again(held):
    channel = Memory()

    release(expire_before=BACKUP)
    send_at(RESTORE, channel)

    assert len(channel.messages) == 1


def test_what_was_waiting_in_the_backup_is_withheld_too(held):
    Reminder.objects.filter(rule__slug="day-before").update(retry_at=RESTORE + timedelta(minutes=5))

    survey = release(since=at("2026-03-03 15:30"))

    assert (survey.waiting, survey.come_due) == (1, 0)
    assert held.states("day-before") == [("suppressed", "held")]


def test_what_may_have_gone_along_is_withheld_too(held):
    soon = Reminder.objects.filter(rule__slug="two-hours-before")
    soon.update(send_at=RESTORE + timedelta(minutes=59), expires_at=RESTORE + timedelta(hours=2))

    survey = release(since=BACKUP)

    assert (survey.taken_along, survey.go_later, survey.withheld) == (1, 0, 2)
    assert soon.get().decision_reason == "held"


def test_what_is_due_an_hour_later_stays(held):
    later = Reminder.objects.filter(rule__slug="two-hours-before")
    later.update(send_at=RESTORE + timedelta(minutes=61), expires_at=RESTORE + timedelta(hours=2))

    survey = release(since=BACKUP)

    assert (survey.taken_along, survey.go_later) == (0, 1)
    assert later.get().state == "due"


def test_claim_of_the_backup_is_void_and_its_attempt_closed(held):
    claim_due(owner="gone", now=at("2026-03-03 15:00"), limit=10)
    row = held.row("day-before")
    DeliveryAttempt.objects.create(
        clinic=row.clinic,
        reminder=row,
        number=1,
        generation=row.generation,
        started_at=at("2026-03-03 15:00"),
    )

    release(since=BACKUP)

    fresh = held.row("day-before")
    assert (fresh.state, fresh.generation, fresh.lease_owner) == ("suppressed", row.generation + 1, "")
    assert row.attempts.values_list("outcome", "error_code").get() == ("uncertain", "restored")


def test_what_is_of_no_use_expires(held):
    Reminder.objects.filter(rule__slug="day-before").update(expires_at=RESTORE)

    survey = release(since=BACKUP)

    assert (survey.stale, survey.withheld) == (1, 0)
    assert held.states("day-before") == [("expired", "stale")]


def test_false_alarm_lets_go_what_is_due_from_a_time_on(held):
    survey = release(expire_before=at("2026-03-03 15:00"))

    assert (survey.withheld, survey.go_at_once, survey.go_later) == (0, 1, 1)
    assert held.states("day-before") == [("due", "")]


def test_release_gives_both_a_new_epoch_and_leaves_a_trace(held):
    before = Installation.objects.get()

    release(since=BACKUP)

    row = Installation.objects.get()
    assert row.epoch != before.epoch
    assert read_marks() == {row.epoch: 0}
    assert (row.held_at, row.held_reason, row.seen_at) == (None, "", RESTORE)
    event = AuditEvent.objects.get(action="outbox.released")
    assert (event.old, event.new["come_due"]) == ({"reason": "restored"}, 1)


def test_second_restore_of_the_same_backup_is_held_again(held):
    backup = Installation.objects.values("epoch", "beat", "seen_at").get()
    release(since=BACKUP)

    Installation.objects.update(**backup)

    assert is_held()


def test_release_that_cannot_write_the_file_stays_held(held, monkeypatch):
    def refuse(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr("reminders.services.releasing.write_mark", refuse)

    with pytest.raises(OSError, match="space"):
        release(since=BACKUP)

    assert is_held()
    assert held.states("day-before") == [("due", "")]


def test_new_variable_is_taken_over(held, settings):
    settings.INSTALLATION_EPOCH = "second"
    Installation.objects.update(held_at=None, held_reason="")
    assert is_held()

    release(since=BACKUP)

    assert Installation.objects.get().epoch == "second"
    assert not is_held()


def test_nothing_held_is_not_released(held):
    release(since=BACKUP)

    with pytest.raises(ValueError, match="Nothing is held"):
        release(since=BACKUP)


def test_reports_since_the_hold_are_counted(held):
    for number, kind in enumerate(("delivered", "delivered", "bounced")):
        DeliveryReport.objects.create(
            provider="somebody",
            event_id=str(number),
            kind=kind,
            happened_at=NOW,
            received_at=RESTORE + timedelta(minutes=number),
        )

    survey = survey_outbox(Choice(since=BACKUP), now=RESTORE)

    assert (survey.reported_delivered, survey.reported_failed) == (2, 1)


@pytest.mark.parametrize("choice", [{}, {"since": BACKUP, "expire_before": BACKUP}])
def test_choice_is_one_of_two(choice):
    with pytest.raises(ValueError, match="either"):
        Choice(**choice)


# ---------------------------------------------------------------- the command


@pytest.fixture
def at_restore(monkeypatch):
    monkeypatch.setattr(
        "reminders.management.commands.release_outbox.database_clock", lambda: lambda: RESTORE
    )


def test_dry_run_shows_numbers_and_does_nothing(held, at_restore, capsys):
    call_command("release_outbox", "--since=2026-03-03T12:00+02:00", "--dry-run")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Held: a backup was restored."
    assert [line.split()[-1] for line in lines[2:]] == ["0", "1", "0", "0", "0", "1", "0", "0"]
    assert is_held()
    assert held.states("day-before") == [("due", "")]


@pytest.mark.parametrize(("answer", "is_released"), [("release", True), ("yes", False), ("", False)])
def test_command_acts_on_the_word_only(held, at_restore, monkeypatch, answer, is_released):
    monkeypatch.setattr("builtins.input", lambda _: answer)

    if is_released:
        call_command("release_outbox", "--since=2026-03-03T12:00+02:00")
    else:
        with pytest.raises(CommandError, match="Nothing was released"):
            call_command("release_outbox", "--since=2026-03-03T12:00+02:00")

    assert is_held() is not is_released


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"since": "2026-03-03T12:00"}, "offset"),
        ({"since": "noon"}, "offset"),
        ({"since": "2026-03-03T16:01+02:00"}, "future"),
        ({}, "required"),
        ({"since": "2026-03-03T12:00+02:00", "expire_before": "2026-03-03T12:00+02:00"}, "not allowed"),
    ],
)
def test_command_refuses_what_it_cannot_mean(held, at_restore, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("release_outbox", *[f"--{k.replace('_', '-')}={v}" for k, v in options.items()])


def test_command_has_nothing_to_release_when_nothing_is_held(db):
    with pytest.raises(CommandError, match="Nothing is held"):
        call_command("release_outbox", "--since=2026-03-03T12:00+02:00")


def test_command_holds_by_hand(db):
    call_command("hold_outbox")

    assert is_held()
    assert Installation.objects.get().held_reason != OTHER_EPOCH
