"""A clinic grown by SQL: rows that every constraint and every page takes for the application's own."""

import pytest

from bench.big_clinic import RUNNING_COPIES, grow_clinic
from bench.pages import ask_all
from courses.models import Course, TreatmentSession
from tests.factories import attend
from tests.reminders.builders import make_desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres, pytest.mark.slow]


def test_grown_clinic_has_running_and_past_courses_and_shows_its_pages(settings):
    settings.WHITENOISE_USE_FINDERS = False
    desk = make_desk()
    attend(desk.course, [desk.session.on.replace(day=day) for day in (2, 3)])
    before = TreatmentSession.objects.filter(on__lt=desk.session.on.replace(day=2)).count()

    grow_clinic(2)

    courses = Course.objects.order_by("pk")
    running, past = courses[: 1 + RUNNING_COPIES], courses[1 + RUNNING_COPIES :]
    assert [course.status for course in running] == ["active"] * (1 + RUNNING_COPIES)
    assert [(course.status, course.state) for course in past] == [("completed", "finished")] * 2
    assert len({course.client_id for course in courses}) == 3 + RUNNING_COPIES
    assert TreatmentSession.objects.filter(on__lt=desk.session.on.replace(day=2)).count() == before + 6
    asked = ask_all(1, least_attended=2)
    assert {name: len(page.seconds) for name, page in asked.items()} == dict.fromkeys(asked, 1)
