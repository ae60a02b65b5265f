"""Schemathesis over the OpenAPI, in process: whatever is sent, the answer is one that is described, and never a fault.

HYPOTHESIS_PROFILE=thorough sends a few hundred requests for each operation.
"""

from urllib.parse import urlsplit

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
from tests.api.test_resources import OPERATIONS

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.sqlite]


def rejects_nonsense(ctx, response, case):
    """Nonsense is refused, as far as it was sent: of a surplus name without any value nothing stands in the address."""
    if not case.query or urlsplit(response.request.url).query:
        return checks.negative_data_rejection(ctx, response, case)
    return None


CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    rejects_nonsense,
    checks.unsupported_method,
    checks.allow_header_conformance,
    checks.missing_required_header,
]
# Two for each kind of data unless more are wanted.
EXAMPLES = max(2, settings().max_examples // 40)
# What a deed changes is taken back, and what is sent matters more than how small it can be made.
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 2,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
ONE = settings(FUZZ, max_examples=1)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    monkeypatch.setattr(
        ScopedRateThrottle, "THROTTLE_RATES", dict.fromkeys(("assess", "plan", "token"), "9999999/min")
    )
    monkeypatch.setattr("api.authentication.MOST_FAILURES", 9_999_999)


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
                broken.extend(f"{told} {case.as_curl_command()}" for told in group.exceptions)
            transaction.set_rollback(True)

    for found in described.get_all_operations():
        operation = found.ok()
        named = operation.path.split("/")[3]
        known = {"code": str(codes_of(world)[named])} if "{code}" in operation.path else None
        # Days are refused by the one, weeks by all others.
        known = {"report": "adherence"} if "{report}" in operation.path else known
        for mode in modes:
            examples(given(case=operation.as_strategy(mode, path_parameters=known))(send))()
    return broken


def test_no_request_breaks_what_is_described(described, world):
    _token, key = token_for(world.owner, *Scope.values)

    assert fuzz(described, world, key) == []


@pytest.mark.parametrize("scope", [*Scope.values, ""])
def test_no_request_gets_past_its_scope(described, world, scope):
    """One request for each operation and kind of scope, and one without any token."""
    key = world.tokens[scope][1] if scope else ""
    holds = {"read", "write"} if scope == Scope.WRITE else {scope}
    answered = {}

    def is_refused(ctx, response, case):
        told = OPERATIONS[case.operation.definition.raw["operationId"]][2]
        if told.scope and told.scope not in holds:
            answered[told.id] = response.status_code

    broken = fuzz(described, world, key, examples=ONE, modes=MODES[:1], more=[is_refused])

    assert broken == []
    assert set(answered.values()) == {403 if scope else 401}
    closed = [told for _route, _verb, told in OPERATIONS.values() if told.scope and told.scope not in holds]
    assert len(answered) == len(closed) > 0
