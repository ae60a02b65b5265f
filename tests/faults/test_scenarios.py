"""The scenarios in small, with real processes and a mail sink that counts for itself.

Those whose guard is off stand in test_controls.py: they mostly wait, and two modules can wait side by side.
"""

import pytest

from tests.faults.conftest import play

pytestmark = pytest.mark.slow

EVERYWHERE = ("F04", "F22")
# Enough that they hold on one database: processes meet there as they do in production.
ON_POSTGRES = ("F01", "F19", "F23")


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
