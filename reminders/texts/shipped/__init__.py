"""The texts that every clinic starts with, one file per language."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class RuleText:
    """The words of one message in one language: an e-mail's subject and body, and a short form."""

    subject: str
    body: str
    short: str


def shipped_text(trigger: str, language: str) -> RuleText:
    """Return the words that a clinic starts with.

    Raises: KeyError for an unknown trigger or language.
    """
    found = _load(language)[trigger]
    return RuleText(found["subject"], found["body"].strip(), found["short"].strip())


@cache
def shipped_words(language: str) -> dict[str, str]:
    """Return the words that stand in place of placeholders, such as "tomorrow"."""
    return dict(_load(language)["words"])


@cache
def _load(language: str) -> dict[str, Any]:
    if language not in ("en", "ru"):
        raise KeyError(language)
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
