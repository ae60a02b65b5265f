from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from clinics.tasks import housekeep


@pytest.mark.django_db
def test_housekeeping_removes_what_has_expired_and_nothing_else():
    now = timezone.now()
    for key, hours in (("old", -1), ("new", 1)):
        Session.objects.create(session_key=key, session_data="x", expire_date=now + timedelta(hours=hours))

    housekeep()
    housekeep()

    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]
