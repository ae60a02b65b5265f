"""A clinic's own system that takes every call and answers late; it remembers the ids, as the contract asks of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

HOST: Final = "127.0.0.1"


class SlowHook(ThreadingHTTPServer):
    """A server that answers each call after so many seconds, however many come at once."""

    daemon_threads = True

    def __init__(self, seconds: float) -> None:
        super().__init__((HOST, 0), _Handler)
        self.seconds = seconds
        self.ids: list[str] = []
        self.under_way = 0
        self.most_at_once = 0
        self.lock = threading.Lock()

    @property
    def place(self) -> str:
        """Host and port, as EGRESS_ALLOWED_HOSTS names them."""
        return f"{HOST}:{self.server_port}"

    def forget(self) -> None:
        """Begin anew: no call has come yet."""
        with self.lock:
            self.ids.clear()
            self.most_at_once = self.under_way

    def take(self, ident: str) -> None:
        """Keep a call for so many seconds."""
        with self.lock:
            self.ids.append(ident)
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        time.sleep(self.seconds)
        with self.lock:
            self.under_way -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: callers that are killed while they wait are part of the measurement."""


class _Handler(BaseHTTPRequestHandler):
    server: SlowHook

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.take(self.headers["webhook-id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def run_slow_hook(seconds: float) -> Iterator[SlowHook]:
    """Run such a server in threads of this process."""
    with SlowHook(seconds) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
