import sys
from pathlib import Path

import pytest

from bin import interpreters
from bin.interpreters import fastest_build

OWN = Path(sys.executable)
NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def timed(monkeypatch, tmp_path):
    """Return a function that sets how long this build takes and another one on the path, and gives that one's place."""

    def timed(own, other):
        place = tmp_path / NAME
        place.touch()
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(interpreters, "_others", lambda _: [place])
        monkeypatch.setattr(interpreters, "_seconds", {OWN: own, place: other}.get)
        return place

    return timed


def test_clearly_faster_build_is_taken(timed):
    other = timed(1.0, 0.5)

    assert fastest_build() == other


@pytest.mark.parametrize(("own", "other"), [(1.0, 0.9), (0.5, 1.0), (1.0, None), (None, 0.5)])
def test_own_build_stays(timed, own, other):
    timed(own, other)

    assert fastest_build() == OWN


def test_slow_moments_decide_nothing(timed, monkeypatch):
    other = timed(1.0, 0.5)
    times = {
        OWN: iter([1.0, 1.9, 1.9, 1.0, 1.0, 1.9, 1.0, 1.0]),
        other: iter([1.0, 0.9, 1.0, 0.5, 0.9, 1.0, 0.9, 0.9]),
    }
    monkeypatch.setattr(interpreters, "_seconds", lambda place: next(times[place]))

    assert fastest_build() == other


def test_other_builds_are_found_on_the_path(monkeypatch, tmp_path):
    (tmp_path / NAME).touch()
    (tmp_path / "python2.7").touch()
    stand_in = tmp_path / "shims" / NAME
    stand_in.parent.mkdir()
    stand_in.write_text("#!/bin/sh\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{stand_in.parent}")

    found = set(interpreters._others(OWN))

    assert tmp_path / NAME in found
    assert not {OWN.resolve(), stand_in} & found
    assert {place.name for place in found} == {NAME}


def test_what_is_no_python_has_no_time(tmp_path):
    (tmp_path / NAME).write_text("#!/bin/sh\necho 3 11\n")
    (tmp_path / NAME).chmod(0o755)

    assert interpreters._seconds(tmp_path / NAME) is None
    assert interpreters._seconds(tmp_path / "none") is None
    assert interpreters._seconds(OWN) > 0
