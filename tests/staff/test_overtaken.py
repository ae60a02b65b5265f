"""Two people change the same at once: the later one is told by the field, loses nothing, and overwrites nothing unasked."""

import threading
from datetime import date, time
from functools import partial

import pytest
from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from clinics.models import Role, SavedView
from courses.models import TreatmentSession
from courses.selectors import booked_days
from hooks.services.endpoints import add_endpoint
from reminders.models import ReminderRule
from staff.clinic_forms import RoomForm
from staff.overtaken import SeenForm
from staff.view_forms import SavedViewForm
from tests.factories import StaffMemberFactory, actor_of, book
from tests.races import race, shared_database
from tests.staff.conftest import NOW
from tests.staff.test_today import words_of

MEANWHILE = "Somebody has meanwhile changed this to “%s”. Save again to put yours in place."


class Sheet(SeenForm):
    name = forms.CharField()
    kind = forms.ChoiceField(choices=[("a", "First"), ("b", "Second")])
    days = forms.MultipleChoiceField(choices=[(1, "Mon"), (2, "Tue"), (3, "Wed")], required=False)
    on = forms.DateField(required=False)
    at = forms.TimeField(required=False)
    is_on = forms.BooleanField(required=False)
    note = forms.CharField(required=False, widget=forms.Textarea)


SHOWN = {
    "name": "Anna",
    "kind": "a",
    "days": [1, 2],
    "on": date(2026, 3, 9),
    "at": time(9, 30),
    "is_on": True,
    "note": "one\ntwo",
}
# The same as a browser sends it.
SENT = {
    "name": ["Anna"],
    "kind": ["a"],
    "days": ["1", "2"],
    "on": ["2026-03-09"],
    "at": ["09:30"],
    "is_on": ["on"],
    "note": ["one\r\ntwo"],
}
OTHER = {
    "name": ("Olga", "Inga"),
    "kind": ("b", "a"),
    "days": ([3], ["2"]),
    "on": (date(2026, 3, 10), "2026-03-11"),
    "at": (time(10), "11:00"),
    "is_on": (False, ""),
    "note": ("three", "four"),
}


def sent(stamp=None, **changes):
    data = QueryDict(mutable=True)
    fields = {name: values for name, values in {**SENT, **changes}.items() if values not in ([""], "")}
    data.update(MultiValueDict(fields))
    if stamp is not None:
        data["seen"] = stamp
    return data


def test_nothing_is_said_while_nobody_else_changed_anything():
    stamp = Sheet(initial=SHOWN).stamp

    form = Sheet(sent(stamp, name=["Inga"]), initial=SHOWN)

    assert form.is_valid()
    assert form.cleaned_data["name"] == "Inga"
    assert "Anna" not in stamp


@pytest.mark.parametrize("name", list(OTHER))
def test_what_was_left_as_shown_takes_what_is_stored_by_now(name):
    stored = SHOWN | {name: OTHER[name][0]}

    form = Sheet(sent(Sheet(initial=SHOWN).stamp), initial=stored)

    assert form.is_valid()
    want = [str(day) for day in stored["days"]] if name == "days" else stored[name]
    assert form.cleaned_data[name] == want
    # The page shows it too, should another field be wrong.
    again = Sheet(form.data, initial=stored)
    assert again.is_valid()
    assert again.cleaned_data == form.cleaned_data


@pytest.mark.parametrize(
    ("name", "said"),
    [("name", "Olga"), ("days", "Wed"), ("on", "Tue 10 Mar"), ("at", "10:00"), ("note", "three")],
)
def test_what_both_changed_is_said_once_and_then_saved(name, said):
    stored = SHOWN | {name: OTHER[name][0]}
    typed = {name: [OTHER[name][1]] if isinstance(OTHER[name][1], str) else OTHER[name][1]}

    form = Sheet(sent(Sheet(initial=SHOWN).stamp, **typed), initial=stored)
    again = Sheet(sent(form.stamp, **typed), initial=stored)

    assert form.errors == {name: [MEANWHILE % said]}
    # What was typed stands in the field.
    assert form[name].value() == (typed[name] if name == "days" else typed[name][0])
    assert again.is_valid()


def test_same_change_by_both_is_no_conflict():
    stored = SHOWN | {"name": "Olga", "is_on": False}
    stamp = Sheet(initial=SHOWN).stamp

    assert Sheet(sent(stamp, name=["Olga"], is_on=[""]), initial=stored).is_valid()


@pytest.mark.parametrize("stamp", [None, "", "name", "name:", ":", "name:x,kind"])
def test_without_a_readable_stamp_nothing_breaks(stamp):
    form = Sheet(sent(stamp, name=["Inga"]), initial=SHOWN | {"kind": "b"})

    assert form.errors in ({}, {"name": [MEANWHILE % "Anna"]})


