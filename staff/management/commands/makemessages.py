"""Collect the texts to translate: Django's command, and with it the sentences of the pure core.

The core knows no Django, so its sentences are plain strings, in which no tool sees a text to translate.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from django.core.management.commands import makemessages

from courses.core.plan.sentences import SENTENCES as REASONS
from courses.core.sentences import SENTENCES as FINDINGS
from staff.planning_words import TWO_TEXTS

# As the catalogues stand: without line numbers, which change with every edit, and in the order of the texts.
_SHAPE: Final = ["--no-location", "--sort-output", "--width=110"]


class Command(makemessages.Command):
    """`manage.py makemessages -l ru`; a guess at a translation is not made, because no test lets it through."""

    xgettext_options = [*makemessages.Command.xgettext_options, *_SHAPE]
    msguniq_options = [*makemessages.Command.msguniq_options, *_SHAPE]
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching", *_SHAPE]
    msgattrib_options = [*makemessages.Command.msgattrib_options, *_SHAPE]

    def process_files(self, file_list: list[makemessages.TranslatableFile]) -> None:
        super().process_files(file_list)
        if self.domain == "django" and self.default_locale_path:
            template = Path(self.default_locale_path) / f"{self.domain}.pot"
            makemessages.write_pot_file(str(template), core_template())


def core_template() -> str:
    """Return the sentences of the core as a template for translators, the way xgettext writes one."""
    catalog = Catalog(charset="utf-8")
    for text in core_texts():
        catalog.add(text)
    file = BytesIO()
    write_po(file, catalog, width=0)
    return file.getvalue().decode()


def core_texts() -> Iterator[str | tuple[str, str]]:
    """Yield every sentence of the core: its singular and plural, or one text where pages look up one alone."""
    yield from FINDINGS.values()
    for key, forms in REASONS.items():
        if key in TWO_TEXTS:
            yield from forms
        else:
            yield forms
