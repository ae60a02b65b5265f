"""The shell of a stateless operation: JSON from a file or a pipe in, JSON out, no database."""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError

from courses.core.wire import ROOT, WireError, loads


class OperationCommand(BaseCommand):
    """Answers one request, or with --lines one a line; exit 2 when any is bad."""

    requires_system_checks = ()

    def answer(self, request: object) -> dict[str, object]:
        """Return the answer to one parsed request.

        Raises: WireError for bad input.
        """
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="a file, or - for the input")
        parser.add_argument("--lines", action="store_true", help="one request and one answer a line")

    def handle(self, *, file: str, lines: bool, **options: Any) -> None:
        try:
            with _opened(file) as source:
                good = self._answer_all(source, lines)
        except WireError as error:
            self.stderr.write(str(error))
            good = False
        except BrokenPipeError:
            # The reader has seen enough.
            _write_no_more()
            return
        except OSError as error:
            _write_no_more()
            raise CommandError(f"The answer cannot be written: {error.strerror}.") from error
        if not good:
            sys.exit(2)

    def _answer_all(self, source: BinaryIO, lines: bool) -> bool:
        if not lines:
            self._print(self.answer(loads(source.read())), indent=2)
            return True
        good = True
        for line in source:
            try:
                # Without its end, so that what is wrong is never told of a second line.
                answered = self.answer(loads(line.rstrip(b"\r\n")))
            except WireError as error:
                answered = error.as_json()
                good = False
            self._print(answered)
        return good

    def _print(self, answered: dict[str, object], indent: int | None = None) -> None:
        # Flushed each time: whoever talks to a running process line by line waits for this one.
        self.stdout.write(json.dumps(answered, indent=indent))
        self.stdout.flush()


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    """Give the file named, or the input.

    Raises: WireError when there is none that can be read.
    """
    if file == "-":
        if sys.stdin is None:
            raise WireError(ROOT, "Send one JSON object: the input is closed.")
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115  # closed below; what fails while it is open is another thing
    except (OSError, ValueError) as error:
        # A name with a zero byte in it is a ValueError.
        problem = getattr(error, "strerror", None) or "there is no such name"
        raise WireError(ROOT, f"Name a file that can be read: {problem}.") from None
    with source:
        yield source


def _write_no_more() -> None:
    """Let the output go nowhere: without this Python complains once more while closing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
