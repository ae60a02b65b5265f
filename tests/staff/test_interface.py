"""Small help for templates: what a line may not break."""

import pytest

from staff.templatetags.interface import unbroken


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("every day", "every day"),
        ("10–15 sessions", '<span class="nowrap">10–15</span> sessions'),
        (
            "every 1–2 days, 30–60 minutes",
            'every <span class="nowrap">1–2</span> days, <span class="nowrap">30–60</span> minutes',
        ),
        ("Mon 9 Mar", "Mon 9 Mar"),
        (
            "Mon 9 Mar – Tue 10 Mar",
            '<span class="nowrap">Mon 9 Mar –</span> <span class="nowrap">Tue 10 Mar</span>',
        ),
        ("<b> – <i>", '<span class="nowrap">&lt;b&gt; –</span> <span class="nowrap">&lt;i&gt;</span>'),
        ("<b>1–2</b>", '&lt;b&gt;<span class="nowrap">1–2</span>&lt;/b&gt;'),
    ],
)
def test_unbroken(text, shown):
    assert unbroken(text) == shown
