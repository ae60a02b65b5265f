"""A stage for the scenarios in small: the tests' own database, one nursery for all of them."""

import os
from urllib.parse import quote

import pytest
from django.db import connection

from faults import scenarios
from faults.crew import run_nursery
from faults.scenario import SCENARIOS
from faults.stage import Stage, environment
from tests.races import shared_database

scenarios.load()


@pytest.fixture(scope="session")
def nursery(tmp_path_factory):
    """Start the process from which every sender is forked; it learns its database from each run."""
    folder = tmp_path_factory.mktemp("nursery")
    url = os.environ.get("DATABASE_URL") or f"sqlite:///{folder / 'nobody.sqlite3'}"
    with run_nursery(environment(url, folder), log=folder / "log") as found:
        yield found


@pytest.fixture
def stage(transactional_db, tmp_path, nursery):
    """A scenario's stage on the tests' database, which on SQLite becomes a file for the while."""
    with shared_database(tmp_path):
        yield Stage(folder=tmp_path, database_url=database_url(), nursery=nursery, seed=1, is_long=False)


def play(name, stage):
    """Play a scenario; return its ledger when it went as it must, control or not."""
    ledger = SCENARIOS[name].play(stage)
    log = stage.folder / "crew.log"
    said = log.read_text()[-3000:] if log.exists() else ""
    assert ledger.is_as_wished, "\n".join([*ledger.broken, *ledger.notes, said])
    return ledger


def database_url() -> str:
    """Return the address of the database that this process is in."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    login = quote(values["USER"]) + (f":{quote(values['PASSWORD'])}" if values["PASSWORD"] else "")
    return f"postgres://{login}@{values['HOST']}:{values['PORT'] or 5432}/{values['NAME']}"
