"""Texts as data: lines with {placeholders}, parsed once and kept.

A blank line parts the blocks. A block of lines that start with "| " is a card, one of "- " a list, one of
"> label: {link}" a button, any other a paragraph. A line whose placeholders are all empty is left out; a card
goes with its first line, and a paragraph that ends in a colon goes with the block that it introduces.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Kind = Literal["text", "card", "list", "button"]
Value = str | tuple[str, ...]

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_MARKS: Final[tuple[tuple[str, Kind], ...]] = (("| ", "card"), ("- ", "list"), ("> ", "button"))
_BETWEEN: Final = ", "


@dataclass(frozen=True, slots=True)
class Line:
    """A line as literal text and placeholder names in turn, the text first; `names` are the latter."""

    parts: tuple[str, ...]
    names: tuple[str, ...]

    def fill(self, values: Mapping[str, Value]) -> str | None:
        """Return the line with its values, or None when it has placeholders and all of them are empty."""
        if not self.names:
            return self.parts[0]
        found = [values[name] for name in self.names]
        if not any(found):
            return None
        parts = list(self.parts)
        parts[1::2] = [value if isinstance(value, str) else _BETWEEN.join(value) for value in found]
        text = "".join(parts).strip()
        # What is missing leaves no gap behind.
        return text if all(found) else " ".join(text.split())

    def fill_each(self, values: Mapping[str, Value]) -> list[str]:
        """Return one line for each item of its list, if it has one, else the line."""
        listed = next((name for name in self.names if not isinstance(values[name], str)), None)
        if listed is None:
            line = self.fill(values)
            return [] if line is None else [line]
        own = {name: values[name] for name in self.names}
        return [line for item in values[listed] if (line := self.fill({**own, listed: item}))]


@dataclass(frozen=True, slots=True)
class Block:
    """One block with its lines; a button's line is its label, followed by its address."""

    kind: Kind
    lines: tuple[Line, ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for line in self.lines for name in line.names)


@dataclass(frozen=True, slots=True)
class Filled:
    """One block as it reads in a message; a button's lines are its label and its address."""

    kind: Kind
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed text: its greeting and signature apart, so that several messages can share one of each."""

    greeting: Block | None
    blocks: tuple[Block, ...]
    signature: Block | None


@lru_cache(maxsize=1024)
def compile_line(text: str, known: frozenset[str]) -> Line:
    """Return one line parsed; what is no known placeholder stays as it is written."""
    parts: list[str] = [""]
    for position, piece in enumerate(_PLACEHOLDER.split(text)):
        if position % 2 and piece in known:
            parts += [piece, ""]
        else:
            parts[-1] += f"{{{piece}}}" if position % 2 else piece
    return Line(tuple(parts), tuple(parts[1::2]))


@lru_cache(maxsize=512)
def compile_text(text: str, known: frozenset[str]) -> Template:
    """Return a text parsed into its blocks."""
    chunks = [
        chunk for chunk in re.split(r"\n[^\S\n]*\n", text.strip().replace("\r\n", "\n")) if chunk.strip()
    ]
    blocks = [block for chunk in chunks for block in _blocks(chunk, known)]
    greeting = blocks.pop(0) if blocks and _is_greeting(blocks[0]) else None
    signature = blocks.pop() if blocks and _is_signature(blocks[-1]) else None
    return Template(greeting, tuple(blocks), signature)


def fill_blocks(blocks: tuple[Block, ...], values: Mapping[str, Value]) -> list[Filled]:
    """Return the blocks that have something to say, in order."""
    found: list[Filled | None] = [fill_block(block, values) for block in blocks]
    for position, block in enumerate(found[:-1]):
        follower = blocks[position + 1]
        introduces = block is not None and block.kind == "text" and block.lines[-1].endswith(":")
        if introduces and follower.kind != "text" and found[position + 1] is None:
            found[position] = None
    return [block for block in found if block is not None]


def fill_block(block: Block, values: Mapping[str, Value]) -> Filled | None:
    """Return one block with its values, or None when nothing of it is left."""
    if block.kind == "button":
        label, address = (line.fill(values) for line in block.lines)
        # Only what a browser opens as a page becomes a button, whatever a clinic wrote.
        is_page = address is not None and address.startswith(("https://", "http://"))
        return Filled("button", (label or "", address or "")) if is_page else None
    if block.kind == "list":
        lines = [text for line in block.lines for text in line.fill_each(values)]
    else:
        lines = [text for line in block.lines if (text := line.fill(values)) is not None]
        if block.kind == "card" and block.lines[0].fill(values) is None:
            return None
    return Filled(block.kind, tuple(lines)) if lines else None


def _blocks(chunk: str, known: frozenset[str]) -> list[Block]:
    lines = [line.strip() for line in chunk.splitlines() if line.strip()]
    for mark, kind in _MARKS:
        if all(line.startswith(mark) for line in lines):
            bare = [line[len(mark) :].strip() for line in lines]
            if kind == "button":
                return [_button(line, known) for line in bare]
            return [Block(kind, tuple(compile_line(line, known) for line in bare))]
    return [Block("text", tuple(compile_line(line, known) for line in lines))]


def _button(text: str, known: frozenset[str]) -> Block:
    label, _, address = text.rpartition(": ")
    return Block("button", (compile_line(label, known), compile_line(address.strip(), known)))


def _is_greeting(block: Block) -> bool:
    return block.kind == "text" and "name" in block.names and block.names <= {"name", "clinic"}


def _is_signature(block: Block) -> bool:
    return block.kind == "text" and block.names == {"clinic"} and len(block.lines) == 1
