"""The shell of a stateless operation: JSON from a file or a pipe in, JSON out, no database."""

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand

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
            good = self._read(file, lines)
        except WireError as error:
            self.stderr.write(str(error))
            good = False
        except BrokenPipeError:
            # The reader has seen enough; without this Python complains once more while closing.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        if not good:
            sys.exit(2)

    def _read(self, file: str, lines: bool) -> bool:
        if file == "-":
            return self._answer_all(sys.stdin.buffer, lines)
        try:
            with Path(file).open("rb") as source:
                return self._answer_all(source, lines)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            raise WireError(ROOT, f"Name a file that can be read: {error.strerror}.") from None

    def _answer_all(self, source: BinaryIO, lines: bool) -> bool:
        if not lines:
            self._print(self.answer(loads(source.read())), indent=2)
            return True
        good = True
        for line in source:
            try:
                answered = self.answer(loads(line))
            except WireError as error:
                answered = error.as_json()
                good = False
            self._print(answered)
        return good

    def _print(self, answered: dict[str, object], indent: int | None = None) -> None:
        # Flushed each time: whoever talks to a running process line by line waits for this one.
        self.stdout.write(json.dumps(answered, indent=indent))
        self.stdout.flush()
