"""A word with its colour and sign."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Badge:
    """A word with its colour and sign; `hint` says more to who points at it."""

    label: str
    tone: str
    icon: str
    hint: str = ""
