"""The audit trail is written once and never changed."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import AuditEvent
from audit.services import SYSTEM, record

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def event():
    record("test.done", at=NOW, by=SYSTEM, clinic_code=None, subject_kind="test", subject_code=None)
    return AuditEvent.objects.get()


def test_event_says_who_what_and_when(event):
    assert AuditEvent.objects.values().get() == {
        "id": event.pk,
        "at": NOW,
        "clinic_code": None,
        "actor_kind": "system",
        "actor_code": None,
        "action": "test.done",
        "subject_kind": "test",
        "subject_code": None,
        "old": {},
        "new": {},
    }


def test_code_cannot_change_or_delete_events(event):
    for change in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(action="other"),
        lambda: AuditEvent.objects.bulk_update([event], ["action"]),
    ):
        with (
            pytest.raises(TypeError, match=r"^Audit events are never (changed|deleted)\.$"),
            transaction.atomic(),
        ):
            change()
    assert AuditEvent.objects.get().action == "test.done"


@pytest.mark.postgres
@pytest.mark.parametrize("sql", ["UPDATE audit_auditevent SET action = 'x'", "DELETE FROM audit_auditevent"])
def test_database_refuses_to_change_or_delete_events(event, sql):
    with (
        pytest.raises(IntegrityError, match="audit events are never changed or deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert AuditEvent.objects.get().action == "test.done"
