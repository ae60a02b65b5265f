"""After a visit: what a client says reaches whoever has to read it, and proposes a pause until bruises have healed."""

import re
from datetime import date, time, timedelta

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from clients.models import Client
from clients.services import ask_for_erasure
from courses.errors import CourseError
from courses.models import Pause, ReactionReport
from courses.services import record_attendance, report_reaction
from reminders.services.answering import actor_of
from tests.factories import StaffMemberFactory, book
from tests.portal.conftest import state_of, words
from tests.reminders.builders import at
from tests.staff.conftest import BACKEND
from tests.staff.test_today import words_of

pytestmark = pytest.mark.django_db

AFTER = at("2026-03-04 18:00")


@pytest.fixture
def treated(visitor, clock):
    """The visitor in the evening after the visit, its page opened."""
    record_attendance(session=visitor.desk.session, by=visitor.desk.by, now=at("2026-03-04 16:00"))
    clock.move_to(AFTER)
    visitor.open()
    return visitor


def say(visitor, **values):
    return visitor.browser.post(f"{visitor.page}feel/", {"reaction": "none", **values}, follow=True)


def staff_browser(visitor, role="receptionist"):
    browser = Browser()
    member = StaffMemberFactory(clinic=visitor.desk.course.clinic, role=role)
    browser.force_login(member.user, backend=BACKEND)
    return browser


def test_bruises_tell_the_client_what_happens_and_propose_a_pause_to_staff(treated):
    response = say(treated, reaction="bruises", pain="4", note="On the left thigh.")
    staff = staff_browser(treated)
    worklist = staff.get("/attention/").content.decode()
    pause = re.search(r'href="(/sessions/[^"]+/pause/\?reason=bruises&amp;to_on=[0-9-]+)"', worklist)[1]

    assert "Visits usually wait until bruises have healed" in words(response)
    assert "Bruises · pain 4 of 10 · On the left thigh." in worklist
    form = staff.get(pause.replace("&amp;", "&")).content.decode()
    assert 'value="2026-03-09"' in form
    # Nothing is decided for the clinic.
    assert not Pause.objects.exists()
    staff.post(pause.partition("?")[0], {"reason": "bruises", "to_on": "2026-03-09"})
    assert Pause.objects.get().from_on == date(2026, 3, 5)
    assert "Pause until healed" not in staff.get("/attention/").content.decode()


def test_what_was_said_is_not_repeated_later_to_whoever_only_holds_the_link(treated, clock):
    Client.objects.filter(pk=treated.client.pk).update(birth_on=date(1987, 5, 4))
    addresses = (
        treated.page,
        f"{treated.page}feel/",
        f"{treated.feeling_page}?again=1",
        treated.feeling_page,
    )

    def read(browser):
        pages = [browser.get(address) for address in addresses]
        assert {page.status_code for page in pages} == {200}
        return [
            re.search("bruise[^s]*s? have healed|left thigh| checked", str(page.content)) for page in pages
        ]

    say(treated, reaction="bruises", note="On the left thigh.")
    treated.open(treated.feeling_link)
    at_once = read(treated.browser)
    clock.move_to(AFTER + timedelta(hours=2))
    stranger = Browser()
    for link in (treated.visit_link, treated.feeling_link):
        stranger.get(link)
    later = read(stranger)
    stranger.post(f"{treated.course_page}year/", {"year": "1987"})
    known = read(stranger)

    assert all(at_once)
    assert not any(later)
    # The link of the question alone never proves who holds it.
    assert [bool(found) for found in known] == [True, True, False, False]


def test_report_leaves_the_worklist_when_it_is_seen_to_and_comes_back_with_news(treated):
    say(treated, reaction="bruises")
    say(treated, reaction="bruises")
    staff = staff_browser(treated)
    report = ReactionReport.objects.get()

    for _ in range(2):
        closed = staff.post(f"/attention/reports/{report.code}/close/", follow=True)
    say(treated, reaction="bruises", note="They grew.")

    assert "From clients" not in closed.content.decode()
    assert "They grew." in staff.get("/attention/").content.decode()
    counted = [
        AuditEvent.objects.filter(action=action).count()
        for action in ("course.reaction_reported", "course.report_closed")
    ]
    assert counted == [2, 1]
    assert "bruises" not in repr(list(AuditEvent.objects.values()))


def test_course_page_of_staff_shows_what_the_client_said_beside_the_session(treated):
    address = f"/courses/{treated.desk.course.code}/"
    staff = staff_browser(treated)
    assert "The client" not in staff.get(address).content.decode()

    say(treated, reaction="bruises", pain="4", note="On the left thigh.")
    waiting = words_of(staff.get(address))
    staff.post(f"/attention/reports/{ReactionReport.objects.get().code}/close/")
    seen = words_of(staff.get(address))

    said = "The client: Bruises · pain 4 of 10 · On the left thigh. (Wed 4 Mar, 18:00)"
    assert f"{said} nobody has seen to it yet" in waiting
    assert said in seen
    assert "nobody has seen to it yet" not in seen


def test_all_is_well_bothers_nobody_and_strong_pain_does(treated):
    well = say(treated)
    quiet = staff_browser(treated).get("/attention/").content.decode()
    hurts = say(treated, reaction="pain", pain="8")

    assert "The clinic sees it before your next visit." in words(well)
    assert "From clients" not in quiet
    assert "If it gets worse, do not wait: call." in words(hurts)
    assert "pain 8 of 10" in staff_browser(treated).get("/attention/").content.decode()


@pytest.mark.parametrize(
    "values", [{"reaction": "joy"}, {"pain": "11"}, {"note": "x" * 401}, {"reaction": ""}]
)
def test_wrong_answers_name_their_field_and_keep_nothing(treated, values):
    response = say(treated, **{"note": "kept", **values})

    assert response.status_code == 422
    assert f'id="id_{next(iter(values))}_error"' in response.content.decode()
    assert not ReactionReport.objects.exists()


def test_visit_ahead_and_one_long_past_have_nothing_to_say(visitor, clock):
    visitor.open()
    ahead = visitor.browser.get(f"{visitor.page}feel/", follow=True)
    assert state_of(ahead) == "Your visit"

    for now in (at("2026-03-04 15:10"), at("2026-03-19 16:00")):
        with pytest.raises(CourseError):
            report_reaction(
                session=visitor.desk.session,
                reaction="none",
                pain=None,
                note="",
                by=actor_of(visitor.client),
                now=now,
            )


def test_course_asks_about_the_latest_visit_until_it_is_answered(treated, clock):
    book(treated.desk.course, date(2026, 3, 6), time(10), now=AFTER)
    asked = treated.browser.get(treated.course_page)
    say(treated)

    assert "After your visit Wed 4 Mar How do you feel?" in words(asked)
    assert "How do you feel?" not in words(treated.browser.get(treated.course_page))


def test_wish_to_be_erased_waits_on_the_worklist(visitor):
    ask_for_erasure(client=visitor.client, by=actor_of(visitor.client), now=AFTER)
    staff = staff_browser(visitor)

    shown = staff.get("/attention/").content.decode()
    closed = staff.post(f"/attention/erasure/{visitor.client.code}/close/", follow=True).content.decode()

    assert "Wants everything about them to be erased" in shown
    assert "From clients" not in closed
    event = AuditEvent.objects.get(action="client.erasure_request_closed")
    assert event.actor_kind == "staff"
