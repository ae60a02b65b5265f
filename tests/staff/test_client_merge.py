"""Who was registered twice becomes one client: found, compared, brought together without loss."""

import threading
from datetime import date, time, timedelta
from functools import partial

import pytest
from django.db import transaction

from audit.models import AuditEvent
from clients.duplicates import stamp_of
from clients.models import Channel, Client, Consent, ContactPoint
from clinics.models import Role
from courses.models import Course, RecordedContraindication, TreatmentSession
from courses.services import record_contraindication
from reminders.models import Answer, Reminder
from reminders.services import merging
from tests.factories import ClientFactory, ClinicFactory, actor_of, book, prescribe
from tests.races import race, shared_database
from tests.staff.conftest import NOW, START, TODAY
from tests.staff.lists import look_for
from tests.staff.test_today import words_of


@pytest.fixture
def anna(course):
    return course.client


@pytest.fixture
def twin(clinic, anna, prescriber):
    """Anna once more: another e-mail, the telephone of the first, a course with a booking, a condition, an answer."""
    phone = {"clinic": clinic, "channel": Channel.SMS, "value": "+37120000001"}
    ContactPoint.objects.create(client=anna, **phone)
    Client.objects.filter(pk=anna.pk).update(health_notes="back pain", birth_on=date(1980, 1, 2))
    other = ClientFactory(
        clinic=clinic, given_name="Anna", family_name="Bērziņa", language="ru", health_notes="allergy"
    )
    ContactPoint.objects.create(client=other, **phone)
    course = prescribe(now=START, member=prescriber, client=other)
    book(course, TODAY + timedelta(days=2), time(15), now=NOW)
    Answer.objects.create(clinic=clinic, client=other, kind="other", via="sms", answered_at=NOW, text="hello")
    record_contraindication(
        client=other, condition="influenza", from_on=TODAY, to_on=TODAY, by=actor_of(prescriber), now=NOW
    )
    return other


def merge(browser, kept, gone, **choices):
    page = browser.get(f"/clients/{kept.code}/merge/?with={gone.code}")
    fields = dict.fromkeys(page.context["form"].fields, "kept") | choices
    sent = {"with": str(gone.code), "seen": page.context["stamp"], **fields}
    return browser.post(f"/clients/{kept.code}/merge/", sent, follow=True)


def test_likely_duplicates_are_said_on_the_page_and_compared(reception, anna, twin, clinic):
    ClientFactory(clinic=clinic, given_name="Anna", family_name="Berzina", birth_on=date(1999, 1, 2))

    words = words_of(reception.get(f"/clients/{anna.code}/"))
    assert "Perhaps registered twice: Anna Bērziņa (the same address: SMS)" in words
    chosen = words_of(reception.get(f"/clients/{anna.code}/merge/"))
    assert "Anna Bērziņa The same address: SMS Compare" in chosen
    assert chosen.count("Compare") == 1
    page = reception.get(f"/clients/{anna.code}/merge/?with={twin.code}")
    assert list(page.context["form"].fields) == ["family_name", "language", "email"]


def test_everything_goes_over_and_nothing_is_lost(reception, anna, twin):
    counted = {model: model.objects.count() for model in (Course, TreatmentSession, Answer, Consent)}
    own, other = (client.contact_points.get(channel="email").value for client in (anna, twin))
    due = Reminder.objects.filter(state="due").count()

    response = merge(reception, anna, twin, family_name="gone", email="gone")

    assert "Both are one client now." in words_of(response)
    anna.refresh_from_db()
    twin.refresh_from_db()
    assert (anna.name, anna.language, anna.health_notes) == ("Anna Bērziņa", "en", "back pain\n\nallergy")
    assert list(anna.contact_points.values_list("channel", "value")) == [
        ("email", other), ("email", own), ("sms", "+37120000001"),
    ]  # fmt: skip
    assert counted == {model: model.objects.filter(**of(model, anna)).count() for model in counted}
    assert Reminder.objects.filter(client=anna, state="due").count() >= due
    assert not Reminder.objects.filter(client=twin).exists()
    assert RecordedContraindication.objects.get().client == anna
    assert [row.withdrawn_source for row in anna.consents.order_by("pk")] == ["merged", ""]
    assert (twin.merged_into, twin.name, twin.search_text) == (anna, "Merged client", "")
    event = AuditEvent.objects.get(action="client.merged")
    assert (event.subject_code, event.new["merged"]) == (anna.code, str(twin.code))
    assert "rzi" not in str(event.new)
    moved = reception.get(f"/clients/{twin.code}/")
    assert moved["Location"] == f"/clients/{anna.code}/"
    for address in (own, other):
        assert "Anna Bērziņa" in words_of(reception.get(look_for(reception, "/clients/", address)))


