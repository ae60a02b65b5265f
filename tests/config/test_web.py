"""What a process of the web server does before its first request."""

import gc
from collections.abc import Iterator

import pytest

from config.web import warm_up


@pytest.fixture
def _garbage_as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.mark.slow
@pytest.mark.usefixtures("_garbage_as_before")
def test_what_stays_is_not_looked_through_for_garbage_again() -> None:
    kept = [[] for _ in range(100)]

    warm_up()

    assert gc.get_freeze_count() > len(kept)
    assert not any(found is kept for found in gc.get_objects())
