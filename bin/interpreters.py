"""Which build of this Python makes the environment: one compiled without optimisation takes twice as long for everything."""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

# How much faster another build has to be: less may be chance.
_WORTH_IT: Final = 0.8
# A processor runs twice as fast at some moments as at others: each build has several turns, its best one counts,
# and of that its own processor time, whatever else the machine is doing.
_TURNS: Final = 8
# The best of a few rounds of what programs mostly do: make objects, look attributes up, fill dictionaries.
_TRIAL: Final = """
import time, sys, venv
class Row:
    def __init__(self, n): self.n = n
    def get(self): return self.n
def work(rows={}):
    began = time.process_time()
    for n in range(20_000):
        row = Row(n)
        rows[n % 100] = row.get() if isinstance(row, Row) else getattr(row, "n")
    return time.process_time() - began
print(*sys.version_info[:2], min(work() for _ in range(4)))
"""


def fastest_build() -> Path:
    """Return this Python, or a build of the same minor version on this machine that is clearly faster."""
    own = Path(sys.executable)
    builds = [own, *_others(own)]
    if len(builds) == 1:
        return own
    found: defaultdict[Path, list[float]] = defaultdict(list)
    for _ in range(_TURNS):
        for place in builds:
            if (seconds := _seconds(place)) is not None:
                found[place].append(seconds)
    bests = {place: min(times) for place, times in found.items()}
    if own not in bests:
        return own
    fastest = min(bests, key=lambda place: bests[place])
    return fastest if bests[fastest] < _WORTH_IT * bests[own] else own


def _others(own: Path) -> Iterable[Path]:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/local/bin", "/usr/bin"]
    places = {Path(folder, name).resolve() for folder in folders if folder and Path(folder, name).is_file()}
    return sorted(place for place in places - {own.resolve()} if not _is_script(place))


def _is_script(place: Path) -> bool:
    """Return whether this only starts one of the others, as version managers' stand-ins do, and takes its time for it."""
    with place.open("rb") as file:
        return file.read(2) == b"#!"


def _seconds(place: Path) -> float | None:
    """Return how long a build takes for the trial, None when it does not run or is another version."""
    try:
        done = subprocess.run([str(place), "-I", "-c", _TRIAL], capture_output=True, text=True, timeout=20)
        major, minor, seconds = done.stdout.split()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return float(seconds) if (int(major), int(minor)) == sys.version_info[:2] else None
