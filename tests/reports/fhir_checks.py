"""What holds of every bundle: valid R5, complete in itself, and the prescription comes back."""

import json

from fhir.resources.bundle import Bundle

from courses.convert import load_facts
from courses.core.fhir import read_prescription
from courses.models import Course
from reports.fhir import course_bundles


def resources_of(bundle, kind):
    found = [entry["resource"] for entry in bundle["entry"]]
    return [resource for resource in found if resource["resourceType"] == kind]


def references_in(value):
    """Yield every reference within JSON values."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and "reference" in value:
        yield value["reference"]
    for one in inner:
        yield from references_in(one)


def check_bundle(bundle):
    """Assert that a bundle is valid R5 and refers to nothing outside; return it as it was sent."""
    sent = json.dumps(bundle)
    Bundle.model_validate_json(sent)
    addresses = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(addresses)) == len(addresses)
    assert set(references_in(bundle)) <= set(addresses)
    return json.loads(sent)


def check_courses(courses, *, now):
    """Assert all of it of each course; return how many there were."""
    courses = courses.order_by("pk")
    facts = load_facts(list(Course.objects.filter(pk__in=courses).select_related("clinic")))
    count = 0
    for course, bundle in zip(courses, course_bundles(courses, now=now), strict=True):
        read = read_prescription(check_bundle(bundle))
        prescribed = facts[course.pk]
        assert read.prescription(start_on=course.start_on) == prescribed.prescription
        assert read.minutes_by_session == tuple(limits.by_session for limits in prescribed.limits)
        assert (read.client_code, read.protocol_code) == (str(course.client.code), str(course.protocol.code))
        count += 1
    return count
