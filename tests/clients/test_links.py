"""Secret addresses: hard to guess, one purpose each, and every refusal alike."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audit.models import AuditEvent
from audit.services import SYSTEM
from clients.links import (
    TOKEN_LENGTH,
    find_link,
    hash_token,
    new_link,
    new_token,
    note_use,
    remove_expired_links,
    revoke_links,
)
from clients.models import AccessLink, LinkPurpose
from tests.factories import ClientFactory

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def client(db):
    return ClientFactory()


def test_link_of_a_deactivated_clinic_opens_nothing(client, give):
    token = give()
    type(client.clinic).objects.update(deactivated_at=NOW)

    assert find_link(token, LinkPurpose.SESSION, NOW) is None
    type(client.clinic).objects.update(deactivated_at=None)
    assert find_link(token, LinkPurpose.SESSION, NOW).client == client


@pytest.fixture
def give(client):
    """Return a function that gives the client a link and tells its token."""

    def give(purpose=LinkPurpose.SESSION, *, of=client, expires_at=NOW + HOUR, created_at=NOW):
        token, link = new_link(
            clinic_id=of.clinic_id,
            client_id=of.pk,
            purpose=purpose,
            subject_key="session:1",
            reminder_code=None,
            now=created_at,
            expires_at=expires_at,
        )
        AccessLink.objects.create(**link._asdict())
        return token

    return give


def test_token_holds_enough_chance_and_fits_an_sms():
    tokens = {new_token() for _ in range(2_000)}

    assert len(tokens) == 2_000
    assert {len(token) for token in tokens} == {TOKEN_LENGTH}
    assert all(token.isascii() and token.isalnum() for token in tokens)
    # Every place but the last, of which 130 bits fill half, takes each of 62 values.
    assert {len({token[place] for token in tokens}) for place in range(TOKEN_LENGTH - 1)} == {62}
    assert TOKEN_LENGTH * math.log2(62) > 130


def test_token_itself_is_nowhere_kept(give):
    token = give()

    row = AccessLink.objects.values().get()

    assert row["token_hash"] == hash_token(token)
    assert not any(token in str(value) for value in row.values())


def test_link_is_found_with_its_client_and_clinic(give, client, django_assert_num_queries):
    token = give()

    with django_assert_num_queries(1):
        link = find_link(token, LinkPurpose.SESSION, NOW)
        found = (link.client, link.clinic)

    assert found == (client, client.clinic)


def test_link_works_until_it_expires(give):
    token = give()

    assert find_link(token, LinkPurpose.SESSION, NOW + HOUR - SECOND)
    assert find_link(token, LinkPurpose.SESSION, NOW + HOUR) is None


@pytest.mark.parametrize("case", ["unknown", "purpose", "expired", "revoked", "tampered", "hash", "odd"])
def test_every_refusal_is_the_same_and_costs_the_same(give, client, django_assert_num_queries, case):
    token, purpose, now = give(), LinkPurpose.SESSION, NOW
    if case == "unknown":
        token = new_token()
    elif case == "purpose":
        purpose = LinkPurpose.UNSUBSCRIBE
    elif case == "expired":
        now = NOW + HOUR
    elif case == "revoked":
        revoke_links(client=client, by=SYSTEM, now=NOW)
    elif case == "tampered":
        token = token[:-1] + ("a" if token[-1] != "a" else "b")
    elif case == "hash":
        token = hash_token(token)
    else:
        token = "\x00' OR 1=1 --\ud800"

    with django_assert_num_queries(1):
        found = find_link(token, purpose, now)

    assert found is None


def test_ten_thousand_guesses_find_nothing(give):
    real = {hash_token(give()) for _ in range(20)}
    assert find_link(give(), LinkPurpose.SESSION, NOW)

    hits = sum(hash_token(new_token()) in real for _ in range(10_000))

    assert hits == 0


@pytest.mark.slow
def test_guesses_near_a_token_find_nothing(give):
    token = give()

    @hypothesis_settings(max_examples=300)
    @given(st.text(max_size=40) | st.integers(0, TOKEN_LENGTH - 1).map(lambda place: token[:place]))
    def guess(text):
        assert text == token or find_link(text, LinkPurpose.SESSION, NOW) is None
        assert find_link(token + text + "0", LinkPurpose.SESSION, NOW) is None

    guess()


def test_withdrawing_takes_one_clients_links_and_is_audited_once(give, client):
    other = ClientFactory(clinic=client.clinic)
    mine, stop, theirs = give(), give(LinkPurpose.UNSUBSCRIBE), give(of=other)

    first = revoke_links(client=client, by=SYSTEM, now=NOW, purpose=LinkPurpose.SESSION)
    second = revoke_links(client=client, by=SYSTEM, now=NOW, purpose=LinkPurpose.SESSION)

    assert (first, second) == (1, 0)
    assert find_link(mine, LinkPurpose.SESSION, NOW) is None
    assert find_link(stop, LinkPurpose.UNSUBSCRIBE, NOW)
    assert find_link(theirs, LinkPurpose.SESSION, NOW)
    event = AuditEvent.objects.get(action="client.links_revoked")
    assert (event.subject_code, event.new) == (client.code, {"count": 1, "purpose": "session"})


def test_opening_is_counted(give):
    link = find_link(give(), LinkPurpose.SESSION, NOW)

    note_use(link, now=NOW)
    note_use(link, now=NOW + SECOND)

    link.refresh_from_db()
    assert (link.use_count, link.last_used_at) == (2, NOW + SECOND)


def test_long_expired_links_are_removed_in_bounded_steps(give, monkeypatch):
    monkeypatch.setattr("clients.links._REMOVED_AT_ONCE", 2)
    month = timedelta(days=30)
    for days in (1, 2, 3):
        give(created_at=NOW - timedelta(days=days + 1), expires_at=NOW - timedelta(days=days))
    kept = give(expires_at=NOW + 5 * HOUR)

    counts = [remove_expired_links(now=NOW - timedelta(days=1) + month + SECOND) for _ in range(3)]

    assert counts == [2, 1, 0]
    assert [find_link(kept, LinkPurpose.SESSION, NOW) is not None, AccessLink.objects.count()] == [True, 1]


def test_link_just_expired_stays_a_month(give):
    give()

    assert remove_expired_links(now=NOW + HOUR + timedelta(days=30)) == 0
    assert remove_expired_links(now=NOW + HOUR + timedelta(days=30) + SECOND) == 1


def test_link_that_never_lives_is_refused_by_the_database(give):
    with pytest.raises(IntegrityError, match="access_link_lives_a_while"):
        give(expires_at=NOW)


def test_token_is_once_in_the_database(give, client):
    give()

    with pytest.raises(IntegrityError):
        AccessLink.objects.create(
            clinic=client.clinic,
            client=client,
            purpose=LinkPurpose.SESSION,
            token_hash=AccessLink.objects.values_list("token_hash", flat=True).get(),
            subject_key="session:1",
            created_at=NOW,
            expires_at=NOW + HOUR,
        )
