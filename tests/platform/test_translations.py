import pytest

from bin import steps, translations
from bin.steps import StepError

CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "Course"
msgstr "Курс"
"""


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    path = tmp_path / "locale" / "ru" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(CATALOGUE, encoding="utf-8")
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    monkeypatch.setattr(
        translations, "Stamp", lambda *names, **ways: steps.Stamp(*names, **ways, folder=tmp_path / "stamps")
    )
    return path


@pytest.mark.slow
def test_catalogue_is_compiled_once(catalogue, capsys):
    translations.compile_translations()
    translations.compile_translations()

    assert "Курс".encode() in catalogue.with_suffix(".mo").read_bytes()
    assert capsys.readouterr().out == "locale: 1 translations compiled.\n"


@pytest.mark.slow
def test_fuzzy_catalogue_is_an_error(catalogue):
    catalogue.write_text("#, fuzzy" + CATALOGUE, encoding="utf-8")

    with pytest.raises(
        StepError, match=r"^locale/ru/LC_MESSAGES/django\.po was not compiled; is its header fuzzy\?$"
    ):
        translations.compile_translations()
