"""What a table consists of: columns that know where they come from and what an anonymised file holds of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.functional import Promise

from clinics.access import Capability
from clinics.models import Clinic
from exports.core.choice import FORMATS, Choice
from reports.cells import Cell

Words = str | Promise


class Kind(StrEnum):
    TEXT = "text"  # what people typed: the only kind that could be a formula
    WORD = "word"  # one of the words of the domain, as it is stored
    CODE = "code"
    NUMBER = "number"
    RATE = "rate"
    TRUTH = "truth"
    DAY = "day"
    MOMENT = "moment"  # the clinic's wall time


class Privacy(StrEnum):
    """What an anonymised file holds of a column."""

    OPEN = "open"  # as it stands
    PERSONAL = "personal"  # nothing: names, contacts, free text, dates of birth
    PSEUDONYM = "pseudonym"  # what stands for it, the same in all files of the clinic
    PROTOCOL = "protocol"  # the word of a protocol that came along, else what stands for it
    ADDED = "added"  # only there: what takes the place of something personal


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `source` is a path in the table's rows, empty for what is looked up for many rows at once.

    `subject` is of what kind the pseudonyms are: one client has one in every table.
    """

    name: str
    title: Words
    kind: Kind = Kind.WORD
    source: str = ""
    privacy: Privacy = Privacy.OPEN
    subject: str = ""


Lookup = Callable[[Sequence[int], Clinic, date], Mapping[int, Mapping[str, Cell]]]


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of rows that can be taken out, found with the same filters as its page."""

    name: str
    title: Words
    about: Words
    icon: str
    columns: tuple[Column, ...]
    find: Callable[[Clinic, Choice, date], QuerySet[Any]]
    lookup: Lookup | None = None
    # Names of the fields that narrow it; "period" stands for two dates.
    filters: tuple[str, ...] = ()
    # What the two dates are about.
    period: Words = ""
    # Whoever may export needs this as well.
    needs: Capability = Capability.EXPORT
    has_anonymous: bool = True
    formats: tuple[str, ...] = FORMATS

    def chosen_columns(self, choice: Choice) -> tuple[Column, ...]:
        """Return the columns of a file in the table's order, without those that its variant leaves out."""
        left_out: Final = Privacy.PERSONAL if choice.is_anonymous else Privacy.ADDED
        return tuple(
            column
            for column in self.columns
            if column.privacy != left_out and (not choice.columns or column.name in choice.columns)
        )


def code_column(name: str, title: Words, source: str, subject: str) -> Column:
    """Return a column of codes, which anonymised files hold as pseudonyms."""
    return Column(name, title, Kind.CODE, source, Privacy.PSEUDONYM, subject)


def personal(name: str, title: Words, source: str = "", kind: Kind = Kind.TEXT) -> Column:
    """Return a column that anonymised files do without."""
    return Column(name, title, kind, source, Privacy.PERSONAL)
