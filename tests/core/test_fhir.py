import json
from copy import deepcopy
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.core.fhir import FhirError, names, read_prescription, timing
from courses.core.types import Cadence, PhaseSpec, Prescription
from tests.core.build import INTENSIVE, MAINTENANCE, prescribed
from tests.core.fhir_build import SUBJECT, bundle_of, phases, prescriptions

DAY = date(2026, 3, 2)


def request(**repeat):
    repeat = {"frequency": 1, "period": 1, "periodMax": 2, "periodUnit": "d", "count": 10} | repeat
    return {
        "resourceType": "ServiceRequest",
        "subject": SUBJECT,
        "occurrenceTiming": {"repeat": {name: value for name, value in repeat.items() if value is not None}},
    }


def refused(resource):
    with pytest.raises(FhirError) as error:
        read_prescription(resource)
    return [(one.path, one.code) for one in error.value.refusals]


def only_phase(resource):
    return read_prescription(resource).phases[0]


def test_timing_says_cadence_amount_and_length():
    phase = replace(INTENSIVE, minutes_min=30, minutes_max=60, duration_days=40)

    assert timing(phase) == {
        "extension": [
            {"url": "urn:regimen:fhir:extension:rest-days", "valuePositiveInt": 1},
            {"url": "urn:regimen:fhir:extension:flex-days", "valueUnsignedInt": 0},
        ],
        "repeat": {
            "boundsDuration": {"value": 40, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"},
            "count": 10,
            "countMax": 15,
            "duration": 30,
            "durationMax": 60,
            "durationUnit": "min",
            "frequency": 1,
            "period": 1,
            "periodMax": 2,
            "periodUnit": "d",
        },
    }


@pytest.mark.slow
@given(prescriptions())
def test_prescription_comes_back_as_it_went_out(prescription):
    sent = json.loads(json.dumps(bundle_of(prescription)))

    read = read_prescription(sent)

    assert read.prescription(start_on=date(1999, 1, 1)) == prescription
    assert read.notes == ()


@pytest.mark.slow
@given(phases())
def test_phase_alone_comes_back_from_its_timing(phase):
    read = only_phase(timing(phase))

    cadence, grace = phase.cadence, phase.cadence.usual_leniency
    plain = replace(phase, kind="intensive", target=None, grace_days=grace[0], lapse_days=grace[1])
    assert (read, read.cadence) == (plain, cadence)


def test_minutes_by_session_come_back():
    sent = bundle_of(prescribed(INTENSIVE, MAINTENANCE), minutes=[(20, 25, 30), ()])

    assert read_prescription(sent).minutes_by_session == ((20, 25, 30), ())


def test_plain_request_of_another_program_is_taken_as_usual():
    plan = read_prescription(request(countMax=15, boundsPeriod={"start": "2026-03-02T08:00:00+02:00"}))

    assert plan.prescription(start_on=date(1999, 1, 1)) == Prescription(DAY, (INTENSIVE,))


@pytest.mark.parametrize(
    ("repeat", "phase"),
    [
        ({"period": 1, "periodMax": None, "periodUnit": "wk", "frequency": 3},
         PhaseSpec("intensive", Cadence.of(3, 7, 7), 10, 10, grace_days=2, lapse_days=21)),
        ({"period": 48, "periodMax": 72.0, "periodUnit": "h"},
         PhaseSpec("intensive", Cadence.of(1, 2, 3), 10, 10, grace_days=1, lapse_days=14)),
        ({"frequency": None, "frequencyMax": 1},
         PhaseSpec("intensive", Cadence.of(1, 1, 2), 10, 10, grace_days=1, lapse_days=14)),
        ({"count": None, "boundsDuration": {"value": 2, "unit": "weeks", "code": "wk"}},
         PhaseSpec("intensive", Cadence.of(1, 1, 2), duration_days=14, grace_days=1, lapse_days=14)),
        ({"count": None, "boundsPeriod": {"start": "2026-03-02", "end": "2026-03-08"}},
         PhaseSpec("intensive", Cadence.of(1, 1, 2), duration_days=7, grace_days=1, lapse_days=14)),
        ({"duration": 45, "durationUnit": "min"},
         PhaseSpec("intensive", Cadence.of(1, 1, 2), 10, 10, None, None, 1, 14, 45, 45)),
    ],
)  # fmt: skip
def test_what_a_timing_says_is_kept(repeat, phase):
    assert only_phase(request(**repeat)) == phase


@pytest.mark.parametrize(("code", "days"), [("QD", 1), ("QOD", 2), ("WK", 7)])
def test_timing_named_by_a_code_is_kept_with_its_bounds(code, days):
    found = only_phase({"code": {"coding": [{"code": code}]}, "repeat": {"count": 5}})

    assert (found.cadence, found.amount) == (Cadence.of(1, days, days), 5)


_REPEAT = "ServiceRequest.occurrenceTiming.repeat"


@pytest.mark.parametrize(
    ("repeat", "field", "code"),
    [
        ({"periodUnit": "mo", "periodMax": None}, "periodUnit", "unit_unknown"),
        ({"periodUnit": None}, "periodUnit", "unit_unknown"),
        ({"period": 36, "periodMax": None, "periodUnit": "h"}, "period", "not_whole_days"),
        ({"period": 0.5, "periodUnit": "wk"}, "period", "not_whole_days"),
        ({"period": 0}, "period", "not_so_many_days"),
        ({"period": "1"}, "period", "not_so_many_days"),
        ({"period": None}, "period", "no_period"),
        ({"period": 3}, "periodMax", "max_below"),
        ({"periodMax": 1e300}, "periodMax", "not_so_many_days"),
        ({"frequency": 3}, "frequency", "more_than_daily"),
        ({"frequency": True}, "frequency", "not_a_number"),
        ({"frequency": None, "_frequency": {"extension": []}}, "frequency", "not_a_number"),
        ({"frequencyMax": 2}, "frequencyMax", "frequency_range"),
        ({"count": None}, "count", "no_amount"),
        ({"count": 1.5}, "count", "not_a_number"),
        ({"countMax": 9}, "countMax", "max_below"),
        ({"count": None, "countMax": 9}, "countMax", "max_alone"),
        ({"count": 9_000, "periodMax": 90}, "count", "too_long"),
        ({"boundsRange": {"low": {"value": 2}}}, "boundsRange", "bounds_range"),
        ({"boundsDuration": {"value": 1, "code": "a"}}, "boundsDuration.code", "unit_unknown"),
        ({"boundsDuration": {"value": 1.5, "code": "d"}}, "boundsDuration.value", "not_whole_days"),
        ({"boundsDuration": []}, "boundsDuration", "not_an_object"),
        ({"boundsPeriod": {"end": "2026-03-02"}}, "boundsPeriod.start", "end_alone"),
        ({"boundsPeriod": {"start": "2026-03"}}, "boundsPeriod.start", "not_a_day"),
        ({"boundsPeriod": {"start": "2026-02-30"}}, "boundsPeriod.start", "not_a_day"),
        ({"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-01"}}, "boundsPeriod.end", "end_before_start"),
        ({"duration": 1, "durationUnit": "h"}, "durationUnit", "not_minutes"),
        ({"dayOfWeek": ["mon"]}, "dayOfWeek", "no_interval"),
        ({"timeOfDay": ["09:00:00"]}, "timeOfDay", "no_interval"),
        ({"frequncy": 2}, "frequncy", "timing_unknown"),
    ],
)  # fmt: skip
def test_what_no_course_keeps_is_refused_by_its_path(repeat, field, code):
    assert refused(request(**repeat)) == [(f"{_REPEAT}.{field}", code)]


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"doNotPerform": True}, "doNotPerform", "forbids"),
        ({"status": "entered-in-error"}, "status", "in_error"),
        ({"asNeededBoolean": True}, "asNeededBoolean", "as_needed"),
        ({"quantityQuantity": {"value": 10}}, "quantityQuantity", "quantity"),
        ({"modifierExtension": [{"url": "urn:x"}]}, "modifierExtension", "modifier_unknown"),
        ({"implicitRules": "urn:x"}, "implicitRules", "modifier_unknown"),
        ({"occurrenceTiming": None}, "occurrenceTiming", "not_an_object"),
        ({"extension": [{"url": names.TARGET, "valuePositiveInt": 11}]}, "extension[0]", "target_outside"),
        ({"extension": [{"url": names.TARGET, "valueString": "9"}]}, "extension[0].valuePositiveInt", "not_a_number"),
        ({"extension": [{"url": names.GRACE_DAYS, "valueUnsignedInt": 9},
                        {"url": names.LAPSE_DAYS, "valueUnsignedInt": 8}]}, "extension[0]", "grace_above_lapse"),
        ({"extension": {}}, "extension", "not_a_list"),
    ],
)  # fmt: skip
def test_request_that_is_no_order_for_sessions_is_refused(more, field, code):
    assert (f"ServiceRequest.{field}", code) in refused(request() | more)


