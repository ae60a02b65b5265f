"""Filled blocks as plain text, as HTML and as a short message."""

import re
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from reminders.texts.compiling import Filled

_MARKS: Final = {"card": "    ", "list": "- ", "text": ""}
# Every letter of an SMS in the cheap alphabet; one other letter makes all of them cost twice as much.
_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE: Final = frozenset("^{}\\[~]|€")


def write_text(blocks: Iterable[Filled]) -> str:
    """Return the message as plain text."""
    return "\n\n".join(map(_text, blocks)) + "\n"


def write_html(
    blocks: Iterable[Filled], *, language: str, subject: str, clinic: str, footer: str = ""
) -> str:
    """Return the message as a page that loads nothing; `footer` is HTML already."""
    values = {
        "language": language,
        "subject": escape(subject),
        "clinic": escape(clinic),
        "body": "".join(map(_html, blocks)) + footer,
    }
    pieces = _layout()
    return "".join(values[piece] if position % 2 else piece for position, piece in enumerate(pieces))


def footer_html(label: str, address: str) -> str:
    """Return the last line of a message: how to get no more of them."""
    return f'<p class="foot"><a href="{escape(address)}">{escape(label)}</a></p>\n'


def sms_segments(text: str) -> int:
    """Return how many SMS a text takes: 160 letters in the cheap alphabet, 70 in any other, fewer when joined."""
    if all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        length, one, several = sum(1 + (letter in _GSM_TWICE) for letter in text), 160, 153
    else:
        length, one, several = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= one else -(-length // several)


def _text(block: Filled) -> str:
    if block.kind == "button":
        return f"{block.lines[0]}: {block.lines[1]}"
    mark = _MARKS[block.kind]
    return "\n".join(mark + line for line in block.lines)


def _html(block: Filled) -> str:
    lines = [escape(line) for line in block.lines]
    if block.kind == "card":
        # Set larger than the rest it reads as a heading, also where a language writes weekdays small.
        lines[0] = lines[0][:1].upper() + lines[0][1:]
        return '<div class="card"><p>' + "</p><p>".join(lines) + "</p></div>\n"
    if block.kind == "list":
        return "<ul><li>" + "</li><li>".join(lines) + "</li></ul>\n"
    if block.kind == "button":
        return f'<p class="button"><a href="{lines[1]}">{lines[0]}</a></p>\n'
    return "<p>" + "<br>".join(lines) + "</p>\n"


@cache
def _layout() -> tuple[str, ...]:
    source = (Path(__file__).parent / "layout.html").read_text(encoding="utf-8")
    return tuple(re.split(r"\[\[(\w+)\]\]", source))
