"""The public holidays of a country, as the maintained `holidays` package knows them."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from clinics.models import Language

# What the package calls the languages of the product.
_NAMES = {Language.ENGLISH: "en_US", Language.RUSSIAN: "ru"}


# The package goes through its folders for every answer.
@lru_cache(maxsize=64)
def find_public_holidays(country: str, year: int, *, language: str) -> Mapping[date, str]:
    """Return the holidays of a country (ISO 3166, two letters) in a year, in order, each with its name.

    Names are in the language where the package has them, else in English, else in the country's own.
    Empty: the country is not known, or nothing is known about that year.
    """
    from holidays import country_holidays, list_localized_countries  # noqa: PLC0415  # slow import

    spoken = list_localized_countries().get(country, ())
    wanted = next((name for name in (_NAMES.get(Language(language)), "en_US") if name in spoken), None)
    try:
        found = country_holidays(country, years=year, language=wanted)
    except NotImplementedError:
        return {}
    # A holiday that is kept on another day may fall into the year before or after.
    return {day: found[day] for day in sorted(found) if day.year == year}


def name_holiday(reason: str, on: date, *, country: str, language: str) -> str:
    """Return the reason of a closure for a reader of a language.

    The name of the day's public holiday in any of the product's languages is said in the reader's; whatever else
    somebody wrote stays as it is, also where only a later edition of the package would know the name.
    """
    names = {one: find_public_holidays(country, on.year, language=one).get(on, "") for one in Language.values}
    return names[language] if reason and reason in names.values() else reason
