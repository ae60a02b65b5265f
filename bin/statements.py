"""A pytest plugin that writes down what each test asks of the database and the cache: --statements-to=FOLDER.

The second database's run reads it (bin/touching_servers.py). What counts is the wording of a statement: numbers in
it, how long its lists are and the values do not, but whether a text among them goes beyond ASCII or is long does:
databases compare the ones differently, and only one of them measures the others. Of the cache, which holds counters, it is the kind of key and how often it
was asked, to the next power of two.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import pytest

# Among the statements of a test, this one says that the database refused one of them.
REFUSED: Final = "refused"
_LISTS: Final = (
    (re.compile(r"\d+"), "0"),
    (re.compile(r"%s(?:, %s)+"), "%s, ..."),
    (re.compile(r"(\([^()]*\))(?:, \1)+"), r"\1, ..."),
)
_KEPT_IN_KEYS: Final = re.compile(r"[0-9a-f]{6,}|\d+")
# Longer than most names may be.
_LONG_TEXT: Final = 80
_CACHE_VERBS: Final = ("add", "get", "set", "incr", "touch", "delete", "get_many", "set_many")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the folder."""
    parser.addoption(
        "--statements-to", type=Path, help="write the statements of each test to files in this folder as JSON"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Listen from here on, in every process that tests."""
    if folder := config.getoption("statements_to"):
        config.pluginmanager.register(_Listener(folder), "statements-listener")


@lru_cache(maxsize=20_000)
def wording(statement: str) -> str:
    """Return what stays the same of a statement whatever its numbers and however long its lists, as a short name."""
    for pattern, instead in _LISTS:
        statement = pattern.sub(instead, statement)
    return f"{crc32(statement.encode()):08x}"


def _tone(params: Any) -> str:
    """Return a sign for each of the ways in which texts among the values matter to a database."""
    values = params.values() if isinstance(params, dict) else params
    is_long = any(isinstance(value, str) and len(value) > _LONG_TEXT for value in values)
    return ("" if str(params).isascii() else "+") + ("~" if is_long else "")


class _Listener:
    """Hears every statement on every connection of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: dict[str, set[str]] = {}
        self.now: set[str] = set()
        self.cached: Counter[str] = Counter()
        self.has_failed = False

    def pytest_sessionstart(self) -> None:
        from django.core.cache import caches  # noqa: PLC0415  # the plugin is loaded before Django is set up
        from django.db import connections  # noqa: PLC0415  # likewise
        from django.db.backends.signals import connection_created  # noqa: PLC0415  # likewise

        connection_created.connect(self._listen)
        for connection in connections.all(initialized_only=True):
            self._listen(connection=connection)
        for verb in _CACHE_VERBS:
            self._overhear(type(caches["default"]), verb)

    def _overhear(self, cache: type, verb: str) -> None:
        inner = getattr(cache, verb)

        @wraps(inner)
        def heard(this: Any, key: Any, *args: Any, **kwargs: Any) -> Any:
            self.cached[f"{verb} {_KEPT_IN_KEYS.sub('0', str(key))}"] += 1
            return inner(this, key, *args, **kwargs)

        setattr(cache, verb, heard)

    def _listen(self, *, connection: Any, **kwargs: Any) -> None:
        if self._hear not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._hear)

    def _hear(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        name = wording(str(sql))
        if params and not many:
            name += _tone(params)
        self.now.add(name)
        try:
            return execute(sql, params, many, context)
        except Exception:
            self.now.add(REFUSED)
            raise

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.now = self.heard[item.nodeid] = set()
        self.cached.clear()
        self.has_failed = False
        result = yield
        if self.has_failed:
            # Who knows what it would have asked.
            del self.heard[item.nodeid]
        self.now |= {f"{kind} {count.bit_length()}" for kind, count in self.cached.items()}
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.has_failed |= report.failed

    def pytest_sessionfinish(self) -> None:
        if self.heard:
            file = self.folder / f"{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}.json"
            heard = {test: sorted(names) for test, names in self.heard.items()}
            file.write_text(json.dumps(heard), encoding="utf-8")
