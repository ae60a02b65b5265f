from datetime import date

import pytest

from exports.core.pseudonyms import age_band, pseudonym

CODE = "0b9b7c1e-6a53-4a0e-9a52-3f6f0a1c2d3e"


def test_pseudonym_is_the_same_for_ever():
    # Files that were made years apart join by it: it may never change.
    assert pseudonym(b"key", "client", CODE) == "1bf8f3164455bce5a5c6"


def test_pseudonym_says_nothing_without_the_key():
    found = {
        pseudonym(key, kind, code)
        for key in (b"key", b"another")
        for kind in ("client", "course")
        for code in (CODE, CODE.replace("0b", "0c"))
    }

    assert len(found) == 8
    assert {len(one) for one in found} == {20}
    assert not any(CODE[:8] in one for one in found)


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (date(1986, 3, 9), "40-49"),
        (date(1986, 3, 10), "30-39"),
        (date(2026, 3, 9), "0-9"),
        (date(1936, 3, 9), "90+"),
        (date(1936, 3, 10), "80-89"),
        (date(1904, 1, 1), "90+"),
        (date(2026, 3, 10), ""),
    ],
)
def test_age_is_told_by_tens(born, band):
    assert age_band(born, today=date(2026, 3, 9)) == band
