"""The scenarios, in the order in which they are played."""

from importlib import import_module
from typing import Final

MODULES: Final = ("crashes", "clock", "database", "mail", "changes", "restore", "queue", "controls")


def load() -> None:
    """Import every module, which enters its scenarios in the list."""
    for name in MODULES:
        import_module(f"faults.scenarios.{name}")
