"""The README's pictures: each is there in the light and in the dark, and small."""

import io
import re

import pytest
from PIL import Image

from bin.pictures import PAGES, SCHEMES, fewer_colours, picture_name
from bin.steps import ROOT

NAMES = [picture_name(page, scheme) for page in PAGES for scheme in SCHEMES]
LARGEST_BYTES = 80_000


@pytest.mark.parametrize("name", NAMES)
def test_picture_is_there_small_and_shown(name):
    file = ROOT / "docs" / "images" / name

    assert file.stat().st_size < LARGEST_BYTES
    assert f"docs/images/{name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_shows_no_picture_that_nothing_makes():
    shown = re.findall(r"docs/images/([\w-]+\.png)", (ROOT / "README.md").read_text(encoding="utf-8"))

    assert sorted(shown) == sorted(NAMES)


def test_fewer_colours_keep_size_and_shape():
    colours = Image.effect_mandelbrot((300, 200), (-2, -1.5, 1, 1.5), 50).convert("RGB")
    out = io.BytesIO()
    colours.save(out, "PNG")

    with Image.open(io.BytesIO(fewer_colours(out.getvalue()))) as few:
        assert (few.size, few.format) == ((300, 200), "PNG")
        assert len(few.getcolors()) <= 96
