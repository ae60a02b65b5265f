"""The protocol library: reads the shipped templates and gives a clinic its own versioned copies."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml
from django.db import transaction

from audit.services import Actor, record
from clinics.models import Clinic
from courses.convert import phase_row_values
from courses.core.types import Cadence, PhaseSpec
from courses.models import Protocol, ProtocolContraindication, ProtocolPhase

LIBRARY_FILE: Final = Path(__file__).resolve().parent.parent / "data" / "protocols.yaml"
STRENGTHS: Final = ("permanent", "temporary", "caution")
# (longest period in days, grace, lapse) where a phase does not say them.
_TOLERANCES: Final = ((3, 1, 14), (7, 2, 21), (10_000, 3, 42))


@lru_cache(maxsize=1)
def read_library() -> dict[str, dict[str, Any]]:
    """Return the shipped protocols by slug, references to one another resolved."""
    raw = yaml.safe_load(LIBRARY_FILE.read_text(encoding="utf-8"))
    by_slug: dict[str, dict[str, Any]] = {}
    for entry in raw["protocols"]:
        found = dict(entry)
        if "phases_of" in found:
            found["phases"] = by_slug[found.pop("phases_of")]["phases"]
        if "conditions_of" in found:
            base = by_slug[found.pop("conditions_of")]
            for strength in STRENGTHS:
                found[strength] = [*base.get(strength, []), *found.get(strength, [])]
        found["names_of_conditions"] = raw["conditions"]
        by_slug[found["slug"]] = found
    return by_slug


def phase_values(phase: Mapping[str, Any]) -> dict[str, Any]:
    """Return a library phase as the column values of a phase row."""
    period_min, period_max = phase["period"]
    grace, lapse = next((grace, lapse) for longest, grace, lapse in _TOLERANCES if period_max <= longest)
    sessions_min, sessions_max = phase.get("sessions", (None, None))
    minutes_min, minutes_max = phase["minutes"]
    spec = PhaseSpec(
        kind=phase["kind"],
        cadence=Cadence.of(phase.get("frequency", 1), period_min, period_max),
        sessions_min=sessions_min,
        sessions_max=sessions_max,
        duration_days=phase.get("duration_days"),
        grace_days=grace,
        lapse_days=lapse,
        minutes_min=minutes_min,
        minutes_max=minutes_max,
    )
    return {**phase_row_values(spec), "minutes_by_session": phase.get("minutes_by_session", [])}


def load_library(*, clinic: Clinic, by: Actor, now: datetime) -> int:
    """Give the clinic the protocols that it does not have yet; return how many.

    A protocol that the clinic has, in whatever version, is left as it is: it may have been adapted.
    """
    with transaction.atomic():
        present = set(Protocol.objects.for_clinic(clinic).values_list("slug", flat=True))
        missing = [entry for slug, entry in read_library().items() if slug not in present]
        for entry in missing:
            _create_protocol(clinic, entry, now=now)
        if missing:
            record(
                "clinic.protocols_loaded",
                at=now,
                by=by,
                clinic_code=clinic.code,
                subject_kind="clinic",
                subject_code=clinic.code,
                new={"slugs": [entry["slug"] for entry in missing]},
            )
    return len(missing)


def _create_protocol(clinic: Clinic, entry: Mapping[str, Any], *, now: datetime) -> Protocol:
    summary, preparation = entry.get("summary", {}), entry.get("preparation", {})
    protocol = Protocol.objects.create(
        clinic=clinic,
        slug=entry["slug"],
        name_en=entry["name"]["en"],
        name_ru=entry["name"]["ru"],
        summary_en=summary.get("en", ""),
        summary_ru=summary.get("ru", ""),
        modality=entry["modality"],
        preparation_en=preparation.get("en", ""),
        preparation_ru=preparation.get("ru", ""),
        same_day_order=entry.get("same_day_order", []),
        created_at=now,
    )
    ProtocolPhase.objects.bulk_create(
        ProtocolPhase(clinic=clinic, protocol=protocol, position=position, **phase_values(phase))
        for position, phase in enumerate(entry["phases"])
    )
    names = entry["names_of_conditions"]
    conditions = [(word, strength) for strength in STRENGTHS for word in entry.get(strength, [])]
    ProtocolContraindication.objects.bulk_create(
        ProtocolContraindication(
            clinic=clinic,
            protocol=protocol,
            position=position,
            condition=condition,
            strength=strength,
            name_en=names[condition]["en"],
            name_ru=names[condition]["ru"],
        )
        for position, (condition, strength) in enumerate(conditions)
    )
    return protocol
