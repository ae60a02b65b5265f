"""A small HTTP server that plays a provider or a clinic's own system: scripted answers, a line per message taken.

Stands alone, so that a test of crashes can run it as a process of its own:

    python -m tests.reminders.provider_stub --log accepted.txt --keyed
"""

import argparse
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# A script's word beside answers: take the message and say nothing.
HANG_UP = "hang up"


@dataclass(frozen=True)
class Reply:
    """What to answer: `after` seconds late, `drip` seconds between two bytes of it."""

    status: int = 200
    body: bytes | dict[str, Any] = b"{}"
    headers: tuple[tuple[str, str], ...] = ()
    after: float = 0
    drip: float = 0

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Request:
    """What came in; `key` is the sender's key, empty where it has none."""

    path: str
    headers: dict[str, str]
    body: bytes
    key: str

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Stub:
    """The server's script and what it has seen.

    Each request takes the next step of `script`, the last one for ever. With `honours_keys` a key seen before
    is answered as accepted and not taken again. Every message taken is one line in `log`, the key or else the body.
    """

    script: list[Reply | str] = field(default_factory=lambda: [Reply()])
    honours_keys: bool = False
    log: Path | None = None
    requests: list[Request] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    # Connections, whether anything was asked over them or not.
    hits: int = 0
    port: int = 0
    scheme: str = "http"
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def step(self, request: Request) -> tuple[Reply | str, bool]:
        """Return the answer to a request and note whether its message is taken."""
        with self._lock:
            self.requests.append(request)
            step = self.script[0] if len(self.script) == 1 else self.script.pop(0)
            if self.honours_keys and request.key and request.key in self.accepted:
                return Reply(), False
            taken = step == HANG_UP or (isinstance(step, Reply) and step.is_good)
            if taken:
                self._take(request.key or request.body.decode("utf-8", "replace"))
            return step, taken

    def _take(self, line: str) -> None:
        self.accepted.append(line)
        if self.log is not None:
            # One write to the end of the file: other servers may write there too.
            handle = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(handle, line.replace("\n", " ").encode() + b"\n")
            finally:
                os.close(handle)


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def setup(self) -> None:
            stub.hits += 1
            super().setup()

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            key = headers.get("webhook-id") or headers.get("idempotency-key") or ""
            step, _ = stub.step(Request(self.path, headers, body, key))
            if isinstance(step, str):
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            time.sleep(step.after)
            with suppress(OSError):
                self._answer(step)

        def _answer(self, reply: Reply) -> None:
            content = reply.content()
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for part in [content] if not reply.drip else [bytes([one]) for one in content]:
                self.wfile.write(part)
                self.wfile.flush()
                time.sleep(reply.drip)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: what came in stands in the stub."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Slow answers outlive their test; nobody waits for them.
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections that are cut are what the tests are about."""


@contextmanager
def serving(stub: Stub, *, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Stub]:
    """Serve the stub on a port of this machine while the block runs."""
    server = _Server(("127.0.0.1", port), _handler(stub))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        stub.scheme = "https"
    stub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.002,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--keyed", action="store_true")
    parser.add_argument("--delay", type=float, default=0)
    options = parser.parse_args()
    stub = Stub(script=[Reply(after=options.delay)], honours_keys=options.keyed, log=options.log)
    with serving(stub, port=options.port):
        print(stub.url, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
