"""What the commands share: where things are, how to speak, when a step can be skipped."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"


class StepError(Exception):
    """A step that cannot be done, in a sentence that says what is missing and how to get it."""


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    # In one piece: two steps may speak at the same time.
    print(f"{text}\n", end="", flush=True)


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, quiet: bool = False) -> None:
    """Run a command in the project's folder.

    Raises: StepError when it is missing or fails; a quiet one shows its output only then.
    """
    words = [str(word) for word in command]
    pipe = subprocess.PIPE if quiet else None
    try:
        done = subprocess.run(
            words, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )
    except OSError as error:
        raise StepError(f"{words[0]} could not be started: {error.strerror}.") from error
    if done.returncode:
        sys.stderr.write((done.stdout or "") + (done.stderr or ""))
        raise StepError(f"This command failed with exit code {done.returncode}: {' '.join(words)}")


def find_program(*names: str) -> str | None:
    """Return the first of the programs that is on the path."""
    return next((found for name in names if (found := shutil.which(name))), None)


class Stamp:
    """Remembers what a step was last done with, so that it is skipped until that changes."""

    def __init__(
        self, name: str, *, inputs: Iterable[Path], outputs: Iterable[Path], folder: Path = TOOLS / "stamps"
    ) -> None:
        self._file = folder / name
        self._inputs = sorted(inputs)
        self._outputs = list(outputs)

    def is_fresh(self) -> bool:
        """Tell whether every output is there and every input is as it was."""
        if not self._file.exists() or not all(output.exists() for output in self._outputs):
            return False
        return self._file.read_text(encoding="ascii") == self._fingerprint()

    def write(self) -> None:
        """Remember the inputs as they are now."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(self._fingerprint(), encoding="ascii")

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for path in self._inputs:
            digest.update(str(path).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()
