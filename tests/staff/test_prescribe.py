"""Prescribing: the preview that saves nothing, and the one act that saves and books all of it."""

import re
import uuid
from datetime import date
from functools import partial

import pytest
from django.contrib.messages import get_messages

from clinics.models import Role
from courses.models import (
    ContraindicationOverride,
    Course,
    Phase,
    PrescriptionRevision,
    Protocol,
    TreatmentSession,
)
from courses.services import record_contraindication
from tests.factories import ClientFactory, ProtocolFactory, actor_of, prescribe
from tests.races import race, shared_database
from tests.staff.conftest import HTMX, NOW, TODAY
from tests.staff.test_today import words_of

NEW = "/courses/new/"
TO_PREVIEW = {**HTMX, "HX-Target": "preview"}


@pytest.fixture
def doctor(log_in, prescriber):
    return log_in(prescriber)


@pytest.fixture
def client_row(clinic):
    return ClientFactory(clinic=clinic, given_name="Liga", family_name="Zarina", search_text="liga zarina")


@pytest.fixture
def typed(client_row, protocol, prescriber):
    """Everything a prescriber types for six sessions every one or two days."""
    return {
        "code": str(uuid.uuid4()),
        "client": str(client_row.code),
        "protocol": str(protocol.code),
        "start_on": "2026-03-10",
        "practitioner": str(prescriber.code),
        "phase_count": "1",
        "phases-0-kind": "intensive",
        "phases-0-sessions_min": "6",
        "phases-0-sessions_max": "6",
        "phases-0-frequency": "1",
        "phases-0-period_min": "1",
        "phases-0-period_max": "2",
        "phases-0-minutes_min": "30",
        "phases-0-minutes_max": "45",
        "phases-0-duration": "",
        "phases-0-duration_unit": "weeks",
    }


def test_sheet_starts_with_the_phases_of_the_protocol_named(doctor, protocol, client_row):
    page = doctor.get(f"{NEW}?protocol={protocol.code}&client={client_row.code}")

    assert [row.form["sessions_max"].value() for row in page.context["phases"]] == [15, None]
    assert [row.form["duration"].value() for row in page.context["phases"]] == [None, 1]
    assert "Liga Zarina" in words_of(page)


def test_client_is_found_by_any_part_of_the_name(doctor, client_row, clinic):
    ClientFactory(clinic=clinic, search_text="somebody else")
    abroad = ClientFactory(search_text="liga abroad")

    found = doctor.post(NEW, {"do": "find", "client_q": "zar lig"}).context["found"]

    assert found == [client_row]
    assert abroad not in found


def test_preview_shows_every_date_with_its_reason_and_saves_nothing(doctor, typed):
    answer = doctor.post(NEW, typed | {"do": "preview"}, headers=TO_PREVIEW)

    words = words_of(answer)
    assert answer.status_code == 200
    assert "6 sessions, every 1–2 days, 30–45 minutes." in words
    assert "6 sessions: Tue 10 Mar – Mon 16 Mar" in words
    assert "1 Tue 10 Mar, 09:00 Dr Ozola Due from Tue 10 Mar to Thu 12 Mar." in words
    assert 'class="ribbon-chart"' in answer.content.decode()
    assert "<form" not in answer.content.decode()
    assert not Course.objects.exists()


def test_preview_without_script_is_the_whole_page(doctor, typed):
    answer = doctor.post(NEW, typed | {"do": "preview"})

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" in page
    assert 'name="phases-0-sessions_max" value="6"' in page


def test_preview_names_what_is_missing(doctor, typed):
    answer = doctor.post(
        NEW, typed | {"do": "preview", "client": "", "phases-0-period_min": ""}, headers=TO_PREVIEW
    )

    assert answer.status_code == 200
    assert "Still to look at: Client, phase 1: Every so many days, at least" in words_of(answer)


def test_prescribing_saves_and_books_the_whole_plan(doctor, typed, prescriber, client_row, protocol):
    answer = doctor.post(NEW, typed | {"do": "prescribe"})

    course = Course.objects.get()
    booked = list(TreatmentSession.objects.filter(course=course).order_by("on"))
    assert answer.status_code == 302
    assert answer["Location"] == f"/courses/{course.code}/"
    assert (course.client, course.protocol, course.prescribed_by) == (client_row, protocol, prescriber)
    assert [session.on.day for session in booked] == [10, 11, 12, 13, 14, 16]
    assert {session.status for session in booked} == {"booked"}
    assert {session.practitioner for session in booked} == {prescriber}


