import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import pytest

from bin.serve import HOST, Part, choose_port, describe_exit, embedded_environment, is_free, run_parts
from bin.steps import ROOT, StepError

# A part that says in a file when it runs and when it was asked to stop.
WELL_BEHAVED = """
import pathlib, signal, sys, time
log = pathlib.Path(sys.argv[1])
def stop(*_):
    log.write_text("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
log.write_text("runs")
time.sleep(60)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def python_part(name, code, *arguments):
    return Part(name, [sys.executable, "-c", code, *map(str, arguments)])


def wait_for(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not happen in time"
        time.sleep(0.02)


def reads(path, text):
    return path.exists() and path.read_text() == text


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def taken_port():
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def test_port_as_given():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]

    assert choose_port({"PORT": str(port)}) == port


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1"])
def test_port_that_is_none(text):
    with pytest.raises(StepError, match=f"^PORT must be a number from 1 to 65535; it is '{text}'\\.$"):
        choose_port({"PORT": text})


def test_port_given_but_taken(taken_port):
    with pytest.raises(StepError, match=f"^Port {taken_port} is taken by another program;"):
        choose_port({"PORT": str(taken_port)})


def test_port_falls_back_to_a_free_one(taken_port, monkeypatch):
    monkeypatch.setattr("bin.serve.USUAL_PORT", taken_port)

    port = choose_port({})

    assert port != taken_port
    assert is_free(port)


def test_embedded_environment_leaves_what_is_set():
    assert embedded_environment({"DEMO": "off"}, port=8123) == {
        "REGIMEN_MODE": "embedded",
        "DEMO": "off",
        "BASE_URL": "http://localhost:8123",
    }


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "signal SIGKILL"), (-99, "signal 99")]
)
def test_exit_in_words(code, words):
    assert describe_exit(code) == words


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_stops_every_part(tmp_path, number, capsys):
    logs = [tmp_path / "web", tmp_path / "worker"]
    parts = [python_part(log.name, WELL_BEHAVED, log) for log in logs]

    code = run_parts(
        parts,
        is_ready=lambda: all(reads(log, "runs") for log in logs),
        on_ready=lambda: os.kill(os.getpid(), number),
    )

    assert code == 0
    assert [log.read_text() for log in logs] == ["stopped", "stopped"]
    assert capsys.readouterr().out == "Stopping ...\n"


@pytest.mark.slow
def test_part_that_ends_stops_the_others_and_is_not_restarted(tmp_path, capsys):
    log = tmp_path / "web"
    wait_then_fail = """
import pathlib, sys, time
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)
sys.exit(7)
"""
    parts = [python_part("web", WELL_BEHAVED, log), python_part("worker", wait_then_fail, log)]

    code = run_parts(parts, is_ready=lambda: False, on_ready=lambda: None)

    assert code == 1
    assert log.read_text() == "stopped"
    assert capsys.readouterr().out == "Error: the worker process ended by itself (exit code 7); stopping.\n"


@pytest.mark.slow
def test_part_that_will_not_stop_is_killed_and_that_is_said(capsys):
    code = run_parts(
        [python_part("worker", DEAF)],
        is_ready=lambda: True,
        on_ready=lambda: (time.sleep(0.5), os.kill(os.getpid(), signal.SIGTERM)),
        grace_seconds=0.3,
    )

    assert code == 1
    assert capsys.readouterr().out == (
        "Stopping ...\nError: the worker process did not stop within 0.3 s and was killed.\n"
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_parts_end_with_a_parent_that_is_killed(tmp_path):
    log, pid_file = tmp_path / "web", tmp_path / "pid"
    code = WELL_BEHAVED.replace(
        'log.write_text("runs")',
        "import os; pathlib.Path(sys.argv[2]).write_text(str(os.getpid())); log.write_text('runs')",
    )
    parent = textwrap.dedent("""
        import sys
        from bin.serve import Part, run_parts
        run_parts([Part("web", [sys.executable, "-c", *sys.argv[1:]])], is_ready=lambda: False, on_ready=print)
    """)
    process = subprocess.Popen([sys.executable, "-c", parent, code, log, pid_file], cwd=ROOT)
    wait_for(lambda: reads(log, "runs"))

    process.kill()
    process.wait()

    wait_for(lambda: not is_alive(int(pid_file.read_text())))
