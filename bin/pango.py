"""Whether Pango is there, which draws the letters of PDFs; installed where that is possible."""

import ctypes
import os
from typing import Final

from bin.steps import StepError, find_program, run, say

# Each with the name it has on Linux and on macOS; what else is needed comes along with them.
_LIBRARIES: Final = (
    ("libpango-1.0.so.0", "libpango-1.0.dylib"),
    ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib"),
    ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib"),
)
PACKAGES: Final = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")


def has_pango() -> bool:
    """Tell whether every library that a PDF needs can be loaded."""
    return all(any(map(_loads, names)) for names in _LIBRARIES)


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def ensure_pango() -> None:
    """Install Pango by apt-get as root when it is not there.

    Raises: StepError when it cannot be had, saying how to get it.
    """
    if has_pango():
        return
    if os.geteuid() == 0 and find_program("apt-get"):
        say("Pango is not installed; fetching it ...")
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
        try:
            run(install, env=env, quiet=True)
        except StepError:
            # The list of packages may be older than what the mirror still holds.
            run(["apt-get", "update"], env=env, quiet=True)
            run(install, env=env, quiet=True)
    if not has_pango():
        raise StepError(
            f"there is no Pango, which PDFs need; install it (apt-get install {' '.join(PACKAGES)})"
        )
