"""Invented people; no address of theirs can reach anybody (example.com is reserved for examples)."""

import random
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final

_WOMEN_LV: Final = (
    "Anna",
    "Ilze",
    "Kristīne",
    "Laura",
    "Elīna",
    "Zane",
    "Dace",
    "Inga",
    "Marta",
    "Līga",
    "Santa",
    "Evija",
)
_SURNAMES_LV: Final = (
    "Bērziņa",
    "Kalniņa",
    "Ozola",
    "Jansone",
    "Liepiņa",
    "Krūmiņa",
    "Balode",
    "Eglīte",
    "Zariņa",
    "Pētersone",
    "Vītola",
)
_WOMEN_RU: Final = (
    "Ольга",
    "Наталья",
    "Екатерина",
    "Светлана",
    "Ирина",
    "Марина",
    "Татьяна",
    "Юлия",
    "Алла",
    "Вера",
)
_SURNAMES_RU: Final = (
    "Иванова",
    "Соколова",
    "Кузнецова",
    "Морозова",
    "Волкова",
    "Лебедева",
    "Новикова",
    "Павлова",
    "Зайцева",
    "Белова",
)
_OTHERS: Final = (
    ("Martin", "Schneider", "en"),
    ("Sophie", "van den Berg-Achterhuizen", "en"),
    ("Aleksander Konstanty Maksymilian", "Brzęczyszczykiewicz-Wiśniewski", "en"),
    ("José María", "García Fernández de la Vega", "en"),
    ("Ming", "Li", "en"),
    ("Fatima", "El Amrani", "en"),
    ("Juris", "Kārkliņš", "en"),
    ("Дмитрий", "Рождественский-Преображенский", "ru"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A client to register, with what the client wishes."""

    given_name: str
    family_name: str
    language: str
    email: str
    phone: str
    birth_on: date | None
    wishes: dict[str, Any]


def invent_people(rng: random.Random, count: int) -> list[Person]:
    """Return so many people with different names, the long and unusual ones first."""
    names = list(_OTHERS)
    latvian = [(given, family, "en") for given in _WOMEN_LV for family in _SURNAMES_LV]
    russian = [(given, family, "ru") for given in _WOMEN_RU for family in _SURNAMES_RU]
    rng.shuffle(latvian)
    rng.shuffle(russian)
    for pair in zip(latvian, russian, strict=False):
        names.extend(pair)
    if count > len(names):
        # More than there are names for: the same names again, told apart by a number.
        names += [
            (given, f"{family} {number}", language)
            for number in range(2, 2 + count // len(names) + 1)
            for given, family, language in list(names)
        ]
    return [_person(rng, number, *names[number]) for number in range(count)]


def _person(rng: random.Random, number: int, given: str, family: str, language: str) -> Person:
    wishes: dict[str, Any] = {}
    if rng.random() < 0.35:
        wishes["prefers_weekdays"] = sorted(rng.sample(range(1, 6), rng.randint(2, 4)))
    if rng.random() < 0.4:
        from_hour = rng.choice((9, 12, 16))
        wishes |= {"prefers_from_time": time(from_hour), "prefers_to_time": time(from_hour + 4)}
    return Person(
        given_name=given,
        family_name=family,
        language=language,
        email=f"client{number + 1}@example.com",
        # A range that the Latvian regulator has given to nobody.
        phone=f"+371 200{number:05d}",
        birth_on=_birth_on(number),
        wishes=wishes,
    )


def _birth_on(number: int) -> date | None:
    """Return an adult's date of birth; of every sixth nobody has asked, and a code stands in for it on the client's pages.

    Not drawn: what was drawn before for the same seed stays as it is.
    """
    if number % 6 == 5:
        return None
    return date(1952 + number * 7 % 53, 1 + number * 5 % 12, 1 + number * 11 % 28)
