"""From FHIR to a prescription: a Timing, a ServiceRequest, a CarePlan that contains them, or a Bundle.

What a course cannot keep is refused by the path of the element and a code, all of it at once; what is left out
without harm is noted. Elements that change the meaning of others (modifiers) are never ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, cast, get_args

from courses.core.fhir import names
from courses.core.fhir.elements import Element, FhirError, Note, Reading, Refusal
from courses.core.fhir.phases import ReadPhase, read_request, read_timing
from courses.core.types import PhaseEnd, PhaseKind, PhaseSpec, Prescription
from courses.core.wire import MAX_DECISIONS, MAX_PHASES

__all__ = ["FhirError", "Note", "ReadPrescription", "Refusal", "read_prescription"]

KINDS: Final = ("Bundle", "CarePlan", "ServiceRequest", "Timing")
# Beyond this a file is no course.
_MAX_ENTRIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class ReadPrescription:
    """A prescription as read; `minutes_by_session` has one tuple a phase.

    `client_code` and `protocol_code` are the codes that the file names, if it came from here; nobody has looked
    yet whether there are such.
    """

    phases: tuple[PhaseSpec, ...]
    minutes_by_session: tuple[tuple[int, ...], ...]
    start_on: date | None = None
    phases_ended: tuple[PhaseEnd, ...] = ()
    restarts: tuple[date, ...] = ()
    client_code: str = ""
    protocol_code: str = ""
    notes: tuple[Note, ...] = ()

    def prescription(self, *, start_on: date) -> Prescription:
        """Return all of it as the core's prescription; `start_on` is for a file that names no day."""
        return Prescription(self.start_on or start_on, self.phases, self.phases_ended, self.restarts)


def read_prescription(resource: object) -> ReadPrescription:
    """Return the prescription that a resource, as parsed from JSON, says.

    Phases come in the order of the care plan's activities, else as they stand in the file.
    Raises: FhirError with everything that cannot be kept.
    """
    reading = Reading()
    root = Element(reading, resource, "")
    kind = "Timing" if root.is_object and "resourceType" not in root.values else root.text("resourceType")
    if not root.is_object or kind not in KINDS:
        reading.refuse("resourceType", "kind_unknown", kinds=", ".join(KINDS))
        raise FhirError(reading.refusals)
    root = Element(reading, resource, str(kind))
    root.refuse_modifiers()
    if kind == "Timing":
        found = _from_phases(reading, [read_timing(root)], root.path)
    elif kind == "ServiceRequest":
        found = _from_phases(reading, [read_request(root)], root.path)
    elif kind == "CarePlan":
        found = _from_plan(reading, root, _contained(root))
    else:
        found = _from_bundle(reading, root)
    if reading.refusals:
        raise FhirError(reading.refusals)
    return replace(found, notes=tuple(reading.notes))


# ---------------------------------------------------------------- a bundle and a plan


def _from_bundle(reading: Reading, bundle: Element) -> ReadPrescription:
    resources: dict[str, Element] = {}
    for entry in bundle.items("entry", most=_MAX_ENTRIES):
        resource = entry.child("resource")
        if resource is None or not resource.is_object:
            continue
        resources[entry.text("fullUrl") or f"#entry {entry.path}"] = resource
        kind, code = resource.values.get("resourceType"), resource.values.get("id")
        resources.setdefault(f"{kind}/{code}", resource)
    plans = _of_kind(resources, "CarePlan")
    if len(plans) > 1:
        reading.refuse(plans[1].path, "one_plan")
        return _nothing()
    if plans:
        plans[0].refuse_modifiers()
        found = _from_plan(reading, plans[0], resources | _contained(plans[0]))
        return replace(found, client_code=_client_code(resources))
    requests = _of_kind(resources, "ServiceRequest")
    for request in requests:
        request.refuse_modifiers()
    _refuse_strangers(reading, requests)
    found = _from_phases(reading, [read_request(one) for one in requests], bundle.at("entry"))
    return replace(found, client_code=_client_code(resources))


