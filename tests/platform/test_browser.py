import pytest
from playwright.sync_api import Error

from bin.browser import find_chromium
from bin.steps import StepError
from tests.e2e.conftest import LIGHT_RULES


def test_chromium_as_named(tmp_path):
    program = tmp_path / "chrome"
    program.touch()

    assert find_chromium({"CHROMIUM_PATH": str(program)}) == program


def test_chromium_named_but_missing(tmp_path):
    with pytest.raises(StepError, match=r"^CHROMIUM_PATH is set to /none, which is no file\.$"):
        find_chromium({"CHROMIUM_PATH": "/none"})


def test_chromium_nowhere(monkeypatch, tmp_path):
    monkeypatch.setattr("bin.browser.find_program", lambda *names: None)
    monkeypatch.setattr("bin.browser._PLACES", ())
    monkeypatch.setattr("bin.browser._DOWNLOADS", tmp_path)

    assert find_chromium({}) is None


@pytest.mark.e2e
def test_browser_sees_the_server_and_no_other_host(page, live_server):
    assert page.goto(f"{live_server.url}/static/vendor/htmx.min.js").status == 200
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.org/")


@pytest.mark.e2e
def test_axe_finds_what_is_wrong(page, axe_source):
    page.set_content(
        "<!doctype html><html lang=en><title>Page</title><main><h1>Page</h1><button></button></main>"
    )
    page.evaluate(axe_source)

    found = page.evaluate("axe.run().then(result => result.violations.map(violation => violation.id))")

    assert found == ["button-name"]


@pytest.mark.e2e
def test_rules_that_are_spared_find_nothing_serious(page, axe_source):
    page.evaluate(axe_source)

    # The public list of rules does not tell how grave they are.
    light = page.evaluate(
        """() => axe._audit.rules.filter((rule) => ["minor", "moderate"].includes(rule.impact))
            .map((rule) => rule.id)"""
    )

    assert set(LIGHT_RULES) - set(light) == set()
    assert "color-contrast" not in light
