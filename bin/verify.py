"""Everything that is checked before a change is taken: python -m bin.verify format | lint | check | fast | all."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bin.browser import VARIABLE as CHROMIUM
from bin.browser import ensure_chromium
from bin.pango import ensure_pango
from bin.services import provide_postgres, provide_redis
from bin.steps import ROOT, StepError, run, say

PYTHON = sys.executable
PACKAGES = [
    "api",
    "audit",
    "bench",
    "bin",
    "clients",
    "clinics",
    "config",
    "courses",
    "exports",
    "faults",
    "hooks",
    "imports",
    "operators",
    "portal",
    "reminders",
    "reports",
    "simulation",
    "staff",
    "tests",
    "manage.py",
]
# As many workers as the machines that check have cores, by which the suites are bound.
_SPREAD = ("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
# One worker more where whole modules wait for other processes: senders that are killed, sessions that hold locks.
_SPREAD_OF_WAITING = ("-n", "3", *_SPREAD[2:])
# The tests with a browser share nothing within a module, and two of them take a quarter of the time of all.
_SPREAD_SINGLY = ("-n", "2", "--dist", "worksteal")
_NO_SERVER = "not e2e and not postgres"
# Plugins of libraries that tests import themselves; each process would load them whole before its first test.
_UNUSED = [word for name in ("schemathesis", "faker", "anyio") for word in ("-p", f"no:{name}")]
_COSTLY_MODULES = 10


@dataclass(frozen=True)
class Check:
    """One command that is silent when all is well."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """One run of pytest."""

    name: str
    arguments: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Result:
    """What several runs came to."""

    counts: Counter[str] = field(default_factory=Counter)
    skips: list[str] = field(default_factory=list)
    slow: list[tuple[str, float]] = field(default_factory=list)
    modules: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def closing_line(self) -> str:
        """Return the sums of all suites in one line; a check that failed counts as a failure."""
        failed = self.counts["failed"] + self.counts["error"] + self.counts["xpassed"]
        skipped = self.counts["skipped"] + self.counts["xfailed"]
        return f"{self.counts['passed']} passed, {failed} failed, {skipped} skipped"

    def exit_code(self, *, is_ci: bool) -> int:
        """Return 1 when something failed, and in CI also when something did not run; else 0."""
        if self.broken:
            return 1
        return int(is_ci and bool(self.missing or self.counts["skipped"]))


def main(arguments: Sequence[str]) -> int:
    """Run the part asked for; return the exit code."""
    parts: dict[str, Sequence[Callable[[Result], None]]] = {
        "lint": [run_checks],
        "fast": [run_fast],
        "check": [run_checks, run_fast],
        "all": [run_checks, run_tests],
    }
    mode = arguments[0] if len(arguments) == 1 else ""
    if mode == "format":
        return run_format()
    if mode not in parts:
        sys.exit(__doc__)
    result, start = Result(), time.monotonic()
    for part in parts[mode]:
        part(result)
    report(result, seconds=time.monotonic() - start, has_tests=mode != "lint")
    return result.exit_code(is_ci=is_ci(os.environ))


def is_ci(env: Mapping[str, str]) -> bool:
    """Tell whether nobody is watching: then what did not run is a failure."""
    return env.get("CI", "").lower() not in ("", "0", "false", "no")


# ---------------------------------------------------------------- checks


def run_checks(result: Result) -> None:
    """Run every check, two at a time, and show the output of those that complain."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        for check, (code, output, seconds) in zip(
            checks := list(list_checks()), pool.map(_run_check, checks), strict=True
        ):
            say(f"{'ok' if code == 0 else 'FAILED':<8}{check.name:<24}{seconds:6.1f} s")
            if code:
                say(output.rstrip())
                result.broken.append(check.name)
                result.counts["error"] += 1


def list_checks() -> Iterator[Check]:
    """Yield the checks, the longest first so that two at a time end together."""
    packages = [name for name in PACKAGES if (ROOT / name).exists()]
    memory = {"DATABASE_URL": "sqlite://:memory:", "DJANGO_SETTINGS_MODULE": "config.settings_test"}
    manage = [PYTHON, "manage.py"]
    yield Check("mypy", ["mypy", *[name for name in packages if name != "tests"]])
    yield Check("ruff format", ["ruff", "format", "--check", "--quiet", *packages])
    yield Check("ruff check", ["ruff", "check", "--quiet", *packages])
    yield Check("import contracts", ["lint-imports", "--no-cache"])
    yield Check("makemigrations --check", [*manage, "makemigrations", "--check", "--dry-run"], env=memory)
    yield Check("manage.py check", [*manage, "check", "--fail-level", "WARNING"], env=memory)
    describe = ["spectacular", "--validate", "--fail-on-warn", "--file", os.devnull]
    yield Check("OpenAPI", [*manage, *describe], env=memory)
    yield Check(
        "django-upgrade", ["django-upgrade", "--target-version", "5.2", "--check", *_python_files(packages)]
    )
    if templates := list_templates():
        yield Check("djade", ["djade", "--target-version", "5.2", "--check", *templates])
    yield Check(
        "compose schema",
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
    )
    yield Check("hadolint", ["hadolint", "Dockerfile"])


