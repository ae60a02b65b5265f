"""What a fresh machine waits for: packages of both kinds fetched beside each other, and what is said when one fails."""

from threading import Barrier

import pytest

from bin import assets, bootstrap, toolchain
from bin.steps import StepError


@pytest.fixture
def fetched(monkeypatch):
    """Let the steps write down that they were done instead of doing them."""
    done = []
    monkeypatch.setattr(toolchain, "uv_command", lambda: done.append("uv") or ["uv"])
    monkeypatch.setattr(toolchain, "sync_environment", lambda groups, any_build: done.append("packages"))
    monkeypatch.setattr(assets, "make_assets", lambda: done.append("assets"))
    return done


def test_packages_and_front_end_files_are_fetched_beside_each_other(fetched, monkeypatch):
    both_run = Barrier(2)
    monkeypatch.setattr(toolchain, "sync_environment", lambda groups, any_build: both_run.wait(30))
    monkeypatch.setattr(assets, "make_assets", lambda: both_run.wait(30))
    bootstrap.fetch(["dev"], any_build=True, has_assets=True)
    assert fetched == ["uv"]


def test_uv_is_fetched_before_anything_needs_it(fetched):
    bootstrap.fetch([], any_build=False, has_assets=True)
    assert fetched[0] == "uv"
    assert sorted(fetched[1:]) == ["assets", "packages"]


def test_front_end_files_are_left_alone_unless_asked_for(fetched):
    bootstrap.fetch([], any_build=False, has_assets=False)
    assert fetched == ["uv", "packages"]


def test_one_that_fails_is_said_after_the_other_has_ended(fetched, monkeypatch):
    def fail(groups, any_build):
        raise StepError("No package index answers.")

    monkeypatch.setattr(toolchain, "sync_environment", fail)
    with pytest.raises(StepError, match="No package index answers"):
        bootstrap.fetch([], any_build=False, has_assets=True)
    assert fetched == ["uv", "assets"]


def test_a_command_says_in_a_line_what_could_not_be_fetched(fetched, monkeypatch, tmp_path):
    def fail():
        raise StepError("npm is not there.")

    monkeypatch.setattr(bootstrap, "TOOLS", tmp_path / "tools")
    monkeypatch.setattr(assets, "make_assets", fail)
    with pytest.raises(SystemExit, match=r"^Error: npm is not there\.$"):
        bootstrap.main(["--assets"])