def of(model, client):
    return {"client": client}


def test_form_shows_the_chosen_address_and_saving_keeps_the_other(reception, anna, twin):
    own = anna.contact_points.get(channel="email").value
    merge(reception, anna, twin)

    form = reception.get(f"/clients/{anna.code}/edit/").context["form"]
    assert form.initial["email"] == own
    sent = {name: value for name, value in form.initial.items() if value not in (None, [])}
    assert reception.post(f"/clients/{anna.code}/edit/", sent).status_code == 302
    assert anna.contact_points.filter(channel="email").count() == 2


def test_later_word_about_permission_counts(reception, anna, twin):
    Consent.objects.filter(client=twin).update(withdrawn_at=NOW, withdrawn_source="link")

    merge(reception, anna, twin)

    assert not Consent.objects.filter(client=anna, withdrawn_at=None).exists()
    assert Consent.objects.filter(client=anna).count() == 2


def test_bookings_at_one_time_are_refused_in_words(reception, anna, twin, course, room):
    theirs = TreatmentSession.objects.get(client=twin)
    other = prescribe(now=START, client=anna)
    TreatmentSession.objects.filter(client=twin).update(room=None, practitioner=None)
    book(other, theirs.on, time(15, 15), now=NOW, room=room)

    page = words_of(reception.get(f"/clients/{anna.code}/merge/?with={twin.code}"))
    assert "Both are booked at the same time: Wed 11 Mar, 15:15." in page
    response = merge(reception, anna, twin)

    assert response.status_code == 422
    assert "Move or cancel one of the two first." in words_of(response)
    assert Course.objects.filter(client=twin).count() == 1


def test_changed_meanwhile_is_looked_at_again(reception, anna, twin):
    page = reception.get(f"/clients/{anna.code}/merge/?with={twin.code}")
    Client.objects.filter(pk=twin.pk).update(given_name="Ānna")
    sent = {"with": str(twin.code), "seen": page.context["stamp"]}
    fields = dict.fromkeys(page.context["form"].fields, "kept") | {"given_name": "kept"}

    response = reception.post(f"/clients/{anna.code}/merge/", sent | fields)

    assert response.status_code == 422
    assert "The data of one of the two have changed since." in words_of(response)
    twin.refresh_from_db()
    assert twin.merged_into is None


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_change_in_the_moment_of_a_merge_comes_after_it(
    transactional_db, tmp_path, monkeypatch, anna, twin, prescriber
):
    compared, changed = threading.Event(), threading.Event()
    for client in (anna, twin):
        client.refresh_from_db()
    seen = stamp_of(anna, twin)

    def compare_slowly(*clients):
        compared.set()
        changed.wait(timeout=0.3)
        return stamp_of(*clients)

    def change():
        compared.wait(timeout=10)
        with transaction.atomic():
            row = Client.objects.select_for_update().get(pk=anna.pk)
            row.family_name = "Changed"
            row.save(update_fields=["family_name"])
        changed.set()

    monkeypatch.setattr(merging, "stamp_of", compare_slowly)
    by = actor_of(prescriber)
    bring = partial(
        merging.merge_clients, kept=anna, gone=twin, taken={"family_name"}, seen=seen, by=by, now=NOW
    )
    with shared_database(tmp_path):
        outcome = race([bring, change])
        name = Client.objects.get(pk=anna.pk).family_name

    assert (outcome, name) == ({"won": 2}, "Changed")


def test_only_clients_of_the_clinic_are_merged(reception, anna, browser_of):
    foreign = ClientFactory(clinic=ClinicFactory())
    address = f"/clients/{anna.code}/merge/"

    for code in (foreign.code, anna.code, "x"):
        assert reception.get(f"{address}?with={code}").status_code == 404
        assert reception.post(address, {"with": str(code)}).status_code == 404
    assert browser_of(Role.ANALYST).get(address).status_code == 403
