"""The sign of life to somebody outside."""

import http.server
import threading
from datetime import timedelta

import pytest

from reminders.services import heartbeat
from reminders.services.fence import BY_HAND, hold
from reminders.services.heartbeat import send_heartbeat
from tests.reminders.builders import NOW

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def watcher(settings):
    """Wait for signs of life on this machine; a web hook's guard is told that it may."""

    class Handler(http.server.BaseHTTPRequestHandler):
        status, seen = 200, []

        def do_POST(self):
            self.seen.append(self.path)
            self.send_response(self.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    Handler.seen = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        settings.EGRESS_ALLOWED_HOSTS = [f"127.0.0.1:{server.server_port}"]
        settings.HEARTBEAT_URL = f"http://127.0.0.1:{server.server_port}/ping/secret"
        yield Handler
        server.shutdown()
        thread.join()


def test_one_sign_a_minute(watcher):
    sent = [send_heartbeat(now=NOW + timedelta(seconds=seconds)) for seconds in (0, 5, 59, 60)]

    assert sent == [True, False, False, True]
    assert watcher.seen == ["/ping/secret"] * 2


def test_nothing_is_called_without_an_address(settings, watcher):
    settings.HEARTBEAT_URL = ""

    assert not send_heartbeat(now=NOW)
    assert watcher.seen == []


def test_held_outbox_gives_no_sign(watcher):
    hold(reason=BY_HAND, now=NOW)

    assert not send_heartbeat(now=NOW)
    assert watcher.seen == []


def test_refusal_and_silence_are_harmless_and_keep_the_secret(watcher, settings, caplog):
    watcher.status = 500
    assert not send_heartbeat(now=NOW)

    settings.HEARTBEAT_URL = "http://127.0.0.1:1/ping/secret"
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    assert not send_heartbeat(now=NOW + MINUTE)

    assert "could not be sent" in caplog.text
    assert "secret" not in caplog.text


def test_private_address_is_not_called(watcher, settings):
    settings.EGRESS_ALLOWED_HOSTS = []

    assert not send_heartbeat(now=NOW)
    assert watcher.seen == []


def test_failure_never_reaches_the_tick(watcher, monkeypatch):
    def fail(*_, **__):
        raise OSError

    monkeypatch.setattr(heartbeat, "post", fail)

    assert not send_heartbeat(now=NOW)
