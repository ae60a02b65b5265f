"""The tick, its commands and tasks."""

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from config.embedded import QUEUES
from courses.models import Course
from courses.services import apply_plan, propose_plan, record_attendance
from reminders.models import JobState, Reminder, TickRun
from reminders.services import claim_due, run_tick, wake_senders
from reminders.tasks import send_due, tick
from tests.factories import RoomFactory, actor_of, prescribe
from tests.reminders.builders import NOW, Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def embedded(settings):
    """Tick as one process does that needs nobody to wake, whatever queue the tests were given."""
    settings.IS_QUEUE_REMOTE = False


def test_second_tick_of_a_period_leaves():
    make_desk()

    first = run_tick(now=NOW)
    again = run_tick(now=NOW + timedelta(seconds=4, milliseconds=999))
    following = run_tick(now=NOW + timedelta(seconds=5))

    assert (first is None, again is None, following is None) == (False, True, False)
    assert TickRun.objects.filter(job="tick").count() == 2


def test_period_is_a_minute_where_workers_are_woken(settings):
    settings.IS_QUEUE_REMOTE = True

    results = [run_tick(now=NOW + timedelta(seconds=seconds)) for seconds in (0, 59, 60)]

    assert [result is None for result in results] == [False, True, False]


def test_tick_books_once_an_hour_what_the_horizon_has_reached():
    course = prescribe()
    RoomFactory(clinic=course.clinic)
    start = datetime(2026, 3, 2, 6, tzinfo=UTC)
    proposal = propose_plan(course=course, now=start)
    apply_plan(course=course, proposal=proposal, by=actor_of(course.prescribed_by), now=start)
    planned = course.sessions.filter(status="planned")
    before = planned.count()
    later = start + timedelta(days=14)
    for session in course.sessions.filter(status="booked", on__lt=later.date()):
        record_attendance(session=session, by=actor_of(course.prescribed_by), now=later)
    due_on = planned.earliest("on").on

    first = run_tick(now=later)
    again = run_tick(now=later + timedelta(minutes=1))

    assert (first["rolled_forward"], "rolled_forward" in again) == (1, False)
    assert planned.count() == before - 1
    assert course.sessions.get(on=due_on).status == "booked"


def test_tick_remembers_its_last_success():
    run_tick(now=NOW)

    job = JobState.objects.get(job="tick")
    assert (job.last_started_at, job.last_succeeded_at) == (NOW, NOW)


