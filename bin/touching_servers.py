"""A pytest plugin for the second database: leaves out the tests to which neither it nor the broker makes a difference.

They have run on the first. Only `make test` asks for it, so that no test that somebody names is left out unsaid.
"""

from typing import Final

import pytest

# What a test asks of pytest-django before it may see rows.
_FIXTURES: Final = frozenset({"db", "transactional_db", "django_db_setup", "live_server"})
_MARKS: Final = ("django_db", "postgres", "servers")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that ask for no rows and are not marked as going to a server."""
    left_out = [item for item in items if not is_touching(item)]
    items[:] = [item for item in items if is_touching(item)]
    config.hook.pytest_deselected(items=left_out)


def is_touching(item: pytest.Item) -> bool:
    """Tell whether the database or the broker can make a difference to a test."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(_FIXTURES & fixtures) or any(item.get_closest_marker(mark) for mark in _MARKS)
