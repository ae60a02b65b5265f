"""Every route, role and clinic: who gets in. A route that does not stand here fails."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from types import SimpleNamespace
from unittest import mock

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client as Browser
from django.test import override_settings
from django.urls import URLResolver, get_resolver, reverse

from clients.models import ErasureRequest
from clinics.jobs import work_job
from clinics.models import Closure, Role, SavedView
from clinics.tokens import issue_token
from courses.models import Flag, ReactionReport
from courses.services import Outage, apply_disruption, pause_course, start_disruption
from exports.core.choice import Choice
from exports.services import schedule_export, start_export
from hooks.services.endpoints import add_endpoint, note_test
from imports.services import start_import
from reminders.models import Answer, ChannelAccount, Reminder, ReminderRule
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    RoomFactory,
    StaffMemberFactory,
    actor_of,
    book,
    prescribe,
)
from tests.staff.conftest import BACKEND, NOW, START

OWNER, PRESCRIBER, PRACTITIONER, RECEPTIONIST, ANALYST = Role
EVERYBODY = frozenset(Role)
BOOKS = frozenset({OWNER, PRESCRIBER, RECEPTIONIST})
RECORDS = BOOKS | {PRACTITIONER}
PRESCRIBES = frozenset({OWNER, PRESCRIBER})
MANAGES = frozenset({OWNER})
EXPORTS = frozenset({OWNER, ANALYST})
NOBODY = frozenset()


@dataclass(frozen=True)
class Route:
    """Who may GET and who may POST; an empty set means that the verb is wrong there."""

    get: frozenset = NOBODY
    post: frozenset = NOBODY
    # The names of the address's parts and where the world keeps them.
    parts: tuple = ()
    # Parts that are words, the same in every clinic.
    words: tuple = ()


SESSION = (("code", "session"),)
FLAG = (("code", "flag"),)
CLIENT = (("code", "client"),)
COURSE = (("code", "course"),)
MESSAGE = (("code", "message"),)
ANSWER = (("code", "answer"),)
REPORT = (("code", "report"),)
RULE = (("code", "rule"),)
ACCOUNT = (("code", "account"),)
CLOSURE = (("code", "closure"),)
ROOM = (("code", "room"),)
PERSON = (("code", "person"),)
PROTOCOL = (("code", "protocol"),)
TOKEN = (("code", "token"),)
VIEW = (("code", "view"),)
HOOK = (("code", "hook"),)
HOOK_CALL = (*HOOK, ("call_code", "hook_call"))
IMPORT = (("code", "batch"),)
DISRUPTION = (("code", "disruption"),)
JOB = (("code", "job"),)
ADHERENCE = (("report", "adherence"),)
MADE_FILE = (("code", "made_file"),)
REGULAR = (("code", "regular"),)

MATRIX = {
    "staff:today": Route(get=EVERYBODY),
    "staff:start": Route(get=EVERYBODY, post=EVERYBODY),
    "staff:start-protocols": Route(get=MANAGES, post=MANAGES),
    "staff:start-close": Route(post=MANAGES),
    "staff:session-arrive": Route(post=RECORDS, parts=SESSION),
    "staff:session-screen": Route(get=RECORDS, post=RECORDS, parts=SESSION),
    "staff:session-attend": Route(get=RECORDS, post=RECORDS, parts=SESSION),
    "staff:session-miss": Route(post=RECORDS, parts=SESSION),
    "staff:session-cancel": Route(post=BOOKS, parts=SESSION),
    "staff:session-confirm": Route(post=BOOKS, parts=SESSION),
    "staff:session-undo": Route(post=RECORDS, parts=SESSION),
    "staff:session-pause": Route(get=BOOKS, post=BOOKS, parts=SESSION),
    "staff:session-resume": Route(get=BOOKS, post=BOOKS, parts=SESSION),
    "staff:attention": Route(get=EVERYBODY),
    "staff:flag-acknowledge": Route(post=BOOKS, parts=FLAG),
    "staff:flag-snooze": Route(get=BOOKS, post=BOOKS, parts=FLAG),
    "staff:flag-call": Route(get=BOOKS, post=BOOKS, parts=FLAG),
    "staff:flag-pause": Route(get=BOOKS, post=BOOKS, parts=FLAG),
    "staff:flag-message": Route(post=BOOKS, parts=FLAG),
    "staff:attention-selected": Route(post=BOOKS),
    "staff:flag-release": Route(post=BOOKS, parts=FLAG),
    "staff:undo": Route(post=RECORDS),
    "staff:calendar": Route(get=EVERYBODY),
    "staff:calendar-window": Route(get=BOOKS, parts=SESSION),
    "staff:calendar-book": Route(get=BOOKS, post=BOOKS),
    "staff:calendar-book-course": Route(get=BOOKS, post=BOOKS, parts=COURSE),
    "staff:calendar-move": Route(post=BOOKS, parts=SESSION),
    "staff:disruption-list": Route(get=BOOKS, post=BOOKS),
    "staff:disruption-detail": Route(get=BOOKS, parts=DISRUPTION),
    "staff:disruption-choose": Route(post=BOOKS, parts=DISRUPTION),
    "staff:disruption-apply": Route(post=BOOKS, parts=DISRUPTION),
    "staff:disruption-undo": Route(post=BOOKS, parts=DISRUPTION),
    "staff:job-list": Route(get=BOOKS),
    "staff:job-progress": Route(get=BOOKS, parts=JOB),
    "staff:job-stop": Route(post=BOOKS, parts=JOB),
    "staff:job-retry": Route(post=BOOKS, parts=JOB),
    "staff:course-list": Route(get=EVERYBODY, post=EVERYBODY),
    "staff:course-export": Route(get=EXPORTS),
    "staff:course-fhir": Route(get=EXPORTS, parts=COURSE),
    "staff:course-calendar": Route(get=EXPORTS, parts=COURSE),
    "staff:profile-sessions": Route(get=EVERYBODY),
    "staff:course-new-fhir": Route(get=PRESCRIBES, post=PRESCRIBES),
    "staff:export-list": Route(get=EXPORTS),
    "staff:export-table": Route(get=EXPORTS, post=EXPORTS, words=(("name", "courses"),)),
    "staff:export-file": Route(get=EXPORTS, parts=MADE_FILE),
    "staff:export-remove": Route(post=EXPORTS, parts=MADE_FILE),
    "staff:export-again": Route(post=EXPORTS, parts=MADE_FILE),
    # The analyst's own one.
    "staff:export-stop": Route(post=EXPORTS, parts=REGULAR),
    "staff:report-list": Route(get=EXPORTS),
    "staff:report-export": Route(get=EXPORTS),
    "staff:client-list": Route(get=EVERYBODY, post=EVERYBODY),
    "staff:report-detail": Route(get=EXPORTS, words=ADHERENCE),
    "staff:report-table": Route(get=EXPORTS, words=ADHERENCE),
    "staff:client-add": Route(get=BOOKS, post=BOOKS),
    "staff:client-detail": Route(get=EVERYBODY, parts=CLIENT),
    "staff:client-edit": Route(get=BOOKS, post=BOOKS, parts=CLIENT),
    "staff:client-merge": Route(get=BOOKS, post=BOOKS, parts=CLIENT),
    "staff:client-export": Route(post=MANAGES, parts=CLIENT),
    "staff:client-erase": Route(get=MANAGES, post=MANAGES, parts=CLIENT),
    "staff:client-address": Route(post=BOOKS, parts=CLIENT),
    "staff:client-address-enable": Route(post=BOOKS, parts=(*CLIENT, ("contact_code", "contact"))),
    "staff:saved-views": Route(get=EVERYBODY, post=EVERYBODY),
    # One that an owner shared: everybody sees it, and changes only what is their own.
    "staff:saved-view-change": Route(post=MANAGES, parts=VIEW),
    "staff:saved-view-remove": Route(post=MANAGES, parts=VIEW),
    "staff:search": Route(get=EVERYBODY, post=EVERYBODY),
    "staff:profile-digest": Route(post=EVERYBODY),
    "staff:message-list": Route(get=EVERYBODY, post=EVERYBODY),
    "staff:message-detail": Route(get=EVERYBODY, parts=MESSAGE),
    "staff:message-send": Route(post=BOOKS, parts=MESSAGE),
    "staff:message-stop": Route(post=BOOKS, parts=MESSAGE),
    "staff:message-arrived": Route(post=BOOKS, parts=MESSAGE),
    "staff:message-again": Route(post=BOOKS, parts=MESSAGE),
    "staff:message-close": Route(post=BOOKS, parts=MESSAGE),
    "staff:report-close": Route(post=RECORDS, parts=REPORT),
    "staff:erasure-close": Route(post=BOOKS, parts=CLIENT),
    "staff:answer-close": Route(post=BOOKS, parts=ANSWER),
    "staff:settings-clinic": Route(get=MANAGES, post=MANAGES),
    "staff:settings-hours": Route(get=MANAGES, post=MANAGES),
    "staff:settings-closures": Route(get=MANAGES, post=MANAGES),
    "staff:settings-closure-remove": Route(post=MANAGES, parts=CLOSURE),
    "staff:settings-holidays": Route(get=MANAGES, post=MANAGES),
    "staff:settings-rooms": Route(get=MANAGES, post=MANAGES),
    "staff:settings-room-rename": Route(post=MANAGES, parts=ROOM),
    "staff:settings-room-retire": Route(post=MANAGES, parts=ROOM),
    "staff:settings-room-reopen": Route(post=MANAGES, parts=ROOM),
    "staff:protocol-list": Route(get=PRESCRIBES),
    "staff:protocol-load": Route(post=PRESCRIBES),
    "staff:protocol-new": Route(get=PRESCRIBES, post=PRESCRIBES),
    "staff:protocol-detail": Route(get=PRESCRIBES, parts=PROTOCOL),
    "staff:protocol-edit": Route(get=PRESCRIBES, post=PRESCRIBES, parts=PROTOCOL),
    "staff:protocol-restore": Route(post=PRESCRIBES, parts=PROTOCOL),
    "staff:protocol-retire": Route(post=PRESCRIBES, parts=PROTOCOL),
    "staff:protocol-reopen": Route(post=PRESCRIBES, parts=PROTOCOL),
    "staff:rule-list": Route(get=MANAGES),
    "staff:rule-edit": Route(get=MANAGES, post=MANAGES, parts=RULE),
    "staff:rule-preview": Route(post=MANAGES, parts=RULE),
    "staff:rule-pause": Route(post=MANAGES, parts=RULE),
    "staff:rule-resume": Route(post=MANAGES, parts=RULE),
    "staff:rule-reset": Route(post=MANAGES, parts=RULE),
    "staff:rule-restore": Route(post=MANAGES, parts=(*RULE, ("number", "version"))),
    "staff:rule-test": Route(post=MANAGES, parts=RULE),
    "staff:settings-messages": Route(get=MANAGES, post=MANAGES),
    "staff:channel-list": Route(get=MANAGES),
    "staff:channel-new": Route(get=MANAGES, post=MANAGES),
    "staff:channel-edit": Route(get=MANAGES, post=MANAGES, parts=ACCOUNT),
    "staff:channel-switch": Route(post=MANAGES, parts=ACCOUNT),
    "staff:channel-test": Route(post=MANAGES, parts=ACCOUNT),
    "staff:people-list": Route(get=MANAGES),
    "staff:people-new": Route(get=MANAGES, post=MANAGES),
    "staff:people-edit": Route(get=MANAGES, post=MANAGES, parts=PERSON),
    "staff:people-deactivate": Route(post=MANAGES, parts=PERSON),
    "staff:people-reactivate": Route(post=MANAGES, parts=PERSON),
    "staff:people-invite": Route(post=MANAGES, parts=PERSON),
    "staff:people-hours": Route(get=MANAGES, post=MANAGES, parts=PERSON),
    "staff:people-absence": Route(post=MANAGES, parts=PERSON),
    "staff:people-absence-remove": Route(post=MANAGES, parts=(*PERSON, ("absence_code", "absence"))),
    "staff:import-list": Route(get=MANAGES, post=MANAGES),
    "staff:import-detail": Route(get=MANAGES, parts=IMPORT),
    "staff:import-check": Route(post=MANAGES, parts=IMPORT),
    "staff:import-apply": Route(post=MANAGES, parts=IMPORT),
    "staff:import-go-on": Route(post=MANAGES, parts=IMPORT),
    "staff:import-undo": Route(get=MANAGES, post=MANAGES, parts=IMPORT),
    "staff:import-discard": Route(post=MANAGES, parts=IMPORT),
    "staff:hook-list": Route(get=MANAGES, post=MANAGES),
    "staff:hook-detail": Route(get=MANAGES, parts=HOOK),
    "staff:hook-change": Route(get=MANAGES, post=MANAGES, parts=HOOK),
    "staff:hook-switch": Route(post=MANAGES, parts=HOOK),
    "staff:hook-secret": Route(post=MANAGES, parts=HOOK),
    "staff:hook-test": Route(post=MANAGES, parts=HOOK),
    "staff:hook-remove": Route(get=MANAGES, post=MANAGES, parts=HOOK),
    "staff:hook-call": Route(get=MANAGES, parts=HOOK_CALL),
    "staff:hook-call-again": Route(post=MANAGES, parts=HOOK_CALL),
    "staff:token-list": Route(get=MANAGES, post=MANAGES),
    "staff:token-revoke": Route(get=MANAGES, post=MANAGES, parts=TOKEN),
    "staff:audit-list": Route(get=MANAGES),
    "staff:audit-export": Route(get=MANAGES),
    "staff:profile": Route(get=EVERYBODY),
    "staff:profile-language": Route(post=EVERYBODY),
    "staff:profile-dates": Route(post=EVERYBODY),
    "staff:profile-clinic": Route(post=EVERYBODY),
    "staff:course-new": Route(get=PRESCRIBES, post=PRESCRIBES),
    "staff:course-change": Route(get=PRESCRIBES, post=PRESCRIBES, parts=COURSE),
    "staff:course-detail": Route(get=EVERYBODY, parts=COURSE),
    "staff:course-card": Route(get=EVERYBODY, parts=COURSE),
    "staff:course-book": Route(get=BOOKS, post=BOOKS, parts=COURSE),
    "staff:course-replan": Route(get=BOOKS, post=BOOKS, parts=COURSE),
    "staff:course-session-move": Route(get=BOOKS, post=BOOKS, parts=(*COURSE, ("session_code", "session"))),
    "staff:course-session-correct": Route(
        get=RECORDS, post=RECORDS, parts=(*COURSE, ("session_code", "session"))
    ),
    "staff:course-pause": Route(get=BOOKS, post=BOOKS, parts=COURSE),
    "staff:course-resume": Route(post=BOOKS, parts=COURSE),
    "staff:course-pause-remove": Route(post=BOOKS, parts=(*COURSE, ("pause_code", "pause"))),
    "staff:course-condition": Route(get=RECORDS, post=RECORDS, parts=COURSE),
    "staff:course-override": Route(
        get=PRESCRIBES, post=PRESCRIBES, parts=(*COURSE, ("condition", "condition"))
    ),
    "staff:course-target": Route(get=PRESCRIBES, post=PRESCRIBES, parts=COURSE),
    "staff:course-end-phase": Route(get=PRESCRIBES, post=PRESCRIBES, parts=COURSE),
    "staff:course-restart": Route(get=PRESCRIBES, post=PRESCRIBES, parts=COURSE),
    "staff:course-discontinue": Route(get=PRESCRIBES, post=PRESCRIBES, parts=COURSE),
}
# Routes whose access other tests hold: the login's own pages, the API, providers' calls, health, the demonstration's mailbox.
# The clients' pages stand in tests/portal/test_routes.py, the operator's in tests/operators/test_access.py.
ELSEWHERE = ("c/", "accounts/", "api/v1/", "api/hooks/", "healthz", "demo/mailbox/", "operator/")

# What a refusal looks like; whatever else an allowed request answers is its own tests' business.
REFUSALS = {403, 404, 405}


def all_routes():
    """Return every address pattern of the site with its name."""

    def walk(resolver, prefix, namespace):
        for pattern in resolver.url_patterns:
            address = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, address, pattern.namespace or namespace)
            else:
                yield address, f"{namespace}:{pattern.name}" if namespace else pattern.name

    return list(walk(get_resolver(), "", ""))


# The mark is for the fixtures below: a database is made only where some test that is run asks for it by mark.
@pytest.mark.django_db
def test_every_route_stands_in_the_matrix():
    named = {name for address, name in all_routes() if not address.startswith(ELSEWHERE)}

    assert named == set(MATRIX)


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    """Two clinics alike, each with a member of every role and one of everything; rolled back at the end."""
    # Drawing a PDF takes a second, and who gets it is asked here, not what it looks like.
    quick = mock.patch("staff.views.course_card.render_pdf", return_value=b"%PDF-1.7")
    folder = override_settings(EXPORT_DIR=tmp_path_factory.mktemp("exports"))
    with django_db_blocker.unblock(), transaction.atomic(), quick, folder:
        home = make_clinic()
        tickets = {member.pk: log_in(member) for member in home.members.values()}
        yield SimpleNamespace(home=home, abroad=make_clinic(), tickets=tickets)
        transaction.set_rollback(True)


def log_in(member):
    """Log a member in once for all requests, which is a third of the cost of one; return the session's key."""
    browser = Browser()
    browser.force_login(member.user, backend=BACKEND)
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


