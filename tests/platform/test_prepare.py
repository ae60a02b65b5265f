from datetime import UTC, datetime

import pytest

from bin import prepare
from clinics.models import Clinic, StaffMember, User
from simulation.clinic import DEMO_PASSWORD

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def commands(monkeypatch):
    called = []
    monkeypatch.setattr(prepare, "call_command", lambda name, **options: called.append(name))
    return called


def add_clinic(*, is_demo):
    clinic = Clinic.objects.create(name="Clinic", is_demo=is_demo, time_zone="Europe/Riga", created_at=NOW)
    user = User.objects.create_user("anna@example.org")
    StaffMember.objects.create(clinic=clinic, user=user, role="owner", display_name="Anna")


@pytest.mark.django_db
def test_empty_database_gets_the_demo(commands, settings):
    settings.DEMO = True

    prepare.prepare()

    assert commands == ["migrate", "fill_reports", "demo"]


@pytest.mark.django_db
def test_database_with_a_clinic_is_left_and_its_logins_said(commands, settings, capsys):
    settings.DEMO = True
    add_clinic(is_demo=True)

    prepare.prepare()

    assert commands == ["migrate", "fill_reports"]
    assert capsys.readouterr().out == (
        f"Demo logins, all with the password {DEMO_PASSWORD}:\n  anna@example.org                owner\n"
    )


@pytest.mark.django_db
def test_without_demo_mode_only_migrated(commands, settings):
    settings.DEMO = False

    prepare.prepare()

    assert commands == ["migrate", "fill_reports"]


@pytest.mark.django_db
def test_real_clinic_has_no_demo_logins():
    add_clinic(is_demo=False)

    assert prepare.list_logins() == []
