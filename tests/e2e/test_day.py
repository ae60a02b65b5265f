"""Reception works through the day: who came, who did not, and what follows from it at once."""

from datetime import UTC, date, datetime, time

import pytest
from playwright.sync_api import expect

from courses.models import Flag, FlagKind, Pause, PauseReason, Reaction, SessionStatus
from tests.e2e.conftest import NOW, PHONE, TODAY
from tests.factories import book

THURSDAY = datetime(2026, 3, 5, 8, tzinfo=UTC)


@pytest.fixture
def course(make_course):
    return make_course()


def row_of(page, session):
    return page.locator(f"#session-row-{session.code}")


def choose(row, label):
    row.locator("summary").click()
    row.get_by_role("button", name=label).click()


def test_two_misses_need_attention_at_once(open_browser, receptionist, course):
    # Given two past bookings of a client, without an outcome
    past = [book(course, date(2026, 3, day), now=THURSDAY) for day in (6, 7)]
    page = open_browser(receptionist)
    page.goto("/attention/")
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
    expect(page.get_by_text("Missed 2 times in a row")).to_have_count(0)

    # When reception marks both as missed on the day's page
    page.get_by_role("link", name="Today").first.click()
    expect(page.get_by_role("heading", name="What happened here?")).to_be_visible()
    for session in past:
        choose(row_of(page, session), "Did not come")
        expect(row_of(page, session)).to_contain_text("No-show")

    # Then the streak is on the worklist at once, with the client's name and what it comes from
    page.get_by_role("link", name="Needs attention").first.click()
    flag = page.get_by_role("listitem").filter(has_text="Missed 2 times in a row")
    expect(flag.get_by_role("link", name="Anna Berzina")).to_be_visible()
    expect(flag).to_contain_text("2 sessions in a row were missed or cancelled at short notice.")
    open_kinds = set(Flag.objects.filter(course=course, resolved_at=None).values_list("kind", flat=True))
    assert FlagKind.MISSED_STREAK in open_kinds
    assert [
        session.status for session in course.sessions.filter(on__in=(date(2026, 3, 6), date(2026, 3, 7)))
    ] == [
        SessionStatus.NO_SHOW,
        SessionStatus.NO_SHOW,
    ]


def test_miss_is_undone_and_its_flag_goes(open_browser, receptionist, course):
    past = [book(course, date(2026, 3, day), now=THURSDAY) for day in (6, 7)]
    page = open_browser(receptionist)
    page.goto("/")
    for session in past:
        choose(row_of(page, session), "Did not come")
        expect(row_of(page, session)).to_contain_text("No-show")

    choose(row_of(page, past[0]), "Undo, back to booked")

    expect(row_of(page, past[0])).to_contain_text("Not recorded")
    streak = Flag.objects.get(course=course, kind=FlagKind.MISSED_STREAK)
    assert streak.resolved_at is not None


