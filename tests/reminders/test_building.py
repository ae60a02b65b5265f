"""Rows with a part of their columns are the rows that Django would have built."""

import pytest

from reminders.models import Reminder
from reminders.services.building import read_messages
from reminders.services.checking import load_rows, load_surroundings, rule_on
from reminders.services.linking import new_links
from reminders.texts import Part, write_message
from tests.reminders.builders import NOW, make_desk

pytestmark = pytest.mark.django_db


def fields_of(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_message_and_its_parents_are_as_django_has_them(django_assert_num_queries):
    desk = make_desk()
    pk = desk.row("day-before").pk
    theirs = Reminder.objects.select_related("client", "session", "course").get(pk=pk)

    with django_assert_num_queries(1):
        ours = read_messages([pk])[0]
        parents = (ours.client, ours.session, ours.course)

    assert ours == theirs
    assert parents == (theirs.client, theirs.session, theirs.course)
    # What was not read is loaded when it is asked for.
    assert fields_of(ours) == fields_of(theirs)
    for name in ("client", "session", "course"):
        assert fields_of(getattr(ours, name)) == fields_of(getattr(theirs, name))
    assert (ours._state.adding, ours._state.db) == (theirs._state.adding, theirs._state.db)


def test_message_without_parents_has_none():
    row = make_desk().row("schedule")
    Reminder.objects.filter(pk=row.pk).update(course=None)

    found = read_messages([row.pk])[0]

    assert (found.session, found.course, found.client) == (None, None, row.client)


def test_row_can_be_saved():
    row = make_desk().row("day-before")
    found = read_messages([row.pk])[0]

    found.about = "changed"
    found.save(update_fields=["about"])

    row.refresh_from_db()
    assert row.about == "changed"


def test_ruling_and_text_ask_for_nothing_that_was_not_read(django_assert_num_queries):
    desk = make_desk()
    row = load_rows([desk.row("day-before").pk], now=NOW)[desk.row("day-before").pk]
    around = load_surroundings([row], now=NOW)

    with django_assert_num_queries(0):
        ruling = rule_on(row, around, has_channel=True, now=NOW)
        links, _ = new_links(row, now=NOW)
        message = write_message([Part(row=row, links=links)], address=ruling.address, now=NOW)

    assert message.address == desk.course.client.contact_points.get().value


def test_nothing_goes_out_of_a_deactivated_clinic():
    row = make_desk().row("day-before")
    type(row.clinic).objects.update(deactivated_at=NOW)
    found = load_rows([row.pk], now=NOW)[row.pk]

    ruling = rule_on(found, load_surroundings([found], now=NOW), has_channel=True, now=NOW)

    assert (ruling.state, ruling.reason) == ("suppressed", "clinic_inactive")
