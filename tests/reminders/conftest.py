import pytest

from reminders.services import jumps


@pytest.fixture(autouse=True)
def fresh_clock():
    """Let no test's clock be compared with that of the test before."""
    jumps.forget()
    yield
    jumps.forget()
