"""The scenarios in small, with real processes and a mail sink that counts for itself."""

import pytest

from faults import scenarios
from faults.scenario import SCENARIOS

pytestmark = pytest.mark.slow
scenarios.load()

EVERYWHERE = ("F04", "F22")
# Enough that they hold on one database: processes meet there as they do in production.
ON_POSTGRES = ("F01", "F19", "F23")
CONTROLS = ("claim off", "marked before", "results after the batch", "fence off", "expiry off")


def play(name, stage):
    """Play a scenario; return its ledger when it went as it must, control or not."""
    ledger = SCENARIOS[name].play(stage)
    log = stage.folder / "crew.log"
    assert ledger.is_as_wished, (ledger, log.read_text()[-3000:] if log.exists() else "")
    return ledger


@pytest.mark.parametrize("name", EVERYWHERE)
def test_fault_in_small(name, stage):
    ledger = play(name, stage)

    assert (ledger.lost, ledger.wrongly_sent) == (0, 0)
    assert ledger.sent_unique > 0


@pytest.mark.postgres
@pytest.mark.parametrize("name", ON_POSTGRES)
def test_fault_in_small_on_postgres(name, stage):
    ledger = play(name, stage)

    assert (ledger.lost, ledger.wrongly_sent) == (0, 0)
    assert ledger.due == ledger.sent_unique + ledger.expired + ledger.failed


@pytest.mark.postgres
@pytest.mark.parametrize("name", CONTROLS)
def test_sender_without_its_guard_fails(name, stage):
    ledger = play(f"control: {name}", stage)

    assert ledger.is_control
    assert ledger.extra_copies + ledger.lost + ledger.wrongly_sent > 0
