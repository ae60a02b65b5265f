"""The Russian texts are whole: nothing untranslated, nothing guessed, every finding's sentence among them."""

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from django.utils.translation import ngettext

from courses.core.sentences import SENTENCES
from courses.models import DriftState
from reminders.models import ReminderState


@pytest.fixture(scope="module")
def catalogue():
    path = settings.BASE_DIR / "locale" / "ru" / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return read_po(file)


def test_no_text_is_untranslated_or_guessed(catalogue):
    texts = [message for message in catalogue if message.id]
    wrong = [
        message.id
        for message in texts
        if message.fuzzy or not all([message.string] if isinstance(message.string, str) else message.string)
    ]

    assert len(texts) > 500
    assert wrong == []


def test_no_translation_drops_or_invents_a_value(catalogue):
    assert [(message.id, [str(error) for error in errors]) for message, errors in catalogue.check()] == []


@pytest.mark.parametrize("key", SENTENCES)
def test_sentence_of_a_finding_is_translated(key):
    singular, plural = SENTENCES[key]

    with translation.override("ru"):
        said = {ngettext(singular, plural, number) for number in (1, 2, 5)}

    assert said.isdisjoint({singular, plural})


def test_due_is_one_word_in_english_and_two_in_russian():
    def said():
        return str(DriftState.DUE.label), str(ReminderState.DUE.label)

    with translation.override("ru"):
        russian = said()

    assert (said(), russian) == (("due", "due"), ("пора", "ждёт отправки"))
