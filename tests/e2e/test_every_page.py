"""Every page: readable by everybody, as wide as the screen, and quiet in the console.

The watch on each browser adds that nothing is asked of another host and every answer has the strict policy.
"""

import json
from datetime import date

import pytest
from playwright.sync_api import expect

from clinics.jobs import work_job
from clinics.models import Role, Scope
from clinics.tokens import issue_token
from courses.models import Flag, ReactionReport
from courses.services import (
    Outage,
    apply_disruption,
    pause_course,
    reassess,
    start_disruption,
    undo_disruption,
)
from hooks.core import EVENTS
from hooks.services.endpoints import add_endpoint, note_test
from imports.services import choose_columns, run_all, start_import
from reminders.models import KeptMessage, Reminder, ReminderRule
from reports.catalogue import CATALOGUE
from tests.e2e.conftest import NOW, PHONE, TODAY, WIDE, add_member, overflow
from tests.factories import ClinicFactory, actor_of, book

# A desk's, a small laptop's, a telephone's.
SCREENS = (WIDE, {"width": 1024, "height": 768}, PHONE)
_LONG = "Maximiliane-Alexandra Wolfeschlegelsteinhausenbergerdorffwelchevoralternwaren"


@pytest.fixture
def owner(clinic):
    return add_member(clinic, Role.OWNER, "Ilze")


def taken_back(course, practitioner, on, *, room):
    """An absence that moved a session of the course and was then taken back."""
    acting = {"by": actor_of(practitioner), "now": NOW}
    book(course, on, now=NOW, room=room)
    disruption = start_disruption(outage=Outage(course.clinic, practitioner, on, on), **acting)
    for act in (apply_disruption, undo_disruption):
        disruption = act(disruption=disruption, **acting)
        work_job(job_id=disruption.job_id, seconds=60, clock=lambda: NOW)
        disruption.refresh_from_db()
    assert (disruption.status, disruption.sessions.get().undone) == ("undone", "back")
    return disruption