def _of_kind(resources: Mapping[str, Element], kind: str) -> list[Element]:
    """Return the resources of a kind, each once, in the order of the file."""
    found = {one.path: one for one in resources.values() if one.values.get("resourceType") == kind}
    return list(found.values())


def _contained(plan: Element) -> dict[str, Element]:
    return {f"#{one.text('id')}": one for one in plan.items("contained", most=_MAX_ENTRIES) if one.is_object}


def _from_plan(reading: Reading, plan: Element, resources: Mapping[str, Element]) -> ReadPrescription:
    requests: list[Element] = []
    for activity in plan.items("activity", most=MAX_PHASES):
        if activity.has("detail"):
            reading.refuse(activity.at("detail"), "old_release")
            continue
        planned = activity.child("plannedActivityReference")
        if planned is None:
            continue
        request = resources.get(planned.text("reference") or "")
        if request is None or request.values.get("resourceType") != "ServiceRequest":
            reading.refuse(planned.at("reference"), "not_a_request")
            continue
        request.refuse_modifiers()
        requests.append(request)
    _note_status(reading, plan)
    _refuse_strangers(reading, [plan, *requests])
    found = _from_phases(reading, [read_request(one) for one in requests], plan.at("activity"))
    period = plan.child("period")
    start_on = period.day("start") if period is not None else None
    if start_on and found.start_on and start_on != found.start_on and period is not None:
        reading.refuse(period.at("start"), "starts_differ", other=found.start_on.isoformat())
    canonical = plan.values.get("instantiatesCanonical")
    first = canonical[0] if isinstance(canonical, list) and canonical else ""
    return replace(
        found,
        start_on=start_on or found.start_on,
        restarts=tuple(plan.extension_days(names.RESTART_ON, most=MAX_DECISIONS)),
        protocol_code=str(first).split("|")[0].removeprefix("urn:uuid:"),
    )


def _refuse_strangers(reading: Reading, resources: list[Element]) -> None:
    """Refuse requests that are for more than one person."""
    first = ""
    for resource in resources:
        subject = resource.child("subject")
        reference = subject.text("reference") if subject is not None else None
        if reference and first and reference != first and subject is not None:
            reading.refuse(subject.at("reference"), "two_subjects")
            return
        first = first or reference or ""


def _note_status(reading: Reading, resource: Element) -> None:
    status = resource.values.get("status")
    if status == "entered-in-error":
        reading.refuse(resource.at("status"), "in_error")
    elif status in ("revoked", "completed"):
        reading.note(resource.at("status"), "is_over", status=str(status))


def _client_code(resources: Mapping[str, Element]) -> str:
    for patient in _of_kind(resources, "Patient"):
        for identifier in patient.items("identifier", most=100):
            if identifier.values.get("system") == names.CLIENT:
                return identifier.text("value") or ""
    return ""


# ---------------------------------------------------------------- phases


def _nothing() -> ReadPrescription:
    return ReadPrescription((), ())


def _from_phases(reading: Reading, phases: list[ReadPhase | None], path: str) -> ReadPrescription:
    if not phases:
        reading.refuse(path, "no_phase")
    elif len(phases) > MAX_PHASES:
        reading.refuse(path, "too_many_phases", most=MAX_PHASES)
    read = [phase for phase in phases if phase is not None]
    if len(read) < len(phases) or not read:
        return _nothing()
    for phase in read[1:]:
        if phase.start_on is not None:
            reading.note(phase.start_path, "start_left_out", day=phase.start_on.isoformat())
    return ReadPrescription(
        phases=tuple(replace(one.spec, kind=_kind(one, index)) for index, one in enumerate(read)),
        minutes_by_session=tuple(one.minutes_by_session for one in read),
        start_on=read[0].start_on,
        phases_ended=tuple(
            PhaseEnd(index, one.ended_on) for index, one in enumerate(read) if one.ended_on is not None
        ),
    )


def _kind(phase: ReadPhase, index: int) -> PhaseKind:
    """Return what the file calls the phase, else what it is by its place."""
    if phase.kind in get_args(PhaseKind):
        return cast(PhaseKind, phase.kind)
    return "maintenance" if index else "intensive"
