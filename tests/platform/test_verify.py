import json
import subprocess
import sys
from collections import Counter

import pytest

from bin import verify
from bin.steps import ROOT
from bin.verify import Result, Suite

# The runs inside these tests need no application, and start sooner without it.
WITHOUT_DJANGO = [
    *(word for word in verify.core_suite().arguments if not word.startswith("tests/")),
    *("-n", "0", "-c", str(ROOT / "pyproject.toml")),
]
TESTS = """
import time
import pytest

def test_passes():
    pass

def test_fails():
    assert False

def test_skips():
    pytest.skip("no moon")

def test_dawdles():
    time.sleep(0.15)

@pytest.mark.slow
def test_dawdles_and_says_so():
    time.sleep(0.15)
"""


def test_closing_line_sums_all_that_is_not_a_pass():
    counts = Counter(passed=5, failed=1, error=2, xpassed=1, skipped=3, xfailed=1)

    assert Result(counts=counts).closing_line() == "5 passed, 4 failed, 4 skipped"


@pytest.mark.parametrize(
    ("result", "is_ci", "code"),
    [
        (Result(), False, 0),
        (Result(), True, 0),
        (Result(broken=["mypy"]), False, 1),
        (Result(missing=["browser tests"]), False, 0),
        (Result(missing=["browser tests"]), True, 1),
        (Result(counts=Counter(skipped=1)), False, 0),
        (Result(counts=Counter(skipped=1)), True, 1),
    ],
)
def test_exit_code(result, is_ci, code):
    assert result.exit_code(is_ci=is_ci) == code


@pytest.mark.parametrize(("value", "is_ci"), [("true", True), ("1", True), ("", False), ("false", False)])
def test_ci_is_told_by_its_variable(value, is_ci):
    assert verify.is_ci({"CI": value}) is is_ci


