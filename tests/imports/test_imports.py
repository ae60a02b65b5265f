"""An import from the file to its undoing: every row checked, the sound ones applied, all of it taken back."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from audit.models import AuditEvent
from clients.models import Client, Consent, ContactPoint
from clients.services import Contacts, update_client
from clinics.jobs import cancel_job, work_jobs
from clinics.models import BackgroundJob, Role
from courses.errors import CourseError
from courses.models import Course, Phase, TreatmentSession
from courses.services import pause_course
from imports.models import ImportBatch, ImportRow
from imports.services import (
    apply_some,
    begin_applying,
    begin_undoing,
    choose_columns,
    count_outcomes,
    discard,
    hand_over,
    run_all,
    start_import,
    tidy_imports,
)
from imports.tasks import tidy
from reminders.models import Reminder
from tests.courses.build import all_rows
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    StaffMemberFactory,
    actor_of,
    book,
)

NOW = datetime(2026, 3, 30, 8, tzinfo=UTC)
CLIENTS = """Имя;Фамилия;Телефон;E-mail;Дата рождения;Язык;Согласие;Примечание
Anna;Berzina;20 000 001;anna@example.com;31.12.1990;русский;да;Slow on the left
Olga;Zaiceva;20 000 002;;;;sms;
Olga;Zaiceva;+37120000002;;;;sms;
;;20 000 003;;;;;
Janis;;12;janis@;31.02.1990;Latin;maybe;
Liga;Zarina;20 000 004;;;;нет;
"""
COURSES = """Телефон,Протокол,Начало,Даты,Сколько пройдено,Последний сеанс,Назначено,Врач
20000001,anti-cellulite MASSAGE,02.03.2026,"02.03.2026, 04.03.2026; 06.03.2026",,,12,Dr Ozola
20000002,manual,02.03.2026,,5,13.03.2026,,
20000009,manual,02.03.2026,,,,,
20000001,honey,2026-03-02,"2026-02-27, soon",,,,Nobody
20000001,manual,2026-03-02,2026-04-02,3,,99,
"""
pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic(db):
    return ClinicFactory()


@pytest.fixture
def owner(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.OWNER, display_name="Ilze")


@pytest.fixture
def prescriber(clinic):
    return StaffMemberFactory(clinic=clinic, display_name="Dr Ozola")


@pytest.fixture
def by(owner):
    return actor_of(owner)


@pytest.fixture
def take_in(clinic, by):
    """Return a function that takes a file in and checks it."""

    def take_in(kind, text, *, language="en"):
        batch = start_import(
            clinic=clinic,
            kind=kind,
            file_name="list.csv",
            content=text.encode(),
            by=by,
            now=NOW,
            language=language,
        )
        batch = choose_columns(batch=batch, columns=batch.columns)
        run_all(batch, "imports.check", by=by, now=NOW)
        return batch

    return take_in


@pytest.fixture
def bring_in(take_in, by):
    """Return a function that imports a file at once."""

    def bring_in(kind, text):
        batch = begin_applying(batch=take_in(kind, text), by=by, now=NOW)
        run_all(batch, "imports.apply", by=by, now=NOW)
        return batch

    return bring_in


def outcomes(batch):
    return list(batch.rows.values_list("number", "outcome"))


def problems(batch, number):
    return [tuple(one) for one in batch.rows.get(number=number).problems]


def rows_but(*labels):
    """Return every row of ours, apart from those of some tables."""
    return {label: rows for label, rows in all_rows().items() if label not in labels}


# ---------------------------------------------------------------- clients


def test_check_says_what_would_come_of_each_row_and_changes_nothing(take_in, clinic):
    ClientFactory(clinic=clinic, given_name="Liga", family_name="Zarina")
    ContactPoint.objects.update(channel="sms", value="+37120000004")
    Consent.objects.update(channel="sms")
    before = all_rows()

    batch = take_in("clients", CLIENTS)

    assert all_rows() == before
    assert outcomes(batch) == [
        (2, "new"),
        (3, "new"),
        (4, "refused"),
        (5, "refused"),
        (6, "refused"),
        (7, "changed"),
    ]
    assert problems(batch, 4) == [("", "This is the same as row 3.")]
    assert problems(batch, 5) == [("given_name", "Give the client's name.")]
    assert {field for field, _sentence in problems(batch, 6)} == {
        "phone",
        "email",
        "birth_on",
        "language",
        "allowed",
    }
    assert batch.status == "checked"


def test_applying_registers_clients_by_the_verbs_and_forgets_the_file(bring_in, clinic, owner):
    batch = bring_in("clients", CLIENTS)

    anna = Client.objects.get(given_name="Anna")
    assert (anna.name, anna.birth_on, anna.language, anna.health_notes) == (
        "Anna Berzina",
        date(1990, 12, 31),
        "ru",
        "Slow on the left",
    )
    assert sorted(anna.contact_points.values_list("channel", "value")) == [
        ("email", "anna@example.com"),
        ("sms", "+37120000001"),
    ]
    consents = Consent.objects.filter(withdrawn_at=None).order_by("client__given_name", "channel")
    assert list(consents.values_list("client__given_name", "channel", "granted_source")) == [
        ("Anna", "email", "import"),
        ("Anna", "sms", "import"),
        ("Olga", "sms", "import"),
    ]
    assert count_outcomes(batch) == {"made": 3, "refused": 3}
    assert not ImportRow.objects.exclude(cells=[]).exists()
    assert ImportRow.objects.get(number=2).made_code == anna.code
    event = AuditEvent.objects.get(action="import.applied")
    assert (event.subject_code, event.new) == (batch.code, {"import_kind": "clients", "count": 3})
    # The same file once more finds everybody.
    again = bring_in_again(bring_in)
    assert again == "There is nothing to import: no row is new or changed."


def bring_in_again(bring_in):
    with pytest.raises(CourseError) as caught:
        bring_in("clients", CLIENTS)
    return caught.value.message


def test_known_client_is_changed_where_the_row_says_something_and_brought_back(bring_in, by, clinic):
    bring_in("clients", CLIENTS)
    before = all_rows()

    batch = bring_in(
        "clients",
        "phone,name,email,notes,consent\n+371 20000001,Anna Liepa,anna@new.example.com,,email\n",
    )

    anna = Client.objects.get(given_name="Anna")
    assert (anna.family_name, anna.health_notes, anna.birth_on) == (
        "Liepa",
        "Slow on the left",
        date(1990, 12, 31),
    )
    assert set(anna.contact_points.values_list("value", flat=True)) == {
        "anna@new.example.com",
        "+37120000001",
    }
    assert list(anna.consents.filter(withdrawn_at=None).values_list("channel", flat=True)) == ["email"]
    assert count_outcomes(batch) == {"updated": 1}

    begin_undoing(batch=batch, by=by, now=NOW)
    run_all(ImportBatch.objects.get(pk=batch.pk), "imports.undo", by=by, now=NOW)

    after = all_rows()
    assert after["clients.Client"] == before["clients.Client"]
    assert set(anna.contact_points.values_list("value", flat=True)) == {"anna@example.com", "+37120000001"}
    assert set(anna.consents.filter(withdrawn_at=None).values_list("channel", flat=True)) == {"email", "sms"}


def test_address_of_somebody_else_renames_nobody(take_in, bring_in):
    bring_in("clients", CLIENTS)

    batch = take_in("clients", "phone,name\n20000001,Maris Berzins\n")

    assert problems(batch, 2) == [
        (
            "phone",
            "Another client has this address. Give an address of this client's own, or mend the name there.",
        )
    ]


def test_undoing_removes_what_was_made_and_nothing_else(bring_in, by, clinic):
    ClientFactory(clinic=clinic)
    before = rows_but("audit.AuditEvent")
    batch = bring_in("clients", CLIENTS)
    during = rows_but("audit.AuditEvent")

    batch = begin_undoing(batch=batch, by=by, now=NOW)
    hand_over(batch=batch, kind="imports.undo", by=by, now=NOW)
    work_jobs(clock=lambda: NOW)

    batch.refresh_from_db()
    assert during != before
    after = rows_but("audit.AuditEvent")
    assert {label: rows for label, rows in after.items() if rows != before[label]}.keys() == {
        "clinics.BackgroundJob"
    }
    assert (batch.status, count_outcomes(batch)) == ("undone", {"undone": 3, "refused": 3})
    assert BackgroundJob.objects.get().done_count == 3


@pytest.mark.parametrize("act", ["change", "course"])
def test_nothing_is_undone_once_somebody_has_worked_with_it(bring_in, by, clinic, prescriber, act):
    batch = bring_in("clients", CLIENTS)
    olga = Client.objects.get(given_name="Olga")
    if act == "change":
        contacts = Contacts(phone="20000002", allowed=frozenset({"sms"}))
        update_client(
            client=olga, contacts=contacts, by=actor_of(prescriber), now=NOW, health_notes="Call late"
        )
    else:
        ProtocolFactory(clinic=clinic, slug="manual")
        bring_in("courses", COURSES.splitlines()[0] + "\n20000002,manual,02.03.2026,,,,,\n")
    before = all_rows()

    with pytest.raises(CourseError, match="Something was done with 1 of the rows since") as caught:
        begin_undoing(batch=batch, by=by, now=NOW)

    assert caught.value.code == "undo_touched"
    assert all_rows() == before


def test_undoing_ends_after_a_month(bring_in, by):
    batch = bring_in("clients", CLIENTS)
    bring_in("clients", "phone,name\n20000001,Anna Liepa\n")

    with pytest.raises(CourseError, match="more than 30 days ago"):
        begin_undoing(batch=batch, by=by, now=NOW + timedelta(days=31))
    tidy_imports(now=NOW + timedelta(days=31))

    assert not ImportRow.objects.exclude(before={}).exists()


# ---------------------------------------------------------------- courses


@pytest.fixture
def world(bring_in, clinic, prescriber):
    """Two clients, a protocol and a prescriber for the courses of the file."""
    bring_in("clients", CLIENTS)
    return ProtocolFactory(clinic=clinic, slug="manual", name_en="Anti-cellulite massage")


def test_courses_come_with_what_was_attended(world, bring_in, prescriber, owner, by):
    batch = bring_in("courses", COURSES)

    assert outcomes(batch) == [(2, "made"), (3, "made"), (4, "refused"), (5, "refused"), (6, "refused")]
    anna, olga = Course.objects.order_by("pk")
    assert (anna.prescribed_by, olga.prescribed_by, anna.start_on) == (prescriber, owner, date(2026, 3, 2))
    assert anna.attended_count == 3
    sessions = TreatmentSession.objects.filter(status="attended")
    days = [
        [on.day for on in sessions.filter(course=one).values_list("on", flat=True)] for one in (anna, olga)
    ]
    assert days == [[2, 4, 6], [2, 5, 8, 10, 13]]
    notes = sessions.filter(course=olga).order_by("on").values_list("note", flat=True)
    assert [bool(note) for note in notes] == [False, True, True, True, False]
    targets = Phase.objects.filter(position=0).order_by("revision__course")
    assert list(targets.values_list("target", flat=True)) == [12, None]
    assert problems(batch, 4) == [
        ("phone", "No client has this address. Import the clients first, or add this one.")
    ]
    assert [field for field, _sentence in problems(batch, 5)] == ["protocol", "prescriber", "attended"]
    assert [field for field, _sentence in problems(batch, 6)] == ["attended_count", "attended"]


def test_courses_that_are_here_are_found_and_undone(world, take_in, bring_in, by, clinic):
    # What stays: rules that were asked for first, and which days reports have to count again.
    stays = ("reminders.ReminderRule", "reminders.RuleVersion", "courses.StaleDay", "audit.AuditEvent")
    before = rows_but(*stays)
    batch = bring_in("courses", COURSES)

    again = take_in("courses", COURSES.replace("; 06.03.2026", ""))
    more = take_in("courses", COURSES.replace("; 06.03.2026", "; 09.03.2026"))

    assert outcomes(again)[:2] == [(2, "same"), (3, "same")]
    assert problems(more, 2) == [
        (
            "attended",
            "This course is here already, without some of these sessions. Record them on its page.",
        )
    ]
    batch = begin_undoing(batch=batch, by=by, now=NOW)
    run_all(batch, "imports.undo", by=by, now=NOW)
    assert rows_but(*stays) == before


@pytest.mark.parametrize("act", ["pause", "message"])
def test_course_that_lives_is_not_undone(world, bring_in, by, act):
    late = '20000001,manual,16.03.2026,"16.03.2026 24.03.2026",,,,'
    batch = bring_in("courses", f"{COURSES.splitlines()[0]}\n{late}\n")
    course = Course.objects.get()
    if act == "pause":
        pause_course(
            course=course, from_on=date(2026, 3, 30), to_on=date(2026, 4, 2), reason="travel", by=by, now=NOW
        )
    else:
        Reminder.objects.filter(course=course).update(state="sent", sent_at=NOW, decided_at=NOW)
        assert Reminder.objects.filter(course=course, state="sent").exists()

    with pytest.raises(CourseError, match="Something was done with 1 of the rows"):
        begin_undoing(batch=batch, by=by, now=NOW)


def test_booking_made_while_undoing_keeps_its_course(world, bring_in, by):
    batch = begin_undoing(batch=bring_in("courses", COURSES), by=by, now=NOW)
    course = Course.objects.order_by("pk").first()
    book(course, date(2026, 3, 31), time(11), now=NOW)

    run_all(batch, "imports.undo", by=by, now=NOW)

    assert list(Course.objects.all()) == [course]
    assert count_outcomes(batch) == {"kept": 1, "undone": 1, "refused": 3}


# ---------------------------------------------------------------- the way of an import


def test_columns_must_be_chosen_well(clinic, by):
    batch = start_import(
        clinic=clinic, kind="courses", file_name="x", content=b"a;b\n1;2", by=by, now=NOW, language="en"
    )

    with pytest.raises(CourseError) as caught:
        choose_columns(batch=batch, columns={"phone": 0, "email": 0, "start_on": 7})

    assert caught.value.fields == {
        "phone": "This column is chosen twice.",
        "email": "This column is chosen twice.",
        "protocol": "A column is needed for one of these: Protocol.",
        "start_on": "Choose one of the columns.",
    }


def test_job_checks_and_applies_step_by_step_and_says_it_in_the_readers_language(clinic, by):
    lines = "".join(f"Client {n};2000{n:04}\n" for n in range(60))
    batch = start_import(
        clinic=clinic,
        kind="clients",
        file_name="x",
        content=f"Имя;Телефон\n{lines};1\n".encode(),
        by=by,
        now=NOW,
        language="ru",
    )
    choose_columns(batch=batch, columns=batch.columns)
    hand_over(batch=batch, kind="imports.check", by=by, now=NOW)
    work_jobs(clock=lambda: NOW)
    batch.refresh_from_db()
    begin_applying(batch=batch, by=by, now=NOW)
    hand_over(batch=batch, kind="imports.apply", by=by, now=NOW)
    work_jobs(clock=lambda: NOW)

    batch.refresh_from_db()
    assert (batch.status, count_outcomes(batch)) == ("applied", {"made": 60, "refused": 1})
    assert list(BackgroundJob.objects.order_by("pk").values_list("status", "done_count", "total_count")) == [
        ("done", 61, 61),
        ("done", 60, 60),
    ]
    assert ["given_name", "Укажите имя клиента."] in batch.rows.get(outcome="refused").problems
    # A worker that comes late finds nothing to do.
    assert apply_some(batch, by=by, now=NOW) == 0


def test_nothing_is_applied_twice_or_unchecked(take_in, by):
    batch = take_in("clients", CLIENTS)
    begin_applying(batch=batch, by=by, now=NOW)

    for verb in (begin_applying, begin_undoing):
        with pytest.raises(CourseError, match="This import is being imported"):
            verb(batch=batch, by=by, now=NOW)
    with pytest.raises(CourseError, match="This import is being imported"):
        discard(batch=batch)


def test_import_that_stopped_halfway_is_settled_after_a_day(take_in, by):
    batch = begin_applying(batch=take_in("clients", CLIENTS), by=by, now=NOW)
    job = hand_over(batch=batch, kind="imports.apply", by=by, now=NOW)
    late = NOW + timedelta(hours=25)

    tidy_imports(now=late)
    while_it_waits = ImportBatch.objects.get().status
    cancel_job(job=job, by=by, now=late)
    tidy_imports(now=late)

    batch.refresh_from_db()
    assert (while_it_waits, batch.status, batch.applied_at) == ("applying", "applied", late)
    assert count_outcomes(batch) == {"refused": 6}
    assert problems(batch, 2) == [("", "This was not imported within a day. Import it again.")]
    assert not ImportRow.objects.exclude(cells=[]).exists()


def test_files_are_forgotten_after_a_day(take_in, bring_in):
    take_in("clients", CLIENTS)
    applied = bring_in("clients", CLIENTS)

    early = tidy_imports(now=NOW + timedelta(hours=24))
    late = tidy_imports(now=NOW + timedelta(hours=24, seconds=1))
    tidy()

    assert (early, late) == (0, 1)
    assert list(ImportBatch.objects.all()) == [applied]
