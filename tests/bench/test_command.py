"""The command: which benches run, what it prints and how it ends."""

import json
from types import SimpleNamespace

import pytest

from bench import __main__ as command
from bench.harness import Figure, Goal
from bin.steps import StepError


@pytest.fixture
def results(monkeypatch, tmp_path):
    """Benches that measure nothing: each gives a figure, but plan finds no server and tick breaks off."""
    asked = []

    def measure(name, size):
        asked.append((name, size))
        if name == "plan":
            raise StepError("there is no server.")
        yield Figure(name, "work", 2.0, "s", Goal(1, "most", of="figure"))
        if name == "tick":
            raise RuntimeError("it sent 499")

    modules = {
        f"bench.{name}": SimpleNamespace(measure=lambda size, name=name: measure(name, size))
        for name in command.BENCHES
    }
    monkeypatch.setattr(command, "import_module", modules.__getitem__)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "bench.json")
    return SimpleNamespace(asked=asked, file=tmp_path / "bench.json")


def test_named_bench_runs_alone_and_a_missed_goal_is_no_failure(results, capsys):
    code = command.main(["assess", "--size", "small"])

    assert (code, results.asked) == (0, [("assess", "small")])
    assert "assess  work  2 s     -         -      at most 1 s  NO" in capsys.readouterr().out
    assert [figure["name"] for figure in json.loads(results.file.read_text())["figures"]] == ["assess"]


def test_bench_that_fails_is_said_and_the_others_go_on(results, capsys):
    code = command.main([])

    assert code == 1
    assert results.asked == [(name, "default") for name in command.BENCHES]
    printed = capsys.readouterr().out
    assert "plan could not be run: there is no server.\n" in printed
    assert "tick broke off:\n" in printed
    assert "RuntimeError: it sent 499\n" in printed
    result = json.loads(results.file.read_text())
    assert result["failed"] == ["plan", "tick"]
    assert [figure["name"] for figure in result["figures"]] == [n for n in command.BENCHES if n != "plan"]


def test_unknown_bench_is_refused_before_anything_runs(results, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["assess", "nothing"])

    assert (ended.value.code, results.asked) == (2, [])
    assert f"there is no bench nothing; there are {', '.join(command.BENCHES)}" in capsys.readouterr().err


@pytest.mark.parametrize("name", command.BENCHES)
def test_every_bench_has_its_module(name):
    assert (command.ROOT / "bench" / f"{name}.py").read_text(encoding="utf-8").count("\ndef measure(") == 1
