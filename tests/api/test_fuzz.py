"""Schemathesis over the OpenAPI, in process: whatever is sent, the answer is one that is described, and never a fault.

HYPOTHESIS_PROFILE=thorough sends a few hundred requests for each operation.
"""

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from rest_framework.throttling import ScopedRateThrottle
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from api.documents import schema
from clinics.models import Scope
from tests.api.conftest import token_for

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.sqlite]

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
    checks.allow_header_conformance,
    checks.missing_required_header,
]
# Three for each kind of data unless more are wanted.
EXAMPLES = max(3, settings().max_examples // 40)
# What a deed changes is taken back, and what is sent matters more than how small it can be made.
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 3,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    monkeypatch.setattr(
        ScopedRateThrottle, "THROTTLE_RATES", dict.fromkeys(("assess", "plan", "token"), "9999999/min")
    )


@pytest.fixture
def described():
    found = schemathesis.openapi.from_dict(schema())
    found.app = WSGIHandler()
    return found


def codes_of(world):
    """Return the codes that each address may name, by the first word of its path."""
    return {
        "clients": world.client.code,
        "protocols": world.protocol.code,
        "courses": world.course.code,
        "sessions": world.later.code,
        "pauses": world.pause.code,
        "flags": world.flag.code,
        "reminders": world.reminder.code,
    }


def fuzz(described, world, key, *, examples=FUZZ, modes=MODES, more=()):
    """Return what went wrong, request by request."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    broken = []

    def send(case):
        with transaction.atomic():
            try:
                case.call_and_validate(headers=headers, checks=[*CHECKS, *more])
            except FailureGroup as group:
                broken.extend(f"{case.operation.label}: {told}" for told in group.exceptions)
            transaction.set_rollback(True)

    for found in described.get_all_operations():
        operation = found.ok()
        named = operation.path.split("/")[3]
        known = {"code": str(codes_of(world)[named])} if "{code}" in operation.path else None
        for mode in modes:
            examples(given(case=operation.as_strategy(mode, path_parameters=known))(send))()
    return broken


def test_no_request_breaks_what_is_described(described, world):
    _token, key = token_for(world.owner, *Scope.values)

    assert fuzz(described, world, key) == []
