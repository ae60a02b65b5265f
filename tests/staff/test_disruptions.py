"""Absences and closures: who is hit, other times for all of them, applied by a job that can be left and found."""

from datetime import date, time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.jobs import work_job
from clinics.models import Absence, BackgroundJob, Role
from courses.models import Disruption, TreatmentSession
from courses.services import add_absence, confirm_session, disrupting
from tests.factories import ClinicFactory, RoomFactory, StaffMemberFactory, actor_of, book
from tests.staff.conftest import HTMX, NOW
from tests.staff.test_today import words_of

PAGE = "/disruptions/"
TUESDAY, WEDNESDAY = date(2026, 3, 10), date(2026, 3, 11)


@pytest.fixture
def boris(clinic, room):
    RoomFactory(clinic=clinic, name="Room 2")
    return StaffMemberFactory(clinic=clinic, display_name="Boris", role=Role.PRACTITIONER)


@pytest.fixture
def sessions(make_course, boris):
    """Two clients with Dr Ozola on Tuesday, one of them on Wednesday too."""
    anna, inga = make_course(), make_course(given_name="Inga", family_name="Ozola", at=14)
    return [
        book(anna, TUESDAY, time(11), now=NOW),
        book(anna, WEDNESDAY, time(11), now=NOW),
        book(inga, TUESDAY, time(15), now=NOW),
    ]


def asked(person, first=TUESDAY, last=WEDNESDAY, **more):
    code = str(person.code) if person else ""
    return {"practitioner": code, "from_on": first.isoformat(), "to_on": last.isoformat(), **more}


def start(browser, person, **more):
    response = browser.post(PAGE, asked(person, **more))
    assert response.status_code == 302, response.content.decode()
    return Disruption.objects.latest("pk"), response["Location"]


def work(disruption):
    disruption.refresh_from_db()
    work_job(job_id=disruption.job_id, seconds=60, clock=lambda: NOW)


def test_page_says_who_is_hit_before_anything_changes(reception, sessions, prescriber):
    empty = words_of(reception.get(PAGE))
    page = words_of(reception.get(PAGE, asked(prescriber)))
    one_day = words_of(reception.get(PAGE, asked(prescriber) | {"to_on": ""}))

    assert "Nobody was away yet" in empty
    assert "Dr Ozola is away 3 sessions are booked then, with 2 clients." in page
    assert "courses drift from their prescription." in page
    assert "Tue 10 Mar, 11:00 Anna Berzina" in page
    assert "2 sessions are booked then, with 2 clients." in one_day
    assert (Disruption.objects.count(), Absence.objects.count()) == (0, 0)


def test_all_is_planned_chosen_applied_and_shown(reception, sessions, prescriber, boris):
    disruption, address = start(reception, prescriber, reason="ill")
    page = reception.get(address)
    words = words_of(page)
    assert "3 of 3 sessions have another time" in words
    assert "Wed 11 Mar, 11:00" in words
    assert disruption.status == "planned"

    row = disruption.sessions.get(session=sessions[2])
    applied = reception.post(f"{address}apply/", {f"choice-{row.code}": "leave", "choice-x": "move"})
    again = reception.post(f"{address}apply/", follow=True)

    assert applied["Location"] == address
    assert "This is being applied already." in words_of(again)
    waiting = reception.get(address)
    assert "0 of 3" in words_of(waiting)
    job = BackgroundJob.objects.get()
    assert f'hx-get="/jobs/{job.code}/progress/"' in waiting.content.decode()
    assert "Applying an absence or closure" in words_of(reception.get("/jobs/"))
    polled = reception.get(f"/jobs/{job.code}/progress/", headers=HTMX)
    assert (polled.status_code, "HX-Refresh" in polled) == (200, False)

    work(disruption)
    polled = reception.get(f"/jobs/{job.code}/progress/", headers=HTMX)
    result = words_of(reception.get(address))

    assert (polled.status_code, polled["HX-Refresh"]) == (286, "true")
    assert "2 moved 1 left as they were" in result
    # The old time of what was left is not struck out.
    assert reception.get(address).content.decode().count("dis-back") == 1
    assert "Drift that remains" in result
    absence = Absence.objects.get()
    assert (absence.practitioner, absence.from_on, absence.to_on, absence.reason) == (
        prescriber,
        TUESDAY,
        WEDNESDAY,
        "ill",
    )
    away = TreatmentSession.objects.filter(practitioner=prescriber, on__in=(TUESDAY, WEDNESDAY))
    assert list(away) == [sessions[2]]
    # What was left is planned anew from the same page.
    rest, _ = start(reception, prescriber)
    assert [row.session for row in rest.sessions.all()] == [sessions[2]]


