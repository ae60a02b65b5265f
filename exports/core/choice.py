"""What somebody wants as a file: which table, of what, in which form; as JSON and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

# What every table comes in: rows of columns.
FORMATS: Final = ("csv", "semicolon", "xlsx", "jsonl")
# Whole courses with everybody and everything they refer to, one bundle a line; it has no columns to leave out.
FHIR: Final = "fhir"


@dataclass(frozen=True, slots=True)
class Choice:
    """Columns: empty means all. Filters: words and codes by name, never a text that somebody searched for.

    Both dates are included; `search` is for what is sent at once and is never written down.
    """

    table: str
    file_format: str = "csv"
    is_anonymous: bool = False
    columns: tuple[str, ...] = ()
    from_on: date | None = None
    to_on: date | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    search: str = ""
    language: str = "en"

    def as_json(self) -> dict[str, Any]:
        """Return what can be kept: everything but the searched text."""
        return {
            "table": self.table,
            "format": self.file_format,
            "anonymous": self.is_anonymous,
            "columns": list(self.columns),
            "from_on": self.from_on.isoformat() if self.from_on else None,
            "to_on": self.to_on.isoformat() if self.to_on else None,
            "filters": dict(sorted(self.filters.items())),
            "language": self.language,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Choice":
        return cls(
            table=kept["table"],
            file_format=kept["format"],
            is_anonymous=kept["anonymous"],
            columns=tuple(kept["columns"]),
            from_on=_day(kept["from_on"]),
            to_on=_day(kept["to_on"]),
            filters=dict(kept["filters"]),
            language=kept["language"],
        )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
