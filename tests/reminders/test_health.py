"""The health page names the part that is red, and nothing about anybody."""

import socket
import time
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection

from reminders.models import ChannelHealth, DeliveryAttempt, JobState, Reminder
from reminders.services import health, run_tick
from reminders.services.fence import BY_HAND, hold
from tests.reminders.builders import NOW, at, make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def embedded(settings):
    settings.IS_QUEUE_REMOTE = False


@pytest.fixture
def ask(client, monkeypatch):
    """Ask for the page at a moment of the database's clock."""

    def get(now=NOW):
        monkeypatch.setattr(health, "database_now", lambda: now)
        response = client.get("/healthz")
        return response.status_code, response.json()

    return get


@pytest.fixture
def ticked():
    run_tick(now=NOW)
    JobState.objects.update_or_create(
        job="reconcile", defaults={"last_started_at": NOW, "last_succeeded_at": NOW}
    )


def test_all_is_well(ticked, ask):
    assert ask() == (
        200,
        {
            "status": "ok",
            "red": [],
            "database": "ok",
            "tick": "ok",
            "outbox": "ok",
            "senders": "ok",
            "reconciler": "ok",
            "channels": "ok",
        },
    )


@pytest.mark.parametrize(
    ("seconds", "status", "answer"), [(14, 200, "ok"), (15, 200, "ok"), (16, 503, "late")]
)
def test_three_missed_ticks_are_late(ticked, ask, seconds, status, answer):
    code, parts = ask(NOW + timedelta(seconds=seconds))

    assert (code, parts["tick"], parts["red"]) == (status, answer, [] if answer == "ok" else ["tick"])


def test_before_the_first_tick_says_so(ask):
    code, parts = ask()

    assert (code, parts["tick"], parts["reconciler"]) == (503, "never", "never")


def test_jumping_clock_is_said(ticked, ask):
    JobState.objects.create(job="clock", last_started_at=NOW, last_counts={"doubted": 1})

    assert ask()[1]["tick"] == "jumping"


def test_clock_behind_the_last_tick_is_jumping(ticked, ask):
    assert ask(NOW - timedelta(minutes=1))[1]["tick"] == "ok"
    assert ask(NOW - timedelta(minutes=3))[1]["tick"] == "jumping"


def test_held_outbox_is_red(ticked, ask):
    hold(reason=BY_HAND, now=NOW)

    code, parts = ask()

    assert (code, parts["outbox"], parts["red"]) == (503, "held", ["outbox"])


@pytest.mark.parametrize(
    ("when", "answer"),
    [("2026-03-03 15:10", "ok"), ("2026-03-03 15:11", "stuck"), ("2026-03-03 21:00", "ok")],
)
def test_late_message_with_nobody_sending_is_stuck(ticked, ask, when, answer):
    """It is due at three and of use until nine."""
    make_desk()
    Reminder.objects.exclude(rule__slug="day-before").delete()

    assert ask(at(when))[1]["senders"] == answer


def test_backlog_that_is_being_sent_is_not_stuck(ticked, ask):
    desk = make_desk()
    row = desk.row("day-before")
    now = at("2026-03-03 15:30")
    DeliveryAttempt.objects.create(
        clinic=row.clinic, reminder=row, number=1, generation=1, started_at=now - timedelta(minutes=9)
    )
    assert ask(now)[1]["senders"] == "ok"

    DeliveryAttempt.objects.update(started_at=now - timedelta(minutes=10))

    assert ask(now)[1]["senders"] == "stuck"


def test_message_put_off_or_over_a_channel_that_is_down_is_not_stuck(ticked, ask):
    make_desk()
    now = at("2026-03-03 15:30")
    assert ask(now)[1]["senders"] == "stuck"

    ChannelHealth.objects.create(scope="email", open_until=now + timedelta(seconds=1))
    assert ask(now)[1]["senders"] == "ok"
    ChannelHealth.objects.all().delete()
    Reminder.objects.update(retry_at=now - timedelta(minutes=9))

    assert ask(now)[1]["senders"] == "ok"


def test_open_channels_are_named_by_kind_only(ticked, ask):
    later = NOW + timedelta(minutes=1)
    for scope in ("sms:first-account", "sms:second-account", "telegram:third"):
        ChannelHealth.objects.create(scope=scope, open_until=later)
    ChannelHealth.objects.create(scope="whatsapp:fourth", open_until=NOW)

    code, parts = ask()
    assert (code, parts["channels"]) == (200, "open: sms, telegram")
    ChannelHealth.objects.create(scope="email", open_until=later)

    code, parts = ask()
    assert (code, parts["channels"], parts["red"]) == (503, "open: email, sms, telegram", ["channels"])


def test_reconciler_that_stays_away_is_late(ticked, ask):
    JobState.objects.filter(job="tick").update(last_succeeded_at=NOW + timedelta(minutes=16))

    assert ask(NOW + timedelta(minutes=15))[1]["reconciler"] == "ok"
    assert ask(NOW + timedelta(minutes=16))[1]["red"] == ["reconciler"]


def test_without_a_database_the_rest_is_unknown(ticked, client, monkeypatch):
    def fail(*_):
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", fail)
    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {
        "status": "failing",
        "red": ["database", "tick", "outbox", "senders", "reconciler"],
        "database": "unreachable",
        "tick": "unknown",
        "outbox": "unknown",
        "senders": "unknown",
        "reconciler": "unknown",
    }


def test_broker_that_hangs_does_not_hang_the_page(ticked, ask, settings):
    settings.IS_QUEUE_REMOTE = True
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        started = time.monotonic()
        code, parts = ask()
        taken = time.monotonic() - started

    assert (code, parts["broker"], parts["red"]) == (503, "unreachable", ["broker"])
    assert taken < 4


def test_broker_that_refuses_is_red_even_without_a_database(client, monkeypatch, settings):
    settings.IS_QUEUE_REMOTE = True
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    def fail(*_):
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", fail)

    assert client.get("/healthz").json()["broker"] == "unreachable"


def test_page_names_nobody(ticked, client):
    desk = make_desk()
    words = client.get("/healthz").content.decode()

    assert desk.course.clinic.name not in words
    assert str(desk.course.clinic.code) not in words


def test_page_is_read_only(client):
    assert client.post("/healthz").status_code == 405