def test_tick_that_fails_is_no_success(monkeypatch):
    run_tick(now=NOW)
    monkeypatch.setattr("reminders.services.ticking.expire_stale", lambda **_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        run_tick(now=NOW + timedelta(minutes=1))

    job = JobState.objects.get(job="tick")
    assert (job.last_started_at, job.last_succeeded_at) == (NOW + timedelta(minutes=1), NOW)


def test_old_periods_are_forgotten():
    run_tick(now=NOW)
    run_tick(now=NOW + timedelta(days=1, minutes=1))

    assert TickRun.objects.filter(job="tick").count() == 1


def test_tick_finds_the_course_that_time_alone_made_overdue():
    desk = make_desk()
    assert desk.course.state == "due"

    run_tick(now=at("2026-03-08 00:10"))

    assert Course.objects.get().assessed_on.isoformat() == "2026-03-08"


# ---------------------------------------------------------------- outages


def test_three_hours_without_a_tick_send_what_is_still_of_use():
    desk = make_desk()
    send_at("2026-03-02 08:03")
    channel = Memory()

    counts = run_tick(now=at("2026-03-03 18:00"))
    send_at("2026-03-03 18:00", channel)

    assert counts["expired"] == 0
    assert len(channel.messages) == 1
    assert "tomorrow" in channel.messages[0].subject
    assert desk.states("day-before") == [("sent", "")]


def test_seven_days_without_a_tick_send_nothing_stale_and_explain_each():
    desks = [make_desk() for _ in range(3)]
    due = Reminder.objects.filter(state="due").count()
    channel = Memory()

    counts = run_tick(now=at("2026-03-09 12:00"))
    send_at("2026-03-09 12:00", channel)

    # The course is overdue by now; but whether the client came on the 4th is not recorded, so nobody nudges.
    stale = Reminder.objects.filter(state="expired", decision_reason="stale")
    assert (due, counts["expired"], stale.count()) == (9, 9, 9)
    assert [desk.states("day-before") for desk in desks] == [[("expired", "stale")]] * 3
    assert set(Course.objects.values_list("state", flat=True)) == {"overdue"}
    assert channel.messages == []


def test_what_a_late_message_says_is_true_when_it_goes():
    make_desk()
    Reminder.objects.filter(rule__slug="day-before").update(expires_at=at("2026-03-04 15:00"))
    channel = Memory()

    send_at("2026-03-04 09:00", channel)

    assert channel.messages[0].subject == "Your visit: today, Wednesday, 4 March, 15:00"


# ---------------------------------------------------------------- tasks and commands


def test_tick_task_twice_sends_once(
    mailoutbox, time_machine, monkeypatch, django_capture_on_commit_callbacks
):
    make_desk()
    monkeypatch.setattr(send_due, "apply_async", lambda args, **options: send_due(*args))
    when = at("2026-03-03 15:00")
    time_machine.move_to(when, tick=False)
    # Ticks and senders go by the database's clock, which nobody can move.
    monkeypatch.setattr("reminders.services.delivering.database_clock", lambda: lambda: when)
    monkeypatch.setattr("reminders.tasks.database_now", lambda: when)

    with django_capture_on_commit_callbacks(execute=True):
        tick()
        tick()

    assert len(mailoutbox) == 1


def test_send_task_twice_sends_once(mailoutbox, time_machine, monkeypatch):
    make_desk()
    when = at("2026-03-03 15:00")
    monkeypatch.setattr("reminders.services.delivering.database_clock", lambda: lambda: when)

    send_due("email")
    send_due("email")

    assert len(mailoutbox) == 1


@pytest.fixture
def woken(monkeypatch):
    """Keep the wake-ups of senders, as (channel, queue, seconds for which they are worth something)."""
    kept = []

    def keep(args, *, queue, expires):
        kept.append((*args, queue, expires))

    monkeypatch.setattr(send_due, "apply_async", keep)
    return kept


def test_senders_are_woken_for_the_channels_with_work(woken, django_capture_on_commit_callbacks):
    make_desk()

    with django_capture_on_commit_callbacks(execute=True):
        first, second = (wake_senders(now=at(when)) for when in ("2026-03-03 15:00", "2026-03-01 15:00"))

    assert (woken, first, second) == ([("email", "send", 5)], {"email": 1}, {})
    assert Reminder.objects.get(rule__slug="day-before").state == "due"


def test_email_waits_behind_no_other_channel(woken, settings, django_capture_on_commit_callbacks):
    settings.IS_QUEUE_REMOTE = True
    rows = Reminder.objects.filter(rule__slug="day-before")
    for channel in ("email", "webhook", "sms"):
        make_desk()
        rows.filter(pk=rows.latest("pk").pk).update(channel=channel)

    with django_capture_on_commit_callbacks(execute=True):
        wake_senders(now=at("2026-03-03 15:00"))

    assert woken == [("email", "send", 60), ("sms", "send_other", 60), ("webhook", "send_other", 60)]
    assert {queue for _, queue, _ in woken} <= set(QUEUES)


@pytest.mark.parametrize(("is_remote", "most"), [(True, 3), (False, 1)])
def test_slow_channel_keeps_no_more_than_its_share_of_senders(
    is_remote, most, woken, settings, monkeypatch, django_capture_on_commit_callbacks
):
    settings.IS_QUEUE_REMOTE = is_remote
    monkeypatch.setattr("reminders.services.ticking._ROWS_PER_SENDER", 1)
    for _ in range(most + 3):
        make_desk()
    when = at("2026-03-03 15:00")
    counts = []

    with django_capture_on_commit_callbacks(execute=True):
        for name in range(most + 1):
            counts.append(wake_senders(now=when))
            claim_due(owner=str(name), now=when, limit=1)

    assert counts == [{"email": most - busy} for busy in range(most + 1)]
    assert len(woken) == sum(range(most + 1))


@pytest.mark.parametrize(("seconds", "names"), [(0.0, ["email"]), (60.0, [])])
def test_sender_out_of_time_has_one_successor_on_its_channel(
    seconds, names, woken, monkeypatch, django_capture_on_commit_callbacks
):
    for _ in range(3):
        make_desk()
    when = at("2026-03-03 15:00")
    Reminder.objects.filter(rule__slug="two-hours-before").update(channel="sms", send_at=when)
    monkeypatch.setattr("reminders.tasks._SECONDS", seconds)
    monkeypatch.setattr("reminders.tasks.database_now", lambda: when)
    monkeypatch.setattr("reminders.services.delivering.database_clock", lambda: lambda: when)
    monkeypatch.setattr("reminders.services.ticking._ROWS_PER_SENDER", 1)

    with django_capture_on_commit_callbacks(execute=True):
        send_due("email")

    assert [channel for channel, _, _ in woken] == names


def test_wake_up_that_fails_is_harmless(monkeypatch, django_capture_on_commit_callbacks):
    make_desk()

    def refuse(args, **options):
        raise ConnectionError

    monkeypatch.setattr(send_due, "apply_async", refuse)

    with django_capture_on_commit_callbacks(execute=True):
        wake_senders(now=at("2026-03-03 15:00"))

    assert send_at("2026-03-03 15:00", Memory()) == {"sent": 1}


def test_tick_command_at_a_time(capsys, mailoutbox):
    make_desk()

    call_command("tick", "--at", "2026-03-03T15:00+02:00")
    call_command("tick", "--at", "2026-03-03T15:00+02:00")

    assert capsys.readouterr().out.splitlines() == [
        "recovered 0, expired 1, reassessed 0, resynced 0, digests 0, offered 0, earlier 0, rolled_forward 0, links_removed 0, sent 1",
        "This period's tick has been done already.",
    ]
    assert len(mailoutbox) == 1


@pytest.mark.parametrize("text", ["2026-03-03T15:00", "tomorrow"])
def test_tick_command_refuses_a_time_without_offset(text):
    with pytest.raises(CommandError, match="--at: name a time with its offset"):
        call_command("tick", "--at", text)


def test_dispatch_command_sends_what_is_due(capsys, monkeypatch):
    make_desk()
    when = at("2026-03-03 15:00")
    monkeypatch.setattr("reminders.services.delivering.database_clock", lambda: lambda: when)

    call_command("dispatch")
    call_command("dispatch")

    assert capsys.readouterr().out.splitlines() == ["sent 1", "nothing due"]


def test_dispatch_command_for_one_channel_leaves_the_others(capsys, monkeypatch):
    desk = make_desk()
    when = at("2026-03-03 15:00")
    monkeypatch.setattr("reminders.services.delivering.database_clock", lambda: lambda: when)

    call_command("dispatch", "--channel", "sms")

    assert capsys.readouterr().out.splitlines() == ["nothing due"]
    assert desk.row("day-before").state == "due"


def test_dispatch_command_told_to_end_gives_back_what_it_has_not_begun(monkeypatch):
    make_desk(), make_desk()
    when = at("2026-03-03 15:00")
    monkeypatch.setattr("reminders.services.delivering.database_clock", lambda: lambda: when)

    def be_told_to_end(channel, message):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("reminders.channels.email.EmailChannel.send", be_told_to_end)

    with pytest.raises(SystemExit) as ended:
        call_command("dispatch")

    assert ended.value.code == 143
    states = Reminder.objects.filter(rule__slug="day-before").values_list("state", flat=True)
    assert sorted(states) == ["claimed", "due"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
