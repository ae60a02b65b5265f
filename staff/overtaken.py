"""Forms of what is stored already: what somebody else has changed since the page was shown is not overwritten unasked."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, time
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.choices import flatten_choices
from django.utils.crypto import salted_hmac
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from clinics.services import lock_clinic
from staff.access import StaffRequest
from staff.templatetags.interface import day

# The hidden field with what the page showed.
SEEN: Final = "seen"
_LONGEST_SHOWN: Final = 80


@contextmanager
def undisturbed(request: StaffRequest, rows: QuerySet[Any] | None = None) -> Iterator[None]:
    """Hold the clinic, or rows that are asked for with a lock, until what was posted is saved or refused.

    A form that is made inside compares with what it saves over: of two that save in one moment the later one waits,
    and is told. The lock is the one that the service takes first, so that no two hold what the other waits for.
    A page that is merely looked at locks nothing.
    Cost: one query, when something was posted.
    """
    if request.method != "POST":
        yield
        return
    with transaction.atomic():
        if rows is None:
            lock_clinic(request.staff_member.clinic)
        else:
            list(rows.values_list("pk"))
        yield


class SeenForm(forms.Form):
    """A form whose `initial` is what is stored now, also while it is bound; its page posts `stamp` back as SEEN.

    A field that was left as it was shown takes what is stored by now. One that both changed is refused with the
    other value; the next time the page has shown that one, and what was typed is saved. Without a stamp nothing is
    compared.
    """

    @property
    def stamp(self) -> str:
        """A mark for each field of what is stored now, from which nobody reads the value."""
        return stamp_of(
            (name, self.get_initial_for_field(field, name)) for name, field in self.fields.items()
        )

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]  # a hook that the stubs leave out
        marks = read_stamp(self.data.get(SEEN, ""))
        for name, field in self.fields.items():
            stored = self.get_initial_for_field(field, name)
            if name in self.cleaned_data and is_overtaken(marks, name, stored):
                self._settle(name, field, stored, seen=marks[name])

    def _settle(self, name: str, field: forms.Field, stored: Any, *, seen: str) -> None:
        typed = _mark(name, self.cleaned_data[name])
        if typed == seen:
            self._take(name, field, stored)
        elif typed != _mark(name, stored):
            self.add_error(name, overtaken_words(self.words_for(name, field, stored)))

    def words_for(self, name: str, field: forms.Field, stored: Any) -> str:
        """Return a stored value as a reader knows it from the field."""
        return _words(field, stored)

    def _take(self, name: str, field: forms.Field, stored: Any) -> None:
        """Let a field that nobody touched say what is stored, in its value and on the page."""
        value = field.prepare_value(stored)
        try:
            self.cleaned_data[name] = field.clean(value)
        except ValidationError:
            # Stored before the rules that hold now: as it was typed then.
            return
        sent: Any = self.data
        data = sent.copy()
        if isinstance(value, list | tuple | set | frozenset):
            data.setlist(name, [str(one) for one in value])
        elif isinstance(field, forms.BooleanField) and not value:
            data.pop(name, None)
        else:
            data[name] = "" if value is None else str(value)
        self.data = data


def stamp_of(values: Iterable[tuple[str, Any]]) -> str:
    """Return a mark for each named value that a page shows, from which nobody reads it."""
    return ",".join(f"{name}:{_mark(name, value)}" for name, value in values)


def read_stamp(sent: str) -> dict[str, str]:
    """Return the marks that a page posted back, by name."""
    return dict(part.split(":", 1) for part in sent.split(",") if ":" in part)


def is_overtaken(marks: Mapping[str, str], name: str, stored: Any) -> bool:
    """Tell whether what is stored is no longer what the page showed; of what has no mark, nobody knows."""
    return name in marks and marks[name] != _mark(name, stored)


def overtaken_words(value: str) -> str:
    """Return what somebody is told whose value would take the place of one that the page never showed."""
    return _("Somebody has meanwhile changed this to “%(value)s”. Save again to put yours in place.") % {
        "value": value
    }


def _mark(name: str, value: Any) -> str:
    return salted_hmac("staff.overtaken", f"{name}={_text(value)}", algorithm="sha256").hexdigest()[:12]


def _text(value: Any) -> str:
    """Return a value as text, alike for what is stored and for what is typed."""
    if value is None or value is False:
        return ""
    if isinstance(value, Model):
        return str(getattr(value, "code", value.pk))
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return "|".join(sorted(_text(one) for one in value))
    return str(value).replace("\r\n", "\n").strip()


def _words(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.BooleanField):
        return _("yes") if value else _("no")
    if isinstance(value, date):
        return day(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    choices = getattr(field, "choices", None)
    if choices is not None:
        pairs: Iterator[tuple[Any, Any]] = flatten_choices(choices)
        labels = {_text(getattr(key, "value", key)): str(label) for key, label in pairs}
        several = value if isinstance(value, list | tuple | set | frozenset) else [value]
        return ", ".join(labels.get(_text(one), _text(one)) for one in several) or "–"
    return Truncator(_text(value)).chars(_LONGEST_SHOWN) or "–"