# ---------------------------------------------------------------- the pages


def typed_of(browser, address):
    """Return what the form of a page would post, with its stamp."""
    form = browser.get(address).context["form"]
    values = {name: form[name].value() for name in form.fields}
    found = {name: value for name, value in values.items() if value is not None and value is not False}
    return found | {"seen": getattr(form, "stamp", "")}


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER)


@pytest.fixture
def pages(owner, clinic, course):
    """Return, by name, an address that changes something, and a field with two other values."""
    owner.get("/settings/rules/")
    rule = ReminderRule.objects.get(clinic=clinic, slug="overdue")
    person = StaffMemberFactory(clinic=clinic, role=Role.ANALYST, is_treating=False, signed_in_at=NOW)
    by = actor_of(person)
    hook, _secret = add_endpoint(
        clinic=clinic, name="Books", url="https://example.com/", events=["session.booked"], by=by, now=NOW
    )
    return {
        "hook": (f"/settings/webhooks/{hook.code}/change/", "name", "Accounts", "Accounting"),
        "person": (f"/settings/people/{person.code}/", "display_name", "Eva", "Ева"),
        "client": (f"/clients/{course.client.code}/edit/", "health_notes", "Asthma", "Hay fever"),
        "rule": (f"/settings/rules/{rule.code}/", "repeat_days", 4, 5),
        "messages": ("/settings/messages/", "sender_name", "Clinic", "The clinic"),
    }


@pytest.mark.parametrize("name", ["person", "client", "rule", "messages", "hook"])
def test_page_says_what_somebody_else_changed_and_keeps_what_was_typed(owner, pages, name):
    address, field, theirs, mine = pages[name]
    form, verb = typed_of(owner, address), {"do": "save"}
    assert owner.post(address, form | verb | {field: theirs}).status_code == 302

    refused = owner.post(address, form | verb | {field: mine})
    stored = owner.get(address).context["form"][field].value()
    again = owner.post(address, form | verb | {field: mine, "seen": refused.context["form"].stamp})

    assert refused.status_code == 422
    assert refused.context["form"].errors == {field: [MEANWHILE % theirs]}
    assert refused.context["form"][field].value() == str(mine)
    assert f'name="seen" value="{refused.context["form"].stamp}"' in refused.content.decode()
    assert stored == theirs
    assert again.status_code == 302


@pytest.fixture
def view(owner, clinic):
    member = clinic.staff_members.get(role=Role.OWNER)
    return SavedView.objects.create(
        clinic=clinic, member=member, page="courses", name="Late", query="show=late", created_at=NOW
    )


def renaming(form, address):
    """Return an address that renames something, and what its form in a list of such posts beside the name."""
    return address, {"seen": form.stamp}


def test_name_that_somebody_else_changed_is_said_in_its_row(owner, room, view):
    forms = {
        "room": renaming(RoomForm(room=room), f"/settings/rooms/{room.code}/rename/"),
        "view": renaming(SavedViewForm(view=view, may_share=True), f"/views/{view.code}/"),
    }

    for name, (address, shown) in forms.items():
        assert owner.post(address, shown | {"name": "Theirs"}).status_code == 302, name
        refused = owner.post(address, shown | {"name": "Mine"})
        assert refused.status_code == 422, name
        assert MEANWHILE % "Theirs" in words_of(refused)
        assert 'value="Mine"' in refused.content.decode()

    room.refresh_from_db()
    view.refresh_from_db()
    assert (room.name, view.name) == ("Theirs", "Theirs")


def test_outcome_that_somebody_else_corrected_is_said(owner, course):
    session = TreatmentSession.objects.filter(course=course, status="attended").latest("on")
    address = f"/courses/{course.code}/sessions/{session.code}/correct/"
    typed = typed_of(owner, address)
    assert owner.post(address, typed | {"status": "no_show", "reason": "theirs"}).status_code == 302

    refused = owner.post(address, typed | {"status": "cancelled_late", "reason": "mine"})

    assert refused.context["form"].errors == {"status": [MEANWHILE % "No-show"]}
    assert refused.context["form"]["reason"].value() == "mine"
    session.refresh_from_db()
    assert session.status == "no_show"


BOOKED = "Somebody has meanwhile changed what is booked: %s. Still wanted? Book once more."


