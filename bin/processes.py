"""Children that do not outlive their parent."""

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Loaded beforehand: between fork and exec a library must not be searched for.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies, however it dies; for Popen's preexec_fn.

    Only Linux can do this; elsewhere a parent that is killed leaves its children running.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
