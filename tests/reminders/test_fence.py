from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from reminders.models import Installation
from reminders.services import fence
from reminders.services.outside import read_marks, write_mark
from tests.reminders.builders import make_desk

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def file(settings, tmp_path):
    """Let this database be one that has never sent, with a file of its own."""
    settings.INSTALLATION_EPOCH = ""
    settings.INSTALLATION_FILE = tmp_path / "kept" / "installation"
    Installation.objects.all().delete()
    return settings.INSTALLATION_FILE


@pytest.fixture
def beat(django_capture_on_commit_callbacks):
    def note(now=NOW):
        with django_capture_on_commit_callbacks(execute=True):
            fence.note_alive(now=now)

    return note


pytestmark = pytest.mark.django_db


def test_first_start_makes_row_and_file_together(file, beat):
    beat()

    row = Installation.objects.get()
    assert read_marks() == {row.epoch: 1}
    assert (row.beat, row.seen_at, row.held_at) == (1, NOW, None)
    assert not fence.is_held()


def test_each_beat_counts_in_both(file, beat):
    beat()
    beat(LATER)

    row = Installation.objects.get()
    assert (row.beat, row.seen_at) == (2, LATER)
    assert read_marks() == {row.epoch: 2}


def test_database_of_yesterday_is_held(file, beat):
    beat()
    yesterday = Installation.objects.values("epoch", "beat", "seen_at").get()
    beat(LATER)
    Installation.objects.update(**yesterday)

    assert fence.held_reason() == fence.BEHIND
    beat(LATER)
    assert fence.is_held()
    assert Installation.objects.get().beat == 1


def test_database_ahead_of_its_file_is_free(file, beat):
    """A crash between the commit and the file leaves this behind."""
    beat()
    Installation.objects.update(beat=5)

    assert not fence.is_held()


def test_copy_without_the_file_is_held_until_the_file_is_there(file, beat):
    beat()
    kept = file.read_text()
    file.unlink()
    assert fence.held_reason() == fence.NO_FILE

    file.write_text(kept)

    assert not fence.is_held()


def test_copy_beside_the_file_of_another_is_held(file, beat):
    beat()
    Installation.objects.update(epoch="from-elsewhere")

    assert fence.held_reason() == fence.OTHER_EPOCH


@pytest.mark.parametrize("text", ["", "half\n", "epoch not-a-number\n", "\xff"])
def test_file_that_cannot_be_read_holds(file, beat, text):
    beat()
    file.write_text(text, encoding="latin-1")

    assert fence.is_held()


def test_second_database_takes_nothing_from_the_first(file, beat):
    beat()
    first = Installation.objects.values("epoch", "beat", "seen_at").get()
    Installation.objects.all().delete()
    beat()
    beat()
    assert not fence.is_held()

    Installation.objects.update(**first)

    assert not fence.is_held()


def test_backup_from_before_the_fence_is_held(file, beat):
    make_desk()
    write_mark("somebody", 7)

    beat()

    assert fence.held_reason() == fence.RESTORED


def test_upgrade_with_messages_and_no_file_is_free(file, beat):
    make_desk()
    beat()

    assert not fence.is_held()


def test_beat_that_is_rolled_back_is_not_in_the_file(file, beat):
    beat()
    with transaction.atomic():
        fence.note_alive(now=LATER)
        transaction.set_rollback(True)

    assert list(read_marks().values()) == [1]
    assert not fence.is_held()


def test_full_disk_stops_no_beat(file, beat, monkeypatch, caplog):
    beat()

    def refuse(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr(fence, "write_mark", refuse)
    beat(LATER)

    assert Installation.objects.get().beat == 2
    assert not fence.is_held()
    assert "cannot be written" in caplog.text


def test_first_start_without_a_place_for_the_file_is_refused(file, settings, tmp_path):
    (tmp_path / "occupied").write_text("")
    settings.INSTALLATION_FILE = tmp_path / "occupied" / "installation"

    with pytest.raises(ImproperlyConfigured, match="INSTALLATION_FILE"):
        fence.install(now=NOW)

    assert not Installation.objects.exists()


def test_epoch_of_the_variable_needs_no_file(settings, file, beat):
    settings.INSTALLATION_EPOCH = "one"
    beat()
    assert (Installation.objects.get().epoch, file.exists(), fence.is_held()) == ("one", False, False)

    settings.INSTALLATION_EPOCH = "two"

    assert fence.held_reason() == fence.OTHER_EPOCH


def test_hold_by_hand_keeps_its_first_moment(file, beat):
    beat()
    fence.hold(reason=fence.BY_HAND, now=NOW)
    fence.hold(reason=fence.RESTORED, now=LATER)

    row = Installation.objects.get()
    assert (row.held_at, row.held_reason) == (NOW, fence.BY_HAND)
    assert fence.is_held()


def test_question_is_one_query(file, beat, django_assert_num_queries):
    beat()

    with django_assert_num_queries(1):
        fence.is_held()