def make_clinic():
    clinic = ClinicFactory()
    members = {
        role: StaffMemberFactory(clinic=clinic, role=role, is_treating=role == PRESCRIBER) for role in Role
    }
    by = actor_of(members[PRESCRIBER])
    client = ClientFactory(clinic=clinic)
    protocol = ProtocolFactory(clinic=clinic)
    course = prescribe(now=START, member=members[PRESCRIBER], client=client, protocol=protocol)
    session = book(course, date(2026, 3, 9), time(11), now=datetime(2026, 3, 9, 5, tzinfo=UTC))
    course.refresh_from_db()
    pause = pause_course(
        course=course, from_on=date(2026, 3, 20), to_on=date(2026, 3, 21), reason="travel", by=by, now=NOW
    )
    flag = Flag.objects.filter(course=course, resolved_at=None).first()
    ErasureRequest.objects.create(clinic=clinic, client=client, asked_at=NOW)
    report = ReactionReport.objects.create(
        clinic=clinic, session=session, reaction="bruises", needs_person=True, reported_at=NOW
    )
    outage = Outage(clinic, None, date(2026, 3, 10), date(2026, 3, 10))
    disruption = apply_disruption(disruption=start_disruption(outage=outage, by=by, now=NOW), by=by, now=NOW)
    hook, _secret = add_endpoint(
        clinic=clinic,
        name="Web site",
        url="https://hooks.invalid/",
        events=["session.booked"],
        by=by,
        now=NOW,
    )
    return SimpleNamespace(
        members=members,
        session=session.code,
        report=report.code,
        disruption=disruption.code,
        job=disruption.job.code,
        made_file=make_file(members[ANALYST]),
        regular=schedule_export(
            member=members[ANALYST],
            choice=Choice("courses"),
            frequency="daily",
            at_time=time(7),
            weekday=1,
            by=actor_of(members[ANALYST]),
            now=NOW,
        ).code,
        flag=flag.code,
        client=client.code,
        course=course.code,
        pause=pause.code,
        condition="influenza",
        person=members[ANALYST].code,
        protocol=protocol.code,
        batch=start_import(
            clinic=clinic,
            kind="clients",
            file_name="list.csv",
            content=b"name;phone\nAnna;20000001",
            by=by,
            now=NOW,
            language="en",
        ).code,
        token=issue_token(
            clinic=clinic, name="Accounting", scopes=["read"], expires_on=date(2026, 4, 1), by=by, now=NOW
        )[0].code,
        hook=hook.code,
        hook_call=note_test(endpoint=hook, by=by, now=NOW).code,
        absence=uuid.uuid4(),
        contact=client.contact_points.get().code,
        rule=ReminderRule.objects.get(clinic=clinic, slug="overdue").code,
        version=1,
        account=ChannelAccount.objects.create(
            clinic=clinic, channel="sms", provider="kept", created_at=NOW, changed_at=NOW
        ).code,
        closure=Closure.objects.create(clinic=clinic, from_on=date(2026, 5, 4), to_on=date(2026, 5, 4)).code,
        room=RoomFactory(clinic=clinic).code,
        view=SavedView.objects.create(
            clinic=clinic,
            member=members[OWNER],
            page="courses",
            name="Due",
            query="show=due",
            is_shared=True,
            created_at=NOW,
        ).code,
        message=Reminder.objects.filter(course=course, state="due").first().code,
        answer=Answer.objects.create(
            clinic=clinic, client=client, kind="other", via="sms", answered_at=NOW
        ).code,
    )


