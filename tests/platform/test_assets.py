import re
import tomllib

import pytest

from bin.assets import build_sprite, fill_vendor
from bin.steps import ROOT, StepError

ICON = """<svg xmlns="http://www.w3.org/2000/svg" width="24" class="icon">
  <path stroke="none" d="M0 0h24v24H0z" fill="none" />
  <path d="M4 7h2" />
  <path d="M16 3v4" />
</svg>"""


@pytest.fixture
def packages(tmp_path):
    for style in ("outline", "filled"):
        folder = tmp_path / "packages" / "@tabler" / "icons" / "icons" / style
        folder.mkdir(parents=True)
        (folder / "flag.svg").write_text(ICON)
    (tmp_path / "packages" / "look.css").write_text("a{b:c}\n/*# sourceMappingURL=look.css.map */\n")
    (tmp_path / "packages" / "act.js").write_text("act();\n//# sourceMappingURL=act.js.map")
    return tmp_path / "packages"


def test_vendor_holds_the_named_files_without_source_maps(packages, tmp_path):
    target = tmp_path / "vendor"
    target.mkdir()
    (target / "stale.js").write_text("old")

    fill_vendor(
        {"files": {"look.css": "look.css", "js.js": "act.js"}, "icons": {}}, source=packages, target=target
    )

    assert {path.name: path.read_text() for path in target.iterdir()} == {
        "look.css": "a{b:c}\n",
        "js.js": "act();\n",
        "icons.svg": '<svg xmlns="http://www.w3.org/2000/svg">\n\n</svg>\n',
    }


def test_vendor_names_a_missing_file(packages, tmp_path):
    with pytest.raises(StepError, match=r"^assets\.toml names gone\.js, which is not in node_modules\.$"):
        fill_vendor({"files": {"a.js": "gone.js"}, "icons": {}}, source=packages, target=tmp_path / "vendor")


def test_sprite_has_a_symbol_per_icon(packages):
    sprite = build_sprite({"outline": ["flag"], "filled": ["flag"]}, source=packages)

    assert sprite.splitlines()[1:3] == [
        '<symbol id="flag" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
        ' stroke-linecap="round" stroke-linejoin="round"><path d="M4 7h2" /> <path d="M16 3v4" /></symbol>',
        '<symbol id="flag-filled" viewBox="0 0 24 24" fill="currentColor">'
        '<path d="M4 7h2" /> <path d="M16 3v4" /></symbol>',
    ]


def test_sprite_names_an_unknown_icon(packages):
    with pytest.raises(
        StepError, match=r"^assets\.toml names the outline icon flog, which Tabler does not have\.$"
    ):
        build_sprite({"outline": ["flog"]}, source=packages)


def test_every_file_is_loaded_by_a_page_or_a_sheet():
    files = tomllib.loads((ROOT / "assets.toml").read_text(encoding="utf-8"))["files"]
    readers = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static" / "css").glob("*.css")]
    text = "".join(path.read_text(encoding="utf-8") for path in readers)

    loaded = {name for name in files if f"vendor/{name}" in text}

    licences = {name for name in files if name.endswith(".LICENSE.txt")}
    assert "htmx.min.js" in loaded
    assert set(files) - loaded - licences == set()


def test_every_package_comes_with_its_licence():
    files = tomllib.loads((ROOT / "assets.toml").read_text(encoding="utf-8"))["files"]
    named = {name: re.match(r"@[^/]+/[^/]+|[^/]+", origin)[0] for name, origin in files.items()}

    licensed = {package for name, package in named.items() if name.endswith(".LICENSE.txt")}

    assert licensed == {"chart.js", "htmx.org", "@fontsource-variable/inter", "@tabler/icons"}
    # Tabler's sheet names its licence in its first lines; tests/platform/test_stylesheets.py looks there.
    assert {*named.values(), "@tabler/icons"} - licensed == {"@tabler/core"}
