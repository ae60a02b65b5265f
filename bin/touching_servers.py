"""A pytest plugin for the second database: leaves out the tests to which neither it nor the broker makes a difference.

They have run on the first. Only `make test` asks for it, so that no test that somebody names is left out unsaid.

Left out are the tests that ask for no rows. With --statements-from=FOLDER, where the first database's run wrote
what each test asked (bin/statements.py), so are tests of the faces whose every statement is made by enough others
here: what a page makes of the rows is the same whoever kept them. Below the faces every test with rows is run.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from bin.statements import REFUSED

# What a test asks of pytest-django before it may see rows.
_FIXTURES: Final = frozenset({"db", "transactional_db", "django_db_setup", "live_server"})
_MARKS: Final = ("django_db", "postgres", "servers")
_FACES: Final = ("tests/api/", "tests/operators/", "tests/portal/", "tests/staff/")
# As many tests make every statement here, however many more would.
_ENOUGH: Final = 2
_LEFT_OUT: Final = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the folder."""
    parser.addoption(
        "--statements-from", type=Path, help="the folder where the first database's run wrote its statements"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that touch no server, and those that ask it nothing new."""
    touching = [item for item in items if is_touching(item)]
    asked = read_statements(config.getoption("statements_from"))
    again = set(find_repetitions(touching, asked))
    left_out = [item for item in items if item in again or not is_touching(item)]
    config.stash[_LEFT_OUT] = Counter(nothing=len(left_out) - len(again), again=len(again))
    items[:] = [item for item in touching if item not in again]
    config.hook.pytest_deselected(items=left_out)


def is_touching(item: pytest.Item) -> bool:
    """Tell whether the database or the broker can make a difference to a test."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(_FIXTURES & fixtures) or any(item.get_closest_marker(mark) for mark in _MARKS)


def read_statements(folder: Path | None) -> dict[str, frozenset[str]]:
    """Return the statements of each test by its id; none when nothing was written."""
    asked: dict[str, frozenset[str]] = {}
    for file in sorted(folder.glob("*.json")) if folder else ():
        found: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
        asked |= {test: frozenset(names) for test, names in found.items()}
    return asked


def find_repetitions(
    items: Iterable[pytest.Item], asked: Mapping[str, frozenset[str]]
) -> Iterator[pytest.Item]:
    """Yield the tests of the faces that ask nothing which is not asked often enough by those that stay.

    One in which a statement was refused stays, as do those that commit, those of which nothing is known and those
    that say where they hold.
    """
    made: Counter[str] = Counter()
    candidates = []
    for item in items:
        names = asked.get(item.nodeid, frozenset())
        if _may_be_spared(item) and names and REFUSED not in names:
            candidates.append((item, names))
        else:
            made.update(names)
    # Those that ask the most say it for the most others.
    for item, names in sorted(candidates, key=lambda candidate: -len(candidate[1])):
        if all(made[name] >= _ENOUGH for name in names):
            yield item
        else:
            made.update(names)


def _may_be_spared(item: pytest.Item) -> bool:
    is_marked = any(item.get_closest_marker(mark) for mark in ("postgres", "servers"))
    return item.nodeid.startswith(_FACES) and not is_marked and not _commits(item)


def _commits(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("django_db")
    is_said = mark is not None and (mark.kwargs.get("transaction") or any(mark.args))
    return bool(is_said) or bool({"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ())))


# ---------------------------------------------------------------- what is said of it


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the figures to the process that prints."""
    if hasattr(session.config, "workeroutput") and _LEFT_OUT in session.config.stash:
        left_out = session.config.stash[_LEFT_OUT]
        session.config.workeroutput["left_out"] = dict(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the figures from a worker: each has left out the same."""
    figures = getattr(node, "workeroutput", {}).get("left_out")
    if figures:
        node.config.stash[_LEFT_OUT] = Counter(figures)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many tests were left out and why."""
    if _LEFT_OUT in config.stash:
        left_out = config.stash[_LEFT_OUT]
        terminalreporter.write_line(
            f"Left to the first database: {left_out['nothing']} tests that touch no server, "
            f"{left_out['again']} of pages that ask it only what {_ENOUGH} others here ask in the same words."
        )
