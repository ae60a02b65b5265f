"""The settings of the queue that messages depend on; each was found by a crash, see docs/reliability.md."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from celery.schedules import crontab
from django.conf import settings

from config.celery import app

pytestmark = pytest.mark.servers

ROOT = Path(__file__).resolve().parents[2]
MATTERS = {
    # A task that is killed comes again; what it does is harmless to do twice.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    # The rows try again, not the queue.
    "task_acks_on_failure": True,
    "task_acks_on_timeout": True,
    "task_publish_retry": False,
    # A killed worker leaves nothing behind that was fetched ahead.
    "worker_prefetch_multiplier": 1,
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "worker_soft_shutdown_timeout": 30,
    "task_soft_time_limit": 45,
    "task_time_limit": 60,
    "worker_max_tasks_per_child": 1000,
    "worker_max_memory_per_child": 300_000,
    # Nothing of a task is kept, nothing but JSON is read.
    "task_ignore_result": True,
    "result_backend": None,
    "task_serializer": "json",
    "accept_content": ["json"],
    # Redis away at the start, or for long.
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_pool_acquire_timeout": 5,
    "enable_utc": True,
    "timezone": "UTC",
    "worker_send_task_events": False,
    "task_send_sent_event": False,
    "worker_enable_remote_control": False,
    "worker_hijack_root_logger": False,
    "worker_eta_task_limit": 100,
}


@pytest.mark.parametrize(("name", "value"), MATTERS.items())
def test_setting_is_as_it_must_be(name, value):
    assert getattr(app.conf, name) == value


def test_redis_that_hangs_is_given_up_and_what_a_killed_worker_held_comes_back():
    """Read with a queue on a server, whatever these tests run with."""
    code = (
        "import json; from config import settings as s;"
        "print(json.dumps([s.CELERY_BROKER_TRANSPORT_OPTIONS, s.CELERY_VISIBILITY_TIMEOUT]))"
    )
    env = {**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )

    options, visibility = json.loads(done.stdout)
    assert options == {
        "visibility_timeout": 900,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "max_retries": 1,
        "interval_start": 0,
    }
    assert visibility == 900 > settings.CELERY_TASK_TIME_LIMIT


def test_sending_and_exports_have_queues_of_their_own():
    routes = {
        name: app.amqp.router.route({}, name)["queue"].name
        for name in (
            "reminders.tick",
            "reminders.send_due",
            "hooks.tick",
            "hooks.send_due",
            "reports.write",
            "clinics.housekeep",
        )
    }

    assert routes == {
        "reminders.tick": "default",
        "reminders.send_due": "send",
        "hooks.tick": "default",
        "hooks.send_due": "hooks",
        "reports.write": "export",
        "clinics.housekeep": "default",
    }


def test_beat_puts_out_one_tick_a_minute_that_is_worth_nothing_after_it():
    table = {
        name: (entry["task"], entry["schedule"], entry["options"])
        for name, entry in app.conf.beat_schedule.items()
    }

    assert table == {
        "tick": ("reminders.tick", crontab(), {"expires": 55}),
        "call-hooks": ("hooks.tick", crontab(), {"expires": 55}),
        "housekeeping": ("clinics.housekeep", crontab(minute="17"), {"expires": 3000}),
        "tally-days": ("reports.tally_days", crontab(), {"expires": 55}),
        "tidy-imports": ("imports.tidy", crontab(minute="27"), {"expires": 3000}),
        "tidy-hooks": ("hooks.tidy", crontab(minute="37"), {"expires": 3000}),
        "export-schedules": ("exports.run_due", crontab(), {"expires": 55}),
        "tidy-exports": ("exports.tidy", crontab(minute="*/15"), {"expires": 600}),
    }
    app.loader.import_default_modules()
    assert {task for task, _, _ in table.values()} <= set(app.tasks)


@pytest.mark.slow
def test_wake_ups_of_a_page_go_into_our_queue():
    """The web server imports its application only: a task that knows no other queue is sent to nobody."""
    code = "import config.wsgi; from clinics.tasks import work; print(work.app.main)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "regimen\n"
