from datetime import date

from exports.core.choice import Choice


def test_choice_is_the_same_after_it_was_kept():
    choice = Choice(
        table="sessions",
        file_format="jsonl",
        is_anonymous=True,
        columns=("session", "on"),
        from_on=date(2026, 3, 1),
        to_on=date(2026, 3, 31),
        filters={"status": "attended"},
        language="ru",
    )

    assert Choice.from_json(choice.as_json()) == choice


def test_what_was_searched_for_is_never_kept():
    kept = Choice("clients", search="Berzina").as_json()

    assert "Berzina" not in str(kept)
    assert Choice.from_json(kept) == Choice("clients")
