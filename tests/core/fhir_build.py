"""Random prescriptions, and a prescription alone as a FHIR bundle, the way whoever has rows makes one."""

from datetime import date

from hypothesis import strategies as st

from courses.core.fhir import plan_parts, request_parts
from courses.core.types import Cadence, PhaseEnd, PhaseSpec, Prescription

SUBJECT = {"reference": "urn:uuid:5b1c7a5e-0a2f-4a35-9f1e-2f0c9b1d7a11"}
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@st.composite
def phases(draw):
    period_min = draw(st.integers(1, 400))
    period_max = draw(st.integers(period_min, 400))
    flex = draw(st.integers(0, period_min - 1))
    cadence = Cadence.of(
        draw(st.integers(1, period_max)), period_min, period_max, draw(st.integers(1, 90)), flex
    )
    least = draw(st.none() | st.integers(1, 200))
    most = None if least is None else draw(st.integers(least, 200))
    minutes = draw(st.none() | st.tuples(st.integers(1, 300), st.integers(0, 300)))
    grace = draw(st.integers(0, 60))
    return PhaseSpec(
        draw(st.sampled_from(["intensive", "maintenance"])),
        cadence,
        least,
        most,
        target=None if least is None else draw(st.none() | st.integers(least, most)),
        duration_days=draw(st.integers(1, 3_000) if least is None else st.none() | st.integers(1, 3_000)),
        grace_days=grace,
        lapse_days=grace + draw(st.integers(0, 60)),
        minutes_min=minutes and minutes[0],
        minutes_max=minutes and sum(minutes),
    )


@st.composite
def prescriptions(draw):
    specs = tuple(draw(st.lists(phases(), min_size=1, max_size=4)))
    ended = draw(st.sets(st.integers(0, len(specs) - 1)))
    return Prescription(
        draw(days),
        specs,
        tuple(PhaseEnd(index, draw(days)) for index in sorted(ended)),
        tuple(draw(st.lists(days, max_size=2))),
    )


def bundle_of(prescription, minutes=None):
    ends = {end.phase: end.on for end in prescription.phases_ended}
    minutes = minutes or [()] * len(prescription.phases)
    requests = [
        {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": SUBJECT}
        | request_parts(spec, minutes_by_session=minutes[index], ended_on=ends.get(index))
        for index, spec in enumerate(prescription.phases)
    ]
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "order",
        "subject": SUBJECT,
        "activity": [
            {"plannedActivityReference": {"reference": f"ServiceRequest/{index}"}}
            for index in range(len(requests))
        ],
    } | plan_parts(prescription)
    # Requests last to first: their order is the plan's, not the file's.
    named = [request | {"id": str(index)} for index, request in enumerate(requests)][::-1]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in [*named, plan]],
    }
