"""Sentences that the core makes are looked up as they are, so no tool collects them: this is the collection."""

from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from courses.core import sentences
from courses.core.plan import sentences as plan_sentences

CATALOGUE = Path(__file__).resolve().parents[2] / "locale" / "ru" / "LC_MESSAGES" / "django.po"
SENTENCES = sentences.SENTENCES | {f"plan.{key}": texts for key, texts in plan_sentences.SENTENCES.items()}


@pytest.fixture(scope="module")
def russian():
    with CATALOGUE.open("rb") as file:
        return {
            message.id[0] if isinstance(message.id, tuple) else message.id: message
            for message in read_po(file)
            if message.id and not message.context
        }


@pytest.mark.parametrize("key", SENTENCES)
def test_sentence_has_all_its_russian_forms(russian, key):
    singular, _plural = SENTENCES[key]

    message = russian[singular]

    forms = message.string if isinstance(message.string, tuple) else (message.string,)
    assert all(forms)
    # A window is told by its dates and not by plural forms, see staff/planning_words.py.
    assert len(forms) == (1 if key == "plan.window" else 3)
