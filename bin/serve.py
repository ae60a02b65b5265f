"""`make run`: the database made ready, then web and worker under one parent that stops both cleanly."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bin.processes import die_with_parent
from bin.steps import ROOT, StepError, run, say

HOST = "127.0.0.1"
USUAL_PORT = 8000
# An idle Celery worker takes up to 6 s to stop; one that is sending may finish its message.
GRACE_SECONDS = 20.0
_PULSE_SECONDS = 0.2
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Part:
    """One process of the application: its name in messages and its command."""

    name: str
    command: Sequence[str]


def main() -> int:
    """Prepare the database, run web and worker until told to stop; return the exit code."""
    try:
        port = choose_port(os.environ)
        os.environ.update(embedded_environment(os.environ, port=port))
        run([sys.executable, "-m", "bin.prepare"])
    except StepError as error:
        say(f"Error: {error}")
        return 1
    parts = [Part("web", web_command(port)), Part("worker", [sys.executable, "-m", "config.embedded"])]
    address = f"http://localhost:{port}/"
    return run_parts(
        parts,
        is_ready=lambda: answers(port),
        on_ready=lambda: say(f"Regimen runs at {address} (Ctrl-C stops it)"),
    )


def embedded_environment(env: Mapping[str, str], *, port: int) -> dict[str, str]:
    """Return the variables of a local run; what is already set wins."""
    ours = {"REGIMEN_MODE": "embedded", "DEMO": "on", "BASE_URL": f"http://localhost:{port}"}
    return {name: env.get(name, value) for name, value in ours.items()}


def web_command(port: int) -> list[str]:
    """Return the command of the local web server: one process, four threads."""
    options = [
        "--interface",
        "wsgi",
        "--host",
        HOST,
        "--port",
        str(port),
        "--no-ws",
        "--log-level",
        "warning",
    ]
    sizes = ["--workers", "1", "--blocking-threads", "4"]
    return [sys.executable, "-m", "granian", *options, *sizes, "config.wsgi:application"]


def choose_port(env: Mapping[str, str]) -> int:
    """Return PORT when it is set, else 8000 when it is free, else any free port.

    Raises: StepError when PORT is no port number or is taken.
    """
    given = env.get("PORT", "").strip()
    if given:
        if not given.isdecimal() or not 0 < int(given) < 65_536:
            raise StepError(f"PORT must be a number from 1 to 65535; it is {given!r}.")
        if not is_free(int(given)):
            raise StepError(f"Port {given} is taken by another program; name a free one: make run PORT=8001")
        return int(given)
    return USUAL_PORT if is_free(USUAL_PORT) else find_free_port()


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port."""
    with socket.socket() as probe:
        # As the server does: a port whose last connections are just closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def find_free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Tell whether the web server answers a request, whatever it says."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        # Not /healthz, which is red, and logged as such, until the worker has ticked.
        connection.request("HEAD", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def run_parts(
    parts: Sequence[Part],
    *,
    is_ready: Callable[[], bool],
    on_ready: Callable[[], None],
    grace_seconds: float = GRACE_SECONDS,
) -> int:
    """Run the parts until a signal or until one of them ends; then stop the others and return the exit code.

    0 after a signal when every part stopped by itself. A part that ends unasked is never restarted: that is said, and
    the code is 1. Units: grace_seconds is how long a part may take to stop before it is killed.
    """
    asked = threading.Event()
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in _STOP_SIGNALS}
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for part in parts:
            running[part.name] = _start(part)
        code = _watch(running, asked, is_ready=is_ready, on_ready=on_ready)
    finally:
        was_clean = _stop(running, grace_seconds=grace_seconds)
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if was_clean else 1


def _start(part: Part) -> "subprocess.Popen[bytes]":
    # In a session of its own, so that Ctrl-C in the terminal reaches only the parent, which stops the parts in order.
    return subprocess.Popen(
        list(part.command),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def _watch(
    running: Mapping[str, "subprocess.Popen[bytes]"],
    asked: threading.Event,
    *,
    is_ready: Callable[[], bool],
    on_ready: Callable[[], None],
) -> int:
    told = False
    while not asked.wait(_PULSE_SECONDS):
        for name, process in running.items():
            if process.poll() is not None:
                say(
                    f"Error: the {name} process ended by itself ({describe_exit(process.returncode)}); stopping."
                )
                return 1
        if not told and is_ready():
            on_ready()
            told = True
    say("Stopping ...")
    return 0


def _stop(running: Mapping[str, "subprocess.Popen[bytes]"], *, grace_seconds: float) -> bool:
    for process in running.values():
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + grace_seconds
    was_clean = True
    for name, process in running.items():
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(f"Error: the {name} process did not stop within {grace_seconds:g} s and was killed.")
            process.kill()
            process.wait()
            was_clean = False
    return was_clean


def describe_exit(code: int) -> str:
    """Return an exit code in words: negative ones are signals."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


if __name__ == "__main__":
    sys.exit(main())
