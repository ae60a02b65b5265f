"""A pytest plugin under which Django cannot be imported: the core has to work without it."""

import sys

import pytest

_SHUT = ("django", "rest_framework", "celery", "redis", "psycopg")
for _name in _SHUT:
    assert _name not in sys.modules, f"{_name} was imported before the core tests could shut it out"
    # None in this place makes every import of the name raise ImportError.
    sys.modules[_name] = None  # type: ignore[assignment]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the setting that pytest-django would read, had it not been switched off."""
    parser.addini("DJANGO_SETTINGS_MODULE", "not used without Django")