def test_request_for_one_date_is_refused():
    sent = {"resourceType": "ServiceRequest", "occurrenceDateTime": "2026-03-02"}

    assert refused(sent) == [("ServiceRequest.occurrenceDateTime", "single")]


def test_all_that_is_wrong_is_named_at_once():
    sent = bundle_of(prescribed(INTENSIVE, MAINTENANCE))
    sent["entry"][0]["resource"]["occurrenceTiming"]["repeat"]["periodUnit"] = "mo"
    sent["entry"][1]["resource"]["occurrenceTiming"]["repeat"]["count"] = 99

    assert refused(sent) == [
        ("Bundle.entry[1].resource.occurrenceTiming.repeat.countMax", "max_below"),
        ("Bundle.entry[0].resource.occurrenceTiming.repeat.periodUnit", "unit_unknown"),
    ]


@pytest.mark.parametrize("sent", [None, [], 7, "x", {"resourceType": "Patient"}, {"resourceType": 5}])
def test_what_is_no_request_is_refused(sent):
    assert ("resourceType", "kind_unknown") in refused(sent)


def test_bundle_without_requests_is_refused():
    assert refused({"resourceType": "Bundle"}) == [("Bundle.entry", "no_phase")]


def test_bundle_with_two_plans_is_refused():
    sent = bundle_of(prescribed())
    sent["entry"] *= 2

    assert refused(sent)[0][1] == "one_plan"


