"""What is agreed with whoever reads or writes our FHIR: the addresses of extensions, systems and units.

They are names, not places: nothing is to be fetched there. docs/fhir.md says what each means.
"""

from typing import Final

_OURS: Final = "urn:regimen:fhir"


def extension_url(name: str) -> str:
    """Return the address of an extension of ours."""
    return f"{_OURS}:extension:{name}"


def system_url(name: str) -> str:
    """Return the address of a code system or of a kind of identifiers of ours."""
    return f"{_OURS}:system:{name}"


# What a timing cannot say.
REST_DAYS: Final = extension_url("rest-days")
FLEX_DAYS: Final = extension_url("flex-days")
GRACE_DAYS: Final = extension_url("grace-days")
LAPSE_DAYS: Final = extension_url("lapse-days")
TARGET: Final = extension_url("target")
MINUTES_BY_SESSION: Final = extension_url("minutes-by-session")
# What a prescriber decided later.
ENDED_ON: Final = extension_url("ended-on")
RESTART_ON: Final = extension_url("restart-on")

PHASE_KIND: Final = system_url("phase-kind")
CLIENT: Final = system_url("client")

UCUM: Final = "http://unitsofmeasure.org"
