"""A mail server in a process of its own that does what recipients' names tell it: the independent witness.

Every message it takes is one line in a file opened for appending: when its sender began, when it was taken, its key, its
recipient and what was answered. Nothing of the application is asked, and nothing is forgotten when a sender dies.

The first part of a recipient's name, before the first dot, says what happens to that recipient's messages:

    refuse550.  data554.         the recipient is refused with that code; the finished message is
    dropkeep.   droplose.        on the first try the line is cut after the message, which was taken or was not
    dropalways.                  the line is cut at every try, and nothing is taken
    anything else                the message is taken

A file named "mode" beside the log holds one word for everybody: accept, refuse (451), silent (never an answer),
slow (an answer after 5 s). `python -m faults.sink FOLDER DELAY [keys]` prints the port and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope

from bin.processes import die_with_parent
from bin.services import HOST
from bin.steps import ROOT, StepError

TAKEN: Final = "taken"
_SILENT_SECONDS: Final = 600.0
_SLOW_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Line:
    """One message that the sink took, refused or cut off; instants are seconds of this host's time."""

    began: float
    ended: float
    key: str
    recipient: str
    answer: str

    @property
    def is_taken(self) -> bool:
        """Whether the recipient has it."""
        return self.answer in (TAKEN, "taken-cut")

    @property
    def code(self) -> str:
        """The code in front of the key's at sign, which is the reminder's."""
        return self.key.strip("<>").partition("@")[0]


@dataclass(frozen=True, slots=True)
class Sink:
    """A running sink: where it listens and where its lines are."""

    port: int
    folder: Path

    def lines(self) -> list[Line]:
        """Return what came so far, oldest first."""
        return read_lines(self.folder / "log")

    def set_mode(self, word: str) -> None:
        """Let it behave otherwise from the next command on."""
        draft = self.folder / "mode.draft"
        draft.write_text(word, encoding="ascii")
        draft.replace(self.folder / "mode")


def read_lines(file: Path) -> list[Line]:
    """Return the lines of a log; one that is still being written is left out."""
    whole = file.read_text(encoding="utf-8").rpartition("\n")[0]
    found = []
    for text in whole.splitlines():
        began, ended, key, recipient, answer = text.split("\t")
        found.append(Line(float(began), float(ended), key, recipient, answer))
    return found


@contextmanager
def run_sink(folder: Path, *, delay: float = 0.0, honours_keys: bool = False) -> Iterator[Sink]:
    """Run a sink that takes `delay` seconds for each message.

    `honours_keys`: a second message with the same key is answered as the first and not delivered again, which is what
    a provider does that knows our key.
    Raises: StepError when it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log").touch()
    (folder / "mode").write_text("accept", encoding="ascii")
    command = [
        sys.executable,
        "-m",
        "faults.sink",
        str(folder),
        str(delay),
        *(["keys"] if honours_keys else []),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent
    ) as process:
        assert process.stdin is not None, "a pipe"
        assert process.stdout is not None, "a pipe"
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise StepError("The mail sink did not start.")
        try:
            yield Sink(int(line), folder)
        finally:
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


class _Answers:
    """What the sink answers; one for all its connections."""

    def __init__(self, folder: Path, *, delay: float, honours_keys: bool) -> None:
        self._folder = folder
        self._delay = delay
        self._honours_keys = honours_keys
        self._tries: Counter[str] = Counter()
        self._known: set[str] = set()
        self._log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def handle_MAIL(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.began = time.time()
        envelope.mail_from = address
        await self._obey_mode()
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        word = address.partition(".")[0]
        if self._mode() == "refuse":
            self._write(envelope, "", address, "refused-451")
            return "451 Come back later"
        if word.startswith("refuse") and word[6:].isdigit():
            self._write(envelope, "", address, f"refused-{word[6:]}")
            return f"{word[6:]} No such recipient"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:
        recipient = envelope.rcpt_tos[0]
        headers = BytesHeaderParser().parsebytes(envelope.original_content or b"")
        key, word = str(headers["Message-ID"]).strip(), recipient.partition(".")[0]
        self._tries[key] += 1
        is_first = self._tries[key] == 1
        await asyncio.sleep(self._delay / 2)
        if word == "data554":
            self._write(envelope, key, recipient, "refused-554")
            return "554 No"
        if word == "dropalways" or (word == "droplose" and is_first):
            self._write(envelope, key, recipient, "cut")
            return self._cut(server)
        # From here on it is the recipient's, whether or not the sender lives to hear it.
        self._take(envelope, key, recipient, is_cut=word == "dropkeep" and is_first)
        if word == "dropkeep" and is_first:
            return self._cut(server)
        await asyncio.sleep(self._delay / 2)
        return "250 OK"

    def _take(self, envelope: Any, key: str, recipient: str, *, is_cut: bool) -> None:
        if self._honours_keys and key in self._known:
            self._write(envelope, key, recipient, "copy-dropped")
            return
        self._known.add(key)
        self._write(envelope, key, recipient, "taken-cut" if is_cut else TAKEN)

    def _cut(self, server: SMTP) -> str:
        transport = server.transport
        assert isinstance(transport, asyncio.Transport), "a connection"
        transport.abort()
        return "421 never read"

    def _mode(self) -> str:
        return (self._folder / "mode").read_text(encoding="ascii")

    async def _obey_mode(self) -> None:
        waits = {"silent": _SILENT_SECONDS, "slow": _SLOW_SECONDS}.get(self._mode(), 0.0)
        deadline = time.monotonic() + waits
        while time.monotonic() < deadline and self._mode() in ("silent", "slow"):
            await asyncio.sleep(0.2)

    def _write(self, envelope: Any, key: str, recipient: str, answer: str) -> None:
        began = getattr(envelope, "began", time.time())
        line = f"{began:.6f}\t{time.time():.6f}\t{key}\t{recipient}\t{answer}\n"
        # One write to a file opened for appending is one whole line.
        os.write(self._log, line.encode())


async def _serve(answers: _Answers) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(SMTP, answers, hostname="sink", timeout=900), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    # Connections of senders that are silent would keep the loop alive.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(
        _serve(_Answers(Path(sys.argv[1]), delay=float(sys.argv[2]), honours_keys="keys" in sys.argv[3:]))
    )
