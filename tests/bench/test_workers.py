"""What the morning is measured with: the workers of the compose file, and a receiver that answers late."""

import os

import pytest
import requests

from bench import workers
from bench.slow_hook import run_slow_hook
from bench.workers import empty_queue, peak_kb, worker_commands
from bin.steps import StepError
from config.embedded import QUEUES

QUEUE = {"REDIS_URL": "redis://127.0.0.1:1/3"}


def test_workers_are_those_of_the_compose_file():
    commands = worker_commands()

    assert sorted(commands) == sorted(QUEUES)
    assert {tuple(command[:3]) for command in commands.values()} == {
        ("celery", "--app=config.celery", "worker")
    }


def test_slow_hook_takes_calls_side_by_side_and_remembers_them():
    with run_slow_hook(0.01) as hook:
        for ident in ("a", "b"):
            answer = requests.post(
                f"http://{hook.place}/calls", data=b"{}", headers={"webhook-id": ident}, timeout=5
            )
            assert answer.status_code == 204
        assert (hook.ids, hook.most_at_once) == (["a", "b"], 1)

        hook.forget()

    assert (hook.ids, hook.most_at_once) == ([], 0)


def test_peak_is_known_of_a_process_that_runs_and_of_no_other():
    assert peak_kb(os.getpid()) > 1_000
    # No process has a number as large as this.
    assert peak_kb(2**31 - 1) == 0


class _Client:
    """A Redis database with a few keys."""

    def __init__(self, keys):
        self.keys = dict.fromkeys(keys)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def set(self, name, value, nx):
        is_new = name not in self.keys
        self.keys.setdefault(name, value)
        return is_new

    def dbsize(self):
        return len(self.keys)

    def delete(self, *names):
        for name in names:
            self.keys.pop(name, None)


@pytest.fixture
def database(monkeypatch):
    """Let the queue be looked for in a database with these keys."""

    def make(*keys):
        client = _Client(keys)
        monkeypatch.setattr(workers.redis.Redis, "from_url", lambda url: client)
        return client

    return make


@pytest.mark.parametrize("key", ["send", "bench"])
def test_queue_of_others_is_never_worked(database, key):
    client = database(key)

    with pytest.raises(StepError, match="The Redis database is not empty"), empty_queue(QUEUE):
        pytest.fail("it was taken")

    assert list(client.keys) == [key]


def test_empty_queue_is_ours_until_the_end(database):
    client = database()

    with empty_queue(QUEUE) as url:
        assert (url, list(client.keys)) == (QUEUE["REDIS_URL"], ["bench"])

    assert client.keys == {}
