"""Settings, Audit log: who did what, in words, filtered, paged, exported; nothing clinical among it."""

import csv
import io
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from audit.models import ActorKind, AuditEvent
from audit.services import SYSTEM, Actor, record
from bin.steps import ROOT
from clinics.models import Role
from clinics.services import change_staff_member
from clinics.tokens import actor_of_token, issue_token
from courses.services import cancel_session, confirm_session, move_session, pause_course
from staff.presenters.audit import action_choices, action_words
from tests.factories import ClientFactory, ClinicFactory, StaffMemberFactory, actor_of
from tests.staff.conftest import HTMX, NOW, TODAY
from tests.staff.test_today import words_of

LOG = "/settings/audit/"


@pytest.fixture
def ilze(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.OWNER, display_name="Ilze", is_treating=False)


@pytest.fixture
def owner(ilze, log_in):
    return log_in(ilze)


@pytest.fixture
def note(clinic):
    """Return a function that puts an event of the clinic on record."""

    def note(action="clinic.hours_changed", *, at=NOW, by=SYSTEM, kind="clinic", code=None, **details):
        place = details.pop("clinic", clinic)
        record(action, at=at, by=by, clinic_code=place.code, subject_kind=kind, subject_code=code, **details)

    return note


def move(session, *, by):
    move_session(
        session=session,
        starts_at=datetime(2026, 3, 10, 9, tzinfo=UTC),
        practitioner=session.practitioner,
        room=None,
        by=actor_of(by),
        now=NOW + timedelta(minutes=1),
    )


def lines_of(owner, **query):
    return owner.get(LOG, query).context["lines"]


def told(line):
    return line.what, line.about, line.who, [str(change) for change in line.changes]


# ---------------------------------------------------------------- words


def test_log_tells_what_was_done_to_a_course_newest_first(owner, session, prescriber):
    move(session, by=prescriber)
    session.refresh_from_db()
    cancel_session(
        session=session,
        whose="client",
        reason="has a fever",
        by=actor_of(prescriber),
        now=NOW + timedelta(minutes=2),
    )

    lines = lines_of(owner)

    assert [told(line) for line in lines[:2]] == [
        (
            "Session cancelled",
            "Course of Anna Berzina",
            "Dr Ozola",
            ["Status: booked → cancelled by the client", "Cancelled by: the client"],
        ),
        (
            "Session moved",
            "Course of Anna Berzina",
            "Dr Ozola",
            [
                "Time: Mon 9 Mar, 11:00 → Tue 10 Mar, 11:00",
                "Day: Mon 9 Mar → Tue 10 Mar",
                "Room: Room 1 → none",
            ],
        ),
    ]
    assert lines[0].about_url == f"/courses/{session.course.code}/"
    assert lines[0].who_url == f"/settings/people/{prescriber.code}/"
    assert "fever" not in words_of(owner.get(LOG))


def test_reasons_and_conditions_are_not_shown(owner, course, prescriber, note):
    pause_course(course=course, from_on=TODAY, to_on=None, reason="illness", by=actor_of(prescriber), now=NOW)
    note(
        "flag.called", kind="course", code=course.code, new={"kind": "contraindicated", "outcome": "reached"}
    )

    words = words_of(owner.get(LOG))

    assert "Outcome reached" in words
    assert [word for word in ("illness", "contraindicated") if word in words] == []
    assert [str(change) for change in lines_of(owner, action="flag.called")[0].changes] == [
        "Outcome: reached"
    ]


def test_client_and_those_who_are_gone_are_named_as_such(owner, clinic, note):
    anna = ClientFactory(clinic=clinic, given_name="Anna", family_name="Berzina")
    note("client.read", by=Actor(ActorKind.CLIENT, anna.code), kind="client", code=anna.code)
    note("client.read", by=Actor(ActorKind.STAFF, uuid.uuid4()), kind="client", code=uuid.uuid4())
    note("client.read", by=Actor(ActorKind.CLIENT, uuid.uuid4()))

    assert [(line.who, line.about, line.about_url) for line in lines_of(owner)] == [
        ("a former client", "", ""),
        ("a former staff member", "", ""),
        ("Anna Berzina", "Anna Berzina", f"/clients/{anna.code}/"),
    ]


