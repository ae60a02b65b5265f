import re
from itertools import product
from typing import get_args

import pytest

from courses.core.sentences import SENTENCES, SentenceParts, finding_sentence, sentence_parts
from courses.core.types import Cause, Finding, FindingKind, Severity
from tests.core.build import day


def finding(kind: str, number: int, severity: str = "notice", cause: str | None = None) -> Finding:
    return Finding(kind, severity, days=number, cause=cause, limit=15, session=4, on=day("03-12"))


@pytest.mark.parametrize("kind", get_args(FindingKind))
def test_every_finding_has_a_whole_sentence(kind):
    severities = ("notice", "warning") if kind == "unbooked" else get_args(Severity)
    variants = product((1, 2), severities, (None, *get_args(Cause)))

    sentences = [finding_sentence(finding(kind, *variant)) for variant in variants]

    assert [one for one in sentences if not re.fullmatch(r"[A-Z0-9][^%]+\.", one) or "None" in one] == []


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (finding("overdue", 1), "Session 4 is 1 day overdue."),
        (finding("overdue", 2, cause="scheduling"), "Session 4 is 2 days overdue."),
        (finding("overdue", 2, cause="both"), "Session 4 is 2 days overdue."),
        (
            finding("overdue", 2, cause="client"),
            "Session 4 is 2 days overdue after the client missed or cancelled.",
        ),
        (finding("overdue", 2, cause="clinic"), "Session 4 is 2 days overdue after the clinic cancelled."),
        (finding("unbooked", 0), "Session 4 is soon due, from 2026-03-12 on, and nothing is booked."),
        (finding("unbooked", 3, "warning"), "Session 4 has been due since 2026-03-12 and nothing is booked."),
        (
            finding("interrupted", 20),
            "20 days have passed since the last session or restart: ask the prescriber how to go on.",
        ),
        (Finding("unrecorded", "notice", count=1), "1 past booking has no outcome recorded."),
        (Finding("unrecorded", "notice", count=3), "3 past bookings have no outcome recorded."),
    ],
)
def test_sentence(found, sentence):
    assert found.says == sentence


def test_parts_are_what_a_translation_needs():
    parts = sentence_parts(finding("overdue", 2, cause="clinic"))

    assert parts == SentenceParts(
        "overdue.clinic", 2, {"number": 2, "limit": 15, "session": 4, "on": day("03-12")}
    )


def test_no_sentence_is_left_over():
    assert {key.split(".")[0] for key in SENTENCES} == set(get_args(FindingKind))