@pytest.mark.parametrize("address", ["/courses/{}/book/", "/calendar/book/{}/?on=2026-03-09&at=10:00"])
def test_next_session_that_somebody_else_booked_is_not_booked_twice(reception, course, address):
    address = address.format(course.code)
    shown = typed_of(reception, address)
    book(course, date(2026, 3, 9), time(15), now=NOW)
    slot = {"on": "2026-03-10", "at": "11:00", "minutes": "45", "judged": "2026-03-10"}

    refused = reception.post(address, shown | slot)
    typed = refused.context["form"]
    again = reception.post(address, shown | slot | {"booked": typed["booked"].value()})

    assert typed.non_field_errors() == [BOOKED % "Mon 9 Mar"]
    assert typed["at"].value() == "11:00"
    assert again.status_code == 302
    assert booked_days(course, today=date(2026, 3, 9)) == [date(2026, 3, 9), date(2026, 3, 10)]


def test_booking_that_somebody_else_moved_is_said_before_it_moves_again(reception, course, room):
    session = book(course, date(2026, 3, 10), time(11), now=NOW)
    address = f"/courses/{course.code}/sessions/{session.code}/move/"
    shown = typed_of(reception, address)
    assert reception.post(address, shown | {"at": "15:00"}).status_code == 302

    refused = reception.post(address, shown | {"at": "16:00"})
    merged = reception.post(address, shown | {"room": room.code})

    assert refused.context["form"].errors == {"at": [MEANWHILE % "15:00"]}
    assert f'name="seen" value="{refused.context["form"].stamp}"' in refused.content.decode()
    assert merged.status_code == 302
    session.refresh_from_db()
    assert (session.room, session.starts_at.hour) == (room, 13)


@pytest.mark.parametrize("verb", ["end-phase", "target"])
def test_decision_about_a_phase_that_is_over_is_not_taken_for_the_next(log_in, prescriber, course, verb):
    doctor, address = log_in(prescriber), f"/courses/{course.code}/{verb}/"
    shown = typed_of(doctor, address)

    refused = doctor.post(address, shown | {"phase": "1", "target": "12"})

    assert shown["phase"] == 0
    assert refused.context["form"].non_field_errors() == [
        "The course has meanwhile come into another phase. Look at the course, then decide anew."
    ]
    assert not course.phase_ends.exists()
    assert course.revisions.count() == 1


def meet(monkeypatch, count=2):
    """Hold everybody who has compared until as many have, or until it is plain that the others may not yet."""
    there, compare = threading.Barrier(count), SeenForm._clean_fields

    def compare_and_wait(form):
        compare(form)
        try:
            there.wait(timeout=0.3)
        except threading.BrokenBarrierError:
            there.reset()

    monkeypatch.setattr(SeenForm, "_clean_fields", compare_and_wait)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_in_one_moment_the_later_one_is_told(
    transactional_db, tmp_path, monkeypatch, log_in, owner, pages, room, view
):
    both = [owner, log_in(room.clinic.staff_members.get(role=Role.OWNER))]
    forms = {
        "room": (*renaming(RoomForm(room=room), f"/settings/rooms/{room.code}/rename/"), "name"),
        "view": (*renaming(SavedViewForm(view=view, may_share=True), f"/views/{view.code}/"), "name"),
    }
    values = {"room": ("A", "B"), "view": ("A", "B")}
    for name, (address, field, *two) in pages.items():
        forms[name] = address, typed_of(owner, address) | {"do": "save"}, field
        values[name] = two
    answers = {name: [] for name in forms}

    def press(browser, name, value):
        address, typed, field = forms[name]
        answers[name].append(browser.post(address, typed | {field: value}).status_code)

    meet(monkeypatch)
    with shared_database(tmp_path):
        for name, two in values.items():
            presses = zip(both, two, strict=True)
            assert race([partial(press, one, name, value) for one, value in presses]) == {"won": 2}

    assert {name: sorted(found) for name, found in answers.items()} == {name: [302, 422] for name in forms}


def test_prescription_that_somebody_else_changed_is_said(log_in, prescriber, course):
    doctor, address = log_in(prescriber), f"/courses/{course.code}/change/"
    sheet = doctor.get(address)
    rows = sheet.context["phases"]
    typed = {
        row.form.add_prefix(name): row.form[name].value() or "" for row in rows for name in row.form.fields
    }
    typed |= {"phase_count": str(len(rows)), "do": "change", "seen": sheet.context["revision"]}
    doctor.post(address, typed | {"phases-0-sessions_max": "14", "reason": "theirs"})

    refused = doctor.post(address, typed | {"phases-0-sessions_max": "12", "reason": "mine"})
    again = doctor.post(
        address,
        typed | {"phases-0-sessions_max": "12", "reason": "mine", "seen": refused.context["revision"]},
    )

    assert refused.status_code == 422
    assert "Somebody has meanwhile changed the prescription to “10–14 sessions" in words_of(refused)
    assert refused.context["form"]["reason"].value() == "mine"
    assert again.status_code == 302
    assert list(course.revisions.values_list("reason", flat=True)) == ["", "theirs", "mine"]
