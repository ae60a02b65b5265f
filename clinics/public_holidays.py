"""The public holidays of a country, as the maintained `holidays` package knows them."""

from collections.abc import Mapping
from datetime import date

from clinics.models import Language

# What the package calls the languages of the product.
_NAMES = {Language.ENGLISH: "en_US", Language.RUSSIAN: "ru"}


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
