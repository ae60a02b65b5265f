"""A course's page: what it says of each kind of course, and everything that is decided on it."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from audit.models import AuditEvent
from clinics.models import Role
from courses.models import (
    ContraindicationOverride,
    CourseStatus,
    Pause,
    PhaseEnd,
    PrescriptionRevision,
    RecordedContraindication,
    Restart,
    TreatmentSession,
)
from courses.services import (
    acknowledge_flag,
    pause_course,
    reassess_due,
    record_call,
    record_contraindication,
)
from tests.factories import actor_of, attend, book
from tests.staff.conftest import HTMX, NOW, TODAY
from tests.staff.test_today import words_of


@pytest.fixture
def doctor(log_in, prescriber):
    return log_in(prescriber)


@pytest.fixture
def long_course(make_course, prescriber):
    """A course with ten sessions attended, the least of its range."""
    course = make_course(attended=())
    first = date(2026, 2, 24)
    attend(course, [day for number in range(12) if (day := first + timedelta(number)).isoweekday() != 7])
    assert course.attended_count >= 10
    return course


def url(course, action=""):
    return f"/courses/{course.code}/{action}"


# ------------------------------------------------------------------------------------------------ the page


def test_page_says_what_happened_and_what_comes_next(reception, course, session):
    words = words_of(reception.get(url(course)))

    assert (
        "Session 3 was due by Fri 6 Mar and is overdue. Booked for Mon 9 Mar, 11:00 with Dr Ozola." in words
    )
    assert "10–15 sessions, every 1–2 days, 30–60 minutes" in words
    assert "every 2 weeks for 1 year, 30–60 minutes" in words
    assert "2 Wed 4 Mar, 10:00 Dr Ozola Tue 3 Mar – Wed 4 Mar On time 45 minutes" in words
    assert "Attendance recorded · Dr Ozola" in words
    assert "Prescribed Mon 2 Mar · Dr Ozola" in words


def test_page_shows_the_ribbon_with_the_same_in_words(reception, course, session):
    page = reception.get(url(course)).content.decode()

    assert page.count('class="ribbon-chart"') == 3
    assert '<g class="rb-mark rb-on_time"' in page
    assert "<li>Wed 4 Mar: attended on time, session 2</li>" in page
    assert "<li>Mon 9 Mar: booked, 2 days late, session 3</li>" in page


def test_ribbon_needs_no_inline_style(reception, course):
    response = reception.get(url(course))

    assert "style=" not in response.content.decode()
    assert "'unsafe-inline'" not in response["Content-Security-Policy"]


def test_part_alone_answers_htmx(reception, course):
    whole, part = reception.get(url(course)), reception.get(url(course), headers=HTMX)

    assert "<html" in whole.content.decode()
    assert "<html" not in part.content.decode()
    assert part["Vary"].find("HX-Request") >= 0


def test_calls_and_notes_about_findings_stay_with_the_course(reception, course):
    reassess_due(now=NOW)
    flag, by = course.flags.get(kind="overdue"), actor_of(course.prescribed_by)
    acknowledge_flag(flag=flag, note="on holiday", by=by, now=NOW)
    later = NOW + timedelta(hours=1)
    tomorrow = TODAY + timedelta(days=1)
    record_call(flag=flag, outcome="call_later", note="in the tram", next_on=tomorrow, by=by, now=later)
    # What was said stays when the finding is over.
    course.flags.update(resolved_at=later, resolved_reason="attended")

    page = reception.get(url(course))

    assert [(row.words, row.note, row.about, row.by) for row in page.context["notes"]] == [
        ("Call: call later; again on Tue 10 Mar", "in the tram", "Overdue", "Dr Ozola"),
        ("Note", "on holiday", "Overdue", "Dr Ozola"),
    ]
    assert "Call: call later; again on Tue 10 Mar in the tram · Overdue · Dr Ozola" in words_of(page)


def test_page_costs_the_same_with_one_and_with_many_sessions(
    reception, make_course, django_assert_num_queries, django_assert_max_num_queries
):
    short = make_course(family_name="Short", attended=(2,), at=9)
    long = make_course(family_name="Long", attended=(2, 3, 4, 5, 6), at=12)
    reception.get(url(short))
    with django_assert_max_num_queries(30) as counted:
        reception.get(url(short))
    with django_assert_num_queries(len(counted.captured_queries)):
        reception.get(url(long))


def test_each_role_is_offered_what_it_may_do(browser_of, course):
    offered = {
        role: set(browser_of(role).get(url(course)).context["actions"])
        for role in (Role.PRESCRIBER, Role.RECEPTIONIST, Role.PRACTITIONER, Role.ANALYST)
    }

    assert offered == {
        Role.PRESCRIBER: {
            "book",
            "replan",
            "pause",
            "condition",
            "target",
            "end-phase",
            "restart",
            "change",
            "discontinue",
        },
        Role.RECEPTIONIST: {"book", "replan", "pause", "condition"},
        Role.PRACTITIONER: {"condition"},
        Role.ANALYST: set(),
    }


def test_finding_comes_with_its_cause_and_what_to_do(reception, course):
    reassess_due(now=NOW)

    words = words_of(reception.get(url(course)))

    assert (
        "Session 3 is 2 days overdue. since Mon 9 Mar · Booked late or not at all Book next session Pause"
        in words
    )


# ------------------------------------------------------------------------------------------------ actions


def test_pause_is_added(reception, course):
    answer = reception.post(
        url(course, "pause/"),
        {"reason": "bruises", "from_on": "2026-03-09", "to_on": "2026-03-12", "note": ""},
    )

    pause = Pause.objects.get(course=course)
    assert answer.status_code == 302
    assert answer["Location"] == url(course)
    assert (pause.from_on, pause.to_on, pause.reason) == (date(2026, 3, 9), date(2026, 3, 12), "bruises")


def test_pause_with_htmx_answers_with_the_course_as_it_is_now(reception, course):
    answer = reception.post(
        url(course, "pause/"),
        {"reason": "travel", "from_on": "2026-03-09", "to_on": "2026-03-12", "note": ""},
        headers=HTMX,
    )

    assert answer.status_code == 200
    assert answer["HX-Retarget"] == "#course"
    assert "The course is paused until Thu 12 Mar: travel." in words_of(answer)
    assert "The course is paused." in words_of(answer)


def test_pause_upside_down_keeps_what_was_typed_and_names_the_field(reception, course):
    typed = {"reason": "travel", "from_on": "2026-03-12", "to_on": "2026-03-09", "note": "to the sea"}

    answer = reception.post(url(course, "pause/"), typed, headers=HTMX)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="to the sea"' in page
    assert answer.context["form"].errors == {"to_on": ["The pause ends before it begins."]}
    assert not Pause.objects.exists()


@pytest.fixture
def pause(course, prescriber):
    made = pause_course(
        course=course,
        from_on=TODAY - timedelta(1),
        to_on=TODAY + timedelta(3),
        reason="illness",
        by=actor_of(prescriber),
        now=NOW,
    )
    course.refresh_from_db()
    return made


def test_pause_is_ended_now(reception, course, pause):
    reception.post(url(course, "resume/"))

    pause.refresh_from_db()
    assert pause.to_on == TODAY - timedelta(1)


def test_pause_is_removed(reception, course, pause):
    answer = reception.post(url(course, f"pauses/{pause.code}/remove/"), headers=HTMX)

    assert "The pause was removed." in words_of(answer)
    assert not Pause.objects.exists()


def test_pause_of_another_course_is_not_found(reception, make_course, pause):
    other = make_course(family_name="Other", at=15)

    assert reception.post(url(other, f"pauses/{pause.code}/remove/")).status_code == 404
    assert Pause.objects.filter(pk=pause.pk).exists()


def test_condition_is_recorded_and_shows(reception, course):
    answer = reception.post(
        url(course, "condition/"),
        {"condition": "influenza", "from_on": "2026-03-09", "to_on": "2026-03-15", "note": ""},
        headers=HTMX,
    )

    row = RecordedContraindication.objects.get(client=course.client)
    assert (row.condition, row.from_on, row.to_on) == ("influenza", TODAY, date(2026, 3, 15))
    assert "Influenza now Mon 9 Mar – Sun 15 Mar" in words_of(answer)


def test_condition_is_set_aside_with_a_reason_on_record(doctor, course, prescriber):
    record_contraindication(
        client=course.client,
        condition="tuberculosis",
        from_on=TODAY,
        to_on=None,
        by=actor_of(prescriber),
        now=NOW,
    )

    empty = doctor.post(url(course, "override/tuberculosis/"), {"reason": " "}, headers=HTMX)
    done = doctor.post(url(course, "override/tuberculosis/"), {"reason": "Healed in 2019."}, headers=HTMX)

    override = ContraindicationOverride.objects.get(course=course)
    assert empty.status_code == 422
    assert (override.condition, override.reason, override.by) == (
        "tuberculosis",
        "Healed in 2019.",
        prescriber,
    )
    assert "Set aside: Healed in 2019." in words_of(done)


def test_target_is_decided(doctor, course):
    doctor.post(url(course, "target/"), {"target": "12"})

    newest = PrescriptionRevision.objects.filter(course=course).order_by("-number").first()
    assert newest.phases.get(position=0).target == 12
    assert "12 of 10–15 sessions, every 1–2 days" in words_of(doctor.get(url(course)))


def test_number_is_not_asked_for_in_a_phase_without_a_range(doctor, long_course):
    doctor.post(url(long_course, "end-phase/"), {"on": "2026-03-09", "reason": "enough"}, headers=HTMX)

    answer = doctor.get(url(long_course, "target/"), follow=True)

    assert answer.redirect_chain == [(url(long_course), 302)]
    assert "This phase has no number of sessions to decide." in words_of(answer)


def test_phase_is_not_ended_before_its_least(doctor, course):
    answer = doctor.post(url(course, "end-phase/"), {"on": "2026-03-09", "reason": ""}, headers=HTMX)

    assert answer.status_code == 422
    assert answer.context["form"].errors == {
        "on": ["This phase can be ended from session 10 on; 2 are attended."]
    }
    assert not PhaseEnd.objects.exists()


def test_phase_is_ended(doctor, long_course):
    answer = doctor.post(
        url(long_course, "end-phase/"), {"on": "2026-03-09", "reason": "enough"}, headers=HTMX
    )

    ended = PhaseEnd.objects.get(course=long_course)
    assert (ended.phase_position, ended.ended_on, ended.reason) == (0, TODAY, "enough")
    assert "The phase has ended." in words_of(answer)


def test_course_is_restarted(doctor, course):
    doctor.post(url(course, "restart/"), {"on": "2026-03-10", "reason": "back from abroad"})

    assert Restart.objects.get(course=course).restart_on == date(2026, 3, 10)


def test_course_is_stopped_with_a_reason(doctor, course, session):
    empty = doctor.post(url(course, "discontinue/"), {"reason": ""}, headers=HTMX)
    done = doctor.post(url(course, "discontinue/"), {"reason": "moved away"}, headers=HTMX)

    course.refresh_from_db()
    session.refresh_from_db()
    assert empty.status_code == 422
    assert (course.status, session.status) == (CourseStatus.DISCONTINUED, "cancelled_by_clinic")
    assert "The course was stopped: moved away." in words_of(done)
    assert not done.context["actions"]


def test_stopped_course_refuses_what_an_open_page_still_offers(doctor, course):
    doctor.post(url(course, "discontinue/"), {"reason": "moved away"})

    late = doctor.post(url(course, "restart/"), {"on": "2026-03-10", "reason": ""}, headers=HTMX)

    assert late.status_code == 422
    assert "This course is discontinued; nothing on it can be changed." in words_of(late)


@pytest.mark.parametrize("action", ["pause/", "book/", "replan/"])
def test_form_is_a_page_of_its_own_without_script(reception, course, action):
    page, part = reception.get(url(course, action)), reception.get(url(course, action), headers=HTMX)

    assert f'href="{url(course)}"' in page.content.decode()
    assert "<html" in page.content.decode()
    assert "<html" not in part.content.decode()
    assert f'action="{url(course, action)}"' in part.content.decode()


# ------------------------------------------------------------------------------------------------ planning


def test_slots_inside_the_window_are_offered_first(doctor, course):
    context = doctor.get(url(course, "book/"), headers=HTMX).context

    # Overdue since Friday: every day to come is late, the first the least.
    assert context["window"] == "Allowed for session 3: Thu 5 Mar – Fri 6 Mar."
    assert [(offer.name, offer.note, offer.is_inside) for offer in context["days"]][:2] == [
        ("Mon 9 Mar", "2 days after the window", False),
        ("Tue 10 Mar", "3 days after the window", False),
    ]
    assert all(len(offer.buttons) == 3 for offer in context["days"][1:])


def test_offered_slot_is_booked_in_a_click(doctor, course):
    button = doctor.get(url(course, "book/"), headers=HTMX).context["days"][0].buttons[0]

    answer = doctor.post(url(course, "book/"), dict(button.values), headers=HTMX)

    session = TreatmentSession.objects.get(course=course, status="booked")
    assert session.on == TODAY
    assert f"{button.time} with Dr Ozola" in words_of(answer)


def test_slot_on_a_closed_day_is_refused_with_what_was_typed(reception, course, prescriber):
    typed = {
        "on": "2026-03-15",
        "at": "11:30",
        "minutes": "40",
        "practitioner": str(prescriber.code),
        "room": "",
    }

    answer = reception.post(url(course, "book/"), typed, headers=HTMX)

    assert answer.status_code == 422
    assert answer.context["form"].errors == {"at": ["The clinic is closed on that day."]}
    assert 'value="11:30"' in answer.content.decode()


def test_session_is_moved_in_the_clinics_wall_time(reception, course, session, prescriber):
    typed = {
        "on": "2026-03-10",
        "at": "12:00",
        "minutes": "45",
        "practitioner": str(prescriber.code),
        "room": "",
    }

    reception.post(url(course, f"sessions/{session.code}/move/"), typed)

    session.refresh_from_db()
    assert session.starts_at == datetime(2026, 3, 10, 10, tzinfo=UTC)
    assert session.is_pinned


def test_replan_shows_old_and_new_and_applies_what_was_shown(doctor, course):
    shown = doctor.get(url(course, "replan/"), headers=HTMX)
    digest = shown.context["proposal"].digest
    assert not TreatmentSession.objects.filter(course=course, status="booked").exists()

    answer = doctor.post(url(course, "replan/"), {"policy": "shift", "digest": digest}, headers=HTMX)

    booked = list(TreatmentSession.objects.filter(course=course, status="booked").order_by("on"))
    assert "The new plan is booked." in words_of(answer)
    assert [line.change for line in shown.context["comparison"].seen][:3] == ["new", "new", "new"]
    assert booked[0].on == TODAY
    assert booked[0].why


def test_replan_from_a_mistyped_year_is_refused_at_its_field(doctor, course):
    answer = doctor.post(
        url(course, "replan/"), {"policy": "shift", "not_before_on": "0001-01-01"}, headers=HTMX
    )

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["not_before_on"]
    assert 'value="0001-01-01"' in answer.content.decode()


def test_replan_that_is_out_of_date_is_not_applied(doctor, course):
    digest = doctor.get(url(course, "replan/"), headers=HTMX).context["proposal"].digest
    book(course, TODAY, time(16), now=NOW)

    answer = doctor.post(url(course, "replan/"), {"policy": "shift", "digest": digest}, headers=HTMX)

    assert answer.status_code == 422
    assert "has changed since. Look at the new proposal." in words_of(answer)
    assert TreatmentSession.objects.filter(course=course, status="booked").count() == 1


def test_replan_leaves_a_kept_slot_and_moves_the_rest(doctor, course):
    first = doctor.get(url(course, "replan/"), headers=HTMX).context["proposal"]
    doctor.post(url(course, "replan/"), {"policy": "shift", "digest": first.digest})

    again = doctor.get(url(course, "replan/"), headers=HTMX).context["comparison"].seen
    later = doctor.get(url(course, "replan/?policy=shift&not_before_on=2026-03-11"), headers=HTMX)

    assert {line.change for line in again if line.change != "new"} == {"same"}
    assert all(line.old == line.new for line in again if line.change == "same")
    assert later.context["proposal"].plan.planned[0].on >= date(2026, 3, 11)


def test_replan_that_may_not_drop_says_so(doctor, course):
    answer = doctor.get(url(course, "replan/?policy=drop"), headers=HTMX)

    assert "Nothing was missed that could be dropped." in words_of(answer)


def test_what_was_done_is_on_record(doctor, course):
    doctor.post(url(course, "restart/"), {"on": "2026-03-10", "reason": ""})

    event = AuditEvent.objects.filter(subject_code=course.code).order_by("-pk").first()
    assert (event.action, event.new["on"]) == ("course.restarted", "2026-03-10")
