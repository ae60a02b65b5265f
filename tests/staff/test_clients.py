"""Clients: finding, registering and changing them."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from clients.models import Channel, Client, ContactPoint
from clinics.models import Role
from reminders.models import Answer, ChannelAccount
from tests.factories import ClientFactory, prescribe
from tests.staff.conftest import HTMX, NOW, START
from tests.staff.lists import look_for
from tests.staff.test_today import words_of

FILLED = {
    "given_name": "Līga",
    "family_name": "Ozola",
    "language": "ru",
    "email": "liga@example.com",
    "phone": "20000001",
    "allowed": ["email", "sms"],
    "prefers_weekdays": ["1", "3"],
    "prefers_from_time": "17:00",
    "prefers_to_time": "19:00",
}


@pytest.fixture
def person(clinic):
    return ClientFactory(clinic=clinic, given_name="Anna", family_name="Berzina", search_text="anna berzina")


def test_list_names_contacts_and_running_courses(reception, course):
    words = words_of(reception.get("/clients/"))

    email = ContactPoint.objects.get().value
    assert f"Anna Berzina {email} 1 course runs" in words


def test_list_without_clients_teaches(reception):
    assert "No clients yet" in words_of(reception.get("/clients/"))


def test_telephone_is_found_however_it_is_typed(reception):
    reception.post("/clients/new/", FILLED)

    found = words_of(reception.get(look_for(reception, "/clients/", "+371 2000-0001"), headers=HTMX))

    assert "Līga Ozola +371 20 000 001 liga@example.com" in found


def test_list_takes_the_same_queries_for_one_client_and_for_three(
    reception, clinic, django_assert_num_queries
):
    ClientFactory(clinic=clinic)
    reception.get("/clients/")
    with django_assert_num_queries(7):
        reception.get("/clients/")

    ClientFactory(clinic=clinic)
    ClientFactory(clinic=clinic)

    with django_assert_num_queries(7):
        reception.get("/clients/")


def test_new_client_is_registered_with_contacts_and_consents(reception):
    response = reception.post("/clients/new/", FILLED)

    client = Client.objects.get()
    assert response["Location"] == f"/clients/{client.code}/"
    assert (client.name, client.language, client.prefers_weekdays) == ("Līga Ozola", "ru", [1, 3])
    assert dict(client.contact_points.values_list("channel", "value")) == {
        Channel.EMAIL: "liga@example.com",
        Channel.SMS: "+37120000001",
    }
    assert set(client.consents.values_list("channel", flat=True)) == {Channel.EMAIL, Channel.SMS}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"given_name": ""}, "This field is required."),
        ({"phone": "12"}, "This is not a telephone number."),
        ({"email": "liga"}, "Enter a valid email address."),
        ({"email": ""}, "Messages are allowed on this channel, so its address is needed."),
        ({"prefers_to_time": "16:00"}, "The preferred time ends before it begins."),
    ],
)
def test_wrong_entry_is_said_at_its_field(reception, change, message):
    response = reception.post("/clients/new/", FILLED | change)

    assert response.status_code == 422
    assert message in words_of(response)
    assert Client.objects.count() == 0


def test_change_is_saved_and_the_page_shows_it(reception, person):
    response = reception.post(f"/clients/{person.code}/edit/", FILLED, follow=True)

    person.refresh_from_db()
    assert person.name == "Līga Ozola"
    assert "Saved." in words_of(response)
    assert "Monday, Wednesday From 17:00 to 19:00" in words_of(response)
    assert 'value="17:00"' in reception.get(f"/clients/{person.code}/edit/").content.decode()


def test_reading_a_client_is_on_record(reception, person):
    reception.get(f"/clients/{person.code}/")

    event = AuditEvent.objects.get(action="client.read")
    assert event.subject_code == person.code


def test_reader_sees_the_client_but_no_button(browser_of, person):
    page = browser_of(Role.ANALYST).get(f"/clients/{person.code}/").content.decode()

    assert "<h1>Anna Berzina</h1>" in page
    assert f"/clients/{person.code}/edit/" not in page
    assert "Save the address</button>" not in page


def test_client_page_says_who_this_is(reception, clinic, course):
    client = course.client
    Client.objects.filter(pk=client.pk).update(birth_on=date(1980, 3, 10), health_notes="back pain")
    Answer.objects.create(
        clinic=clinic, client=client, kind="other", via="sms", answered_at=NOW, text="I will be late"
    )

    words = words_of(reception.get(f"/clients/{client.code}/"))

    assert "born 10 March 1980, 45 years · written to in English" in words
    assert "Any time, anybody. Health notes back pain" in words
    assert "“I will be late”" in words


def test_client_page_takes_the_same_queries_for_one_course_and_for_three(
    reception, course, prescriber, django_assert_num_queries
):
    address = f"/clients/{course.client.code}/"
    reception.get(address)
    with CaptureQueriesContext(connection) as asked:
        reception.get(address)
    for _ in range(2):
        prescribe(now=START, member=prescriber, client=course.client)

    with django_assert_num_queries(len(asked)):
        reception.get(address)


def test_client_page_lists_the_courses(reception, course):
    words = words_of(reception.get(f"/clients/{course.client.code}/"))

    assert "Anti-cellulite massage from Mon 2 Mar · 2 of 10–15 Resting" in words


def set_up(clinic, channel):
    ChannelAccount.objects.create(
        clinic=clinic, channel=channel, provider="kept", created_at=NOW, changed_at=NOW, is_active=False
    )


def asked(browser, address="/clients/new/"):
    form = browser.get(address).context["form"]
    return [field.name for field in form.address_fields()], [
        name for name, _ in form.fields["allowed"].choices
    ]


def test_form_asks_for_the_channels_that_the_clinic_has(reception, clinic):
    assert asked(reception) == (["email", "phone"], ["email", "sms"])
    for channel in ("telegram", "whatsapp", "webhook"):
        set_up(clinic, channel)

    assert asked(reception) == (
        ["email", "phone", "telegram", "whatsapp"],
        ["email", "sms", "telegram", "whatsapp", "webhook"],
    )


def test_messengers_are_kept_with_their_consent(reception, clinic):
    for channel in ("telegram", "whatsapp", "webhook"):
        set_up(clinic, channel)

    allowed = ["telegram", "whatsapp", "webhook"]
    reception.post("/clients/new/", FILLED | {"telegram": "4242424242", "allowed": allowed})

    client = Client.objects.get()
    points = dict(client.contact_points.values_list("channel", "value"))
    # Nobody gave a number of its own, so WhatsApp's is the telephone's.
    assert points == {
        "email": "liga@example.com",
        "sms": "+37120000001",
        "telegram": "4242424242",
        "whatsapp": "+37120000001",
    }
    assert sorted(client.consents.values_list("channel", flat=True)) == sorted(allowed)
    assert asked(reception, f"/clients/{client.code}/edit/")[0] == ["email", "phone", "telegram", "whatsapp"]


def test_wrong_messenger_addresses_are_named(reception, clinic):
    set_up(clinic, "telegram")
    set_up(clinic, "whatsapp")

    answer = reception.post("/clients/new/", FILLED | {"telegram": "@anna", "whatsapp": "anna"})

    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"telegram", "whatsapp"}
    assert 'value="@anna"' in answer.content.decode()


def test_messenger_allowed_without_an_address_is_asked_for(reception, clinic):
    set_up(clinic, "telegram")

    answer = reception.post("/clients/new/", FILLED | {"allowed": ["telegram"]})

    assert list(answer.context["form"].errors) == ["telegram"]


def test_channel_that_the_clinic_gave_up_can_still_be_taken_back(reception, clinic, person):
    ContactPoint.objects.filter(client=person).delete()
    ContactPoint.objects.create(clinic=clinic, client=person, channel="telegram", value="4242")
    fields = FILLED | {"email": "", "phone": "", "allowed": []}

    assert asked(reception, f"/clients/{person.code}/edit/")[0] == ["email", "phone", "telegram"]
    reception.post(f"/clients/{person.code}/edit/", fields)

    assert not ContactPoint.objects.filter(client=person).exists()


def test_channel_that_is_not_offered_cannot_be_allowed(reception, clinic):
    answer = reception.post("/clients/new/", FILLED | {"allowed": ["telegram"]})

    assert list(answer.context["form"].errors) == ["allowed"]
