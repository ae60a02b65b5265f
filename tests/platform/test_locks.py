"""The lock files: complete, and free of any registry but the public ones."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def locked():
    packages = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    return next(package for package in packages if package["name"] == "regimen")


def as_asked(requirement):
    """Return a requirement of pyproject.toml the way the lock repeats it: name, extras, range."""
    name, extras, limits = re.fullmatch(r"([A-Za-z0-9-]+)(?:\[([^]]+)\])?(.*)", requirement).groups()
    return (name.lower(), tuple(sorted((extras or "").split(","))), limits)


def as_locked(entry):
    limits = ",".join(sorted(entry.get("specifier", "").split(","), reverse=True))
    return (entry["name"], tuple(sorted(entry.get("extras", [""]))), limits)


def normalized(requirements):
    return sorted(
        (name, extras, ",".join(sorted(limits.split(","), reverse=True)))
        for name, extras, limits in requirements
    )


def test_lock_answers_the_dependencies(project, locked):
    asked = [as_asked(text) for text in project["project"]["dependencies"]]

    assert normalized(as_locked(entry) for entry in locked["metadata"]["requires-dist"]) == normalized(asked)


def test_lock_answers_every_group(project, locked):
    groups = project["dependency-groups"]
    plain = {name: [item for item in items if isinstance(item, str)] for name, items in groups.items()}

    for name in plain:
        included = [item["include-group"] for item in groups[name] if isinstance(item, dict)]
        asked = [as_asked(text) for group in [name, *included] for text in plain[group]]
        found = [as_locked(entry) for entry in locked["metadata"]["requires-dev"][name]]
        assert normalized(found) == normalized(asked), name


def test_python_lock_names_public_hosts_only():
    text = (ROOT / "uv.lock").read_text(encoding="utf-8")

    assert set(re.findall(r"https?://([^/\"]+)", text)) == {"pypi.org", "files.pythonhosted.org"}


def test_node_lock_names_no_host_to_fetch_from():
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []
