"""What a spreadsheet's cells mean: which column holds what, dates, yes and no; pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

CLIENTS: Final = "clients"
COURSES: Final = "courses"

# What each field may be called in the first row: our own name first, then as people write it in either language.
CLIENT_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "given_name": ("given name", "first name", "имя"),
    "family_name": ("family name", "last name", "surname", "фамилия"),
    "given_first": ("name", "full name", "client", "client name", "имя фамилия", "имя и фамилия"),
    "family_first": (
        "family and given name",
        "фио",
        "ф и о",
        "фамилия имя",
        "фамилия имя отчество",
        "клиент",
    ),
    "phone": ("telephone", "phone", "mobile", "phone number", "телефон", "мобильный", "номер телефона"),
    "email": ("email", "e mail", "mail", "почта", "эл почта", "электронная почта"),
    "birth_on": ("born", "birth date", "date of birth", "birthday", "дата рождения", "день рождения"),
    "language": ("language", "язык"),
    "time_zone": ("time zone", "timezone", "часовой пояс"),
    "allowed": (
        "allows messages by",
        "consent",
        "consents",
        "messages allowed",
        "согласие",
        "согласия",
        "сообщения разрешены",
    ),
    "health_notes": ("health notes", "notes", "note", "comment", "заметки", "примечание", "комментарий"),
}
COURSE_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "phone": CLIENT_HEADERS["phone"],
    "email": CLIENT_HEADERS["email"],
    "protocol": ("protocol", "treatment", "course", "протокол", "курс", "процедура"),
    "start_on": ("start", "started on", "starts on", "start date", "начало", "дата начала"),
    "attended": ("attended", "attended dates", "dates", "sessions", "даты", "посещения", "даты сеансов"),
    "attended_count": (
        "attended count",
        "sessions attended",
        "number attended",
        "пройдено",
        "сколько пройдено",
    ),
    "last_on": ("last session", "last date", "last attended", "последний сеанс", "дата последнего сеанса"),
    "target": (
        "target",
        "number of sessions",
        "sessions decided",
        "назначено",
        "сколько назначено",
        "назначено сеансов",
    ),
    "prescriber": ("prescriber", "prescribed by", "назначил", "назначивший", "врач"),
    "practitioner": ("practitioner", "therapist", "специалист", "массажист"),
}
HEADERS: Final = {CLIENTS: CLIENT_HEADERS, COURSES: COURSE_HEADERS}
_KNOWN_HEADINGS: Final = frozenset(
    name
    for fields in HEADERS.values()
    for field, names in fields.items()
    for name in (field.replace("_", " "), *names)
)
# Of each group at least one column is needed.
NEEDED: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    CLIENTS: (("given_name", "given_first", "family_first"),),
    COURSES: (("phone", "email"), ("protocol",), ("start_on",)),
}

_YES: Final = frozenset(
    {"yes", "y", "true", "1", "+", "да", "д", "x", "х", "согласен", "согласна", "all", "все"}
)
_NO: Final = frozenset({"no", "n", "false", "0", "-", "нет", "н", "none"})
_CHANNELS: Final = {
    "email": "email",
    "e-mail": "email",
    "mail": "email",
    "почта": "email",
    "sms": "sms",
    "смс": "sms",
    "phone": "sms",
    "телефон": "sms",
    "telegram": "telegram",
    "телеграм": "telegram",
    "whatsapp": "whatsapp",
}
_LANGUAGES: Final = {
    "en": "en",
    "english": "en",
    "английский": "en",
    "англ": "en",
    "ru": "ru",
    "russian": "ru",
    "русский": "ru",
    "рус": "ru",
}
# Day first, as everywhere that our languages are spoken; the year first as in ISO 8601.
_DAY_FIRST: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([./-])(\d{1,2})\2(\d{1,2})")
_DATE_LIKE: Final = re.compile(r"\d{4}([./-])\d{1,2}\1\d{1,2}|\d{1,2}([./-])\d{1,2}\2\d{2,4}|\S+")


class CellError(ValueError):
    """A cell that means nothing: `code` says what was expected."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def plain_header(text: str) -> str:
    """Return a heading in lower case without marks, so that "E-mail *" is "e mail"."""
    return " ".join(re.sub(r"[^\w]+|_", " ", text.casefold()).split())


