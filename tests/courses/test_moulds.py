"""Worlds that are cast: the rows that the verbs leave, without asking the verbs."""

import pytest

from tests.courses.build import all_rows
from tests.reminders.builders import make_desk

pytestmark = pytest.mark.django_db


def test_cast_world_is_what_the_verbs_leave_for_a_query_a_table(django_assert_max_num_queries):
    with django_assert_max_num_queries(30):
        cast = make_desk()
    first = {label: len(rows) for label, rows in all_rows().items()}

    # The second in one test is made by the verbs.
    made = make_desk()

    both = {label: len(rows) for label, rows in all_rows().items()}
    # There is one installation, however many clinics.
    assert {label: 2 * count for label, count in first.items()} | {"reminders.Installation": 1} == both
    assert cast.session.pk != made.session.pk
    for field in ("status", "starts_at", "version"):
        assert getattr(cast.session, field) == getattr(made.session, field)
    cast.course.refresh_from_db()
    assert (cast.course.state, cast.course.due_by_on) == (made.course.state, made.course.due_by_on)
