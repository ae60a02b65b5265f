"""The protocol library: reads the shipped templates and gives a clinic its own versioned copies."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml
from django.db import transaction

from audit.services import Actor, record
from clinics.models import Clinic
from clinics.services import lock_clinic
from courses.core.types import Cadence, PhaseSpec
from courses.models import Protocol
from courses.services.protocol_versions import ConditionDraft, ProtocolDraft, write_version

LIBRARY_FILE: Final = Path(__file__).resolve().parent.parent / "data" / "protocols.yaml"
STRENGTHS: Final = ("permanent", "temporary", "caution")
# (longest period in days, grace, lapse) where a phase does not say them.
_TOLERANCES: Final = ((3, 1, 14), (7, 2, 21), (10_000, 3, 42))


@lru_cache(maxsize=1)
def _read_file() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(LIBRARY_FILE.read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def read_library() -> dict[str, dict[str, Any]]:
    """Return the shipped protocols by slug, references to one another resolved."""
    by_slug: dict[str, dict[str, Any]] = {}
    for entry in _read_file()["protocols"]:
        found = dict(entry)
        if "phases_of" in found:
            found["phases"] = by_slug[found.pop("phases_of")]["phases"]
        if "conditions_of" in found:
            base = by_slug[found.pop("conditions_of")]
            for strength in STRENGTHS:
                found[strength] = [*base.get(strength, []), *found.get(strength, [])]
        by_slug[found["slug"]] = found
    return by_slug


def library_conditions() -> dict[str, dict[str, str]]:
    """Return the names of the shipped conditions: by condition, then by language."""
    found: dict[str, dict[str, str]] = _read_file()["conditions"]
    return found


def _phase_spec(phase: Mapping[str, Any]) -> PhaseSpec:
    period_min, period_max = phase["period"]
    grace, lapse = next((grace, lapse) for longest, grace, lapse in _TOLERANCES if period_max <= longest)
    sessions_min, sessions_max = phase.get("sessions", (None, None))
    minutes_min, minutes_max = phase["minutes"]
    return PhaseSpec(
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


def load_library(*, clinic: Clinic, by: Actor, now: datetime, slugs: Collection[str] | None = None) -> int:
    """Give the clinic the protocols that it does not have yet, those of the slugs alone if given; return how many.

    A protocol that the clinic has, in whatever version, is left as it is: it may have been adapted.
    """
    with transaction.atomic():
        # Two owners may press at once, or one twice.
        lock_clinic(clinic)
        wanted = {slug: entry for slug, entry in read_library().items() if slugs is None or slug in slugs}
        present = set(Protocol.objects.for_clinic(clinic).values_list("slug", flat=True))
        missing = [entry for slug, entry in wanted.items() if slug not in present]
        for entry in missing:
            write_version(
                library_draft(entry), clinic=clinic, slug=entry["slug"], version=1, member=None, now=now
            )
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


def library_draft(entry: Mapping[str, Any]) -> ProtocolDraft:
    """Return what a shipped protocol says."""
    summary, preparation = entry.get("summary", {}), entry.get("preparation", {})
    names = library_conditions()
    steps = tuple(tuple(phase.get("minutes_by_session", ())) for phase in entry["phases"])
    return ProtocolDraft(
        name_en=entry["name"]["en"],
        name_ru=entry["name"]["ru"],
        phases=tuple(_phase_spec(phase) for phase in entry["phases"]),
        minutes_by_session=steps if any(steps) else (),
        conditions=tuple(
            ConditionDraft(strength, names[word]["en"], names[word]["ru"], word)
            for strength in STRENGTHS
            for word in entry.get(strength, [])
        ),
        summary_en=summary.get("en", ""),
        summary_ru=summary.get("ru", ""),
        modality=entry["modality"],
        preparation_en=preparation.get("en", ""),
        preparation_ru=preparation.get("ru", ""),
        same_day_order=tuple(entry.get("same_day_order", ())),
    )
