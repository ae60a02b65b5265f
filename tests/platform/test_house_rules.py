"""Rules of the code that no linter knows."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = (
    "api",
    "audit",
    "clients",
    "clinics",
    "config",
    "courses",
    "hooks",
    "imports",
    "operators",
    "portal",
    "reminders",
    "reports",
    "simulation",
    "staff",
)
SOURCES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py"))
TEMPLATES = sorted([*ROOT.glob("templates/**/*.html"), *ROOT.glob("*/templates/**/*.html")])
# Messages are read in mail programs, which know no policy and often no style sheet either.
PAGES = [path for path in TEMPLATES if ROOT / "templates" / "messages" not in path.parents]
REASONS = {"leaf", "slow import", "app ready"}
# Messages that wait in the queue are doubled by Redis after its visibility timeout; the future is a row.
BANNED_ARGUMENTS = {"eta", "countdown"}
BANNED_NAMES = {"chord", "group"}


def late_import_reasons(text):
    """Return what each comment gives as the reason of an import that is not at the top, up to a colon."""
    return [found[1].strip() for found in re.finditer(r"# noqa: (?:\w+, )*PLC0415[ #(]*([^:)\n]*)", text)]


def waiting_calls(text):
    """Return the line numbers where a message is sent to be worked on later, or Celery's canvas is imported."""
    lines = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and {word.arg for word in node.keywords} & BANNED_ARGUMENTS:
            lines.append(node.lineno)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("celery"):
            lines += [node.lineno for name in node.names if name.name in BANNED_NAMES]
    return sorted(lines)


def inline_parts(text):
    """Return what a strict content security policy would refuse in a template."""
    pattern = (
        r"<style\b|<script\b(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|\sstyle=\"|\son[a-z]+=\""
    )
    return re.findall(pattern, text)


def test_late_imports_give_one_of_three_reasons():
    assert late_import_reasons("import x  # noqa: F401, PLC0415  # circular: y imports x") == ["circular"]

    found = {reason for path in SOURCES for reason in late_import_reasons(path.read_text(encoding="utf-8"))}

    assert found <= REASONS


def test_no_message_waits_in_the_queue():
    assert waiting_calls("send.apply_async(eta=now)\nfrom celery import chord\n") == [1, 2]

    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in SOURCES
        for line in waiting_calls(path.read_text(encoding="utf-8"))
    }

    assert found == set()


def test_templates_keep_the_content_security_policy():
    assert inline_parts('<p style="x"><script>1</script><script src="a.js"></script>') == [
        ' style="',
        "<script>",
    ]

    found = {path.name: parts for path in PAGES if (parts := inline_parts(path.read_text(encoding="utf-8")))}

    assert found == {}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_template_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 150
