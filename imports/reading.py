"""A row's cells by field, with what is wrong with them; shared by both kinds of rows."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clients.models import Client, ContactPoint
from clients.services import checked_email, checked_phone
from clinics.models import Clinic
from courses.errors import CourseError
from imports.core import CellError
from imports.models import RowOutcome
from imports.words import CELL_WORDS

T = TypeVar("T")
_CHANNELS = {"email": "email", "phone": "sms"}


@dataclass
class Cells:
    """The cells of one row by field; problems gather while they are read."""

    values: Mapping[str, str]
    problems: list[list[str]] = field(default_factory=list)

    @classmethod
    def of(cls, cells: Sequence[str], columns: Mapping[str, int]) -> "Cells":
        return cls({name: cells[place] if place < len(cells) else "" for name, place in columns.items()})

    def text(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def read(self, name: str, reader: Callable[[str], T]) -> T | None:
        """Return what a cell means; nothing for an empty one, and for a wrong one, which is put down."""
        text = self.text(name)
        if not text:
            return None
        try:
            return reader(text)
        except CellError as error:
            self.refuse(name, str(CELL_WORDS[error.code]))
        except ValidationError as error:
            self.refuse(name, " ".join(error.messages))
        return None

    def refuse(self, name: str, sentence: str) -> None:
        self.problems.append([name, sentence])

    def refuse_all(self, error: CourseError | ValidationError) -> None:
        """Put down what a verb refused, by field where it names one of ours."""
        if isinstance(error, CourseError):
            named = error.fields or {"": error.message}
        elif hasattr(error, "error_dict"):
            named = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        else:
            named = {"": " ".join(error.messages)}
        for name, sentence in named.items():
            self.refuse(name if name in self.values else "", sentence)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a row comes to: its outcome, and by what another row about the same is known."""

    outcome: RowOutcome
    key: str = ""


def fingerprint(*parts: object) -> str:
    """Return by what two rows about the same are known: names and addresses cannot be read in it."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def read_addresses(cells: Cells, clinic: Clinic) -> dict[str, str]:
    """Return the row's addresses by channel, in their canonical form."""
    found = {
        "email": cells.read("email", checked_email),
        "sms": cells.read("phone", lambda text: checked_phone(text, country=clinic.country)),
    }
    return {channel: value for channel, value in found.items() if value}


def find_clients(addresses: Mapping[str, str], clinic: Clinic) -> list[Client]:
    """Return the clients who have one of the addresses, once each.

    Cost: one query.
    """
    if not addresses:
        return []
    points = ContactPoint.objects.filter(
        clinic=clinic, channel__in=addresses, value__in=addresses.values(), client__erased_at=None
    ).select_related("client__clinic")
    found = {
        point.client_id: point.client
        for point in points.order_by("client_id")
        if _is_same(addresses.get(point.channel, ""), point.value)
    }
    return list(found.values())


def _is_same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def one_client(cells: Cells, found: Sequence[Client], *, name: str = "") -> Client | None:
    """Return the one client that is meant; several of whom the name tells none are a problem."""
    if len(found) > 1 and name:
        found = [client for client in found if client.name.casefold() == name.casefold()] or found
    if len(found) > 1:
        cells.refuse(
            "phone" if "phone" in cells.values else "email",
            _("Several clients have this address. Give an address that only one of them has."),
        )
    return found[0] if len(found) == 1 else None


def known_values(**values: Any) -> dict[str, Any]:
    """Return the values that were given."""
    return {name: value for name, value in values.items() if value not in (None, "")}
