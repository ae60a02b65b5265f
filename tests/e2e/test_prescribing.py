"""A prescriber signs in, writes a prescription as a sentence, and presses once."""

import json
from datetime import date, timedelta

import pytest
from django.conf import settings
from playwright.sync_api import expect

from courses.convert import load_facts
from courses.models import BOOKED_STATUSES, Course, CourseStatus, SessionStatus
from courses.services import add_closure, discontinue_course
from reports.fhir import course_bundle
from tests.e2e.conftest import NOW, PASSWORD, TODAY, sentence_of
from tests.factories import ClientFactory, actor_of, prescribe

CLOSED = (date(2026, 3, 18), date(2026, 3, 19))


@pytest.fixture
def anna(clinic):
    return ClientFactory(clinic=clinic, given_name="Anna", family_name="Berzina", search_text="anna berzina")


def sign_in(page, email, password):
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def write_two_phases(page):
    """Type "10-15 sessions, every 1-2 days, 30-60 minutes, then every 2 weeks for a year" key by key."""
    page.get_by_role("button", name="Add a phase").click()
    first = page.get_by_role("group", name="Phase 1")
    first.get_by_label("Kind of phase").select_option("intensive")
    first.get_by_label("Sessions, at least").press_sequentially("10")
    first.get_by_label("Sessions, at most").press_sequentially("15")
    first.get_by_label("Every so many days, at least").fill("1")
    first.get_by_label("Every so many days, at most").fill("2")
    first.get_by_label("Minutes, at least").fill("30")
    first.get_by_label("Minutes, at most").fill("60")
    page.get_by_role("button", name="Add a phase").click()
    second = page.get_by_role("group", name="Phase 2")
    expect(second.get_by_label("Every so many days, at least")).to_have_value("14")
    second.get_by_label("For how long").fill("1")
    second.get_by_label("Unit of time").select_option("years")


def test_wrong_password_is_said_and_the_right_one_opens_the_page_asked_for(open_browser, prescriber, watch):
    # Given a prescriber who is not signed in and asks for a page
    page = open_browser()
    page.goto("/courses/?show=all")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    # When the password is wrong
    sign_in(page, prescriber.user.email, "not-the-password")

    # Then the page says so and keeps the address; the right one goes where the reader was going
    expect(page.get_by_role("alert")).to_have_text(
        "The email address and/or password you specified are not correct."
    )
    expect(page.get_by_label("E-mail")).to_have_value(prescriber.user.email)
    with page.expect_request(lambda request: request.method == "POST") as posted:
        sign_in(page, prescriber.user.email, PASSWORD)
    expect(page.get_by_role("heading", name="Courses", exact=True)).to_be_visible()
    assert page.url.endswith("/courses/?show=all")
    # The check of forms needs the origin; a stricter referrer policy would send none along.
    assert posted.value.headers["origin"] == watch.origin
    assert (
        posted.value.response().headers["referrer-policy"] == settings.SECURE_REFERRER_POLICY == "same-origin"
    )


def test_form_without_its_token_is_refused(open_browser, prescriber, watch):
    watch.expect(403)
    page = open_browser(prescriber)
    page.goto("/me/")

    page.evaluate("document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach((one) => one.remove())")
    page.get_by_text("Русский").click()
    page.get_by_role("button", name="Save the language").click()

    expect(page.get_by_text("Open the page again")).to_be_visible()
    prescriber.user.refresh_from_db()
    assert prescriber.user.language == ""


