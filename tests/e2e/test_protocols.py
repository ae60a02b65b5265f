"""A protocol is changed where it is read, on a telephone and without script, and prescribed as changed."""

import pytest
from playwright.sync_api import expect

from clinics.models import Role
from courses.models import Protocol
from courses.services import draft_of
from tests.e2e.conftest import PHONE, add_member, overflow


@pytest.fixture
def owner(clinic):
    return add_member(clinic, Role.OWNER, "Ilze")


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "plain"])
def test_protocol_gets_a_phase_and_a_contraindication_on_a_telephone(
    open_browser, owner, make_course, has_script
):
    # Given a protocol from which a course was prescribed
    course = make_course()
    page = open_browser(owner, size=PHONE, java_script_enabled=has_script)
    page.goto("/settings/protocols/")
    page.get_by_role("link", name=course.protocol.name_en, exact=True).click()
    page.get_by_role("link", name="Edit", exact=True).click()

    # When the owner takes a phase away, adds a contraindication and saves
    page.get_by_role("button", name="Remove phase 2").click()
    expect(page.locator(".phase")).to_have_count(1)
    page.get_by_label("Condition", exact=True).select_option("Epilepsy")
    page.get_by_role("button", name="Add a contraindication").click()
    line = page.get_by_role("group", name="Contraindication 3")
    line.get_by_label("Strength").select_option("permanent")
    assert overflow(page) <= 0
    page.get_by_role("button", name="Save as a new version").click()

    # Then the next version is in force, and the course keeps its own
    expect(page.get_by_text("Version 2 is in force. Courses that run keep theirs.")).to_be_visible()
    expect(page.get_by_role("link", name="Changed: phases, contraindications")).to_be_visible()
    current = draft_of(Protocol.objects.get(slug=course.protocol.slug, is_current=True))
    assert len(current.phases) == 1
    assert [(one.condition, one.strength) for one in current.conditions][-1] == ("epilepsy", "permanent")
    course.refresh_from_db()
    assert course.protocol.version == 1