def make_file(member):
    """Return the code of a file that can be fetched."""
    by = {"by": actor_of(member), "now": NOW}
    export = start_export(member=member, choice=Choice("courses"), count=1, **by)
    work_job(job_id=export.job_id, seconds=9, clock=lambda: NOW)
    return export.code


@pytest.fixture
def ask(world, django_db_blocker):
    """Return a function that asks for a route and gives the status; what it changed is taken back."""

    def ask(name, verb, *, member=None, subjects=None):
        parts = {key: getattr(subjects or world.home, where) for key, where in MATRIX[name].parts}
        parts |= dict(MATRIX[name].words)
        with django_db_blocker.unblock(), transaction.atomic():
            browser = Browser(raise_request_exception=False)
            if member:
                browser.cookies[settings.SESSION_COOKIE_NAME] = world.tickets[member.pk]
            response = getattr(browser, verb)(reverse(name, kwargs=parts))
            # A file that is handed out stays open until it is read.
            if response.streaming:
                b"".join(response.streaming_content)
            transaction.set_rollback(True)
        return response

    return ask


@pytest.mark.parametrize("name", MATRIX)
def test_route_lets_in_exactly_these_roles(ask, world, name):
    route = MATRIX[name]
    wrong = []
    for verb, roles in (("get", route.get), ("post", route.post)):
        for role in Role:
            status = ask(name, verb, member=world.home.members[role]).status_code
            if not roles:
                is_right = status == 405
            elif role in roles:
                is_right = status not in REFUSALS and status < 500
            else:
                is_right = status == 403
            if not is_right:
                wrong.append((verb, role.value, status))

    assert wrong == []


