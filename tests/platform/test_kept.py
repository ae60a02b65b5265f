"""The migrated database that is kept is the one that the migrations make, and is named for all they are made of."""

import ast
import sqlite3
from contextlib import closing

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests import kept

OURS = {path.parent.parent.name for path in kept.ROOT.glob("*/migrations/__init__.py")}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of one application with one migration."""
    for name, text in (
        ("shop/migrations/0001_create_shop.py", "one"),
        ("clinics/postgres.py", ""),
        ("uv.lock", ""),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(kept, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["shop/migrations/0001_create_shop.py", "clinics/postgres.py", "uv.lock"])
def test_file_is_another_when_its_makers_change(project, name):
    before = kept.kept_file()
    same = kept.kept_file()
    (project / name).write_text("two")

    assert (same == before, kept.kept_file() == before) == (True, False)


def test_migrations_use_nothing_that_is_not_in_the_name():
    used = set()
    for path in kept.ROOT.glob("*/migrations/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                used.add(node.module)
            elif isinstance(node, ast.Import):
                used |= {name.name for name in node.names}

    # Of models a migration takes the classes of their managers, which make no row and no column.
    assert {name for name in used if name.partition(".")[0] in OURS} == {"clinics.postgres", "clinics.models"}


@pytest.mark.sqlite
def test_nothing_is_left_to_migrate(db):
    executor = MigrationExecutor(connection)

    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


# A database in memory cannot be copied while somebody's transaction has written to it.
@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_database_is_kept_whole_and_alone(tmp_path):
    (tmp_path / "old.sqlite3").touch()
    found = kept.KeptDatabase(tmp_path / "new.sqlite3")

    found.settle()

    assert [path.name for path in tmp_path.iterdir()] == ["new.sqlite3"]
    with closing(sqlite3.connect(found.file)) as file:
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert set(connection.introspection.table_names()) <= tables