def is_heading(text: str) -> bool:
    """Return whether a cell names a column of either kind of file."""
    return plain_header(text) in _KNOWN_HEADINGS


def match_columns(kind: str, headings: Sequence[str]) -> dict[str, int]:
    """Return for each field that is recognised the column that holds it, 0-based; the first of several."""
    places = [plain_header(heading) for heading in headings]
    found: dict[str, int] = {}
    for field, names in HEADERS[kind].items():
        for name in (field.replace("_", " "), *names):
            if name in places and places.index(name) not in found.values():
                found[field] = places.index(name)
                break
    if "family_name" in found and "given_name" not in found and "given_first" in found:
        # Beside a column of family names, "name" is the given one.
        found["given_name"] = found.pop("given_first")
    return found


def missing_fields(kind: str, columns: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Return the groups of fields of which none has a column, though one is needed."""
    return [group for group in NEEDED[kind] if not set(group) & set(columns)]


def read_date(text: str) -> date:
    """Return the date that a cell says: 31.12.2026 or 2026-12-31, also with other signs between, with or without a time.

    Raises: CellError `date`.
    """
    words = text.strip().replace("T", " ").split(" ")[0]
    if found := _YEAR_FIRST.fullmatch(words):
        year, _sign, month, day = found.groups()
    elif found := _DAY_FIRST.fullmatch(words):
        day, _sign, month, year = found.groups()
    else:
        raise CellError("date")
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise CellError("date") from error


def read_dates(text: str) -> tuple[date, ...]:
    """Return the dates of a cell in order, whatever stands between them.

    Raises: CellError `date`, or `date_twice` where one stands there twice.
    """
    words = [
        word for word in (part[0].strip(",;") for part in _DATE_LIKE.finditer(text.replace(",", " "))) if word
    ]
    # A time of day belongs to the date before it.
    found = [read_date(word) for word in words if not re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", word)]
    if len(set(found)) < len(found):
        raise CellError("date_twice")
    return tuple(sorted(found))


def read_count(text: str) -> int:
    """Return the whole number that a cell says; a spreadsheet may write it as 7.0.

    Raises: CellError `number`.
    """
    found = re.fullmatch(r"(\d{1,4})(?:[.,]0+)?", text.strip())
    if not found:
        raise CellError("number")
    return int(found[1])


def read_channels(text: str) -> frozenset[str] | None:
    """Return the channels that a cell names, none for no; None stands for every address that is known.

    Raises: CellError `consent`.
    """
    words = [word for word in re.split(r"[\s,;/+]+", text.strip().casefold()) if word] or [
        text.strip().casefold()
    ]
    if words[0] in _YES and len(words) == 1:
        return None
    if words[0] in _NO and len(words) == 1:
        return frozenset()
    if not set(words) <= set(_CHANNELS):
        raise CellError("consent")
    return frozenset(_CHANNELS[word] for word in words)


def read_language(text: str) -> str:
    """Return the language that a cell names.

    Raises: CellError `language`.
    """
    found = _LANGUAGES.get(text.strip().casefold().rstrip("."))
    if found is None:
        raise CellError("language")
    return found


def split_name(text: str, *, is_family_first: bool) -> tuple[str, str]:
    """Return given and family name of a whole name; a patronymic stays with the given name."""
    first, _space, rest = " ".join(text.split()).partition(" ")
    return (rest or first, first if rest else "") if is_family_first else (first, rest)


def spread_dates(first: date, last: date, count: int) -> tuple[date, ...]:
    """Return so many days from one to the other, both included, as evenly as days allow.

    For what was attended where only the number and the last day are known.
    Raises: CellError `too_many` when there are fewer days than sessions, `last_before_start`.
    """
    span = (last - first).days
    if span < 0:
        raise CellError("last_before_start")
    if count - 1 > span:
        raise CellError("too_many")
    if count == 1:
        return (last,)
    return tuple(first + timedelta(days=round(number * span / (count - 1))) for number in range(count))
