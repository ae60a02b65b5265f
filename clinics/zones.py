"""Which time zones a country has, and the one that a clinic there is taken to keep."""

from collections.abc import Mapping
from typing import Final
from zoneinfo import available_timezones

from babel.core import get_global

# Where nearly everybody of a country with several zones lives. Source: CLDR, supplemental/metaZones, primaryZones.
_PRIMARY: Final[Mapping[str, str]] = {
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "UA": "Europe/Kyiv",
    "UZ": "Asia/Tashkent",
}


def zones_of(country: str) -> tuple[str, ...]:
    """Return the time zones of a country (ISO 3166, two letters) by name; empty when it is not known."""
    # Zones that are nowhere, such as Etc/GMT+3, are those of the "country" ZZ.
    known = {zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")}
    return tuple(sorted(zone for zone in get_global("territory_zones").get(country, ()) if zone in known))


def guess_zone(country: str) -> str:
    """Return the time zone of a country, nothing where it has several and somebody has to choose."""
    zones = zones_of(country)
    return _PRIMARY.get(country, "") or (zones[0] if len(zones) == 1 else "")
