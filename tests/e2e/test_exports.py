"""Sessions are taken out as a file, and set up to come every week, on a telephone and without script."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import expect

from clinics.models import Role
from exports.models import ExportSchedule
from tests.e2e.conftest import PHONE, add_member, overflow


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "plain"])
def test_file_is_chosen_fetched_and_made_regular(
    open_browser, clinic, make_course, has_script, settings, tmp_path, monkeypatch
):
    # Given an analyst, and a clinic whose files are all large
    settings.EXPORT_DIR = tmp_path / "exports"
    monkeypatch.setattr("exports.services.AT_ONCE_ROWS", 0)
    monkeypatch.setattr("staff.views.exports._WAITED_SECONDS", 9)
    make_course("Anna", "Berzina")
    analyst = add_member(clinic, Role.ANALYST, "Ilze")
    page = open_browser(analyst, size=PHONE, java_script_enabled=has_script)
    page.goto("/exports/")

    # When two columns of the attended sessions are chosen, without names
    page.get_by_role("link", name="Sessions").click()
    page.locator("select[name=status]").select_option("attended")
    page.get_by_label("Anonymised, with pseudonyms").check()
    assert overflow(page) <= 0
    page.get_by_role("button", name="Make the file").click()

    # Then the file stands on the page, and holds them
    expect(page.get_by_text("Sessions, anonymised").first).to_be_visible()
    assert overflow(page) <= 0
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Fetch").click()
    download = waiting.value
    head, *rows = csv.reader(io.StringIO(Path(download.path()).read_text("utf-8-sig")))
    assert download.suggested_filename.startswith("sessions-anonymised-")
    assert "Given name" not in head
    assert {row[head.index("Status")] for row in rows} == {"attended"}

    # And when it is to come every week, that stands there too
    page.goto("/exports/sessions/")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_text("Monday, 07:00 · Ilze")).to_be_visible()
    assert ExportSchedule.objects.get().member == analyst
