"""`make screenshots`: every kind of page of the demo clinic as a picture, for a designer's eye: python -m bin.screenshots.

The pages are found by following links, so a new page needs nothing here. Pictures go to var/screenshots, one folder
for each language, width and colour scheme; what lay there before is replaced.
"""

import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bin.browser import ensure_chromium
from bin.processes import die_with_parent
from bin.serve import GRACE_SECONDS, answers, embedded_environment, find_free_port, web_command
from bin.steps import ROOT, StepError, run, say

FOLDER: Final = ROOT / "var" / "screenshots"
_MEMBER, _PASSWORD = "owner@demo.example.com", "regimen-demo"
_WIDTHS: Final = {1440: 900, 390: 844}
_SCHEMES: Final = ("light", "dark")
_LANGUAGES: Final = ("en", "ru")
# Links that are no page of their own: files, what signs in or out, what only an operator sees.
_NO_PAGE: Final = re.compile(
    r"\.(csv|xlsx|pdf|ics|json|yaml)$|/(export|exports/files|card|static|admin|login|logout)/"
)
# A code, a number, a client's secret.
_CODE: Final = re.compile(r"(?<=/)([0-9a-f]{8}-[0-9a-f-]{27}|\d+)(?=/)|(?<=^/c/[a-z]/)[^/]+")
_START_SECONDS: Final = 60.0


def main(arguments: list[str]) -> int:
    """Photograph the pages; return the exit code."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument(
        "--only", default="", help="only kinds of address, such as courses/x/, that contain this text"
    )
    options = parser.parse_args(arguments)
    try:
        chromium = ensure_chromium(os.environ)
        with demo_clinic() as address:
            count = _photograph(address, chromium, only=options.only)
    except StepError as error:
        say(f"Error: {error}")
        return 1
    say(f"{count} pictures in {FOLDER.relative_to(ROOT)}.")
    return 0


def is_page(path: str) -> bool:
    """Tell whether what lies at an address is a page that somebody signed in looks at."""
    return not _NO_PAGE.search(path)


def kind_of(path: str) -> str:
    """Return what all pages of a kind have in common: the address without codes and numbers."""
    return _CODE.sub("x", path)


def file_name(path: str) -> str:
    """Return the name of a page's picture."""
    return (kind_of(path).strip("/").replace("/", "-") or "today") + ".png"


@contextmanager
def demo_clinic() -> Iterator[str]:
    """Serve a fresh demo clinic, and give its address; it is gone afterwards.

    Raises: StepError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="regimen-screenshots-") as folder:
        port = find_free_port()
        strange = ("DATABASE_URL", "REDIS_URL", "BASE_URL", "REGIMEN_MODE", "DEMO")
        kept = {name: value for name, value in os.environ.items() if name not in strange}
        env = kept | embedded_environment({}, port=port) | {"VAR_DIR": folder}
        run([sys.executable, "-m", "bin.prepare"], env=env, quiet=True)
        # Without a worker, the pages would say that the clock has stopped.
        commands = (web_command(port), [sys.executable, "-m", "config.embedded"])
        parts = [
            subprocess.Popen(command, cwd=ROOT, env=env, preexec_fn=die_with_parent) for command in commands
        ]
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not answers(port):
                if parts[0].poll() is not None or time.monotonic() > deadline:
                    raise StepError("The web server did not start.")
                time.sleep(0.1)
            yield f"http://localhost:{port}"
        finally:
            for part in parts:
                part.terminate()
            for part in parts:
                part.wait(GRACE_SECONDS)


def _photograph(address: str, chromium: Path, *, only: str) -> int:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only this command needs it

    shutil.rmtree(FOLDER, ignore_errors=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium))
        paths: list[str] = []
        count = 0
        for language in _LANGUAGES:
            signed_in = browser.new_context(base_url=address)
            sign_in(signed_in.new_page(), language)
            state = signed_in.storage_state()
            paths = paths or [path for path in _find_pages(signed_in.new_page()) if only in kind_of(path)]
            for (width, height), scheme in itertools.product(_WIDTHS.items(), _SCHEMES):
                folder = FOLDER / f"{language}-{width}-{scheme}"
                looks: dict[str, Any] = {
                    "viewport": {"width": width, "height": height},
                    "color_scheme": scheme,
                    "base_url": address,
                    # As somebody in the clinic sees it.
                    "timezone_id": "Europe/Riga",
                }
                count += _shoot(browser.new_context(**looks), ["/accounts/login/"], folder)
                count += _shoot(browser.new_context(storage_state=state, **looks), paths, folder)
                say(f"  {folder.name}")
        browser.close()
    return count


def sign_in(page: Any, language: str) -> None:
    page.goto("/accounts/login/")
    page.fill("[name=login]", _MEMBER)
    page.fill("[name=password]", _PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/")
    page.goto("/me/")
    page.check(f"[name=language][value={language}]", force=True)
    with page.expect_navigation():
        page.locator("form:has([name=language]) button").click()


def _find_pages(page: Any) -> list[str]:
    """Return one address of each kind of page that links lead to, in the order in which they are met."""
    found = {kind_of("/"): "/"}
    waiting = ["/"]
    while waiting:
        path = waiting.pop(0)
        answer = page.request.get(path)
        if not answer.ok or "text/html" not in answer.headers.get("content-type", ""):
            del found[kind_of(path)]
            continue
        page.goto(path)
        links = page.eval_on_selector_all("a[href]", "(all) => all.map((one) => one.href)")
        for parts in map(urlsplit, links):
            is_ours = parts.netloc == urlsplit(page.url).netloc and is_page(parts.path)
            if is_ours and kind_of(parts.path) not in found:
                found[kind_of(parts.path)] = parts.path
                waiting.append(parts.path)
    return list(found.values())


def _shoot(context: Any, paths: list[str], folder: Path) -> int:
    page = context.new_page()
    size = page.viewport_size
    for path in paths:
        page.set_viewport_size(size)
        page.goto(path)
        # What sticks to the window would end in the middle of a picture of the whole page.
        height = page.evaluate("() => document.documentElement.scrollHeight")
        page.set_viewport_size({**size, "height": max(height, size["height"])})
        page.screenshot(path=str(folder / file_name(path)))
    context.close()
    return len(paths)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
