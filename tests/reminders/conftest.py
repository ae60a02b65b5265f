import pytest


@pytest.fixture(autouse=True)
def fresh_clock():
    """Let no test's clock be compared with that of the test before."""
    from reminders.services import jumps  # noqa: PLC0415  # app ready: the core's tests run without Django

    jumps.forget()
    yield
    jumps.forget()
