"""What a test asks of the database is written down by its wording, and tells whether the second database is asked anew."""

import json
from contextlib import suppress
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection

from bin import statements
from bin.statements import REFUSED, wording
from bin.touching_servers import find_repetitions, read_statements
from clinics.models import Clinic


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a FROM t LIMIT 21", "SELECT a FROM t LIMIT 3"),
        ('SAVEPOINT "s140_x3"', 'SAVEPOINT "s139_x12"'),
        ("SELECT a FROM t WHERE b IN (%s, %s)", "SELECT a FROM t WHERE b IN (%s, %s, %s)"),
        (
            "INSERT INTO t (a, b) VALUES (%s, %s), (%s, %s)",
            "INSERT INTO t (a, b) VALUES (%s, %s), (%s, %s), (%s, %s)",
        ),
    ],
)
def test_numbers_and_lengths_are_no_other_words(one, other):
    assert wording(one) == wording(other)


@pytest.mark.parametrize(
    "other", ["SELECT b FROM t", "SELECT a FROM t ORDER BY a", "SELECT DISTINCT a FROM t"]
)
def test_anything_else_is(other):
    assert wording("SELECT a FROM t") != wording(other)


@pytest.fixture
def listener(tmp_path):
    return statements._Listener(tmp_path)


def heard_of(listener, act):
    """What the listener hears while something is done, which may fail."""
    listener.now = set()
    with connection.execute_wrapper(listener._hear), suppress(DatabaseError):
        act()
    return listener.now


def test_texts_beyond_ascii_are_heard(listener, db):
    latin, other, cyrillic = (
        heard_of(listener, Clinic.objects.filter(name=name).exists) for name in ("Anna", "Berta", "Анна")
    )

    assert len(latin) == 1
    assert other == latin
    assert cyrillic == {f"{name}+" for name in latin}


def test_long_texts_are_heard(listener, db):
    short, long = (heard_of(listener, Clinic.objects.filter(name="A" * n).exists) for n in (80, 81))

    assert long == {f"{name}~" for name in short}


@pytest.mark.django_db(transaction=True)
def test_refusals_are_heard(listener):
    def ask():
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    assert heard_of(listener, ask) == {wording("SELECT nothing FROM nowhere"), REFUSED}


def test_cache_is_heard_by_kind_of_key_and_order_of_magnitude(listener, monkeypatch):
    class Cache(type(cache._connections["default"])):
        pass

    listener._overhear(Cache, "set")
    counted = Cache("", {})
    for number in range(5):
        counted.set(f"press:{number}:0a1b2c3d", 1)

    assert dict(listener.cached) == {"set press:0:0": 5}


def test_statements_of_all_processes_are_read(tmp_path):
    (tmp_path / "gw0.json").write_text(json.dumps({"one": ["a", "b"]}))
    (tmp_path / "gw1.json").write_text(json.dumps({"two": ["c"]}))

    assert read_statements(tmp_path) == {"one": frozenset("ab"), "two": frozenset("c")}
    assert read_statements(None) == {}


def item(name, *fixtures, folder="staff", **marks):
    """A test that was collected."""
    found = {mark: SimpleNamespace(args=(), kwargs=kwargs) for mark, kwargs in marks.items()}
    return SimpleNamespace(
        nodeid=f"tests/{folder}/test_x.py::{name}", fixturenames=fixtures, get_closest_marker=found.get
    )


def repeated(items, asked):
    by_id = {test.nodeid: frozenset(asked) for test in items}
    return [test.nodeid.split("::")[1] for test in find_repetitions(items, by_id)]


def test_page_that_asks_nothing_new_is_left_out():
    pages = [item(name, "db") for name in "abcd"]

    assert repeated(pages, {"x", "y"}) == ["c", "d"]


def test_page_that_asks_the_most_stays_for_those_that_ask_less():
    pages = [item(name, "db") for name in "abcd"]
    asked = zip(pages, ["x", "y", "xy", "xy"], strict=True)

    found = find_repetitions(pages, {page.nodeid: frozenset(names) for page, names in asked})

    assert list(found) == pages[:2]


def test_what_is_asked_below_the_faces_counts():
    below = [item(name, "db", folder="courses") for name in "abc"]

    assert repeated([item("page", "db"), *below], {"x"}) == ["page"]


@pytest.mark.parametrize(
    "stays",
    [
        item("stays", "db", folder="courses"),
        item("stays", "transactional_db"),
        item("stays", django_db={"transaction": True}),
        item("stays", "db", postgres={}),
        item("stays", "db", servers={}),
    ],
)
def test_what_may_differ_stays(stays):
    pages = [item(name, "db") for name in "ab"]

    assert repeated([*pages, stays], {"x"}) == ["b"]


@pytest.mark.parametrize("asked", [(), ("x", REFUSED), ("x", "new")])
def test_what_is_unknown_refused_or_new_stays(asked):
    pages = [item(name, "db") for name in "abc"]
    by_id = {test.nodeid: frozenset("x") for test in pages}
    page = item("page", "db")

    found = list(find_repetitions([*pages, page], by_id | {page.nodeid: frozenset(asked)}))

    assert pages[2] in found
    assert page not in found
