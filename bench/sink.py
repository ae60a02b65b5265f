"""A mail server in a process of its own that accepts every message and writes it to a file: python -m bench.sink FILE.

It prints its port, and ends when its standard input does, so that it never outlives whoever started it.
"""

from __future__ import annotations

import asyncio
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from aiosmtpd.smtp import SMTP, Envelope

from bin.steps import ROOT, StepError

HOST = "127.0.0.1"
_SIZE_BYTES = 4
# The envelope of a bare loop; the sink accepts any.
_FROM, _TO = "regimen@localhost", "client@example.com"


@dataclass(frozen=True, slots=True)
class Sink:
    """A running sink: where it listens and where it writes."""

    port: int
    file: Path

    def messages(self) -> list[bytes]:
        """Return what was accepted so far, oldest first, as it came over the wire."""
        data = self.file.read_bytes()
        found, at = [], 0
        while at < len(data):
            size = int.from_bytes(data[at : at + _SIZE_BYTES], "big")
            found.append(data[at + _SIZE_BYTES : at + _SIZE_BYTES + size])
            at += _SIZE_BYTES + size
        return found

    def clear(self) -> None:
        """Forget what was accepted so far."""
        # The server appends, so that it goes on at the new end.
        self.file.write_bytes(b"")


@contextmanager
def run_sink(file: Path) -> Iterator[Sink]:
    """Run a sink in a process of its own.

    Raises: StepError when it does not start.
    """
    file.write_bytes(b"")
    command = [sys.executable, "-m", "bench.sink", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None, "a pipe"
        assert process.stdout is not None, "a pipe"
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise StepError("The mail sink did not start.")
        try:
            yield Sink(int(line), file)
        finally:
            process.stdin.close()
            process.wait(10)


def send_bare(port: int, bodies: list[bytes]) -> None:
    """Hand finished messages over one after the other on one connection, knowing nothing of them."""
    with smtplib.SMTP(HOST, port) as connection:
        for body in bodies:
            connection.sendmail(_FROM, [_TO], body)


def message_ids(bodies: list[bytes]) -> list[str]:
    """Return the Message-ID of each message, in the same order."""
    return [str(message_from_bytes(body)["Message-ID"]) for body in bodies]


class _Keeper:
    """Accepts whatever comes and appends it to the file, its size first."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        self._file.write(len(content).to_bytes(_SIZE_BYTES, "big") + content)
        return "250 OK"


async def _serve(file: BinaryIO) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(SMTP, _Keeper(file), hostname="sink"), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    with open(sys.argv[1], "ab", buffering=0) as output:
        asyncio.run(_serve(output))
