"""A client's messages, addresses and wishes; what Today says of them; who wants the morning summary."""

import pytest

from audit.models import AuditEvent
from clients.models import Consent, ContactPoint
from clinics.models import Role, StaffMember
from reminders.models import Answer, Reminder
from tests.factories import ClientFactory, book
from tests.staff.conftest import NOW, TODAY
from tests.staff.test_today import words_of


@pytest.fixture
def person(session):
    return session.client


def url(person, rest=""):
    return f"/clients/{person.code}/{rest}"


def sent(row, **values):
    changes = {"state": "sent", "sent_at": NOW, "decided_at": NOW, "decision_reason": ""} | values
    Reminder.objects.filter(pk=row.pk).update(**changes)


def test_page_tells_why_two_and_why_none(reception, person, course):
    schedule = Reminder.objects.get(course=course, trigger="schedule", state="due")
    sent(schedule, delivery="delivered", delivered_at=NOW)
    book(course, TODAY.replace(day=11), NOW.time().replace(hour=15), now=NOW)
    Consent.objects.update(withdrawn_at=NOW, withdrawn_source="sms")

    page = reception.get(url(person))

    ahead = [(line.what, line.sentence) for line in page.context["messages_ahead"]]
    why = "As things stand it will not go out: the client has not agreed to this channel."
    assert ("Before a session", why) in ahead
    assert ("Schedule", "Sent Mon 9 Mar, 10:00.") in [
        (line.what, line.sentence) for line in page.context["messages_behind"]
    ]
    words = words_of(page)
    assert "not allowed" in words
    assert "Withdrawn Mon 9 Mar, 10:00, by SMS" in words


def test_client_without_messages_is_told_where_they_come_from(reception, clinic):
    words = words_of(reception.get(url(ClientFactory(clinic=clinic, email=""))))

    assert "Nothing at present" in words
    assert "No address yet" in words
    assert "no message goes out before the client agrees" in words


def test_address_works_again(reception, person):
    contact = ContactPoint.objects.get()
    ContactPoint.objects.update(disabled_at=NOW, disabled_reason="smtp-550")
    assert "there is no such address" in words_of(reception.get(url(person)))

    answer = reception.post(url(person, f"addresses/{contact.code}/enable/"), follow=True)

    assert "The address is used again." in words_of(answer)
    assert ContactPoint.objects.get().disabled_at is None


def test_address_of_another_client_is_not_found(reception, person, clinic):
    ClientFactory(clinic=clinic)
    other = ContactPoint.objects.exclude(client=person).get()

    assert reception.post(url(person, f"addresses/{other.code}/enable/")).status_code == 404


@pytest.mark.parametrize(
    ("channel", "value", "said", "kept"),
    [
        ("telegram", "12345", "The address is saved.", "12345"),
        ("email", "new@example.com", "The address is saved.", "new@example.com"),
        ("sms", "call me", "This is not a telephone number.", None),
        ("webhook", "1", "Select a valid choice.", None),
    ],
)
def test_new_address_is_saved_or_refused(reception, person, channel, value, said, kept):
    answer = reception.post(url(person, "address/"), {"channel": channel, "value": value}, follow=True)

    assert said in words_of(answer)
    found = ContactPoint.objects.filter(client=person, value=value).values_list("value", flat=True)
    assert list(found) == ([kept] if kept else [])


def test_refused_address_is_still_there_to_be_mended(reception, person):
    answer = reception.post(url(person, "address/"), {"channel": "sms", "value": "call me"})

    form = answer.context["address_form"]
    assert answer.status_code == 422
    assert form.errors == {
        "value": ["This is not a telephone number. Write it with the country code, such as +371 20 000 000."]
    }
    assert (form["channel"].value(), form["value"].value()) == ("sms", "call me")
    assert person.name in words_of(answer)
    # Whoever is shown the page has read it, by whichever way.
    assert AuditEvent.objects.filter(action="client.read", subject_code=person.code).count() == 1


def test_address_that_a_colleague_has_changed_is_shown_before_it_is_replaced(reception, person):
    seen = reception.get(url(person)).context["address_form"].stamp
    reception.post(url(person, "address/"), {"channel": "telegram", "value": "111", "seen": seen})
    mine = {"channel": "telegram", "value": "222"}

    refused = reception.post(url(person, "address/"), mine | {"seen": seen})

    form = refused.context["address_form"]
    assert form.errors["value"] == [
        "Somebody has meanwhile changed this to “111”. Save again to put yours in place."
    ]
    assert ContactPoint.objects.get(client=person, channel="telegram").value == "111"
    again = reception.post(url(person, "address/"), mine | {"seen": form.stamp})
    assert again.status_code == 302
    assert ContactPoint.objects.get(client=person, channel="telegram").value == "222"


def test_address_that_a_colleague_has_just_saved_too_is_no_quarrel(reception, person):
    seen = reception.get(url(person)).context["address_form"].stamp
    for _ in range(2):
        mine = {"channel": "telegram", "value": "111", "seen": seen}
        assert reception.post(url(person, "address/"), mine).status_code == 302


def test_page_costs_the_same_with_one_and_three_messages(
    reception, course, person, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_max_num_queries(34) as counted:
        reception.get(url(person))
    number = len(counted.captured_queries)
    for day in (11, 13):
        book(course, TODAY.replace(day=day), NOW.time().replace(hour=15), now=NOW)

    with django_assert_num_queries(number):
        reception.get(url(person))


# ---------------------------------------------------------------- Today


def reminder_of(session):
    about = {"clinic": session.clinic, "client": session.client, "course": session.course}
    row = Reminder.objects.filter(course=session.course).first()
    return Reminder.objects.create(
        **about, session=session, rule=row.rule, rule_version=1, trigger="before_session", channel="email",
        subject_key=f"session:{session.code}", subject_revision=99, about="slot", send_at=NOW,
        expires_at=session.starts_at, created_at=NOW,
    )  # fmt: skip


def test_today_says_what_the_client_was_told_and_answered(reception, session):
    row = reminder_of(session)
    assert "Reminded" not in words_of(reception.get("/"))

    sent(row)
    Answer.objects.create(
        clinic=session.clinic, client=session.client, session=session, kind="confirm", via="link",
        answered_at=NOW,
    )  # fmt: skip

    words = words_of(reception.get("/"))
    assert "Reminded by e-mail Mon 9 Mar, 10:00, confirmed by link Mon 9 Mar, 10:00" in words


def test_today_says_why_the_client_was_not_reminded(reception, session):
    row = reminder_of(session)
    values = {"state": "suppressed", "decision_reason": "no_consent", "decided_at": NOW}
    Reminder.objects.filter(pk=row.pk).update(**values)

    assert "Not reminded: the client has not agreed to this channel" in words_of(reception.get("/"))


# ---------------------------------------------------------------- the morning summary


def test_wish_for_the_morning_summary_is_ones_own(browser_of, clinic):
    browser = browser_of(Role.PRACTITIONER, display_name="Marta")

    said = words_of(browser.post("/me/digest/", {"gets_digest": "on"}, follow=True))
    assert "The morning summary comes by e-mail." in said
    assert list(StaffMember.objects.filter(gets_digest=True).values_list("display_name", flat=True)) == [
        "Marta"
    ]

    browser.post("/me/digest/", {})

    assert not StaffMember.objects.filter(gets_digest=True).exists()