def test_program_is_named_by_its_token_and_found(owner, ilze, session):
    values = {"name": "Web site", "scopes": ["write"], "expires_on": TODAY}
    token, _key = issue_token(clinic=session.clinic, by=actor_of(ilze), now=NOW, **values)
    confirm_session(session=session, by=actor_of_token(token), now=NOW)

    lines = lines_of(owner, by="programs")

    assert [told(line)[:3] for line in lines] == [
        ("Session confirmed", "Course of Anna Berzina", "Web site"),
    ]
    assert lines[0].who_url == "/settings/tokens/"
    assert "Web site" in words_of(owner.get(f"/courses/{session.course.code}/"))


def test_changes_of_people_are_told_old_and_new(owner, ilze, prescriber):
    values = {"display_name": "Dr Liepa", "is_treating": False, "role": "practitioner"}
    change_staff_member(member=prescriber, by=actor_of(ilze), now=NOW, **values)

    assert told(lines_of(owner)[0]) == (
        "Person changed",
        "Dr Liepa",
        "Ilze",
        ["Role: prescriber → practitioner", "Treats clients: yes → no", "Changed: name"],
    )


def test_exports_are_told_apart(owner, note):
    note("report.exported", new={"report": "no-shows", "format": "csv", "table": "hours"})
    note("export.scheduled", new={"table": "sessions", "frequency": "weekly"})
    note("clients.exported", new={"format": "csv", "count": 64, "anonymous": True})

    told = {line.what: [str(change) for change in line.changes] for line in lines_of(owner)}

    assert ["Report: No-shows", "Format: csv"] in told.values()
    assert ["Table: Sessions"] in told.values()
    assert ["Format: csv", "Anonymised: yes", "Number: 64"] in told.values()


def test_words_survive_what_they_do_not_know(owner, note):
    note(
        "room.repainted_twice",
        kind="room",
        code=uuid.uuid4(),
        old={"starts_at": "soon", "role": "wizard"},
        new={"on": 7, "room": "x", "colour": "green", "member": None, "fields": 3},
    )

    assert told(lines_of(owner)[0])[:3] == ("Repainted twice", "", "the system")


def test_every_action_has_words_in_both_languages():
    actions = [action for _group, choices in action_choices() for action, _words in choices]

    with translation.override("en"):
        english = {action: action_words(action) for action in actions}
    with translation.override("ru"):
        russian = {action: action_words(action) for action in actions}

    assert {action for action in actions if english[action] == russian[action]} == set()


def test_every_action_that_is_recorded_has_words():
    packages = ("api", "audit", "clients", "clinics", "courses", "operators", "portal", "reminders", "staff")
    action = re.compile(r'"((?:answer|channel|clients?|clinic|contact|rule|reminder|staff)\.[a-z_]+)"')
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    sources = [text for file in files if re.search(r"\b_?record\w*\(", text := file.read_text("utf-8"))]
    recorded = {name for text in sources for name in action.findall(text)}

    worded = {action for _group, choices in action_choices() for action, _words in choices}
    assert {"clinic.room_retired", "staff.changed"} <= recorded
    assert recorded - worded == set()


# ---------------------------------------------------------------- filters


