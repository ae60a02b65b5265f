import re
import subprocess
import threading
import zlib

import pytest

from reports import pdf
from reports.pdf import PdfError, PdfUnavailable, render_pdf
from reports.pdf_process import ASSETS_HOST, AssetError, find_asset

PAGE = """<!doctype html><html lang="ru"><head><title>Курс</title>
<link rel="stylesheet" href="/static/css/pdf.css"></head>
<body><h1>Course, курс, kurss ā</h1><img src="http://127.0.0.1:9/a.png"><img src="file:///etc/hostname"></body></html>"""


def unpacked(content):
    """Return the objects of a file, which lie in it compressed."""
    return b"".join(
        zlib.decompress(packed) for packed in re.findall(rb"stream\n(.*?)\nendstream", content, re.S)
    )


def answer_with(monkeypatch, answer):
    def run(*arguments, **options):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(subprocess, "run", run)


@pytest.mark.slow
@pytest.mark.pdf
def test_page_becomes_a_pdf_in_the_projects_typeface():
    made = render_pdf(PAGE)

    fonts = re.findall(rb"/FontName /[A-Z]{6}\+([\w-]+)", unpacked(made))
    assert sorted(set(fonts)) == [
        b"Inter-Cyrillic-Bold",
        b"Inter-Latin",
        b"Inter-Latin-Bold",
        b"Inter-Latin-Extended-Bold",
    ]


@pytest.mark.slow
@pytest.mark.pdf
def test_what_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr("reports.pdf._SECONDS", 0)

    with pytest.raises(PdfError, match=r"^The PDF took too long to make\. Choose less for it\.$"):
        render_pdf(PAGE)


def test_no_more_are_drawn_at_a_time_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr("reports.pdf._SECONDS", 0)
    monkeypatch.setattr("reports.pdf._slots", threading.BoundedSemaphore(1))
    pdf._slots.acquire()

    with pytest.raises(PdfError, match=r"^Too many PDFs are being made\. Try again in a minute\.$"):
        render_pdf(PAGE)


def test_missing_library_is_said_with_what_to_install(monkeypatch):
    answer_with(monkeypatch, subprocess.CompletedProcess([], 3, b"", b""))

    with pytest.raises(
        PdfUnavailable, match=r"libpango-1\.0-0, libpangoft2-1\.0-0 and libharfbuzz-subset0\.$"
    ):
        render_pdf(PAGE)


def test_what_breaks_says_no_more_than_its_kind(monkeypatch, caplog):
    answer_with(monkeypatch, subprocess.CompletedProcess([], 1, b"", b"MemoryError"))

    with pytest.raises(PdfError, match=r"^The PDF could not be made\.$"):
        render_pdf(PAGE)

    assert caplog.messages == ["A PDF could not be made, exit code 1: MemoryError."]


def test_asset_is_found_below_the_folders(tmp_path):
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "a b.css").touch()

    found = find_asset(f"{ASSETS_HOST}/static/css/a%20b.css", static_url="/static/", folders=[str(tmp_path)])

    assert found == tmp_path / "css" / "a b.css"


@pytest.mark.parametrize(
    "url",
    [
        "http://assets.invalid/static/a.css",
        "https://example.org/static/a.css",
        "https://assets.invalid:8443/static/a.css",
        "https://somebody@assets.invalid/static/a.css",
        f"{ASSETS_HOST}/media/a.css",
        f"{ASSETS_HOST}/static/../secret",
        f"{ASSETS_HOST}/static/%2e%2e/secret",
        f"{ASSETS_HOST}/static//etc/hostname",
        f"{ASSETS_HOST}/static/link",
        f"{ASSETS_HOST}/static/",
        f"{ASSETS_HOST}/static/none.css",
        "file:///static/a.css",
        "data:text/css,a{}",
    ],
)
def test_nothing_else_is_fetched(tmp_path, url):
    (tmp_path / "secret").touch()
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "a.css").touch()
    (folder / "link").symlink_to(tmp_path / "secret")

    with pytest.raises(AssetError):
        find_asset(url, static_url="/static/", folders=[str(folder)])
