"""A style sheet trimmed to what pages use, and the promise that nothing they use was trimmed away."""

import re
import tomllib

import pytest

from bin.steps import ROOT
from bin.stylesheets import trim_css

CLASS_IN_CSS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")


@pytest.mark.parametrize(
    ("css", "trimmed"),
    [
        pytest.param(".btn{a:b}", ".btn{a:b}", id="kept class"),
        pytest.param(".navbar{a:b}", "", id="other class"),
        pytest.param("body{a:b}", "body{a:b}", id="element"),
        pytest.param(".navbar,.btn{a:b}", ".btn{a:b}", id="one selector of two"),
        pytest.param(".navbar .btn{a:b}", "", id="kept inside another"),
        pytest.param(".btn:not(.navbar,.x){a:b}", "", id="comma inside parentheses"),
        pytest.param(".mt-2{a:b}.mt-22{a:b}", ".mt-2{a:b}", id="pattern"),
        pytest.param("[data-bs-theme=dark] .btn{a:b}", "", id="theme attribute"),
        pytest.param("@media (x){.navbar{a:b}}.btn{c:d}", ".btn{c:d}", id="group left empty"),
        pytest.param("@media (x){.btn{a:b}.navbar{a:b}}", "@media (x){.btn{a:b}}", id="group"),
        pytest.param("@keyframes x{from{a:b}}", "@keyframes x{from{a:b}}", id="keyframes"),
        pytest.param("/*.btn{}*/.btn{a:b}/*! by x */", ".btn{a:b}", id="comment"),
        pytest.param(
            '@charset "UTF-8";/*! by x */\n.btn{a:b}', "/*! by x */\n.btn{a:b}", id="note of the authors"
        ),
    ],
)
def test_trim_css_keeps_what_is_named(css, trimmed):
    assert trim_css(css, keep=["btn", "mt-[0-9]"]) == trimmed


def test_trim_css_refuses_an_open_block():
    with pytest.raises(ValueError, match=r"^The style sheet ends inside a block\.$"):
        trim_css(".btn{a:b", keep=["btn"])


def test_trimmed_sheet_still_names_its_authors_and_licence():
    trimmed = (ROOT / "static/vendor/tabler.min.css").read_text(encoding="utf-8")

    assert trimmed.startswith("/*!\n * Tabler v")
    assert "Licensed under MIT" in trimmed.partition("*/")[0]


def test_no_template_uses_a_class_that_was_trimmed_away():
    tabler = (ROOT / "node_modules/@tabler/core/dist/css/tabler.min.css").read_text(encoding="utf-8")
    own = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "static/css").glob("*.css"))
    keep = tomllib.loads((ROOT / "assets.toml").read_text(encoding="utf-8"))["keep"]["tabler.min.css"]
    names = set(CLASS_IN_CSS.findall(tabler))
    kept = set(CLASS_IN_CSS.findall(trim_css(tabler, keep=keep))) | set(CLASS_IN_CSS.findall(own))

    used = set()
    # Messages carry their own style: a mail program has no style sheet of ours.
    pages = set((ROOT / "templates").rglob("*.html"))
    for path in pages:
        for value in re.findall(r'class="([^"]*)"', path.read_text(encoding="utf-8")):
            used |= set(re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", value).split())

    assert "btn" in used
    assert sorted((used & names) - kept) == []
