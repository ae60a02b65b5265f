"""Two clients press the same free time at the same moment, each on a telephone of their own."""

import re
from datetime import datetime, time

import pytest
from django.core.cache import cache

from courses.models import TreatmentSession
from reminders.models import Answer
from tests.races import race, shared_database

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

_SLOT = re.compile(r'name="slot" value="([^"]+)"><time datetime="([^"]+)"')


def offered(visitor):
    """Open the page of other times; return what their buttons send, by time."""
    visitor.open()
    page = visitor.browser.get(f"{visitor.page}move/").content.decode()
    return {moment: value for value, moment in _SLOT.findall(page)}


def test_of_two_clients_who_press_one_time_fifty_times_exactly_one_has_it(make_visitor, tmp_path):
    first = make_visitor()
    second = make_visitor(member=first.desk.course.prescribed_by, starts=time(16))
    visitors, slots = (first, second), (offered(first), offered(second))
    moment = min(slots[0].keys() & slots[1].keys())
    pks = [visitor.desk.session.pk for visitor in visitors]
    rows = TreatmentSession.objects.filter(pk__in=pks)
    before = {values.pop("id"): values for values in rows.values()}
    noted = []

    def press(visitor, value):
        response = visitor.browser.post(f"{visitor.page}move/", {"slot": value})
        noted.append(response["Location"].partition("?note=")[2])

    with shared_database(tmp_path):
        for number in range(50):
            cache.clear()
            works = [
                lambda visitor=visitor, value=slot[moment]: press(visitor, value)
                for visitor, slot in zip(visitors, slots, strict=True)
            ]
            assert race(works[:: -1 if number % 2 else 1]) == {"won": 2}
            holders = [pk for pk in pks if rows.get(pk=pk).starts_at == datetime.fromisoformat(moment)]
            assert len(holders) == 1
            for pk, values in before.items():
                rows.filter(pk=pk).update(**values)
            Answer.objects.all().delete()

    assert len(noted) == 100
    assert noted.count("done") == 50
    assert set(noted) <= {"done", "taken", "busy"}
