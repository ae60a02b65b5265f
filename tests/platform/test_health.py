import http.server
import threading

import pytest

from bin.health import is_healthy
from bin.serve import find_free_port


@pytest.fixture
def server():
    class Handler(http.server.BaseHTTPRequestHandler):
        status, body, seen = 200, b"", []

        def do_GET(self):
            self.seen.append((self.path, self.headers["Host"], self.headers["X-Forwarded-Proto"]))
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(self.body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_health_is_asked_under_the_public_name(server):
    assert is_healthy({"BASE_URL": "https://regimen.example.org"}, port=server.server_port)
    assert server.RequestHandlerClass.seen == [("/healthz", "regimen.example.org", "https")]


@pytest.mark.parametrize("status", [301, 400, 503])
def test_any_other_answer_is_unhealthy(server, status):
    server.RequestHandlerClass.status = status

    assert not is_healthy({}, port=server.server_port)


@pytest.mark.parametrize(
    ("body", "is_well"),
    [
        (b'{"status": "failing", "database": "ok", "tick": "late"}', True),
        (b'{"status": "failing", "database": "unreachable"}', False),
        (b"[]", False),
    ],
)
def test_web_server_is_well_as_long_as_its_database_is(server, body, is_well):
    server.RequestHandlerClass.status, server.RequestHandlerClass.body = 503, body

    assert is_healthy({}, port=server.server_port) is is_well


def test_no_answer_is_unhealthy():
    assert not is_healthy({}, port=find_free_port())
