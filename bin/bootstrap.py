"""Make ready what a command needs, then become that command: python -m bin.bootstrap [options] -- command."""

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bin import assets, toolchain, translations
from bin.steps import ROOT, TOOLS, VENV, StepError


def main(arguments: Sequence[str]) -> None:
    """Set up, then replace this process by the command."""
    parser = argparse.ArgumentParser(prog="python -m bin.bootstrap", description=__doc__)
    parser.add_argument("--group", action="append", default=[], help="also install this dependency group")
    parser.add_argument(
        "--any-build", action="store_true", help="a faster build of the same Python version may be used"
    )
    parser.add_argument("--assets", action="store_true", help="also make the front-end files")
    parser.add_argument("--translations", action="store_true", help="also compile the translations")
    parser.add_argument("command", nargs="*", help="to run in .venv afterwards")
    options = parser.parse_args(arguments)
    try:
        with _one_at_a_time():
            fetch(options.group, any_build=options.any_build, has_assets=options.assets)
            if options.translations:
                translations.compile_translations()
    except StepError as error:
        sys.exit(f"Error: {error}")
    if options.command:
        _become(options.command)


def fetch(groups: Sequence[str], *, any_build: bool, has_assets: bool) -> None:
    """Bring .venv up to date and, where asked for, the front-end files beside it: both wait for a network.

    Raises: StepError when either cannot be had, once the other has ended.
    """
    # Both may need it, and only one should fetch it.
    toolchain.uv_command()
    with ThreadPoolExecutor(max_workers=2) as pool:
        parts = [pool.submit(toolchain.sync_environment, groups, any_build=any_build)]
        if has_assets:
            parts.append(pool.submit(assets.make_assets))
    for part in parts:
        part.result()


def _become(command: Sequence[str]) -> None:
    programs = str(VENV / "bin")
    os.environ["PATH"] = programs + os.pathsep + os.environ.get("PATH", "")
    os.environ["VIRTUAL_ENV"] = str(VENV)
    os.chdir(ROOT)
    os.execvp(command[0], list(command))  # noqa: S606 (there is nothing for a shell to do)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    # Two commands started side by side would otherwise fill the same folders at once.
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main(sys.argv[1:])