def test_rising_lengths_of_the_protocol_reach_the_course_and_can_be_changed(doctor, typed, protocol):
    protocol.phases.filter(position=0).update(minutes_by_session=[20, 25, 30])
    sheet = doctor.get(f"{NEW}?protocol={protocol.code}")
    lengths = sheet.context["phases"][0].form["minutes_by_session"].value()

    wrong = doctor.post(NEW, typed | {"do": "prescribe", "phases-0-minutes_by_session": "20, lots"})
    doctor.post(NEW, typed | {"do": "prescribe", "phases-0-minutes_by_session": lengths})

    course = Course.objects.get()
    changing = f"/courses/{course.code}/change/"
    row = doctor.get(changing).context["phases"][0]
    shown = {row.form.add_prefix(name): row.form[name].value() or "" for name in row.form.fields}
    changed = shown | {"phase_count": "1", "do": "change", "reason": "slower"}
    doctor.post(changing, changed | {"phases-0-minutes_by_session": "20 20;30"})
    assert wrong.status_code == 422
    assert "Write minutes from 1 to 600 with commas between them." in words_of(wrong)
    phases = Phase.objects.filter(revision__course=course).order_by("revision__number")
    assert list(phases.values_list("minutes_by_session", flat=True)) == [[20, 25, 30], [20, 20, 30]]


def test_retired_protocol_is_not_offered(doctor, typed, protocol):
    Protocol.objects.filter(pk=protocol.pk).update(retired_at=NOW)

    answer = doctor.post(NEW, typed | {"do": "prescribe"})

    form = answer.context["form"]
    assert list(form.fields["protocol"].queryset) == []
    assert form.errors == {"protocol": ["This protocol was changed or retired meanwhile. Choose it again."]}
    assert 'name="phases-0-sessions_max" value="6"' in answer.content.decode()


def test_prescribing_with_htmx_goes_to_the_course(doctor, typed):
    answer = doctor.post(NEW, typed | {"do": "prescribe"}, headers=HTMX)

    assert answer["HX-Redirect"] == f"/courses/{Course.objects.get().code}/"


def code_on(page):
    return re.search(r'name="code" value="([0-9a-f-]{36})"', page.content.decode())[1]


def test_each_page_has_a_code_of_its_own_and_keeps_it(doctor, typed):
    first, second = code_on(doctor.get(NEW)), code_on(doctor.get(NEW))

    assert first != second
    for todo in ("add", "protocol", "preview"):
        assert code_on(doctor.post(NEW, typed | {"do": todo})) == typed["code"]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_same_page_sent_twice_makes_one_course(doctor, typed, headers):
    first = doctor.post(NEW, typed | {"do": "prescribe"}, headers=headers)
    second = doctor.post(NEW, typed | {"do": "prescribe"}, headers=headers)

    course = Course.objects.get()
    assert course.code == uuid.UUID(typed["code"])
    for answer in (first, second):
        assert answer["HX-Redirect" if headers else "Location"] == f"/courses/{course.code}/"
    assert course.sessions.count() == 6
    said = [str(message) for message in get_messages(second.wsgi_request)]
    assert said[-1] == "This course is prescribed and booked already."


def test_page_loaded_anew_and_filled_in_alike_makes_one_course(doctor, typed):
    doctor.post(NEW, typed | {"do": "prescribe"})

    again = doctor.post(NEW, typed | {"do": "prescribe", "code": code_on(doctor.get(NEW))})

    assert again["Location"] == f"/courses/{Course.objects.get().code}/"


def test_page_gone_back_to_and_changed_asks_before_it_makes_another_course(doctor, typed):
    doctor.post(NEW, typed | {"do": "prescribe"})

    asked = doctor.post(NEW, typed | {"do": "prescribe", "start_on": "2026-04-10"}, headers=HTMX)
    code = code_on(asked)
    done = doctor.post(NEW, typed | {"do": "prescribe", "start_on": "2026-04-10", "code": code})

    assert asked.status_code == 422
    assert asked.context["form"].non_field_errors() == [
        "A course was prescribed from this page before. Press once more if this is another one."
    ]
    assert "6 sessions: Mon 13 Apr – Sat 18 Apr" in words_of(asked)
    assert done["Location"] == f"/courses/{code}/"
    assert Course.objects.count() == 2


