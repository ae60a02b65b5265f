import pytest

from bin.pango import ensure_pango
from bin.steps import StepError


def test_missing_pango_is_said_with_what_to_install(monkeypatch):
    monkeypatch.setattr("bin.pango._LIBRARIES", (("libnone.so.0",),))
    monkeypatch.setattr("bin.pango.find_program", lambda *names: None)

    with pytest.raises(
        StepError, match=r"apt-get install libpango-1\.0-0 libpangoft2-1\.0-0 libharfbuzz-subset0\)$"
    ):
        ensure_pango()


def test_present_pango_is_left_alone(monkeypatch):
    # The C library itself, which every machine has under one of the two names.
    monkeypatch.setattr("bin.pango._LIBRARIES", ((None,),))
    monkeypatch.setattr("bin.pango.run", None)

    assert ensure_pango() is None
