"""The calendar: a session dragged where its window is lit, and refused where somebody else was quicker."""

from datetime import date, datetime, time

import pytest
from playwright.sync_api import expect

from courses.services import move_session
from tests.e2e.conftest import NOW, PHONE, TODAY
from tests.factories import actor_of, book

TUESDAY = date(2026, 3, 10)


@pytest.fixture
def session(make_course, room):
    """A booking of Wednesday after one of Monday: it may lie on Tuesday and Wednesday."""
    course = make_course()
    book(course, TODAY, time(16), now=NOW, room=room)
    return book(course, date(2026, 3, 11), time(11), now=NOW, room=room)


def block_of(page, session):
    return page.locator(f"#calendar-session-{session.code}")


def place_of(page, on, owner):
    return page.locator(f'[data-drop][data-on="{on.isoformat()}"][data-owner="{owner.code}"]')


def wall_time(session):
    session.refresh_from_db()
    return f"{session.starts_at:%d %H:%M}"


def test_session_is_dragged_to_another_time_while_its_window_is_lit(
    open_browser, receptionist, prescriber, session
):
    # Given a week of one practitioner in the browser
    page = open_browser(receptionist)
    page.goto(f"/calendar/?practitioner={prescriber.code}")
    tuesday = place_of(page, TUESDAY, prescriber)

    # When reception drags the session of Wednesday over Tuesday, towards three o'clock
    block_of(page, session).hover()
    page.mouse.down()
    box = tuesday.bounding_box()
    above = block_of(page, session).bounding_box()["height"] / 2
    target = (box["x"] + 40, box["y"] + box["height"] * 6 / 10 + above)
    page.mouse.move(target[0], target[1] - 30, steps=3)

    # Then exactly the days of its window are lit, and in words
    expect(page.locator("#calendar-said")).to_have_text("Allowed for session 4: Tue 10 Mar – Wed 11 Mar.")
    lit = page.locator(".cal-lit").evaluate_all("(all) => all.map((one) => one.dataset.on)")
    assert lit == ["2026-03-10", "2026-03-11"]

    # When it is let go
    page.mouse.move(*target, steps=2)
    expect(page.locator(".cal-ghost")).to_have_text("15:00")
    page.mouse.up()

    # Then it is moved, on the page and in the rows, and has the focus
    expect(page.get_by_role("status").filter(has_text="the session was moved.")).to_be_visible()
    expect(tuesday.locator(f"#calendar-session-{session.code}")).to_contain_text("15:00")
    expect(block_of(page, session)).to_be_focused()
    assert wall_time(session) == "10 13:00"


def test_board_says_that_a_dragged_session_keeps_its_time(open_browser, receptionist, prescriber, session):
    page = open_browser(receptionist)
    page.goto("/calendar/")
    expect(page.get_by_text("it keeps its time")).to_be_visible()
    tuesday = place_of(page, TUESDAY, prescriber)

    block_of(page, session).hover()
    page.mouse.down()
    tuesday.hover()
    tuesday.hover()

    expect(tuesday.locator(".cal-ghost")).to_have_text("11:00 · keeps its time")
    page.mouse.up()
    expect(tuesday.locator(f"#calendar-session-{session.code}")).to_contain_text("11:00")
    assert wall_time(session) == "10 09:00"


def test_slot_that_somebody_took_meanwhile_sends_the_session_back_with_the_reason(
    open_browser, receptionist, prescriber, session, make_course, watch
):
    # Given a calendar that another person has changed since: the practitioner is taken on Tuesday at eleven
    watch.expect(422)
    other = book(make_course("Olga", "Zaiceva", at=12), TODAY, time(14), now=NOW)
    page = open_browser(receptionist)
    page.goto("/calendar/")
    taken = datetime(2026, 3, 10, 9, tzinfo=NOW.tzinfo)
    move_session(
        session=other, starts_at=taken, practitioner=prescriber, room=None, by=actor_of(prescriber), now=NOW
    )

    # When reception drops a session there
    block_of(page, session).drag_to(place_of(page, TUESDAY, prescriber))

    # Then it is back where it was, the words say why, and the other's move shows
    note = page.locator("[data-toast]")
    expect(note).to_contain_text("The practitioner has another booking at that time.")
    wednesday = place_of(page, date(2026, 3, 11), prescriber)
    expect(wednesday.locator(f"#calendar-session-{session.code}")).to_be_visible()
    expect(place_of(page, TUESDAY, prescriber)).to_contain_text("Olga Zaiceva")
    assert wall_time(session) == "11 09:00"


def test_session_is_moved_by_keyboard_on_a_telephone(open_browser, receptionist, session):
    page = open_browser(receptionist, size=PHONE, java_script_enabled=False)
    page.goto("/calendar/")

    block_of(page, session).press("Enter")
    page.get_by_label("Time", exact=True).fill("12:30")
    page.get_by_role("button", name="Move", exact=True).click()

    assert page.url.endswith("/calendar/")
    assert wall_time(session) == "11 10:30"


def test_free_time_is_booked_where_the_pointer_is(
    open_browser, receptionist, prescriber, session, make_course
):
    # Given a week of one practitioner, and a client whose next session may lie on Tuesday
    olga = make_course("Olga", "Zaiceva", at=12)
    book(olga, TODAY, time(14), now=NOW)
    page = open_browser(receptionist)
    page.goto(f"/calendar/?practitioner={prescriber.code}")
    tuesday = place_of(page, TUESDAY, prescriber)

    # When reception presses the free time of Tuesday at a quarter past three
    box = tuesday.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + box["height"] * 6.3 / 10)
    expect(tuesday.locator(".cal-gap")).to_have_attribute("data-at", "15:15")
    page.mouse.click(box["x"] + 40, box["y"] + box["height"] * 6.3 / 10)

    # Then the client whose window holds the day comes first
    inside = page.get_by_role("region", name="The day lies inside their window")
    inside.get_by_role("link", name="Olga Zaiceva").click()

    # When the session is booked as proposed
    expect(page.get_by_text("The day lies inside the window.")).to_be_visible()
    expect(page.get_by_label("Room")).to_contain_text("Room 1")
    page.get_by_role("button", name="Book", exact=True).click()

    # Then it stands on the calendar that it was seen on
    expect(page.get_by_role("status").filter(has_text="The session is booked.")).to_be_visible()
    expect(tuesday).to_contain_text("15:15")
    assert wall_time(olga.sessions.get(on=TUESDAY)) == "10 13:15"
