"""What a line of a log must not hold."""

import logging

import pytest

from config.logs import SecretPaths


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("GET /clients/?show=all&q=Anna+Berzina&page=2 200", "GET /clients/?show=all&q=[text]&page=2 200"),
        ('"GET /courses/?q=%2B37120000001" 200', '"GET /courses/?q=[text]" 200'),
        ("GET /c/v/AbCd1234/?q=x", "GET /c/v/[token]/?q=[text]"),
        ("GET /settings/rooms/?faq=yes", "GET /settings/rooms/?faq=yes"),
    ],
)
def test_searched_names_and_tokens_are_blanked(said, logged):
    line = logging.LogRecord("access", logging.INFO, "", 1, "%s", (said,), None)

    SecretPaths().filter(line)

    assert line.getMessage() == logged
