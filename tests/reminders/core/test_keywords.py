"""Words of one word; sentences are for people."""

import pytest

from reminders.keywords import Word, read_word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", Word.STOP),
        ("stop", Word.STOP),
        (" Stop. ", Word.STOP),
        ("«Стоп!»", Word.STOP),
        ("СТОП", Word.STOP),
        ("стоп всё", Word.STOP),
        ("STOP ALL", Word.STOP),
        ("STOP-ALL", Word.STOP),
        ("Unsubscribe", Word.STOP),
        ("CANCEL", Word.STOP),
        ("ＳＴＯＰ", Word.STOP),
        ("отпишите меня", Word.STOP),
        ("START", Word.START),
        ("старт", Word.START),
        ("unstop", Word.START),
        ("YES", Word.YES),
        ("y", Word.YES),
        ("Да!", Word.YES),
        ("ДА ", Word.YES),
        ("подтверждаю.", Word.YES),
        ("No", Word.NO),
        ("нет", Word.NO),
        ("НЕТ...", Word.NO),
        ("_no_", Word.NO),
    ],
)
def test_word_is_read(text, word):
    assert read_word(text) is word


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "!?",
        "no problem",
        "stop by at five?",
        "yes but later",
        "да нет",
        "отмена",
        "HELP",
        "stopp",
        "👍",
        "\x00",
        "yes" * 400,
    ],
)
def test_anything_else_is_for_a_person(text):
    assert read_word(text) is None
