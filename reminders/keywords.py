"""The few words that clients answer with, in English and Russian; anything else is for a person to read."""

import re
import unicodedata
from enum import StrEnum
from typing import Final


class Word(StrEnum):
    """What an answer of one word asks for."""

    STOP = "stop"
    START = "start"
    YES = "yes"
    NO = "no"


# What CTIA's Messaging Principles name for opting out, and providers and carriers act on by themselves before the
# message comes here. CANCEL is among them: a provider blocks the number at that word, so to take it for the
# cancelling of a visit would cancel one that nobody could be told of. To cancel is NO, or the link.
_STOP: Final = (
    *("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"),
    *("стоп", "стоп все", "отписаться", "отписка", "отпишите", "отпишите меня"),
)
_START: Final = ("start", "unstop", "subscribe", "старт", "начать", "подписаться", "подписка")
_YES: Final = ("yes", "y", "confirm", "да", "подтверждаю")
_NO: Final = ("no", "n", "нет")
_WORDS: Final[dict[str, Word]] = {
    **dict.fromkeys(_STOP, Word.STOP),
    **dict.fromkeys(_START, Word.START),
    **dict.fromkeys(_YES, Word.YES),
    **dict.fromkeys(_NO, Word.NO),
}
_NO_LETTERS: Final = re.compile(r"[\W_]+")


def read_word(text: str) -> Word | None:
    """Return what a text asks for when it is one of the known words and nothing else, else None.

    Case, spaces, punctuation and forms of letters such as full width do not count. A sentence that holds a
    word is none: "no problem" and "stop by at five" are for a person.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return _WORDS.get(_NO_LETTERS.sub(" ", plain).strip())
