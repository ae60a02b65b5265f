"""Where Chromium is, for the browser tests; installed where that is possible."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from bin.steps import TOOLS, StepError, find_program, run, say

VARIABLE = "CHROMIUM_PATH"
# The shell without windows comes first: the same engine, and a third faster.
_PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
)
_PLACES = (
    Path("/usr/lib/chromium/chromium"),
    Path("/snap/bin/chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
_DOWNLOADS = TOOLS / "browsers"


def find_chromium(env: Mapping[str, str]) -> Path | None:
    """Return CHROMIUM_PATH, else the first Chromium or Chrome in the usual places, else None.

    Raises: StepError when CHROMIUM_PATH names no file.
    """
    if given := env.get(VARIABLE):
        if not Path(given).is_file():
            raise StepError(f"{VARIABLE} is set to {given}, which is no file.")
        return Path(given)
    if program := find_program(*_PROGRAMS):
        return Path(program)
    downloaded = sorted(_DOWNLOADS.glob("chromium*/chrome-linux*/*chrome*shell")) + sorted(
        _DOWNLOADS.glob("chromium-*/chrome-linux*/chrome")
    )
    return next((place for place in [*_PLACES, *reversed(downloaded)] if place.is_file()), None)


def ensure_chromium(env: Mapping[str, str]) -> Path:
    """Return a Chromium, installing one when there is none: by apt-get as root, else by Playwright.

    Raises: StepError when none can be had, saying how to give one.
    """
    if found := find_chromium(env):
        return found
    say("Chromium is not installed; fetching it ...")
    try:
        _install()
    except StepError as error:
        say(str(error))
    if found := find_chromium(env):
        return found
    raise StepError(f"there is no Chromium; install it (apt-get install chromium) or name one in {VARIABLE}")


def _install() -> None:
    if os.geteuid() == 0 and find_program("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        try:
            _install_package("chromium-headless-shell", env)
        except StepError:
            # The list of packages may be older than what the mirror still holds.
            run(["apt-get", "update"], env=env, quiet=True)
            try:
                _install_package("chromium-headless-shell", env)
            except StepError:
                # Not every distribution has it.
                _install_package("chromium", env)
    else:
        env = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(_DOWNLOADS)}
        run([sys.executable, "-m", "playwright", "install", "chromium"], env=env, quiet=True)


def _install_package(name: str, env: Mapping[str, str]) -> None:
    run(
        ["apt-get", "install", "-y", "--no-install-recommends", name, "fonts-dejavu-core"],
        env=env,
        quiet=True,
    )
