"""Secrets at rest: unreadable without the key, readable after it was rotated."""

import pytest

from reminders.sealing import SealError, seal, unseal

SECRETS = {"token": "s3cret-tøken"}


def test_sealed_text_opens_to_the_same_secrets_and_shows_none():
    sealed = seal(SECRETS)

    assert unseal(sealed) == SECRETS
    assert "s3cret" not in sealed
    assert seal(SECRETS) != sealed


def test_nothing_is_an_empty_text():
    assert seal({}) == ""
    assert unseal("") == {}


def test_rotated_key_still_opens(settings):
    sealed = seal(SECRETS)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key that is quite long enough for it"

    assert unseal(sealed) == SECRETS
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SealError):
        unseal(sealed)
    assert unseal(seal(SECRETS)) == SECRETS


@pytest.mark.parametrize("text", ["x", "gAAAAA", "ü"])
def test_what_was_never_sealed_is_refused(text):
    with pytest.raises(SealError):
        unseal(text)
