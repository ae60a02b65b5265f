"""The private tools in .tools and the virtual environment in .venv, from nothing but Python."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bin.interpreters import fastest_build
from bin.steps import ROOT, TOOLS, VENV, StepError, find_program, run, say

PYTHON = VENV / "bin" / "python"
OLDEST_UV = (0, 8)
_OWN_UV = TOOLS / "uv"
_NO_PIP = (
    "Python's venv module is not complete here (no ensurepip) and there is no pip. "
    "On Debian and Ubuntu: apt-get install python3-venv"
)


def sync_environment(groups: Sequence[str] = (), *, any_build: bool = False) -> None:
    """Bring .venv to the lock: the application and the dependency groups asked for; others present stay.

    With `any_build` a new .venv is made from the fastest build of this Python's version on the machine.

    Raises: StepError when uv or a package cannot be had.
    """
    wanted = [word for group in groups for word in ("--group", group)]
    command = [*uv_command(), "sync", "--frozen", "--inexact", "--no-default-groups", *wanted]
    if not PYTHON.exists():
        say("Creating .venv from the lock ...")
    run([*command, "--python", _interpreter(any_build=any_build)], env=uv_environment(), quiet=True)


def uv_command() -> list[str]:
    """Return how to call uv: UV, a recent one on the path, else one of our own in .tools.

    Raises: StepError when it has to be fetched and cannot be.
    """
    if given := os.environ.get("UV"):
        return [given]
    found = find_program("uv")
    if found and uv_version(found) >= OLDEST_UV:
        return [found]
    own = _own_uv()
    return [str(own or _fetch_uv())]


def uv_version(program: str) -> tuple[int, int]:
    """Return major and minor version of a uv; (0, 0) when it does not answer."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
    except OSError:
        return (0, 0)
    found = re.match(r"uv (\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def uv_environment() -> dict[str, str]:
    """Return the environment for uv: our own .venv and a cache beside it, whatever shell called us."""
    env = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    env["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    env.setdefault("UV_CACHE_DIR", str(TOOLS / "cache" / "uv"))
    return env


def _interpreter(*, any_build: bool) -> Path:
    # Naming another interpreter than the one of .venv would make uv throw it away and build it anew.
    if PYTHON.exists():
        check = "import sys; sys.exit(sys.version_info < (3, 11))"
        if subprocess.run([str(PYTHON), "-c", check], capture_output=True).returncode == 0:
            return PYTHON
    return fastest_build() if any_build else Path(sys.executable)


def _own_uv() -> Path | None:
    return next(
        (path for path in (_OWN_UV / "bin" / "uv", _OWN_UV / "target" / "bin" / "uv") if path.exists()), None
    )


def _fetch_uv() -> Path:
    say("Fetching uv into .tools ...")
    wanted = f"uv>={OLDEST_UV[0]}.{OLDEST_UV[1]}"
    options = ["--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    if importlib.util.find_spec("ensurepip"):
        run([sys.executable, "-m", "venv", "--clear", _OWN_UV])
        run([_OWN_UV / "bin" / "python", "-m", "pip", "install", *options, wanted])
    elif importlib.util.find_spec("pip"):
        run([sys.executable, "-m", "pip", "install", *options, "--target", _OWN_UV / "target", wanted])
    else:
        raise StepError(_NO_PIP)
    own = _own_uv()
    if own is None:
        raise StepError(f"pip installed uv, but its program is not in {_OWN_UV.relative_to(ROOT)}.")
    return own
