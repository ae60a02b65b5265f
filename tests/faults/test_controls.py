"""The same scenarios without one of the guards: each must fail, else the others show nothing."""

import pytest

from tests.faults.conftest import play

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

CONTROLS = ("claim off", "marked before", "results after the batch", "fence off", "expiry off")


@pytest.mark.parametrize("name", CONTROLS)
def test_sender_without_its_guard_fails(name, stage):
    ledger = play(f"control: {name}", stage)

    assert ledger.is_control
    assert ledger.extra_copies + ledger.lost + ledger.wrongly_sent > 0