@pytest.mark.parametrize("kind", ["foreign", "rubbish", "none"])
def test_code_that_is_not_this_pages_is_replaced_and_nothing_told(doctor, typed, kind):
    foreign = prescribe()
    code = {"foreign": str(foreign.code), "rubbish": "'--", "none": ""}[kind]

    refused = doctor.post(NEW, typed | {"do": "prescribe", "code": code}, headers=HTMX)

    assert refused.status_code == 422
    assert refused.context["form"].errors == {
        "__all__": ["This page is out of date. Look it over and press once more."]
    }
    assert code_on(refused) not in (str(foreign.code), typed["code"])
    assert list(Course.objects.all()) == [foreign]
    done = doctor.post(NEW, typed | {"do": "prescribe", "code": code_on(refused)})
    assert done["Location"] == f"/courses/{code_on(refused)}/"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_same_page_sent_twice_at_once_makes_one_course(transactional_db, tmp_path, log_in, prescriber, typed):
    browsers, answers = [log_in(prescriber) for _ in range(2)], []

    def press(browser):
        answers.append(browser.post(NEW, typed | {"do": "prescribe"})["Location"])

    with shared_database(tmp_path):
        outcome = race([partial(press, browser) for browser in browsers])
        codes = list(Course.objects.values_list("code", flat=True))

    assert outcome == {"won": 2}
    assert codes == [uuid.UUID(typed["code"])]
    assert answers == [f"/courses/{typed['code']}/"] * 2


def test_what_is_left_out_is_as_usual_for_the_rhythm(doctor, typed):
    doctor.post(NEW, typed | {"do": "prescribe"})

    phase = PrescriptionRevision.objects.get().phases.get()
    assert (phase.rest_days, phase.flex_days, phase.grace_days, phase.lapse_days) == (1, 0, 1, 14)


@pytest.mark.parametrize(
    ("left", "kept"),
    [({"phases-0-lapse_days": "1"}, (1, 1)), ({"phases-0-grace_days": "50"}, (50, 50)), ({}, (3, 42))],
)
def test_what_is_usual_gives_way_to_what_was_typed(doctor, typed, left, kept):
    rhythm = {"phases-0-period_min": "14", "phases-0-period_max": "14"}

    answer = doctor.post(NEW, typed | rhythm | left | {"do": "prescribe"})

    phase = PrescriptionRevision.objects.get().phases.get()
    assert answer.status_code == 302
    assert (phase.grace_days, phase.lapse_days) == kept


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"phases-0-sessions_max": "4"}, "sessions_max", "The second number is smaller than the first."),
        ({"phases-0-period_max": "0"}, "period_max", "Ensure this value is greater than or equal to 1."),
        ({"phases-0-frequency": "3"}, "frequency", "There is one session a day at most."),
        (
            {"phases-0-sessions_min": "", "phases-0-sessions_max": ""},
            "sessions_max",
            "Say how many sessions, or for how long.",
        ),
        ({"phases-0-flex_days": "1"}, "flex_days", "The period cannot give by its whole length."),
        (
            {"phases-0-grace_days": "9", "phases-0-lapse_days": "3"},
            "grace_days",
            "Overdue comes before lapsed.",
        ),
        (
            {"phases-0-duration": "11", "phases-0-duration_unit": "years"},
            "duration",
            "A phase lasts at most ten years.",
        ),
    ],
)
def test_wrong_phase_keeps_what_was_typed_and_names_the_field(doctor, typed, wrong, field, message):
    answer = doctor.post(NEW, typed | wrong | {"do": "prescribe"}, headers=HTMX)

    (row,) = answer.context["phases"]
    assert answer.status_code == 422
    assert row.form.errors == {field: [message]}
    assert row.form["minutes_max"].value() == "45"
    assert not Course.objects.exists()


def test_foreign_client_is_refused(doctor, typed):
    abroad = ClientFactory()

    answer = doctor.post(NEW, typed | {"do": "prescribe", "client": str(abroad.code)}, headers=HTMX)

    assert answer.status_code == 422
    assert answer.context["form"].errors == {"client": ["Choose a client."]}
    assert abroad.name not in words_of(answer)


def test_phase_is_added_and_removed_with_all_else_kept(doctor, typed):
    added = doctor.post(NEW, typed | {"do": "add"}, headers=HTMX)
    removed = doctor.post(
        NEW,
        typed
        | {"do": "remove-0", "phase_count": "2", "phases-1-kind": "maintenance", "phases-1-period_min": "21"},
        headers=HTMX,
    )

    assert [row.form["kind"].value() for row in added.context["phases"]] == ["intensive", "maintenance"]
    assert added.context["form"]["start_on"].value() == "2026-03-10"
    assert [row.form["period_min"].value() for row in removed.context["phases"]] == ["21"]
    assert not Course.objects.exists()


def test_other_protocol_brings_its_phases(doctor, typed, clinic):
    other = ProtocolFactory(clinic=clinic, slug="other")

    answer = doctor.post(NEW, typed | {"do": "protocol", "protocol": str(other.code)}, headers=HTMX)

    assert [row.form["sessions_max"].value() for row in answer.context["phases"]] == [15, None]
    assert answer.context["taken"] == str(other.code)


def fields_of(page):
    """Return what the sheet of a page would post, but for its button."""
    found = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page.content.decode())
    rows = {
        f"phases-{row.index}-{field.name}": field.value()
        for row in page.context["phases"]
        for field in row.form
        if field.value() is not None
    }
    return dict(found) | rows