@pytest.mark.slow
def test_suite_is_counted_as_it_ended(tmp_path):
    (tmp_path / "test_sample.py").write_text(TESTS)
    tally = tmp_path / "tally.json"
    command = [sys.executable, "-m", "pytest", "-q", *WITHOUT_DJANGO, "-p", "bin.tally", f"--tally={tally}"]

    done = subprocess.run(
        [*command, str(tmp_path), "-n", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    found = json.loads(tally.read_text())
    assert found["counts"] == {"passed": 3, "failed": 1, "error": 0, "skipped": 1, "xfailed": 0, "xpassed": 0}
    assert [text.split("::")[1] for text in found["skips"]] == ["test_skips: no moon"]
    assert [node.split("::")[1] for node, _ in found["slow"]] == ["test_dawdles"]
    # More than either of the two that dawdle takes alone, with room for how clocks and sums are rounded.
    assert [(name.split("/")[-1], cost > 0.2) for name, cost in found["modules"].items()] == [
        ("test_sample.py", True)
    ]


@pytest.mark.slow
def test_core_suite_cannot_import_django(tmp_path):
    test = "import pytest\ndef test_import():\n    with pytest.raises(ImportError):\n        import django\n"
    (tmp_path / "test_sample.py").write_text(test)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *WITHOUT_DJANGO, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_suite_without_a_test_is_a_failure(tmp_path, capsys):
    (tmp_path / "test_sample.py").write_text("")
    result = Result()

    verify.run_suite(Suite("empty", [str(tmp_path), *WITHOUT_DJANGO]), result)

    assert result.broken == ["tests: empty (pytest exit code 5)"]
    assert result.closing_line() == "0 passed, 1 failed, 0 skipped"


@pytest.mark.slow
def test_suite_that_could_not_run_is_counted_and_named(tmp_path):
    (tmp_path / "test_sample.py").write_text(TESTS)
    result = Result()

    verify.miss(
        result, "moon tests", [Suite("moon", [str(tmp_path), *WITHOUT_DJANGO])], reason="there is no moon"
    )

    assert result.missing == ["moon tests, 5 tests: there is no moon"]
    assert result.closing_line() == "0 passed, 0 failed, 5 skipped"


def test_check_that_fails_is_shown_and_counted(monkeypatch, capsys):
    checks = [verify.Check("fine", ["true"]), verify.Check("wrong", ["sh", "-c", "echo why; false"])]
    monkeypatch.setattr(verify, "list_checks", lambda: iter(checks))
    result = Result()

    verify.run_checks(result)

    assert result.broken == ["wrong"]
    assert result.closing_line() == "0 passed, 1 failed, 0 skipped"
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["ok", "FAILED", "why"]


def test_report_names_the_costliest_modules(capsys):
    modules = {f"test_{number}.py": float(number) for number in range(12)}

    verify.report(Result(modules=modules), seconds=70, has_tests=True)

    costly = ", ".join(f"test_{number}.py ({number} s)" for number in range(11, 1, -1))
    assert capsys.readouterr().out.splitlines() == [
        f"Costliest modules: {costly}.",
        "All checks passed in 70 s.",
        "0 passed, 0 failed, 0 skipped",
    ]


def test_suites_together_run_every_mark():
    chosen = [verify.sqlite_suite(verify._NO_SERVER), verify.postgres_suite({}), verify.browser_suite({})]

    assert [suite.arguments[suite.arguments.index("-m") + 1] for suite in chosen] == [
        "not e2e and not postgres",
        "not e2e and not sqlite",
        "e2e",
    ]


def test_browser_suite_reads_no_other_tests_but_all_with_its_mark():
    places = verify.browser_places()

    assert places == ["tests/e2e", "tests/platform/test_browser.py"]


SERVED = """
import pytest

@pytest.fixture
def db():
    pass

@pytest.fixture
def course(db):
    pass

def test_of_a_text():
    pass

def test_of_rows(course):
    pass

@pytest.mark.django_db
def test_of_marked_rows():
    pass

@pytest.mark.postgres
def test_of_postgres():
    pass

@pytest.mark.servers
def test_of_a_cache():
    pass
"""


@pytest.mark.slow
def test_second_database_is_spared_what_touches_no_server(tmp_path):
    (tmp_path / "test_sample.py").write_text(SERVED)
    plugin = ["-p", "bin.touching_servers"]
    mark = ["-o", "markers=django_db\npostgres\nservers"]
    command = [sys.executable, "-m", "pytest", *WITHOUT_DJANGO, *mark, "--collect-only", "-q", str(tmp_path)]

    def found(*options):
        done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True)
        return [line.split("::")[1] for line in done.stdout.splitlines() if "::" in line]

    touching = ["test_of_rows", "test_of_marked_rows", "test_of_postgres", "test_of_a_cache"]
    assert found() == ["test_of_a_text", *touching]
    assert found(*plugin) == touching
    assert set(plugin) < set(verify.postgres_suite({}).arguments)
    assert "bin.touching_servers" not in verify.sqlite_suite("").arguments


@pytest.mark.slow
def test_pages_that_ask_nothing_new_are_left_out_and_counted(tmp_path):
    pages = tmp_path / "tests" / "staff"
    pages.mkdir(parents=True)
    sample = "import pytest\n@pytest.mark.django_db\n@pytest.mark.parametrize('n', range(5))\ndef test_page(n): pass\n"
    (pages / "test_sample.py").write_text(sample)
    asked = {f"tests/staff/test_sample.py::test_page[{number}]": ["a"] for number in range(5)}
    (tmp_path / "gw0.json").write_text(json.dumps(asked))
    options = ["-p", "bin.touching_servers", f"--statements-from={tmp_path}", "-o", "markers=django_db"]
    plain = ["--rootdir", str(tmp_path), "--collect-only", "-q", str(pages)]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *WITHOUT_DJANGO, *options, *plain],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    found = [line.split("::")[1] for line in done.stdout.splitlines() if "::" in line]
    assert found == ["test_page[0]", "test_page[1]"]
    assert (
        "Left to the first database: 0 tests that touch no server, 3 of pages that ask it only what 2 others "
        "here ask in the same words."
    ) in done.stdout


def test_second_run_reads_what_the_first_wrote(tmp_path):
    first = verify.sqlite_suite("", statements_to=tmp_path).arguments
    second = verify.postgres_suite({}, statements_from=tmp_path).arguments

    assert {"bin.statements", f"--statements-to={tmp_path}"} < set(first)
    assert f"--statements-from={tmp_path}" in second


def test_variables_of_a_developer_do_not_reach_the_tests(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/mine")
    monkeypatch.setenv("DEMO", "on")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    env = verify._test_environment({"REDIS_URL": "redis://localhost/7"})

    names = ("DATABASE_URL", "DEMO", "PYTHONDONTWRITEBYTECODE", "REDIS_URL")
    assert {name: env.get(name) for name in names} == {
        "DATABASE_URL": None,
        "DEMO": None,
        "PYTHONDONTWRITEBYTECODE": None,
        "REDIS_URL": "redis://localhost/7",
    }
