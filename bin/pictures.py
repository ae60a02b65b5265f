"""`make pictures`: the few pictures of the README, from a fresh demo clinic: python -m bin.pictures.

Each page is taken in the light and in the dark, with few colours, so that the files stay small. Everybody in them is
invented; what the demo tells is counted from the day on which they are taken.
"""

import io
import os
import sys
from pathlib import Path
from typing import Any, Final

from bin.browser import ensure_chromium
from bin.screenshots import demo_clinic, sign_in
from bin.steps import ROOT, StepError, say

FOLDER: Final = ROOT / "docs" / "images"
SCHEMES: Final = ("light", "dark")
# By name: the address, and what leads on from there to the page meant.
PAGES: Final = {
    "today": ("/", ""),
    "attention": ("/attention/", ""),
    "calendar": ("/calendar/", ""),
    "course": ("/courses/?order=-attended", "#courses tbody a[href^='/courses/']"),
}
_SIZE: Final = {"width": 1200, "height": 760}
_COLOURS: Final = 96


def main() -> int:
    """Take the pictures; return the exit code."""
    try:
        chromium = ensure_chromium(os.environ)
        with demo_clinic() as address:
            take(address, chromium, FOLDER)
    except StepError as error:
        say(f"Error: {error}")
        return 1
    say(f"{len(PAGES) * len(SCHEMES)} pictures in {FOLDER.relative_to(ROOT)}.")
    return 0


def take(address: str, chromium: Path, folder: Path) -> None:
    """Write a picture of each page in each colour scheme; what was there under its name is replaced."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only this command needs it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium))
        for scheme in SCHEMES:
            looks: dict[str, Any] = {"base_url": address, "viewport": _SIZE, "color_scheme": scheme}
            context = browser.new_context(timezone_id="Europe/Riga", locale="en-GB", **looks)
            page = context.new_page()
            sign_in(page, "en")
            for name, (path, link) in PAGES.items():
                page.goto(path)
                if link:
                    page.locator(link).first.click()
                page.wait_for_load_state("networkidle")
                (folder / picture_name(name, scheme)).write_bytes(fewer_colours(page.screenshot()))
            context.close()
        browser.close()


def picture_name(page: str, scheme: str) -> str:
    """Return the name under which the README asks for a picture."""
    return f"{page}-{scheme}.png"


def fewer_colours(picture: bytes) -> bytes:
    """Return a PNG with so few colours that nobody misses one, at a third of the size."""
    from PIL import Image  # noqa: PLC0415  # only this command needs it

    out = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        few = image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        few.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