def test_filters_narrow_and_stay_in_the_form(owner, ilze, note, course):
    night = datetime(2026, 3, 7, 22, 30, tzinfo=UTC)  # half past midnight on Sunday in Riga
    note("rule.paused", at=night, by=actor_of(ilze))
    note("client.read", at=night - timedelta(hours=1))
    note("client.updated", at=night + timedelta(days=1), kind="course", code=course.code)

    found = {
        name: [line.what for line in lines_of(owner, **query)]
        for name, query in {
            "action": {"action": "rule.paused"},
            "person": {"by": str(ilze.code)},
            "system": {"by": "system", "from_on": "2026-03-07"},
            "day": {"from_on": "2026-03-08", "to_on": "2026-03-08"},
            "about": {"about": str(course.code), "from_on": "2026-03-08"},
            "nonsense": {"action": "x", "by": "y", "from_on": "z", "to_on": "9999-12-31", "about": "-"},
        }.items()
    }

    everything = [line.what for line in lines_of(owner)]
    assert found == {
        "action": ["Rule paused"],
        "person": ["Rule paused"],
        "system": ["Client's data changed", "Client's data looked at"],
        "day": ["Rule paused"],
        "about": ["Client's data changed"],
        "nonsense": everything,
    }
    assert 'value="rule.paused" selected' in owner.get(LOG, {"action": "rule.paused"}).content.decode()


def test_log_of_another_clinic_is_not_seen(owner, note):
    note("rule.paused", clinic=ClinicFactory())

    response = owner.get(LOG)

    assert response.context["lines"] == []
    assert "Nothing on record yet" in words_of(response)
    assert "Nothing matches" in words_of(owner.get(LOG, {"by": "system"}))


def test_htmx_gets_the_list_and_the_export_that_follows_it(owner, note):
    note()

    body = owner.get(LOG, {"by": "system"}, headers=HTMX).content.decode()

    assert body.lstrip().startswith('<div id="events">')
    assert f'href="{LOG}export/?by=system"' in body


def test_log_is_paged_and_costs_the_same_however_long(
    owner, prescriber, make_course, django_assert_num_queries, django_assert_max_num_queries
):
    make_course(attended=())
    with django_assert_max_num_queries(19) as counted:
        owner.get(LOG)
    for number in range(3):
        make_course(given_name=f"Olga{number}", at=11 + number)
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=NOW, clinic_code=prescriber.clinic.code, actor_kind="system", action="x.y", subject_kind="x"
        )
        for _ in range(60)
    )

    with django_assert_num_queries(len(counted.captured_queries)):
        page = owner.get(LOG, {"page": 2})

    assert page.context["page"].paginator.num_pages == 2


# ---------------------------------------------------------------- export


def test_export_holds_exactly_what_is_shown(owner, session, prescriber, note):
    note("rule.paused", at=NOW - timedelta(days=400))
    move(session, by=prescriber)

    response = owner.get(f"{LOG}export/", {"action": "course.session_moved"})
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))

    assert rows == [
        ["When", "Who", "What", "About", "Details"],
        [
            "2026-03-09 10:01",
            "Dr Ozola",
            "Session moved",
            "Course of Anna Berzina",
            "Time: Mon 9 Mar, 11:00 → Tue 10 Mar, 11:00; Day: Mon 9 Mar → Tue 10 Mar; Room: Room 1 → none",
        ],
    ]
    assert response["Content-Disposition"] == 'attachment; filename="audit-2026-03-09.csv"'
    event = AuditEvent.objects.get(action="audit.exported")
    assert event.new == {"format": "csv", "count": 1}


def test_export_speaks_the_readers_language_and_leaves_itself_out(owner, ilze, note):
    note("rule.paused")
    ilze.user.language = "ru"
    ilze.user.save()

    with translation.override("en"):
        body = b"".join(owner.get(f"{LOG}export/").streaming_content).decode("utf-8-sig")

    assert [row[2] for row in csv.reader(io.StringIO(body))] == ["Что", "Правило приостановлено"]


def test_log_reads_russian(owner, ilze, session):
    ilze.user.language = "ru"
    ilze.user.save()

    with translation.override("en"):
        words = words_of(owner.get(LOG))

    assert "Сеанс" in words
    assert [word for word in ("Audit", "Session", "Prescribed", "Everything", "about") if word in words] == []