def test_requests_for_two_people_are_refused():
    sent = bundle_of(prescribed(INTENSIVE, MAINTENANCE))
    sent["entry"][0]["resource"]["subject"] = {"reference": "Patient/other"}

    assert refused(sent) == [("Bundle.entry[0].resource.subject.reference", "two_subjects")]


def test_activity_that_is_no_request_is_refused():
    sent = bundle_of(prescribed(INTENSIVE))
    sent["entry"][1]["resource"]["activity"].append({"plannedActivityReference": {"reference": "Task/1"}})

    assert refused(sent)[0] == (
        "Bundle.entry[1].resource.activity[1].plannedActivityReference.reference",
        "not_a_request",
    )


def test_plan_that_contains_its_requests_is_read():
    inside = request() | {"id": "one"}
    plan = {
        "resourceType": "CarePlan",
        "contained": [inside],
        "activity": [{"plannedActivityReference": {"reference": "#one"}}],
        "period": {"start": "2026-03-02"},
    }

    read = read_prescription(plan)

    assert (read.start_on, read.phases) == (DAY, (replace(INTENSIVE, sessions_max=10),))


def test_day_of_a_later_phase_is_left_out_with_a_note():
    sent = bundle_of(prescribed(INTENSIVE, MAINTENANCE))
    repeat = sent["entry"][0]["resource"]["occurrenceTiming"]["repeat"]
    del repeat["boundsDuration"]
    repeat["boundsPeriod"] = {"start": "2026-04-01", "end": "2027-03-31"}

    read = read_prescription(sent)

    assert (read.phases[1], read.start_on) == (MAINTENANCE, DAY)
    assert [(note.code, note.values) for note in read.notes] == [("start_left_out", {"day": "2026-04-01"})]


def test_starts_that_differ_are_refused():
    sent = bundle_of(prescribed(INTENSIVE))
    repeat = sent["entry"][0]["resource"]["occurrenceTiming"]["repeat"]
    repeat["boundsPeriod"] = {"start": "2026-04-01"}

    assert refused(sent) == [("Bundle.entry[1].resource.period.start", "starts_differ")]


def test_plan_that_is_over_is_read_with_a_note():
    sent = bundle_of(prescribed(INTENSIVE))
    sent["entry"][1]["resource"]["status"] = "revoked"

    assert [note.code for note in read_prescription(sent).notes] == ["is_over"]


def _places(value, path=()):
    found = [path]
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found += _places(inner, (*path, key))
    return found


_SENT = bundle_of(
    prescribed(INTENSIVE, replace(MAINTENANCE, minutes_min=30, minutes_max=60), ended=[(0, "03-20")])
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.slow
@given(st.sampled_from(_places(_SENT)[1:]), _JSON)
def test_anything_anywhere_is_read_or_refused(place, value):
    sent = deepcopy(_SENT)
    inner = sent
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value

    assert _outcome(sent)


def _outcome(sent):
    """Phases, or what was refused; anything else that is raised fails the test."""
    try:
        return read_prescription(sent).phases
    except FhirError as error:
        return error.refusals