def test_sentence_shows_its_dates_and_one_press_books_all_of_it(
    open_browser, clinic, prescriber, protocol, room, anna
):
    # Given a clinic that is closed on Sundays and on two days of the course
    closure = {"from_on": CLOSED[0], "to_on": CLOSED[1], "reason": "Repairs"}
    add_closure(clinic=clinic, by=actor_of(prescriber), now=NOW, **closure)
    page = open_browser(prescriber)

    # When the prescriber finds the client and types the prescription
    page.goto("/courses/")
    page.get_by_role("link", name="Prescribe a course").click()
    page.get_by_role("searchbox", name="Client").press_sequentially("berz")
    page.get_by_role("radio", name="Anna Berzina").check()
    write_two_phases(page)

    # And chooses the protocol, which brings its own phases along, and puts back what was typed
    least = page.get_by_role("group", name="Phase 1").get_by_label("Sessions, at least")
    least.fill("12")
    page.get_by_label("Protocol").select_option(label="Anti-cellulite massage")
    expect(least).to_have_value("10")
    expect(page.get_by_text("What you had typed before is kept.")).to_be_visible()
    page.get_by_role("button", name="Put it back").click()
    expect(least).to_have_value("12")
    expect(page.get_by_label("Protocol")).to_have_value(str(protocol.code))
    least.fill("10")

    # Then every date shows with its reason while nothing is saved
    preview = page.get_by_role("complementary", name="Preview")
    written = "10–15 sessions, every 1–2 days, 30–60 minutes; then every 2 weeks for 1 year"
    expect(preview.locator(".preview-sentence")).to_contain_text(written)
    lines = preview.locator(".preview-line")
    expect(lines).to_have_count(41)
    shown = [sentence_of(line.text_content()) for line in lines.all()]
    dates = [line.locator("strong").text_content() for line in lines.all()[:15]]
    assert dates[0].startswith("Mon 9 Mar")
    assert [text for text in dates if text.startswith("Sun")] == []
    assert [text for text in dates if "18 Mar" in text or "19 Mar" in text] == []
    assert sum("closed" in text for text in shown) >= 2
    assert Course.objects.count() == 0

    # When they press once
    page.get_by_role("button", name="Prescribe and book all of it").click()

    # Then the course's page shows all of it, and the rows agree
    expect(page.get_by_role("heading", name="Anna Berzina")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Prescribed and booked.")
    course = Course.objects.get()
    assert page.url.endswith(f"/courses/{course.code}/")
    sessions = list(course.sessions.order_by("on"))
    horizon = TODAY + timedelta(clinic.booking_horizon_days)
    booked = [session for session in sessions if session.status in BOOKED_STATUSES]
    planned = [session for session in sessions if session.status == SessionStatus.PLANNED]
    assert course.status == CourseStatus.ACTIVE
    assert (len(booked) + len(planned), len(sessions)) == (41, 41)
    assert len(booked) > 15
    assert max(session.on for session in booked) <= horizon < min(session.on for session in planned)
    assert [session.on for session in sessions if session.on.isoweekday() == 7 or session.on in CLOSED] == []
    page.get_by_text("33 more sessions").click()
    rows = page.locator("tr[id^=course-session-]")
    expect(rows).to_have_count(41)
    expect(rows.filter(has_text="Not confirmed")).to_have_count(len(booked))
    expect(rows.filter(has_text="Planned")).to_have_count(len(planned))
    texts = [sentence_of(text) for text in rows.all_text_contents()]
    wanted = [f"{session.on:%a} {session.on.day} {session.on:%b}" for session in sessions]
    assert [on for text, on in zip(texts, wanted, strict=True) if on not in text] == []


def test_double_press_prescribes_once(open_browser, prescriber, protocol, room, anna):
    page = open_browser(prescriber)
    page.goto(f"/courses/new/?client={anna.code}&protocol={protocol.code}")

    page.get_by_role("button", name="Prescribe and book all of it").dblclick()

    expect(page.get_by_role("heading", name="Anna Berzina")).to_be_visible()
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    assert Course.objects.count() == 1


def test_what_is_wrong_is_named_and_what_was_typed_stays(open_browser, prescriber, protocol, anna, watch):
    watch.expect(422)
    page = open_browser(prescriber)
    page.goto(f"/courses/new/?client={anna.code}&protocol={protocol.code}")
    first = page.get_by_role("group", name="Phase 1")

    first.get_by_label("Sessions, at least").fill("20")
    page.get_by_role("button", name="Prescribe and book all of it").click()

    expect(first.get_by_text("The second number is smaller than the first.")).to_be_visible()
    expect(first.get_by_label("Sessions, at least")).to_have_value("20")
    expect(page.get_by_text("Anna Berzina")).to_be_visible()
    assert Course.objects.count() == 0


def test_prescription_from_a_file_is_looked_over_and_prescribed(open_browser, prescriber, anna, protocol):
    # Given a course of another program as FHIR, and a client of this clinic
    written = prescribe(member=prescriber, client=anna, protocol=protocol, start_on=TODAY, now=NOW)
    content = json.dumps(course_bundle(written, now=NOW)).encode()
    discontinue_course(course=written, by=actor_of(prescriber), now=NOW, reason="moves")
    page = open_browser(prescriber)
    page.goto("/courses/new/")

    # When the file is read, and a number of it is changed
    page.get_by_role("link", name="From a FHIR file").click()
    page.get_by_label("File", exact=False).first.set_input_files(
        {"name": "course.json", "mimeType": "application/fhir+json", "buffer": content}
    )
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_text("Read from the file. Look it over: nothing is saved yet.")).to_be_visible()
    page.get_by_role("group", name="Phase 1").get_by_label("Sessions, at most").fill("12")
    expect(page.get_by_text("10–12 sessions, every 1–2 days, 30–60 minutes")).to_be_visible()
    page.get_by_role("button", name="Prescribe and book all of it").click()

    # Then the course is prescribed as it was looked over
    expect(page.get_by_text("Prescribed and booked.")).to_be_visible()
    made = Course.objects.exclude(pk=written.pk).get()
    assert page.url.endswith(f"/courses/{made.code}/")
    assert [phase.sessions_max for phase in load_facts([made])[made.pk].prescription.phases] == [12, None]
