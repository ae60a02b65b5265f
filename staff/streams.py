"""Files that are sent while they are made."""

from collections.abc import Iterator

from django.utils import translation


def in_language(lines: Iterator[str], language: str) -> Iterator[str]:
    """Yield the lines, each made in the language: a stream is read after the middleware has put back its own."""
    while True:
        with translation.override(language):
            line = next(lines, None)
        if line is None:
            return
        yield line
