"""A practitioner is ill: everybody hit is found, given another time and moved, while the page shows how far it is."""

from datetime import date, time

import pytest
from playwright.sync_api import expect

from clinics.jobs import work_job
from clinics.models import Absence, BackgroundJob, Role
from courses.models import Disruption
from tests.e2e.conftest import NOW, add_member
from tests.factories import RoomFactory, book

TUESDAY, WEDNESDAY = date(2026, 3, 10), date(2026, 3, 11)


@pytest.fixture
def sessions(clinic, room, make_course):
    """Two clients with Dr Ozola, and somebody else who treats."""
    RoomFactory(clinic=clinic, name="Room 2")
    add_member(clinic, Role.PRACTITIONER, "Boris", is_treating=True)
    anna, inga = make_course(), make_course("Inga", "Ozola", at=14)
    return [
        book(anna, TUESDAY, time(11), now=NOW),
        book(anna, WEDNESDAY, time(11), now=NOW),
        book(inga, TUESDAY, time(15), now=NOW),
    ]


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "plain"])
def test_everybody_hit_by_an_illness_is_moved_at_once(open_browser, receptionist, sessions, has_script):
    # Given a receptionist who hears in the morning that Dr Ozola is ill until Wednesday
    page = open_browser(receptionist, java_script_enabled=has_script)
    page.goto("/calendar/")
    page.get_by_role("link", name="Absence or closure").click()

    # When she asks who is hit, and for other times
    page.get_by_label("Who is away?").select_option(label="Dr Ozola")
    page.get_by_label("From day").fill(TUESDAY.isoformat())
    page.get_by_label("To day").fill(WEDNESDAY.isoformat())
    page.get_by_role("button", name="Who is hit?").click()
    expect(page.get_by_text("3 sessions are booked then, with 2 clients.")).to_be_visible()
    page.get_by_role("button", name="Find other times").click()
    expect(page.get_by_text("3 of 3 sessions have another time")).to_be_visible()

    # And cancels one of them, applies the rest, and looks at how far it is from another page
    inga = page.get_by_role("listitem").filter(has_text="Inga Ozola")
    inga.get_by_label("Cancel it").check()
    page.get_by_role("button", name="Apply all").click()
    bar = page.get_by_role("progressbar", name="Applying an absence or closure")
    expect(bar).to_have_attribute("value", "0")
    page.goto("/jobs/")
    page.get_by_role("link", name="Applying an absence or closure").click()
    expect(bar).to_be_visible()
    job = BackgroundJob.objects.get()
    work_job(job_id=job.pk, seconds=60, clock=lambda: NOW)

    # Then the page says by itself, or when asked again, what became of it
    if not has_script:
        page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", name="What became of it")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("2 moved")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("1 cancelled")).to_be_visible()
    outcomes = Disruption.objects.get().sessions.order_by("session").values_list("outcome", flat=True)
    assert list(outcomes) == ["moved", "moved", "cancelled"]
    assert Absence.objects.get().to_on == WEDNESDAY
