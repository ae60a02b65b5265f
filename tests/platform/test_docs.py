"""The project's own pages: links lead somewhere, decisions are whole, examples are what the program answers."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from courses.core.plan_wire import answer_plan
from courses.core.wire import answer_assess

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])
DECISIONS = sorted(ROOT.glob("docs/adr/*.md"))
PICTURES = sorted(ROOT.glob("docs/images/*.svg"))
HEADINGS = ["Status", "Context", "Decision", "Consequences"]
CODE = sorted(
    path
    for app in (
        "api",
        "audit",
        "bench",
        "bin",
        "clients",
        "clinics",
        "config",
        "courses",
        "faults",
        "hooks",
        "imports",
        "reminders",
        "reports",
    )
    for path in (ROOT / app).rglob("*.py")
) + sorted(path for folder in ("simulation", "staff", "tests") for path in (ROOT / folder).rglob("*.py"))


def prose(text):
    """Return a page without its fenced code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def links(text):
    """Return where a page leads to on its own or to another file, leaving out other hosts."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(text)) + re.findall(
        r'(?:src|srcset|href)="([^"]+)"', prose(text)
    )
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(text):
    """Return the names under which the headings of a page can be linked to."""
    headings = re.findall(r"^#+ +(.+)$", prose(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page):
    """Return the links of a page that lead nowhere."""
    text = page.read_text(encoding="utf-8")
    broken = []
    for target in links(text):
        name, _, anchor = target.partition("#")
        other = page if not name else page.parent / name
        if not other.exists() or (anchor and anchor not in anchors(other.read_text(encoding="utf-8"))):
            broken.append(target)
    return broken


def example(name):
    """Return the JSON of docs/domain.md that follows a comment with the name."""
    text = (ROOT / "docs" / "domain.md").read_text(encoding="utf-8")
    found = re.findall(rf"<!-- example: {name} -->\n```json\n(.*?)\n```", text, flags=re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def test_broken_links_are_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading, here\n[a](page.md) [b](#a-heading-here) [c](no.md) [d](#none) [e](https://example.org/)\n"
        '<img src="no.svg">\n```\n[f](code.md)\n```\n',
        encoding="utf-8",
    )

    assert broken_links(page) == ["no.md", "#none", "no.svg"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert broken_links(page) == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_decision_has_its_four_parts(page):
    text = page.read_text(encoding="utf-8")

    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == HEADINGS
    assert re.match(rf"# {int(page.name[:4])}\. \S", text)


def test_decisions_are_numbered_without_a_gap_and_listed():
    listed = re.findall(r"\]\(adr/([^)]+)\)", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))

    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert {page.name for page in DECISIONS} <= set(listed)


def test_assess_example_is_what_the_program_answers():
    assert answer_assess(example("assess request")) == example("assess answer")


def test_plan_example_is_what_the_program_answers():
    assert answer_plan(example("plan request")) == example("plan answer")


def test_sections_that_the_code_refers_to_are_there():
    named = re.compile(r"docs/domain\.md, (?:section )?([A-Z]\w+)")
    found = {name for path in CODE for name in named.findall(path.read_text(encoding="utf-8"))}
    text = (ROOT / "docs" / "domain.md").read_text(encoding="utf-8")

    assert found >= {"Cadence", "Drift", "Planning"}
    assert found <= set(re.findall(r"^## (.+)$", text, flags=re.MULTILINE))


def test_reliability_names_only_tests_that_exist():
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    tests = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(
            r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    }

    assert len(named) > 20
    assert named <= tests


def test_deploy_page_explains_every_variable_of_the_example():
    example_file = (ROOT / ".env.example").read_text(encoding="utf-8")
    variables = re.findall(r"^(?:# )?([A-Z_]+)=", example_file, flags=re.MULTILINE)
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    firsts = re.findall(r"^\| (`[A-Z].*?) \|", page, flags=re.MULTILINE)

    assert sorted(re.findall(r"`(\w+)`", " ".join(firsts))) == sorted(variables)


def test_files_that_the_pages_name_exist():
    """Names in backticks that look like a path of this project."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    made = ("var/", "static/vendor/")  # by make, not in the repository
    for page in PAGES:
        for name in re.findall(r"`([\w./-]+/[\w./-]*)`", prose(page.read_text(encoding="utf-8"))):
            if name.split("/")[0] in folders and not name.startswith(made):
                assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_pictures_stand_alone():
    assert [path.name for path in PICTURES] == ["ribbon-dark.svg", "ribbon-light.svg"]

    for path in PICTURES:
        text = path.read_text(encoding="utf-8")
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  # our own file
        assert re.findall(r"url\(|href=|@import|light-dark\(|<script", text) == []