def test_applied_one_is_taken_back_with_what_could_not_be(reception, sessions, prescriber, boris):
    disruption, address = start(reception, prescriber)
    before = list(TreatmentSession.objects.order_by("pk").values_list("starts_at", "practitioner"))
    early = reception.post(f"{address}undo/", follow=True)
    reception.post(f"{address}apply/")
    work(disruption)
    confirmed = TreatmentSession.objects.get(pk=sessions[2].pk)
    confirm_session(session=confirmed, by=actor_of(prescriber), now=NOW)
    offered = words_of(reception.get(address))

    done = reception.post(f"{address}undo/", follow=True)
    twice = reception.post(f"{address}undo/", follow=True)
    work(disruption)
    page = words_of(reception.get(address))

    assert "There is nothing to take back, or it is under way." in words_of(early)
    assert "Take it all back The absence leaves the calendar." in offered
    assert "It is being taken back." in words_of(done)
    assert "Taking back an absence or closure" in words_of(done)
    assert "or it is under way." in words_of(twice)
    assert (
        "What was entered is out of the calendar again. 2 back where they were 1 could not be taken back"
        in page
    )
    assert "The client has confirmed the new time. Not taken back" in page
    assert "Take it all back" not in page
    after = list(TreatmentSession.objects.order_by("pk").values_list("starts_at", "practitioner"))
    assert [row for row, was in zip(after, before, strict=True) if row != was] == [
        (confirmed.starts_at, confirmed.practitioner_id)
    ]
    assert not Absence.objects.exists()


def test_choice_of_each_page_is_kept(reception, sessions, prescriber, monkeypatch):
    monkeypatch.setattr("staff.views.disruptions._PAGE", 2)
    disruption, address = start(reception, prescriber)
    rows = list(disruption.sessions.all())

    moved_on = reception.post(f"{address}choose/", {f"choice-{rows[0].code}": "cancel", "page": "2"})
    second = reception.get(moved_on["Location"])

    assert moved_on["Location"] == f"{address}?page=2"
    assert f"move-{rows[2].code}" in second.content.decode()
    disruption.refresh_from_db()
    assert [row.choice for row in disruption.sessions.all()] == ["cancel", "move", "move"]


def test_plan_that_is_out_of_date_offers_another(reception, sessions, prescriber, boris):
    _, address = start(reception, prescriber)
    add_absence(practitioner=boris, from_on=TUESDAY, to_on=TUESDAY, by=actor_of(prescriber), now=NOW)

    refused = reception.post(f"{address}apply/", follow=True)

    sentence = "Hours, closures or absences were changed after this was planned. Plan it again."
    assert sentence in words_of(refused)
    assert "Apply all" not in words_of(refused)
    assert BackgroundJob.objects.count() == 0


