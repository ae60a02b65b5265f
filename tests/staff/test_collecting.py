"""Collecting the texts to translate: the sentences of the core are among them, though no tool sees them there."""

from io import BytesIO

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.commands import makemessages

from courses.core import sentences as findings
from courses.core.plan import sentences as reasons
from staff.management.commands.makemessages import Command, core_template, core_texts

COLLECTED_BY_XGETTEXT = """msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "Course"
msgstr ""
"""


def forms_in(text):
    """The texts of a template, each with its plural if it has one."""
    return {message.id for message in read_po(BytesIO(text.encode())) if message.id}


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command after xgettext, which needs programs that not every machine has, has found one text."""

    def process_files(self, file_list):
        (tmp_path / "django.pot").write_text(COLLECTED_BY_XGETTEXT, encoding="utf-8")

    monkeypatch.setattr(makemessages.Command, "process_files", process_files)
    command = Command()
    command.default_locale_path = str(tmp_path)
    return command


def test_sentences_of_the_core_join_what_was_collected(command, tmp_path):
    command.domain = "django"

    command.process_files([])

    collected = (tmp_path / "django.pot").read_text(encoding="utf-8")
    assert collected.startswith(COLLECTED_BY_XGETTEXT)
    assert collected.count("Content-Type") == 1
    assert forms_in(collected) == {"Course", *core_texts()}


def test_texts_of_scripts_are_left_alone(command, tmp_path):
    command.domain = "djangojs"

    command.process_files([])

    assert (tmp_path / "django.pot").read_text(encoding="utf-8") == COLLECTED_BY_XGETTEXT


def test_template_has_every_sentence_of_every_table():
    tables = {
        path.relative_to(settings.BASE_DIR).as_posix()
        for path in settings.BASE_DIR.glob("*/core/**/sentences.py")
    }
    assert tables == {"courses/core/sentences.py", "courses/core/plan/sentences.py"}

    texts = forms_in(core_template())

    plurals = {*findings.SENTENCES.values(), *reasons.SENTENCES.values()}
    window = reasons.SENTENCES["window"]
    assert texts == (plurals - {window}) | {*window}


def test_what_is_collected_keeps_its_russian():
    path = settings.BASE_DIR / "locale" / "ru" / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        russian = {message.id: message.string for message in read_po(file) if not message.context}

    # A merge keeps a translation only where singular and plural both are what was collected.
    lost = [text for text in core_texts() if text not in russian or not all(russian[text])]

    assert lost == []
