"""What is read from the environment."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


def test_embedded_secret_is_made_once_for_all_who_start_together(tmp_path, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    file = tmp_path / "var" / "secret_key"

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: env.read_secret("SECRET_KEY", embedded_file=file), range(40)))

    assert found == {file.read_text(encoding="ascii")}
    assert len(found.pop()) == 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret_key"]


def test_short_secret_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "short")

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        env.read_secret("SECRET_KEY", embedded_file=None)
