"""A prescription from a FHIR file: refusals in words, the command, and there and back again."""

import ast
import inspect
import json
from datetime import UTC, date, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from clinics.models import Role
from courses.convert import load_facts
from courses.core.fhir import FhirError, elements, phases, reading
from courses.errors import CourseError
from courses.models import Course
from imports.fhir import MOST_BYTES, read_file, read_prescription
from imports.words import FHIR_WORDS
from tests.core.test_fhir import request
from tests.factories import ClientFactory, ProtocolFactory, StaffMemberFactory, prescribe


def refused(content):
    with pytest.raises(CourseError) as error:
        read_file(content)
    return error.value.code, error.value.message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"count": NaN}', "not_json"),
        (b'{"repeat": {"count": 1, "count": 2}}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b" " * (MOST_BYTES + 1), "too_large"),
        (b"[]", "fhir_refused"),
    ],
)
def test_file_that_is_no_resource_is_refused(content, code):
    found, message = refused(content)

    assert found == code
    assert message.endswith(".")


def test_refusal_names_every_path_with_a_sentence():
    with pytest.raises(CourseError) as error:
        read_prescription(request(periodUnit="mo", count=1.5))

    assert error.value.fields == {
        "ServiceRequest.occurrenceTiming.repeat.periodUnit": (
            "Give one of these units: s, min, h, d, wk. A month or a year has no fixed number of days."
        ),
        "ServiceRequest.occurrenceTiming.repeat.count": "Give a whole number from 1 to 10000.",
    }


def test_every_refusal_has_its_sentence():
    trees = [ast.parse(inspect.getsource(module)) for module in (elements, phases, reading)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    codes = {
        argument.value
        for call in calls
        if call.func.attr in ("refuse", "note", "refuse_others")
        for argument in call.args[1:]
        if isinstance(argument, ast.Constant)
    }

    assert codes | {"as_needed", "quantity", "single"} == set(FHIR_WORDS) - {
        "too_large",
        "not_json",
        "given_twice",
    }


# ---------------------------------------------------------------- the commands


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(datetime(2026, 3, 9, 8, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def course(db):
    member = StaffMemberFactory(role=Role.OWNER)
    return prescribe(member=member, protocol=ProtocolFactory(clinic=member.clinic, slug="manual"))


def run(*arguments, **options):
    said = StringIO()
    call_command(*arguments, stdout=said, **options)
    return said.getvalue()


@pytest.fixture
def file(course, tmp_path):
    path = tmp_path / "course.json"
    path.write_text(run("export_fhir", str(course.code)), encoding="utf-8")
    return path


def test_export_is_audited_and_an_unknown_course_refused(course, file):
    bundle = json.loads(file.read_text(encoding="utf-8"))

    assert bundle["identifier"]["value"] == f"urn:uuid:{course.code}"
    event = AuditEvent.objects.get(action="course.exported")
    assert (event.subject_code, event.new) == (course.code, {"format": "fhir"})
    with pytest.raises(CommandError, match="No course has this code"):
        run("export_fhir", str(course.client.code))


def test_running_courses_of_a_clinic_go_out_one_a_line(course):
    other = prescribe(member=course.prescribed_by)
    prescribe()
    Course.objects.filter(pk=prescribe(member=course.prescribed_by).pk).update(
        status="discontinued", ended_at=course.created_at, end_reason="moved"
    )

    lines = run("export_fhir", clinic=course.clinic.code).splitlines()

    assert [json.loads(line)["identifier"]["value"] for line in lines] == [
        f"urn:uuid:{one.code}" for one in (course, other)
    ]
    event = AuditEvent.objects.get(action="courses.exported")
    assert (event.subject_code, event.new) == (course.clinic.code, {"format": "fhir", "count": 2})
    with pytest.raises(CommandError, match="No clinic has this code"):
        run("export_fhir", clinic=course.code)


def test_import_says_what_would_happen_and_changes_nothing(course, file):
    said = run("import_fhir", str(file), start=date(2026, 11, 30)).splitlines()

    assert said[0] == (
        "10–15 sessions, every 1–2 days, 30–60 minutes; then every 2 weeks for 1 year, 30–60 minutes."
    )
    assert said[1] == (
        "Phase 1, intensive: 10–15 sessions, every 1–2 days, 30–60 minutes; rest 1, flex 0, grace 1, lapse 14 days."
    )
    assert said[3] == (
        f"Would prescribe manual to client {course.client.code} from 2026-11-30, as owner; nothing is booked."
    )
    assert Course.objects.count() == 1


def test_import_prescribes_the_same_course_again(course, file):
    said = run("import_fhir", str(file), apply=True)

    made = Course.objects.exclude(pk=course.pk).get()
    assert f"Course {made.code}." in said
    facts = load_facts([course, made])
    assert facts[made.pk].prescription == facts[course.pk].prescription
    assert (made.client, made.protocol) == (course.client, course.protocol)


def test_import_asks_for_whom_and_what_a_plain_file_does_not_name(course, tmp_path):
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request()), encoding="utf-8")
    client = ClientFactory(clinic=course.clinic)

    with pytest.raises(CommandError, match="--client: name a client"):
        run("import_fhir", str(path))
    with pytest.raises(CommandError, match="--protocol: name a protocol"):
        run("import_fhir", str(path), client=client.code)
    assert f"to client {client.code}" in run("import_fhir", str(path), client=client.code, protocol="manual")


def test_import_names_what_cannot_be_kept_or_read(course, tmp_path):
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request(frequencyMax=3)), encoding="utf-8")

    with pytest.raises(
        CommandError, match=r"^ServiceRequest.occurrenceTiming.repeat.frequencyMax: A course keeps one"
    ):
        run("import_fhir", str(path))
    with pytest.raises(CommandError, match="No such file or directory"):
        run("import_fhir", str(tmp_path / "none.json"))


def test_error_of_the_core_has_all_codes_in_its_text():
    assert str(FhirError([elements.Refusal("a.b", "no_period")])) == "a.b: no_period"