@pytest.mark.parametrize("size", [None, PHONE], ids=["wide", "phone"])
def test_arrival_asks_attendance_records_and_bruises_propose_a_pause(
    open_browser, receptionist, course, room, size
):
    # Given a session of today
    session = book(course, TODAY, time(11), now=NOW, room=room)
    page = open_browser(receptionist, **({"size": size} if size else {}))
    page.goto("/")
    row = row_of(page, session)

    # When the client comes: what speaks against a treatment is asked; nothing does
    row.get_by_role("button", name="Arrived: Anna Berzina").click()
    expect(row).to_contain_text("Does any of these hold today?")
    expect(row.get_by_text("Influenza")).to_be_visible()
    row.get_by_text("None of these").click()
    expect(row).to_contain_text("Here since")

    # When the treatment is recorded with bruises
    row.get_by_role("button", name="Treated: Anna Berzina").click()
    expect(row.get_by_label("Length in minutes")).to_have_value("45")
    row.get_by_text("Bruises", exact=True).click()
    row.get_by_label("Pain before").select_option("6")
    row.get_by_label("Pain after").select_option("3")
    row.get_by_role("button", name="Save the treatment").click()

    # Then a pause until they heal is proposed, and nothing of it happens before it is confirmed
    expect(row.get_by_role("heading", name="Pause the course?")).to_be_visible()
    expect(row.get_by_label("Pause until, that day included")).to_have_value("2026-03-14")
    session.refresh_from_db()
    recorded = (session.status, session.reaction, session.pain_before, session.pain_after, session.minutes)
    assert recorded == (SessionStatus.ATTENDED, Reaction.BRUISES, 6, 3, 45)
    assert not Pause.objects.exists()

    # When it is confirmed
    row.get_by_role("button", name="Pause the course").click()

    # Then the course is paused from the day after
    expect(page.get_by_role("status")).to_contain_text("Anna Berzina: the course is paused.")
    pause = Pause.objects.get(course=course)
    assert (pause.reason, pause.from_on, pause.to_on) == (
        PauseReason.BRUISES,
        date(2026, 3, 10),
        date(2026, 3, 14),
    )


def test_condition_at_arrival_is_recorded_and_proposes_a_pause(open_browser, receptionist, course, watch):
    watch.expect(422)
    session = book(course, TODAY, time(11), now=NOW)
    page = open_browser(receptionist)
    page.goto("/")
    row = row_of(page, session)

    row.get_by_role("button", name="Arrived: Anna Berzina").click()
    row.get_by_text("Influenza").click()
    row.get_by_role("button", name="Record what holds").click()
    expect(row).to_contain_text("Give the day until which it will probably hold.")
    row.get_by_label("Until about").fill("2026-03-20")
    row.get_by_role("button", name="Record what holds").click()

    expect(row.get_by_role("heading", name="Pause the course?")).to_be_visible()
    expect(row.get_by_label("Pause until, that day included")).to_have_value("2026-03-20")
    recorded = course.client.contraindications.get()
    assert (recorded.condition, recorded.from_on, recorded.to_on) == ("influenza", TODAY, date(2026, 3, 20))


def test_keyboard_alone_records_an_arrival(open_browser, receptionist, course):
    session = book(course, TODAY, time(11), now=NOW)
    page = open_browser(receptionist)
    page.goto("/")

    page.keyboard.press("j")
    expect(row_of(page, session)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(row_of(page, session)).to_contain_text("Here since")
    session.refresh_from_db()
    assert session.status == SessionStatus.ARRIVED


def test_wrong_cancellation_is_taken_back_from_its_notice(open_browser, receptionist, course, room):
    session = book(course, TODAY, time(11), now=NOW, room=room)
    page = open_browser(receptionist)
    page.goto("/")
    row = page.locator(f"#session-row-{session.code}")

    row.locator("summary").click()
    row.get_by_role("button", name="Cancelled by the clinic").click()
    expect(row).to_contain_text("Cancelled by the clinic")
    page.get_by_role("button", name="Undo", exact=True).click()

    expect(page.get_by_text("Anna Berzina: undone.")).to_be_visible()
    expect(row).to_contain_text("Not confirmed")
    session.refresh_from_db()
    assert session.status == "booked"


@pytest.mark.parametrize(
    ("options", "is_said"),
    [
        ({"timezone_id": "Europe/Riga"}, False),
        # The same clock as Riga's all year round.
        ({"timezone_id": "Europe/Helsinki"}, False),
        ({"timezone_id": "America/New_York"}, True),
        ({"java_script_enabled": False}, True),
    ],
)
def test_clinics_zone_is_named_to_a_device_with_another_clock(open_browser, receptionist, options, is_said):
    page = open_browser(receptionist, **options)

    page.goto("/")

    shown = page.locator(".zone-note:visible")
    expect(shown).to_have_count(int(is_said))
    if is_said:
        expect(shown).to_contain_text("Europe/Riga")
