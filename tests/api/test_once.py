"""What is sent twice is done once, and nothing is done to what others changed meanwhile."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from clients.models import Client
from clinics.models import AnsweredRequest
from courses.models import TreatmentSession
from courses.services import cancel_session
from tests.api.conftest import NOW, make_world
from tests.factories import actor_of
from tests.races import race, shared_database

EVA = {"given_name": "Eva"}


@pytest.mark.django_db
def test_same_request_again_is_answered_the_same(world, writer, clock):
    first = writer.post("clients/", EVA, Idempotency_Key="one")
    clock.shift(timedelta(hours=23))
    again = writer.post("clients/", EVA, Idempotency_Key="one")
    other = writer.post("clients/", EVA, Idempotency_Key="two")

    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert [answer.get("Idempotency-Replayed") for answer in (first, again, other)] == [None, "true", None]
    assert (again["Location"], again["ETag"]) == (first["Location"], first["ETag"])
    assert Client.objects.filter(given_name="Eva").count() == 2
    clock.shift(timedelta(hours=1))
    assert writer.post("clients/", EVA, Idempotency_Key="one").json() != first.json()


@pytest.mark.django_db
@pytest.mark.parametrize("other", ["body", "address", "condition"])
def test_key_of_another_request_is_refused(world, writer, other):
    path = f"sessions/{world.later.code}/cancel/"
    mark = writer.get(f"sessions/{world.later.code}/")["ETag"]
    writer.post(path, {"whose": "client"}, Idempotency_Key="one", If_Match=mark)

    answer = {
        "body": lambda: writer.post(path, {"whose": "clinic"}, Idempotency_Key="one", If_Match=mark),
        "address": lambda: writer.post(
            f"sessions/{world.session.code}/cancel/",
            {"whose": "client"},
            Idempotency_Key="one",
            If_Match=mark,
        ),
        "condition": lambda: writer.post(path, {"whose": "client"}, Idempotency_Key="one"),
    }[other]()

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_key_reused")
    world.session.refresh_from_db()
    assert world.session.status == "booked"


@pytest.mark.django_db
def test_refusal_leaves_the_key_free(world, writer):
    path = f"courses/{world.other.code}/book/"
    taken = {"starts_at": "2026-03-09T11:00:00+02:00", "minutes": 45, "room": str(world.room.code)}

    first = writer.post(path, taken, Idempotency_Key="one")
    second = writer.post(path, taken | {"starts_at": "2026-03-09T16:00:00+02:00"}, Idempotency_Key="one")

    assert (first.status_code, second.status_code) == (409, 201)
    assert AnsweredRequest.objects.get().status == 201


@pytest.mark.django_db
def test_keys_of_two_programs_are_two(world, writer, stranger):
    writer.post("clients/", EVA, Idempotency_Key="one")

    answer = stranger.post("clients/", EVA, Idempotency_Key="one")

    assert (answer.status_code, answer.get("Idempotency-Replayed")) == (201, None)
    assert Client.objects.filter(given_name="Eva").values("clinic").distinct().count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel", "a\tb"])
def test_key_that_is_none_is_refused(world, writer, key):
    answer = writer.post("clients/", EVA, Idempotency_Key=key)

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "Idempotency-Key")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_one(tmp_path, clock):
    # Rows that threads can see are not taken back by themselves.
    world = make_world()
    _token, key = world.tokens["write"]
    answers = []

    def book():
        answer = Browser().post(
            f"/api/v1/courses/{world.course.code}/book/",
            {"starts_at": "2026-03-12T09:00:00+02:00", "minutes": 45},
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "one"},
        )
        answers.append((answer.status_code, answer.json()["code"]))

    with shared_database(tmp_path):
        outcome = race([book] * 5)
        count = TreatmentSession.objects.filter(course=world.course, on="2026-03-12").count()

    assert outcome == {"won": 5}
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert count == 1


# ---------------------------------------------------------------- what was read


@pytest.mark.django_db
def test_unchanged_answer_is_not_sent_again(world, reader):
    for path in ("courses/", f"courses/{world.course.code}/", f"sessions/{world.later.code}/"):
        first = reader.get(path)
        again = reader.get(path, If_None_Match=f'"other", W/{first["ETag"]}')

        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        assert reader.get(path, If_None_Match="*").status_code == 304
        assert reader.get(path, If_None_Match='"other"').status_code == 200


@pytest.mark.django_db
def test_change_ends_what_was_read(world, reader, writer):
    path = f"sessions/{world.later.code}/"
    before = reader.get(path)
    changed = writer.post(f"{path}confirm/")
    after = reader.get(path, If_None_Match=before["ETag"])

    assert (after.status_code, after["ETag"]) == (200, changed["ETag"])
    assert after.json() == changed.json()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("read", "verb", "body"),
    [
        ("sessions/{later}/", "move/", {"starts_at": "2026-03-12T09:00:00+02:00"}),
        ("courses/{course}/", "pause/", {"from_on": "2026-03-20", "reason": "travel"}),
        ("flags/{flag}/", "acknowledge/", {}),
        ("pauses/{pause}/", "remove/", {}),
        ("clients/{client}/", "", {"family_name": "Kalnina"}),
    ],
)
def test_what_others_changed_is_left_alone(world, writer, read, verb, body):
    rows = {name: str(getattr(world, name).code) for name in ("later", "course", "flag", "pause", "client")}
    path = read.format(**rows)
    send = writer.post if verb else writer.patch
    mark, seen = writer.get(path)["ETag"], AuditEvent.objects.count()

    stale = send(path + verb, body, If_Match='"0123"')
    weak = send(path + verb, body, If_Match=f"W/{mark}")
    counted = AuditEvent.objects.count()
    done = send(path + verb, body, If_Match=mark)

    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "changed")
    assert weak.status_code == 412
    assert counted == seen
    assert done.status_code in (200, 201)


@pytest.mark.django_db
def test_change_by_a_person_is_seen(world, writer):
    path = f"sessions/{world.later.code}/"
    mark = writer.get(path)["ETag"]
    cancel_session(session=world.later, whose="client", by=actor_of(world.owner), now=NOW)

    answer = writer.post(f"{path}confirm/", If_Match=mark)

    assert answer.status_code == 412
    assert writer.post(f"sessions/{uuid.uuid4()}/confirm/", If_Match=mark).status_code == 404
