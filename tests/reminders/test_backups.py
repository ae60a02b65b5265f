"""A backup is worth what its restore is: the drill is a test."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from django.db import connection

from reminders.services import backups
from reminders.services.backups import BackupError, read_contents

ROOT = Path(__file__).resolve().parents[2]
DRILL = Path(__file__).with_name("restore_drill.py")

EXPECTED = {
    "sent_before": 3,
    "mode": "0o600",
    "sent_after": 3,
    "courses_before": 4,
    "courses_after": 3,
    "later_is_gone": True,
    "held": "restored",
    "sent_while_held": 0,
    "withheld": 3,
    "resent": 0,
    "states": [["suppressed", "held"]] * 3,
    "sent_later": 3,
}


def drill(tmp_path, **variables):
    file = tmp_path / "regimen.backup"
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "VAR_DIR": str(tmp_path / "var"),
        "LOG_LEVEL": "CRITICAL",
        **variables,
    }
    done = subprocess.run(
        [sys.executable, str(DRILL), str(file)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert "exists already" in found.pop("second_backup")
    assert "--force" in found.pop("unforced")
    assert "is damaged" in found.pop("damaged")
    return found


@pytest.mark.slow
@pytest.mark.sqlite
def test_restore_of_a_sqlite_file_sends_nothing_again(tmp_path):
    (tmp_path / "var").mkdir()

    assert drill(tmp_path) == EXPECTED


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_restore_of_postgresql_sends_nothing_again(tmp_path):
    name = f"drill_{uuid.uuid4().hex[:12]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        base = os.environ["DATABASE_URL"].rpartition("/")[0]
        assert drill(tmp_path, DATABASE_URL=f"{base}/{name}") == EXPECTED
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


# ---------------------------------------------------------------- what cannot be restored


def write_side(file, **changes):
    data = {"made_at": "2026-03-03T12:00:00+00:00", "engine": "sqlite", "sha256": "0" * 64, "tables": {}}
    Path(f"{file}.json").write_text(json.dumps(data | changes))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda file: None, "cannot be read"),
        (lambda file: file.write_text("x"), "cannot be read"),
        (lambda file: (file.write_text("x"), write_side(file)), "is damaged"),
        (lambda file: (file.write_text("x"), write_side(file, tables=[])), "not the list"),
        (lambda file: (file.write_text("x"), Path(f"{file}.json").write_text("{")), "not the list"),
        (lambda file: (file.write_text("x"), Path(f"{file}.json").write_text("[]")), "not the list"),
    ],
)
def test_backup_that_cannot_be_trusted_is_refused(tmp_path, make, words):
    file = tmp_path / "backup"
    make(file)

    with pytest.raises(BackupError, match=words):
        read_contents(file)


def test_missing_program_is_named(monkeypatch):
    monkeypatch.setattr(backups.shutil, "which", lambda name: None)

    with pytest.raises(BackupError, match="pg_dump was not found"):
        backups._program("pg_dump")


def test_password_is_on_no_command_line(monkeypatch):
    seen = {}

    def run(command, *, env, **_):
        seen.update(command=command, env=env)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "hidden")
    monkeypatch.setattr(backups.subprocess, "run", run)

    backups._run(["pg_dump"])

    assert (seen["command"], seen["env"]["PGPASSWORD"]) == (["pg_dump"], "hidden")


def test_failure_of_a_program_is_told(tmp_path):
    with pytest.raises(BackupError, match="false failed"):
        backups._run(["false"])
