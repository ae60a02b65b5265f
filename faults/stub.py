"""A clinic's own system in a process of its own, which drops calls with an id it knows: the witness for web hooks.

It writes the same lines as the mail sink: when a call came, when it was answered, its id, and what was answered. A file
named "mode" beside the log says how it behaves: accept, busy (429 with Retry-After), hang (takes the call and never answers
it). `python -m faults.stub FOLDER DELAY` prints the port and ends with its standard input.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from bin.processes import die_with_parent
from bin.services import HOST
from bin.steps import ROOT, StepError
from faults.sink import TAKEN, Sink

RETRY_AFTER: Final = 60


@contextmanager
def run_stub(folder: Path, *, delay: float = 0.0) -> Iterator[Sink]:
    """Run a stub that takes `delay` seconds for each call.

    Raises: StepError when it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log").touch()
    (folder / "mode").write_text("accept", encoding="ascii")
    with subprocess.Popen(
        [sys.executable, "-m", "faults.stub", str(folder), str(delay)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent,
    ) as process:
        assert process.stdin is not None, "a pipe"
        assert process.stdout is not None, "a pipe"
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise StepError("The stub did not start.")
        try:
            yield Sink(int(line), folder)
        finally:
            process.stdin.close()
            process.wait(5)


class _Answers(BaseHTTPRequestHandler):
    """Answers calls; what all of them share is kept at the class."""

    protocol_version = "HTTP/1.1"
    folder = Path()
    delay = 0.0
    known: set[str] = set()
    lock = threading.Lock()
    log = -1

    def do_POST(self) -> None:
        began = time.time()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key, mode = self.headers.get("webhook-id") or "", self._mode()
        client = str(json.loads(body).get("data", {}).get("client", ""))
        if mode == "busy":
            self._write(began, key, client, "refused-429")
            self._answer(429, {"Retry-After": str(RETRY_AFTER)})
            return
        with self.lock:
            is_new = key not in self.known
            self.known.add(key)
        self._write(began, key, client, TAKEN if is_new else "copy-dropped")
        time.sleep(self.delay)
        while mode == "hang" and self._mode() == "hang":
            time.sleep(0.2)
        self._answer(200, {})

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        with suppress(OSError):
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "2", "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"{}")

    def _mode(self) -> str:
        return (self.folder / "mode").read_text(encoding="ascii")

    def _write(self, began: float, key: str, client: str, answer: str) -> None:
        os.write(self.log, f"{began:.6f}\t{time.time():.6f}\t{key}@stub\t{client}\t{answer}\n".encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what came in stands in the log."""


def _serve(folder: Path, delay: float) -> None:
    _Answers.folder, _Answers.delay = folder, delay
    _Answers.log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    server = ThreadingHTTPServer((HOST, 0), _Answers)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), float(sys.argv[2]))
