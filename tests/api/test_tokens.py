"""Programs with a token: whose clinic they see, what opens nothing, and what an answer gives away."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from redis import RedisError
from rest_framework.test import APIRequestFactory

from api.views.base import ClinicApiView
from audit.models import AuditEvent
from clinics.access import SCOPE_CAPABILITIES, Capability, is_token_allowed
from clinics.models import ApiToken, Role, Scope
from clinics.tokens import issue_token, revoke_token
from tests.factories import ClinicFactory, StaffMemberFactory, actor_of

NOW = datetime(2026, 3, 9, 8, 20, tzinfo=UTC)
WHERE = "/api/v1/clinic/"
# Unknown keys are counted in the cache, which is Redis where there is one.
pytestmark = [pytest.mark.django_db, pytest.mark.servers]


@pytest.fixture(autouse=True)
def monday():
    cache.clear()
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock
    cache.clear()


@pytest.fixture
def owner():
    return StaffMemberFactory(clinic=ClinicFactory(name="Kalnina Clinic"), role=Role.OWNER)


@pytest.fixture
def make_token(owner):
    def make_token(*scopes, member=owner, expires_on=date(2027, 3, 9)):
        return issue_token(
            clinic=member.clinic,
            name="Accounting",
            scopes=scopes or ["read"],
            expires_on=expires_on,
            by=actor_of(member),
            now=NOW,
        )

    return make_token


def ask(client, key, verb="get", **options):
    return getattr(client, verb)(WHERE, headers={"Authorization": f"Bearer {key}"}, **options)


def refusal(message, code="authentication_failed"):
    return {"error": {"field": "request", "message": message, "code": code, "fields": {}}}


def test_token_opens_its_own_clinic(client, make_token, owner):
    _other, _key = make_token(member=StaffMemberFactory(role=Role.OWNER))
    token, key = make_token("export", "read")

    answer = ask(client, key)

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {
        "clinic": {
            "code": str(owner.clinic.code),
            "name": "Kalnina Clinic",
            "time_zone": "Europe/Riga",
            "language": "en",
        },
        # The end of the ninth in Riga.
        "token": {"name": "Accounting", "scopes": ["read", "export"], "expires_at": "2027-03-09T22:00:00Z"},
    }
    token.refresh_from_db()
    assert token.last_used_at == NOW.replace(minute=0)


def test_key_is_kept_as_its_hash_only(make_token):
    token, key = make_token()

    assert (key[:4], len(key)) == ("rgm_", 47)
    row = ApiToken.objects.values().get()
    assert row["key_hash"] == hashlib.sha256(key.encode()).hexdigest()
    assert [name for name, value in row.items() if key in str(value)] == []
    event = AuditEvent.objects.get()
    assert (event.action, event.subject_code, event.new) == (
        "token.issued",
        token.code,
        {"scopes": ["read"], "until_on": "2027-03-09"},
    )


def test_what_is_no_token_in_force_opens_nothing(client, make_token, owner, monday):
    _soon, expiring = make_token(expires_on=date(2026, 3, 9))
    token, revoked = make_token()
    revoke_token(token=token, by=actor_of(owner), now=NOW)
    revoke_token(token=token, by=actor_of(owner), now=NOW + timedelta(hours=1))
    missing = "Authentication credentials were not provided."

    answers = [
        (client.get(WHERE), missing),
        (client.get(WHERE, headers={"Authorization": f"Basic {expiring}"}), missing),
        (client.get(f"{WHERE}?token={expiring}"), missing),
        (ask(client, "rgm_nothing"), "This token is unknown."),
        (ask(client, expiring[:-1]), "This token is unknown."),
        (ask(client, ""), "This token is unknown."),
        (ask(client, "rgm_" + "x" * 5000), "This token is unknown."),
        (ask(client, revoked), "This token was revoked."),
    ]
    last = ask(client, expiring)
    monday.move_to(datetime(2026, 3, 9, 22, tzinfo=UTC))
    answers.append((ask(client, expiring), "This token has expired."))

    assert last.status_code == 200
    for answer, message in answers:
        code = "not_authenticated" if message == missing else "authentication_failed"
        assert (answer.status_code, answer.json()) == (401, refusal(message, code))
        assert answer["WWW-Authenticate"] == 'Bearer realm="Regimen"'
    assert ApiToken.objects.get(pk=token.pk).revoked_at == NOW
    assert AuditEvent.objects.filter(action="token.revoked").count() == 1


def test_token_does_what_its_scopes_say(client, make_token):
    keys = {scope: make_token(scope)[1] for scope in Scope.values}

    answers = {scope: ask(client, key) for scope, key in keys.items()}
    wrong_verb = ask(client, keys["read"], "post")

    assert {scope: answer.status_code for scope, answer in answers.items()} == {
        "read": 200,
        "write": 200,
        "reports": 403,
        "export": 403,
    }
    assert answers["export"].json() == refusal("This token was not made for that.", "permission_denied")
    assert (wrong_verb.status_code, wrong_verb.json()) == (405, refusal("Use GET.", "method_not_allowed"))


def test_view_that_names_no_scope_is_closed(make_token):
    class Forgotten(ClinicApiView):
        def get(self, request):
            raise AssertionError

    _token, key = make_token(*Scope.values)
    answer = Forgotten.as_view()(APIRequestFactory().get("/", headers={"Authorization": f"Bearer {key}"}))

    assert answer.status_code == 403


def test_no_token_prescribes_or_manages(make_token):
    token, _key = make_token(*Scope.values)

    refused = [capability for capability in Capability if not is_token_allowed(token, capability)]

    assert refused == [Capability.PRESCRIBE, Capability.MANAGE]
    assert set(SCOPE_CAPABILITIES) == set(Scope)


def test_who_guesses_is_stopped_and_nobody_else_not_even_behind_the_same_address(
    client, make_token, monkeypatch, caplog
):
    _token, key = make_token()
    guesses = [ask(client, f"rgm_{n}").status_code for n in range(31)]

    stopped = ask(client, "rgm_31")
    neighbour = ask(client, key)
    elsewhere = ask(client, "rgm_32", REMOTE_ADDR="192.0.2.7")

    assert guesses == [401] * 30 + [429]
    assert (stopped.status_code, stopped["Retry-After"]) == (429, "60")
    assert (neighbour.status_code, elsewhere.status_code) == (200, 401)

    def broken(*arguments, **options):
        raise RedisError("gone")

    monkeypatch.setattr(cache, "incr", broken)
    assert ask(client, "rgm_33").status_code == 401
    assert "cannot be counted" in caplog.text


def test_use_is_put_down_once_an_hour(client, make_token, monday, django_assert_num_queries):
    _token, key = make_token()
    ask(client, key)

    with django_assert_num_queries(1):
        ask(client, key)
    monday.move_to(NOW + timedelta(hours=1))
    with django_assert_num_queries(2):
        ask(client, key)


def test_token_of_a_deactivated_clinic_is_refused(client, owner, make_token):
    _token, key = make_token()
    assert ask(client, key).status_code == 200
    type(owner.clinic).objects.update(deactivated_at=NOW)

    answer = ask(client, key)

    assert (answer.status_code, answer.json()) == (401, refusal("The clinic of this token was deactivated."))