def test_many_are_planned_by_a_job_that_can_be_stopped_and_that_says_why_it_failed(
    reception, sessions, prescriber, monkeypatch
):
    monkeypatch.setattr(disrupting, "PLANNED_AT_ONCE", 0)
    disruption, address = start(reception, prescriber)
    job = BackgroundJob.objects.get()
    assert "Planning an absence or closure" in words_of(reception.get(address))

    BackgroundJob.objects.update(status="failed", error_code="broken", ended_at=NOW)
    failed = words_of(reception.get(address))
    assert "Something went wrong that should not." in failed
    assert "Stopped half-way" in failed
    assert "Plan again" in failed
    gone_on = reception.post(f"/jobs/{job.code}/retry/")
    assert gone_on["Location"] == address
    work(disruption)
    assert "3 of 3 sessions have another time" in words_of(reception.get(address))

    reception.post(f"{address}apply/")
    stopped = reception.post(f"/jobs/{Disruption.objects.get().job.code}/stop/", follow=True)
    assert "3 not worked on" in words_of(stopped)
    assert "Plan the rest again" in words_of(stopped)


def test_nothing_booked_is_put_in_the_calendar_all_the_same(reception, boris):
    page = words_of(reception.get(PAGE, asked(boris)))
    assert "Nothing is booked then." in page
    disruption, address = start(reception, boris)

    reception.post(f"{address}apply/")
    work(disruption)

    assert Absence.objects.get().practitioner == boris
    assert "It stands in the calendar; nothing had to be moved." in words_of(reception.get(address))
    assert "there is nothing to do" in words_of(reception.get(PAGE, asked(boris)))


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"from_on": ""}, "from_on", "This field is required."),
        ({"to_on": "2026-03-09"}, "to_on", "The last day is before the first."),
        ({"from_on": "2026-03-01", "to_on": "2026-03-02"}, "to_on", "These days are over."),
        ({"practitioner": "00000000-0000-0000-0000-000000000000"}, "practitioner", "Select a valid choice"),
    ],
)
def test_wrong_input_names_the_field_and_keeps_what_was_typed(values, field, message, reception, boris):
    response = reception.post(PAGE, asked(boris) | values)

    form = response.context["form"]
    assert response.status_code == 422
    assert message in " ".join(form.errors[field])
    assert form["from_on"].value() == (asked(boris) | values)["from_on"]


def test_other_clinics_see_nothing_of_it(sessions, reception, prescriber, log_in):
    disruption, address = start(reception, prescriber)
    reception.post(f"{address}apply/")
    job = Disruption.objects.get(pk=disruption.pk).job
    stranger = log_in(StaffMemberFactory(clinic=ClinicFactory(), role=Role.OWNER))

    assert "Dr Ozola" not in words_of(stranger.get(PAGE))
    assert "Applying" not in words_of(stranger.get("/jobs/"))
    for path in (address, f"/jobs/{job.code}/progress/"):
        assert stranger.get(path).status_code == 404
    for path in (
        f"{address}apply/",
        f"{address}choose/",
        f"/jobs/{job.code}/stop/",
        f"/jobs/{job.code}/retry/",
    ):
        assert stranger.post(path).status_code == 404


def test_number_of_queries_does_not_grow_with_the_sessions(
    reception, sessions, prescriber, make_course, boris
):
    def count(path, query=None):
        with CaptureQueriesContext(connection) as found:
            assert reception.get(path, query).status_code == 200
        return len(found)

    few, few_address = start(reception, prescriber)
    reception.post(f"{few_address}apply/")
    before = count(PAGE, asked(prescriber)), count(few_address), count("/jobs/")
    for hour in (9, 12, 13):
        course = make_course(given_name=f"Client {hour}", at=hour)
        book(course, TUESDAY, time(hour), now=NOW)
    start(reception, prescriber)
    more, more_address = start(reception, prescriber)
    for row in Disruption.objects.filter(status="planned"):
        reception.post(f"{PAGE}{row.code}/apply/")

    assert BackgroundJob.objects.count() == 3
    assert (few.sessions.count(), more.sessions.count()) == (3, 6)
    assert (count(PAGE, asked(prescriber)), count(more_address), count("/jobs/")) == before