def _run_check(check: Check) -> tuple[int, str, float]:
    start = time.monotonic()
    try:
        done = subprocess.run(
            [str(word) for word in check.command],
            cwd=ROOT,
            env={**os.environ, **check.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except OSError as error:
        return 127, f"{check.command[0]} could not be started: {error.strerror}.", 0.0
    return done.returncode, done.stdout, time.monotonic() - start


def run_format() -> int:
    """Format code and templates and repair what can be repaired; return 1 when something is left to do."""
    packages = [name for name in PACKAGES if (ROOT / name).exists()]
    commands: list[list[str | Path]] = [
        [
            "django-upgrade",
            "--exit-zero-even-if-changed",
            "--target-version",
            "5.2",
            *_python_files(packages),
        ],
        ["ruff", "check", "--fix", "--quiet", *packages],
        ["ruff", "format", *packages],
    ]
    code = 0
    for command in commands:
        try:
            run(command)
        except StepError:
            code = 1
    if templates := list_templates():
        # djade answers 1 when it has changed a file, which is what was asked for.
        subprocess.run(["djade", "--target-version", "5.2", *map(str, templates)], cwd=ROOT)
    return code


def list_templates() -> list[Path]:
    """Return the HTML templates of the project and its applications, relative to the project."""
    found = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("*/templates/**/*.html")]
    return sorted(path.relative_to(ROOT) for path in found if "node_modules" not in path.parts)


def _python_files(packages: Sequence[str]) -> list[Path]:
    folders = [ROOT / name for name in packages if (ROOT / name).is_dir()]
    return sorted(path.relative_to(ROOT) for folder in folders for path in folder.rglob("*.py"))


# ---------------------------------------------------------------- tests


def run_fast(result: Result) -> None:
    """Run the tests that need no server, no browser and no patience."""
    run_suite(core_suite("not slow"), result)
    run_suite(sqlite_suite(f"{_NO_SERVER} and not slow"), result)


def run_tests(result: Result) -> None:
    """Run every test: the core alone, on SQLite, on PostgreSQL with Redis, in a browser."""
    try:
        ensure_pango()
    except StepError as error:
        # The tests that draw PDFs are skipped one by one, and counted.
        say(f"PDFs: {error}.")
    run_suite(core_suite(), result)
    with ExitStack() as stack:
        statements = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regimen-")))
        run_suite(sqlite_suite(_NO_SERVER, statements_to=statements), result)
        try:
            servers = _start_servers(stack)
        except StepError as error:
            miss(result, "PostgreSQL and Redis", [postgres_suite({})], reason=str(error))
        else:
            run_suite(postgres_suite(servers, statements_from=statements), result)
    try:
        chromium = {CHROMIUM: str(ensure_chromium(os.environ))}
    except StepError as error:
        miss(result, "browser tests", [browser_suite({})], reason=str(error))
        return
    run_suite(browser_suite(chromium), result)


def core_folders() -> list[str]:
    """Return the folders whose tests need no Django, relative to the project."""
    return ["tests/core", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/*/core"))]


def _ignored(folders: Sequence[str]) -> list[str]:
    return [f"--ignore={folder}" for folder in folders]


def core_suite(marks: str = "") -> Suite:
    """Return the tests of the core, in a Python that cannot import Django."""
    # The other plugins are of no use there, and importing them takes longer than the tests.
    unused = [word for name in ("django", "playwright", "base_url", "faker") for word in ("-p", f"no:{name}")]
    return Suite(
        "core without Django", [*unused, "-p", "bin.without_django", "-m", marks, "-n", "2", *core_folders()]
    )


def sqlite_suite(marks: str, *, statements_to: Path | None = None) -> Suite:
    """Return the tests on SQLite; what they ask of it is written to the folder that is named."""
    written = ["-p", "bin.statements", f"--statements-to={statements_to}"] if statements_to else []
    return Suite("SQLite", [*_UNUSED, "tests", *_ignored(core_folders()), *written, "-m", marks, *_SPREAD])


def postgres_suite(servers: Mapping[str, str], *, statements_from: Path | None = None) -> Suite:
    """Return the tests on PostgreSQL with Redis to which either can make a difference; the others ran on SQLite."""
    ignored = _ignored([*core_folders(), "tests/platform"])
    chosen = [*_UNUSED, "-p", "bin.own_redis", "-p", "bin.touching_servers", "-m", "not e2e and not sqlite"]
    if statements_from:
        chosen.append(f"--statements-from={statements_from}")
    # Nothing of a test has to survive a power cut.
    hasty = {"PGOPTIONS": "-c synchronous_commit=off -c jit=off"}
    arguments = ["tests", *ignored, *chosen, *_SPREAD_OF_WAITING]
    return Suite("PostgreSQL and Redis", arguments, env={**servers, **hasty})


def browser_suite(env: Mapping[str, str]) -> Suite:
    """Return the browser tests, on what `make run` starts; what a page asks of PostgreSQL, the others ask too.

    Pages and tests are asynchronous to each other, which Django has to be told.
    """
    asynchronous = {"DJANGO_ALLOW_ASYNC_UNSAFE": "true"}
    arguments = [*_UNUSED, *browser_places(), "-m", "e2e", *_SPREAD_SINGLY]
    return Suite("browser", arguments, env={**env, **asynchronous})


def browser_places() -> list[str]:
    """Return the folder of the tests with a browser and the modules elsewhere that have some, relative to the project.

    To read all the others only to leave them out takes longer than a dozen of these tests.
    """
    folder = ROOT / "tests" / "e2e"
    marked = sorted(
        str(path.relative_to(ROOT))
        for path in ROOT.glob("tests/**/test_*.py")
        if folder not in path.parents and "mark.e2e" in path.read_text(encoding="utf-8")
    )
    return [str(folder.relative_to(ROOT)), *marked]


def _start_servers(stack: ExitStack) -> dict[str, str]:
    postgres = stack.enter_context(provide_postgres(os.environ))
    broker = stack.enter_context(provide_redis(os.environ))
    say(f"PostgreSQL: {postgres.origin}. Redis: {broker.origin}.")
    return {"DATABASE_URL": postgres.url, "REDIS_URL": broker.url}


def run_suite(suite: Suite, result: Result) -> None:
    """Run one suite, its output as it comes, and add what it came to."""
    say(f"\n--- tests: {suite.name}")
    with tempfile.TemporaryDirectory(prefix="regimen-") as folder:
        tally = Path(folder) / "tally.json"
        command = [PYTHON, "-m", "pytest", "-q", "-p", "bin.tally", f"--tally={tally}", *suite.arguments]
        code = subprocess.run(
            command, cwd=ROOT, env=_test_environment(suite.env), stdin=subprocess.DEVNULL
        ).returncode
        if code:
            # Also 5, no test found: a suite that has become empty must not pass.
            result.broken.append(f"tests: {suite.name} (pytest exit code {code})")
        found: dict[str, Any] = {"counts": {}, "skips": [], "slow": [], "modules": {}}
        if tally.exists():
            found = json.loads(tally.read_text(encoding="utf-8"))
        if code and not any(found["counts"].get(outcome) for outcome in ("failed", "error")):
            # It broke off before a test could fail; the sums must not look as if nothing had.
            result.counts["error"] += 1
        result.counts.update(found["counts"])
        result.skips += found["skips"]
        result.slow += [(node, seconds) for node, seconds in found["slow"]]
        for name, cost in found["modules"].items():
            result.modules[name] = result.modules.get(name, 0.0) + cost


def miss(result: Result, name: str, suites: Sequence[Suite], *, reason: str) -> None:
    """Count the tests of suites that could not run as skipped, with the reason."""
    count = sum(_count_tests(suite) for suite in suites)
    result.missing.append(f"{name}, {count} tests: {reason}")
    result.counts["skipped"] += count


def _count_tests(suite: Suite) -> int:
    command = [PYTHON, "-m", "pytest", "--collect-only", "-q", *suite.arguments, "-n", "0"]
    done = subprocess.run(command, cwd=ROOT, env=_test_environment({}), capture_output=True, text=True)
    return sum("::" in line for line in done.stdout.splitlines())


def _test_environment(ours: Mapping[str, str]) -> dict[str, str]:
    # What a developer has set for running the application must not leak into its tests.
    foreign = {
        "DATABASE_URL",
        "REDIS_URL",
        "REGIMEN_MODE",
        "DEMO",
        "DEBUG",
        "BASE_URL",
        "SECRET_KEY",
        "EMAIL_HOST",
        "PORT",
        # Some containers set it; each of the many interpreters would then compile everything anew.
        "PYTHONDONTWRITEBYTECODE",
    }
    return {**{key: value for key, value in os.environ.items() if key not in foreign}, **ours}


def report(result: Result, *, seconds: float, has_tests: bool) -> None:
    """Say what was skipped, missing, slow and broken; the sums are the last line."""
    for line in result.skips:
        say(f"Skipped: {line}")
    for line in result.missing:
        say(f"Not run: {line}")
    if result.slow:
        worst = sorted(set(result.slow), key=lambda item: -item[1])
        say(
            f"{len(worst)} tests took over 0.1 s and are not marked slow, such as {worst[0][0]} ({worst[0][1]} s)."
        )
    if result.modules:
        costly = sorted(result.modules.items(), key=lambda item: -item[1])[:_COSTLY_MODULES]
        say("Costliest modules: " + ", ".join(f"{name} ({cost:.0f} s)" for name, cost in costly) + ".")
    for line in result.broken:
        say(f"FAILED: {line}")
    say(f"{'Some checks failed' if result.broken else 'All checks passed'} in {seconds:.0f} s.")
    if has_tests:
        say(result.closing_line())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