@pytest.fixture
def world(clinic, owner, prescriber, receptionist, make_course, room, settings):
    """Courses in several states, a long name, a mail: what the pages have to show; gives their addresses."""
    settings.DEMO = True
    overdue = make_course(_LONG, "Kalnina-Berzina")
    paused = make_course("Olga", "Zaiceva", at=12)
    today = make_course("Inga", "Ozola", at=14)
    session = book(today, TODAY, at=NOW.time().replace(hour=11), now=NOW, room=room)
    pause = {"from_on": TODAY, "to_on": None, "reason": "illness"}
    pause_course(course=paused, by=actor_of(prescriber), now=NOW, **pause)
    reassess(course=overdue, now=NOW)
    flag = Flag.objects.filter(course=overdue, resolved_at=None).first()
    felt = {"reaction": "bruises", "note": _LONG, "needs_person": True, "reported_at": NOW}
    ReactionReport.objects.create(clinic=clinic, session=session, **felt)
    mail = KeptMessage.objects.create(
        clinic=clinic, from_header="clinic@example.com", to_header="anna@example.com", kept_at=NOW,
        subject="Your sessions", text="See you on Monday.", html="<p>See you on <b>Monday</b>.</p>",
    )  # fmt: skip
    message = Reminder.objects.filter(course=today, state="due").first()
    rule = ReminderRule.objects.get(clinic=clinic, slug="day-before")
    batch = start_import(
        clinic=clinic, kind="clients", file_name=f"{_LONG}.csv", content=f"name;phone\n{_LONG};1".encode(),
        by=actor_of(owner), now=NOW, language="en",
    )  # fmt: skip
    choose_columns(batch=batch, columns=batch.columns)
    run_all(batch, "imports.check", by=actor_of(owner), now=NOW)
    token, _key = issue_token(
        clinic=clinic,
        name=_LONG,
        scopes=Scope.values,
        expires_on=date(2027, 1, 1),
        by=actor_of(owner),
        now=NOW,
    )
    hook, _secret = add_endpoint(
        clinic=clinic, name=_LONG, url=f"https://example.com/{'hook' * 40}", events=EVENTS,
        by=actor_of(owner), now=NOW,
    )  # fmt: skip
    call = note_test(endpoint=hook, by=actor_of(owner), now=NOW)
    undone = taken_back(today, prescriber, date(2026, 3, 20), room=room)
    outage = {"outage": Outage(clinic, prescriber, TODAY, TODAY), "by": actor_of(prescriber), "now": NOW}
    planned = start_disruption(**outage)
    applied = apply_disruption(disruption=start_disruption(**outage), by=outage["by"], now=NOW)
    course, client = f"/courses/{overdue.code}/", overdue.client
    return [
        "/",
        "/?on=2026-03-01",
        f"/sessions/{session.code}/attend/",
        f"/sessions/{session.code}/screen/",
        "/attention/",
        f"/attention/{flag.code}/call/",
        f"/attention/{flag.code}/snooze/",
        "/calendar/",
        f"/calendar/?practitioner={today.practitioner.code}",
        "/calendar/?view=day&by=room",
        "/calendar/book/?on=2026-03-10&at=15:00",
        f"/calendar/book/{overdue.code}/?on=2026-03-10&at=15:00",
        "/disruptions/",
        f"/disruptions/?practitioner={prescriber.code}&from_on={TODAY}&to_on={TODAY}",
        f"/disruptions/{planned.code}/",
        f"/disruptions/{applied.code}/",
        f"/disruptions/{undone.code}/",
        "/jobs/",
        "/courses/",
        "/courses/?show=completed",
        course,
        f"{course}book/",
        f"{course}replan/",
        f"{course}pause/",
        f"{course}sessions/{overdue.sessions.first().code}/correct/",
        f"{course}change/",
        f"/courses/{paused.code}/",
        f"/courses/{today.code}/sessions/{session.code}/move/",
        "/courses/new/",
        "/courses/new/fhir/",
        f"/courses/new/?client={client.code}&protocol={overdue.protocol.code}",
        "/clients/",
        "/clients/new/",
        "/search/",
        "/views/",
        f"/clients/{client.code}/",
        f"/clients/{client.code}/edit/",
        f"/clients/{client.code}/erase/",
        "/reports/",
        *(f"/reports/{slug}/" for slug in CATALOGUE),
        "/exports/",
        "/exports/courses/",
        f"/clients/{client.code}/merge/",
        f"/clients/{client.code}/merge/?with={paused.client.code}",
        "/messages/",
        "/messages/?show=not-sent",
        "/messages/?show=waiting",
        f"/messages/{message.code}/",
        "/settings/clinic/",
        "/settings/hours/",
        "/settings/closures/",
        "/settings/closures/holidays/?year=2026",
        "/settings/rooms/",
        "/settings/rules/",
        f"/settings/rules/{rule.code}/",
        "/settings/messages/",
        "/settings/protocols/",
        "/settings/protocols/new/",
        f"/settings/protocols/{overdue.protocol.code}/",
        f"/settings/protocols/{overdue.protocol.code}/edit/",
        "/settings/imports/",
        f"/settings/imports/{batch.code}/",
        f"/settings/imports/{batch.code}/undo/",
        "/settings/tokens/",
        f"/settings/tokens/{token.code}/revoke/",
        "/settings/webhooks/",
        f"/settings/webhooks/{hook.code}/",
        f"/settings/webhooks/{hook.code}/change/",
        f"/settings/webhooks/{hook.code}/remove/",
        f"/settings/webhooks/{hook.code}/calls/{call.code}/",
        "/api/v1/docs/",
        "/settings/people/",
        "/settings/people/new/",
        f"/settings/people/{prescriber.code}/",
        f"/settings/people/{prescriber.code}/hours/",
        "/settings/audit/",
        f"/settings/audit/?about={overdue.code}",
        "/me/",
        "/start/",
        "/start/protocols/",
        "/demo/mailbox/",
        f"/demo/mailbox/{mail.code}/",
        "/nothing/",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "scheme", "language"), [(WIDE, "light", "en"), (PHONE, "dark", "ru")], ids=["wide", "phone"]
)
def test_page_is_open_to_everybody_and_fits(
    open_browser, owner, world, find_faults, size, scheme, language, watch
):
    watch.expect(404)
    owner.user.language = language
    owner.user.save()
    page = open_browser(owner, size=size, color_scheme=scheme)

    faults = {}
    for address in world:
        page.set_viewport_size(size)
        answer = page.goto(address)
        assert answer.status == (404 if address == "/nothing/" else 200), address
        assert page.locator("html").get_attribute("lang") == language
        faults[address] = find_faults(page)
        # Each language on each screen: the words differ in length, and turning the screen is quickly done.
        for screen in (size, *(other for other in SCREENS if other != size)):
            page.set_viewport_size(screen)
            if (px := overflow(page)) > 0:
                faults[address].append(f"{px} px too wide for {screen['width']}")

    found = {address: list(dict.fromkeys(listed)) for address, listed in faults.items() if listed}
    assert json.dumps(found, indent=1) == "{}"


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_login_is_open_to_everybody(open_browser, clinic, find_faults, size):
    page = open_browser(size=size)

    page.goto("/accounts/login/")
    expect(page.get_by_label("E-mail")).to_be_visible()
    faults = find_faults(page)
    page.goto("/accounts/password/reset/")

    assert (faults, find_faults(page), overflow(page)) == ([], [], 0)


@pytest.mark.slow
def test_empty_clinic_teaches_on_every_page(open_browser, find_faults):
    founder = add_member(ClinicFactory(name="Just founded"), Role.OWNER, "Ilze")
    page = open_browser(founder)
    taught = {
        "/": "No sessions on this day",
        "/attention/": "No course to watch yet",
        "/calendar/": "Nobody treats here yet",
        "/calendar/book/": "No course can be booked on this day",
        "/start/protocols/": "Protocols of the library",
        "/disruptions/": "Nobody was away yet",
        "/jobs/": "Nothing has been done in the background yet",
        "/courses/": "No course runs yet",
        "/clients/": "No clients yet",
        "/messages/": "No messages here yet",
        "/reports/": "Nothing happened in this period",
        "/reports/retention/": "Nothing to count here yet",
        "/exports/": "No files were made yet",
        "/courses/new/": "The plan appears here",
        "/settings/closures/": "No closures ahead",
        "/settings/rooms/": "No rooms yet",
        "/settings/protocols/": "No protocols yet",
        "/settings/imports/": "Nothing imported yet",
        "/settings/tokens/": "No tokens yet",
        "/settings/webhooks/": "Nobody is told yet",
        "/settings/audit/": "Nothing on record yet",
    }

    for address, words in taught.items():
        page.goto(address)
        expect(page.get_by_role("heading", name=words)).to_be_visible()
        assert (address, find_faults(page)) == (address, [])
