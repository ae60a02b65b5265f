import subprocess
import sys

import pytest
from celery import Celery
from celery.schedules import crontab

from bin.steps import ROOT
from clients.models import Channel
from config.embedded import THREADS, make_worker, quicken_tick
from hooks.services import waking as hooks
from reminders.services.ticking import SENDERS_EMBEDDED

# An application whose tick wakes a second task on another queue, as the real one does.
APPLICATION = """
import os
import sys
from celery import Celery
from config import embedded

app = Celery("trial", broker="memory://localhost")
app.conf.update(
    task_ignore_result=True,
    task_default_queue="default",
    task_routes={"send": {"queue": "send"}},
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
)
app.conf.beat_schedule = {"tick": {"task": "tick", "schedule": 3600.0, "options": {"expires": 55}}}

@app.task(name="tick")
def tick():
    send.delay(42)

@app.task(name="send")
def send(number):
    os.write(1, f"sent {number}\\n".encode())  # two threads speak, each line at once

sys.exit(embedded.run(app, tick_seconds=0.5))
"""


@pytest.fixture
def app():
    app = Celery("trial", broker="memory://localhost")
    app.conf.beat_schedule = {
        "tick": {"task": "reminders.tick", "schedule": crontab(), "options": {"expires": 55}},
        "call-hooks": {"task": "hooks.tick", "schedule": crontab(), "options": {"expires": 55}},
        "tidy": {"task": "reports.tidy", "schedule": crontab(minute=0)},
    }
    return app


def test_tick_is_quickened_and_the_rest_of_the_table_kept(app):
    quicken_tick(app, tick_seconds=5)

    assert app.conf.beat_schedule == {
        "tick": {"task": "reminders.tick", "schedule": 5, "options": {"expires": 5}},
        "call-hooks": {"task": "hooks.tick", "schedule": 5, "options": {"expires": 5}},
        "tidy": {"task": "reports.tidy", "schedule": crontab(minute=0)},
    }


def test_worker_listens_to_every_queue_in_threads(app):
    worker = make_worker(app)

    assert set(app.amqp.queues.consume_from) == {"default", "send", "send_other", "hooks", "export"}
    assert worker.pool_cls.__module__ == "celery.concurrency.thread"


def test_slow_channels_leave_threads_to_the_tick_and_to_exports():
    assert SENDERS_EMBEDDED * len(Channel) + hooks.SENDERS_EMBEDDED + 2 <= THREADS


@pytest.mark.slow
def test_worker_ticks_wakes_and_stops_cleanly():
    process = subprocess.Popen(
        [sys.executable, "-c", APPLICATION],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = [process.stdout.readline(), process.stdout.readline()]
        process.terminate()
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()

    assert lines == ["sent 42\n", "sent 42\n"]
    assert process.returncode == 0, errors