@pytest.mark.parametrize("name", [name for name, route in MATRIX.items() if route.parts])
def test_route_hides_what_belongs_to_another_clinic(ask, world, name):
    route = MATRIX[name]
    statuses = {
        (verb, role.value): ask(
            name, verb, member=world.home.members[role], subjects=world.abroad
        ).status_code
        for verb, roles in (("get", route.get), ("post", route.post))
        for role in roles
    }

    assert statuses
    assert {asked: status for asked, status in statuses.items() if status != 404} == {}


@pytest.mark.parametrize("name", MATRIX)
def test_route_sends_strangers_to_the_login(ask, name):
    for verb in ("get", "post"):
        response = ask(name, verb)

        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("name", MATRIX)
def test_route_knows_no_other_verbs(ask, world, name):
    statuses = {
        verb: ask(name, verb, member=world.home.members[OWNER]).status_code for verb in ("put", "delete")
    }

    assert statuses == {"put": 405, "delete": 405}


def test_member_who_left_gets_in_nowhere(ask, world, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        member = world.home.members[OWNER]
        type(member).objects.filter(pk=member.pk).update(is_active=False)
        response = ask("staff:today", "get", member=member)
        transaction.set_rollback(True)

    assert response.status_code == 403
    assert "No clinic yet" in response.content.decode()
