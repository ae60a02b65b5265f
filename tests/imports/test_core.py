"""Cells and headings; no database."""

from datetime import date

import pytest

from imports.core import (
    CellError,
    match_columns,
    missing_fields,
    read_channels,
    read_count,
    read_date,
    read_dates,
    read_language,
    split_name,
    spread_dates,
)


@pytest.mark.parametrize(
    ("kind", "headings", "found"),
    [
        (
            "clients",
            ["Имя", "Фамилия", "Телефон", "E-mail *"],
            {"given_name": 0, "family_name": 1, "phone": 2, "email": 3},
        ),
        ("clients", ["", "ФИО", "Моб."], {"family_first": 1}),
        ("clients", ["Phone", "phone", "Name"], {"given_first": 2, "phone": 0}),
        ("clients", ["Name", "Surname"], {"given_name": 0, "family_name": 1}),
        (
            "courses",
            ["phone", "Protocol", "start_on", "Attended dates", "Врач"],
            {"phone": 0, "protocol": 1, "start_on": 2, "attended": 3, "prescriber": 4},
        ),
    ],
)
def test_columns_are_found_by_their_headings(kind, headings, found):
    assert match_columns(kind, headings) == found


def test_what_is_missing_is_named_by_groups():
    assert missing_fields("courses", {"phone": 0, "start_on": 1}) == [("protocol",)]
    assert missing_fields("clients", {}) == [("given_name", "given_first", "family_first")]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31.12.2026", date(2026, 12, 31)),
        (" 1/2/2026 ", date(2026, 2, 1)),
        ("2026-12-31", date(2026, 12, 31)),
        ("2026-12-31T09:30", date(2026, 12, 31)),
        ("31.12.2026 09:30", date(2026, 12, 31)),
        ("29.02.2024", date(2024, 2, 29)),
        ("31-12-2026", date(2026, 12, 31)),
        ("2026/12/31", date(2026, 12, 31)),
        ("2026.12.31", date(2026, 12, 31)),
    ],
)
def test_dates_are_read_as_people_write_them(text, day):
    assert read_date(text) == day


@pytest.mark.parametrize(
    "text",
    ["", "29.02.2026", "31.12.26", "12/31/2026", "soon", "2026-13-01", "20261231", "1/2.2026", "2026-12/31"],
)
def test_what_is_no_date_is_refused(text):
    with pytest.raises(CellError, match=r"^date$"):
        read_date(text)


def test_dates_of_one_cell_come_in_order_and_once():
    assert read_dates("04.03.2026; 02.03.2026,2026-03-06 10:00") == tuple(date(2026, 3, n) for n in (2, 4, 6))
    assert read_dates("04-03-2026 2026/03/05") == (date(2026, 3, 4), date(2026, 3, 5))
    assert read_dates("") == ()
    with pytest.raises(CellError, match="date_twice"):
        read_dates("02.03.2026 2026-03-02")
    with pytest.raises(CellError, match=r"^date$"):
        read_dates("02.03.2026, then twice")


@pytest.mark.parametrize(
    ("text", "channels"),
    [("да", None), ("1", None), ("no", frozenset()), ("E-mail, СМС", frozenset({"email", "sms"}))],
)
def test_consents_are_read(text, channels):
    assert read_channels(text) == channels


def test_other_cells_are_read_or_refused():
    assert (read_count("7"), read_count(" 7.0 "), read_language("Русский"), read_language("EN")) == (
        7,
        7,
        "ru",
        "en",
    )
    for read, text, code in (
        (read_count, "7.5", "number"),
        (read_count, "-1", "number"),
        (read_language, "de", "language"),
        (read_channels, "by pigeon", "consent"),
    ):
        with pytest.raises(CellError, match=code):
            read(text)


@pytest.mark.parametrize(
    ("text", "is_family_first", "names"),
    [
        ("Anna Berzina", False, ("Anna", "Berzina")),
        ("Берзиня  Анна Ивановна", True, ("Анна Ивановна", "Берзиня")),
        ("Anna", True, ("Anna", "")),
        ("Anna", False, ("Anna", "")),
    ],
)
def test_whole_names_are_split(text, is_family_first, names):
    assert split_name(text, is_family_first=is_family_first) == names


def test_sessions_of_unknown_days_are_spread_evenly():
    assert spread_dates(date(2026, 3, 2), date(2026, 3, 9), 4) == tuple(
        date(2026, 3, n) for n in (2, 4, 7, 9)
    )
    assert spread_dates(date(2026, 3, 2), date(2026, 3, 9), 1) == (date(2026, 3, 9),)
    for first, last, count, code in (
        (date(2026, 3, 2), date(2026, 3, 3), 3, "too_many"),
        (date(2026, 3, 3), date(2026, 3, 2), 1, "last_before_start"),
    ):
        with pytest.raises(CellError, match=code):
            spread_dates(first, last, count)
