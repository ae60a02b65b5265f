"""A named request is done once: who waits, who is refused, and who can read what was kept."""

from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.fernet import InvalidToken
from django.db import IntegrityError, transaction

from clinics.answered import (
    Answer,
    OtherRequestError,
    find_answer,
    hold_request,
    keep_answer,
    remove_expired_answers,
)
from clinics.models import AnsweredRequest, Role
from clinics.tasks import housekeep
from clinics.tokens import issue_token
from tests.factories import StaffMemberFactory, actor_of

NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
BODY = {"given_name": "Anna", "pain": 3}
pytestmark = pytest.mark.django_db


@pytest.fixture
def holder():
    owner = StaffMemberFactory(role=Role.OWNER)
    values = {"name": "Desk", "scopes": ["write"], "expires_on": date(2027, 3, 9)}
    token, secret = issue_token(clinic=owner.clinic, by=actor_of(owner), now=NOW, **values)
    return {"token": token, "secret": secret}


def ask(holder, *, name="one", request=b"POST /x", now=NOW):
    return hold_request(**holder, name=name, request=request, now=now)


def test_second_request_finds_the_answer_of_the_first(holder):
    first = ask(holder)
    assert find_answer(first, secret=holder["secret"]) is None
    keep_answer(first, Answer(201, BODY, {"Location": "/x"}), secret=holder["secret"])

    again = ask(holder)

    assert again.pk == first.pk
    assert find_answer(again, secret=holder["secret"]) == Answer(201, BODY, {"Location": "/x"})


def test_name_stands_for_one_request_for_a_day(holder):
    first = ask(holder)
    with pytest.raises(OtherRequestError):
        ask(holder, request=b"POST /y", now=NOW + timedelta(hours=24, seconds=-1))

    later = ask(holder, request=b"POST /y", now=NOW + timedelta(hours=24))

    assert (later.pk == first.pk, AnsweredRequest.objects.count()) == (False, 1)


def test_answer_is_closed_to_everybody_but_the_program(holder):
    row = ask(holder, name="for Anna")
    keep_answer(row, Answer(200, BODY), secret=holder["secret"])

    kept = str(AnsweredRequest.objects.values().get())
    assert [word for word in ("Anna", "/x", holder["secret"]) if word in kept] == []
    with pytest.raises(InvalidToken):
        find_answer(row, secret=holder["secret"][:-1] + "?")


def test_one_row_for_a_name(holder):
    row = ask(holder)
    with pytest.raises(IntegrityError), transaction.atomic():
        AnsweredRequest.objects.create(
            token=holder["token"],
            clinic=holder["token"].clinic,
            key_mark=row.key_mark,
            status=200,
            created_at=NOW,
            expires_at=NOW + timedelta(hours=1),
        )


def test_what_has_expired_goes(holder):
    ask(holder)
    ask(holder, name="two", now=NOW + timedelta(hours=1))

    assert remove_expired_answers(now=NOW + timedelta(hours=24)) == 1
    assert remove_expired_answers(now=NOW + timedelta(hours=24)) == 0
    housekeep()

    # The clock has long passed it.
    assert AnsweredRequest.objects.count() == 0