def test_phases_typed_by_hand_make_way_for_a_protocols_and_are_put_back(doctor, typed, clinic):
    other = ProtocolFactory(clinic=clinic, slug="other")

    taken = doctor.post(NEW, typed | {"do": "protocol", "protocol": str(other.code)})
    again = doctor.post(NEW, fields_of(taken) | {"do": "protocol", "protocol": typed["protocol"]})
    back = doctor.post(NEW, fields_of(again) | {"do": "put-back", "protocol": typed["protocol"]})

    # A protocol's own phases, left as they were, are not worth keeping: the second choice keeps what was typed first
    assert [row.form["sessions_max"].value() for row in again.context["phases"]] == [15, None]
    assert "What you had typed before is kept." in words_of(again)
    [phase] = [row.form for row in back.context["phases"]]
    assert {name: phase[name].value() or "" for name in phase.fields} == {
        name: typed.get(f"phases-0-{name}", "") for name in phase.fields
    }
    assert "is kept" not in words_of(back)


def test_phases_of_a_protocol_make_way_for_anothers_without_a_word(doctor, typed, clinic, protocol):
    other = ProtocolFactory(clinic=clinic, slug="other")
    start = doctor.get(f"{NEW}?protocol={protocol.code}")

    answer = doctor.post(
        NEW, fields_of(start) | {"do": "protocol", "protocol": str(other.code)}, headers=HTMX
    )

    assert (answer.context["taken"], answer.context["kept"]) == (str(other.code), [])


# ------------------------------------------------------------------------------------------ contraindications


def record(client_row, prescriber, condition, to_on):
    record_contraindication(
        client=client_row, condition=condition, from_on=TODAY, to_on=to_on, by=actor_of(prescriber), now=NOW
    )


def test_permanent_condition_blocks_until_a_reason_is_written(doctor, typed, client_row, prescriber):
    record(client_row, prescriber, "tuberculosis", None)

    preview = doctor.post(NEW, typed | {"do": "preview"}, headers=TO_PREVIEW)
    refused = doctor.post(NEW, typed | {"do": "prescribe", "override-tuberculosis": " "}, headers=HTMX)
    assert not Course.objects.exists()
    done = doctor.post(
        NEW, typed | {"do": "prescribe", "override-tuberculosis": "Healed in 2019."}, headers=HTMX
    )

    assert "Tuberculosis , from Mon 9 Mar on. It rules this protocol out." in words_of(preview)
    assert "6 sessions: Tue 10 Mar – Mon 16 Mar" in words_of(preview)
    assert refused.status_code == 422
    assert "This condition rules the protocol out." in words_of(refused)
    assert "HX-Redirect" in done
    assert ContraindicationOverride.objects.get().reason == "Healed in 2019."


def test_reason_being_written_survives_a_preview(doctor, typed, client_row, prescriber):
    record(client_row, prescriber, "tuberculosis", None)

    preview = doctor.post(
        NEW, typed | {"do": "preview", "override-tuberculosis": "Healed in"}, headers=TO_PREVIEW
    )

    assert ">Healed in</textarea>" in preview.content.decode()


def test_temporary_condition_proposes_a_later_start(doctor, typed, client_row, prescriber):
    record(client_row, prescriber, "influenza", date(2026, 3, 13))

    preview = doctor.post(NEW, typed | {"do": "preview"}, headers=TO_PREVIEW)

    assert "Start after Fri 13 Mar, or pause until then." in words_of(preview)


# ------------------------------------------------------------------------------------------ a new revision


def test_prescription_is_changed_with_a_reason(doctor, course):
    sheet = doctor.get(f"/courses/{course.code}/change/")
    typed = {"phase_count": str(len(sheet.context["phases"])), "do": "change", "reason": "tolerates less"}
    for row in sheet.context["phases"]:
        typed |= {row.form.add_prefix(name): row.form[name].value() or "" for name in row.form.fields}
    typed |= {"phases-0-period_min": "2", "phases-0-period_max": "3"}

    without = doctor.post(f"/courses/{course.code}/change/", typed | {"reason": ""}, headers=HTMX)
    answer = doctor.post(f"/courses/{course.code}/change/", typed)

    newest = PrescriptionRevision.objects.filter(course=course).order_by("-number").first()
    assert without.status_code == 422
    assert answer["Location"] == f"/courses/{course.code}/"
    assert (newest.number, newest.reason) == (2, "tolerates less")
    assert [(p.period_min, p.period_max) for p in newest.phases.all()] == [(2, 3), (14, 14)]


def test_receptionist_may_not_prescribe(browser_of):
    browser = browser_of(Role.RECEPTIONIST)

    assert browser.get(NEW).status_code == 403
    assert browser.post(NEW, {}).status_code == 403
