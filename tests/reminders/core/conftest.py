import pytest


@pytest.fixture(autouse=True)
def fresh_clock():
    """The core asks no clock."""
