import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from courses.core.wire import answer_assess

ROOT = Path(__file__).resolve().parents[2]
REQUEST = {
    "as_of": "2026-03-10",
    "course": {
        "start_on": "2026-03-02",
        "phases": [
            {
                "kind": "intensive",
                "cadence": {"frequency": 1, "period_min": 1, "period_max": 2},
                "sessions_min": 10,
                "sessions_max": 15,
            }
        ],
    },
}
BAD = REQUEST | {"as_of": "2026-02-30"}
BAD_LINE = "as_of: Give a date that exists in the calendar.\n"


class Input:
    def __init__(self, text: str) -> None:
        self.buffer = io.BytesIO(text.encode())


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command and return its exit, output and errors."""

    def run(*arguments, given=""):
        monkeypatch.setattr(sys, "stdin", Input(given))
        exit_code = 0
        try:
            call_command("assess", *arguments)
        except SystemExit as stop:
            exit_code = stop.code
        said = capsys.readouterr()
        return exit_code, said.out, said.err

    return run


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_assess_answers_the_input(run, arguments):
    exit_code, out, err = run(*arguments, given=json.dumps(REQUEST, indent=1))

    assert (exit_code, json.loads(out), err) == (0, answer_assess(REQUEST), "")


def test_assess_answers_a_file(run, tmp_path):
    (tmp_path / "course.json").write_text(json.dumps(REQUEST))

    exit_code, out, err = run(str(tmp_path / "course.json"))

    assert (exit_code, json.loads(out), err) == (0, answer_assess(REQUEST), "")


def test_assess_names_the_bad_field(run):
    assert run(given=json.dumps(BAD)) == (2, "", BAD_LINE)


def test_assess_file_missing(run, tmp_path):
    missing = run(str(tmp_path / "none.json"))

    assert missing == (2, "", "request: Name a file that can be read: No such file or directory.\n")


def test_assess_says_that_a_folder_is_no_file(run, tmp_path):
    assert run(str(tmp_path)) == (2, "", "request: Name a file that can be read: Is a directory.\n")


def test_assess_without_an_input_says_so(run, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(SystemExit) as stop:
        call_command("assess")

    assert stop.value.code == 2
    assert capsys.readouterr().err == "request: Send one JSON object: the input is closed.\n"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_assess_says_that_its_answer_cannot_be_written(tmp_path):
    (tmp_path / "course.json").write_text(json.dumps(REQUEST))
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "manage.py", "assess", str(tmp_path / "course.json")],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert ended.returncode == 1
    assert ended.stderr == "CommandError: The answer cannot be written: No space left on device.\n"


@pytest.mark.parametrize("line", ["", "  ", "[", "\r"])
def test_assess_tells_of_the_one_line_it_was_given(run, line):
    _, out, _ = run("--lines", given=f"{line}\n")

    assert json.loads(out)["error"]["message"].startswith("Send one JSON object: Expecting value at line 1,")


def test_assess_lines_go_on_after_a_bad_one(run):
    lines = [json.dumps(REQUEST), json.dumps(BAD), "", "{", json.dumps(REQUEST)]

    exit_code, out, err = run("--lines", given="\n".join(lines))

    answers = [json.loads(line) for line in out.splitlines()]
    assert (exit_code, err) == (2, "")
    assert [answers[0], answers[4]] == [answer_assess(REQUEST)] * 2
    assert answers[1] == {"error": {"field": "as_of", "message": "Give a date that exists in the calendar."}}
    assert [answer["error"]["field"] for answer in answers[2:4]] == ["request", "request"]


@pytest.mark.parametrize(("given", "count"), [("", 0), (json.dumps(REQUEST) + "\n", 1)])
def test_assess_lines_all_good(run, given, count):
    exit_code, out, err = run("--lines", given=given)

    assert (exit_code, len(out.splitlines()), err) == (0, count, "")


@pytest.mark.slow
def test_assess_stops_quietly_when_its_reader_does():
    command = [sys.executable, "manage.py", "assess", "--lines"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdin.write(json.dumps(REQUEST) + "\n")
        process.stdin.flush()
        first = process.stdout.readline()
        process.stdout.close()
        process.stdin.write((json.dumps(REQUEST) + "\n") * 3)
        process.stdin.close()
        errors = process.stderr.read()

    assert json.loads(first) == answer_assess(REQUEST)  # answered at once, line by line
    assert errors == ""
    assert process.returncode == 0
