"""Who changes how they sign in: on record in every clinic where they work."""

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from audit.models import AuditEvent
from clinics.models import Role
from tests.factories import StaffMemberFactory
from tests.staff.conftest import BACKEND, NOW


@pytest.fixture
def ilze(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.OWNER, signed_in_at=NOW)


def test_second_step_is_on_record_in_every_clinic_of_the_person(
    ilze, client, django_capture_on_commit_callbacks
):
    StaffMemberFactory(user=ilze.user, role=Role.ANALYST, signed_in_at=NOW - timedelta(days=1))
    # Where they were only entered, nobody learns of it
    StaffMemberFactory(user=ilze.user, role=Role.ANALYST)
    StaffMemberFactory(user=ilze.user, role=Role.ANALYST, is_active=False)
    ilze.user.set_password("nine-green-herons")
    ilze.user.save()
    client.force_login(ilze.user, backend=BACKEND)
    client.post("/accounts/reauthenticate/", {"password": "nine-green-herons"})

    def do(address, **values):
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(f"/accounts/2fa/{address}/", values)

    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    do("totp/activate", code=code)
    do("recovery-codes/generate")
    do("totp/deactivate")

    events = AuditEvent.objects.filter(action__startswith="staff.").order_by("pk")
    here = [event.action for event in events.filter(clinic_code=ilze.clinic.code)]
    assert sorted(here) == [
        "staff.recovery_codes_made",
        "staff.recovery_codes_made",
        "staff.second_step_off",
        "staff.second_step_on",
    ]
    assert here[-1] == "staff.second_step_off"
    assert {
        (event.actor_code, event.subject_code) for event in events.filter(clinic_code=ilze.clinic.code)
    } == {(ilze.code, ilze.code)}
    assert events.count() == 2 * len(here)
