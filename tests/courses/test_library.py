from datetime import UTC, datetime

import pytest

from audit.services import SYSTEM
from courses.convert import phase_spec
from courses.models import Protocol, ProtocolContraindication
from courses.services.library import load_library, read_library
from courses.validators import check_phases
from tests.factories import ClinicFactory

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def test_library_loads_every_protocol_once():
    clinic = ClinicFactory()

    first = load_library(clinic=clinic, by=SYSTEM, now=NOW)
    second = load_library(clinic=clinic, by=SYSTEM, now=NOW)

    assert (first, second) == (10, 0)
    assert Protocol.objects.for_clinic(clinic).filter(is_current=True, version=1).count() == 10


def test_library_has_both_languages_throughout():
    load_library(clinic=ClinicFactory(), by=SYSTEM, now=NOW)

    assert not Protocol.objects.filter(name_ru="").exists()
    assert not ProtocolContraindication.objects.filter(name_ru="").exists()


@pytest.mark.parametrize("slug", sorted(read_library()))
def test_library_protocol_can_be_prescribed(slug):
    load_library(clinic=ClinicFactory(), by=SYSTEM, now=NOW)
    protocol = Protocol.objects.get(slug=slug)

    check_phases([phase_spec(phase) for phase in protocol.phases.all()])

    assert protocol.phases.exists()
    assert protocol.contraindications.exists()


def test_library_tolerances_follow_the_period():
    load_library(clinic=ClinicFactory(), by=SYSTEM, now=NOW)

    phases = Protocol.objects.get(slug="anti-cellulite-manual-twice-weekly").phases.all()

    assert [(phase.grace_days, phase.lapse_days) for phase in phases] == [(2, 21), (3, 42)]
    assert [(phase.frequency, phase.rest_days, phase.flex_days) for phase in phases] == [(2, 2, 1), (1, 1, 0)]


def test_an_adapted_protocol_is_left_alone():
    clinic = ClinicFactory()
    load_library(clinic=clinic, by=SYSTEM, now=NOW)
    Protocol.objects.filter(slug="honey-massage").update(name_en="Our honey massage")

    load_library(clinic=clinic, by=SYSTEM, now=NOW)

    assert Protocol.objects.get(slug="honey-massage").name_en == "Our honey massage"
