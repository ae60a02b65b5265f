"""Messages: what went out, what will, what did not and why; and what people do about single ones."""

import pytest

from audit.models import AuditEvent
from clients.models import Consent, ContactPoint
from clinics.models import Role
from reminders.models import Answer, DeliveryAttempt, DeliveryReport, KeptMessage, Reminder
from tests.factories import ClinicFactory, StaffMemberFactory, book
from tests.staff.conftest import HTMX, NOW, TODAY
from tests.staff.lists import look_for
from tests.staff.test_today import words_of

LIST = "/messages/"


@pytest.fixture
def row(session):
    """The notice of a booking made at this moment, for today at eleven."""
    return Reminder.objects.get(course=session.course, trigger="schedule", state="due")


def put(row, **values):
    Reminder.objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()


def url(row, verb=""):
    return f"{LIST}{row.code}/{verb and verb + '/'}"


def lines_of(response):
    return [(line.what, line.sentence) for line in response.context["lines"]]


def test_coming_messages_say_when_they_go_out(reception, row):
    answer = reception.get(LIST)

    assert lines_of(answer) == [("Schedule", "It goes out Mon 9 Mar, 10:03.")]
    assert "Anna Berzina" in words_of(answer)
    assert [(tab["label"], tab["count"]) for tab in answer.context["tabs"]] == [
        ("Coming", 1),
        ("Sent", 0),
        ("Not sent", Reminder.objects.exclude(state="due").count()),
        ("Needs a person", 0),
    ]


def test_message_against_the_clients_wish_says_so_beforehand(reception, row):
    Consent.objects.update(withdrawn_at=NOW, withdrawn_source="link")

    assert lines_of(reception.get(LIST)) == [
        (
            "Schedule",
            "As things stand it will not go out: the client has not agreed to this channel.",
        )
    ]


@pytest.mark.parametrize(
    ("values", "group", "sentence"),
    [
        ({"state": "sent", "sent_at": NOW}, "sent", "Sent Mon 9 Mar, 10:00."),
        (
            {"state": "failed", "decision_reason": "gave_up"},
            "waiting",
            "It did not get through: it could not be delivered in time.",
        ),
        (
            {"state": "uncertain", "decision_reason": "lost_in_flight"},
            "waiting",
            "Perhaps it arrived: the connection broke before the server answered.",
        ),
        (
            {"state": "suppressed", "decision_reason": "capped"},
            "not-sent",
            "Not sent: the client has had the day's most messages.",
        ),
        (
            {"state": "cancelled", "decision_reason": "session_moved"},
            "not-sent",
            "No longer wanted: the session was moved.",
        ),
    ],
)
def test_decision_is_a_plain_sentence(reception, row, values, group, sentence):
    Reminder.objects.exclude(pk=row.pk).delete()
    put(row, decided_at=NOW, **values)

    assert lines_of(reception.get(f"{LIST}?show={group}")) == [("Schedule", sentence)]


def test_filters_live_in_the_address(reception, row, session):
    client = session.client

    def found(query):
        return len(lines_of(reception.get(f"{LIST}?{query}")))

    assert [found(f"trigger={name}") for name in ("schedule", "overdue")] == [1, 0]
    assert [found(f"channel={name}") for name in ("email", "sms")] == [1, 0]
    assert [found(f"from_on={on}") for on in ("2026-03-09", "2026-03-10")] == [1, 0]
    assert [found(f"to_on={on}") for on in ("2026-03-09", "2026-03-08")] == [1, 0]
    searched = (look_for(reception, LIST, name).partition("?")[2] for name in ("berz", "nobody"))
    assert [found(query) for query in searched] == [1, 0]
    assert found(f"client={client.code}") == 1
    assert "Only messages to Anna Berzina." in words_of(reception.get(f"{LIST}?client={client.code}"))
    # What cannot be understood narrows nothing, nor does a day at either end of time.
    assert [found(query) for query in ("from_on=0001-01-01", "to_on=9999-12-31")] == [1, 1]
    assert found("show=all&channel=pigeon&from_on=soon&client=1&page=9") == 1


def test_empty_groups_teach(reception, clinic):
    assert "No messages here yet" in words_of(reception.get(LIST))
    assert "Nothing waits for you" in words_of(reception.get(f"{LIST}?show=waiting"))
    assert "No message matches" in words_of(reception.get(look_for(reception, LIST, "nobody")))


def test_htmx_gets_the_list_alone(reception, row):
    fragment = reception.get(LIST, headers=HTMX).content.decode()

    assert "<html" not in fragment
    assert 'id="messages"' in fragment


def test_messages_of_another_clinic_are_not_listed(log_in, reception, row):
    abroad = StaffMemberFactory(clinic=ClinicFactory(), role=Role.OWNER)
    assert len(lines_of(reception.get(LIST))) == 1

    stranger = log_in(abroad)

    assert lines_of(stranger.get(LIST)) == []
    assert stranger.get(url(row)).status_code == 404


@pytest.mark.parametrize("group", ["coming", "waiting"])
def test_list_costs_the_same_with_one_and_three_messages(
    reception, make_course, django_assert_num_queries, django_assert_max_num_queries, group
):
    def add(name, at):
        course = make_course(given_name=name, at=at)
        book(course, TODAY, NOW.time().replace(hour=at + 2), now=NOW)
        if group == "waiting":
            rows = Reminder.objects.filter(course=course, state="due")
            rows.update(state="failed", decision_reason="gave_up", decided_at=NOW)
            client = course.client
            ContactPoint.objects.filter(client=client).update(disabled_at=NOW, disabled_reason="smtp-550")
            values = {"clinic": course.clinic, "client": client, "via": "sms", "answered_at": NOW}
            Answer.objects.create(kind="other", **values)

    add("One", 10)
    with django_assert_max_num_queries(20) as counted:
        reception.get(f"{LIST}?show={group}")
    add("Two", 12)
    add("Three", 14)

    with django_assert_num_queries(len(counted.captured_queries)):
        reception.get(f"{LIST}?show={group}")


# ---------------------------------------------------------------- what waits for a person


def test_menu_counts_what_waits(reception, row, clinic):
    assert "need a person:" not in words_of(reception.get("/"))

    put(row, state="failed", decision_reason="gave_up", decided_at=NOW)
    Answer.objects.create(clinic=clinic, client=row.client, kind="other", via="sms", answered_at=NOW)

    assert "need a person: 2" in words_of(reception.get("/"))


def test_addresses_and_answers_stand_with_the_messages(reception, row, clinic):
    ContactPoint.objects.update(disabled_at=NOW, disabled_reason="smtp-550")
    values = {"clinic": clinic, "client": row.client, "via": "sms", "answered_at": NOW}
    answer = Answer.objects.create(kind="other", **values)

    words = words_of(reception.get(f"{LIST}?show=waiting"))
    assert "the mail server says that there is no such address" in words
    assert "The client: wrote something else" in words

    reception.post(f"/answers/{answer.code}/close/")

    assert "wrote something else" not in words_of(reception.get(f"{LIST}?show=waiting"))


# ---------------------------------------------------------------- one message


def test_message_tells_its_whole_history(browser_of, row, clinic, session):
    owner = browser_of(Role.OWNER)
    put(row, state="sent", sent_at=NOW, decided_at=NOW, message_id="<key@x>", delivery="delivered",
        delivered_at=NOW)  # fmt: skip
    contact = ContactPoint.objects.get()
    DeliveryAttempt.objects.create(
        clinic=clinic, reminder=row, number=1, generation=1, contact_point=contact, started_at=NOW,
        finished_at=NOW, outcome="transient", error_code="smtp-451",
    )  # fmt: skip
    DeliveryReport.objects.create(
        clinic=clinic, reminder=row, provider="mail", event_id="1", kind="delivered", happened_at=NOW,
        received_at=NOW,
    )  # fmt: skip
    Answer.objects.create(
        clinic=clinic, client=row.client, reminder=row, kind="confirm", via="link", answered_at=NOW
    )
    KeptMessage.objects.create(
        clinic=clinic, message_id="<key@x>", from_header="a", to_header="b", subject="Your sessions",
        text="See you on Monday.", kept_at=NOW,
    )  # fmt: skip

    words = words_of(owner.get(url(row)))

    for part in (
        "Sent Mon 9 Mar, 10:00.",
        "Failed for now",
        "smtp-451",
        contact.value,
        "Delivered · reported by the provider",
        "The client: confirmed · By link",
        "Your sessions See you on Monday.",
        "version 1",
    ):
        assert part in words


def test_message_ahead_shows_how_it_will_read(reception, row, session):
    words = words_of(reception.get(url(row)))

    assert "As it will read; changes until then are taken up." in words
    assert "Hello Anna" in words
    assert "Monday, 9 March, 11:00" in words


def test_every_kind_of_message_ahead_can_be_read(reception, row):
    for trigger in ("before_session", "missed_session", "overdue", "book_next", "maintenance_due", "change"):
        session = (
            {"session": row.course.sessions.last()} if trigger.endswith("session") else {"session": None}
        )
        put(row, trigger=trigger, **session)

        assert len(reception.get(url(row)).context["words"]["text"]) > 40, trigger


def test_message_of_a_messenger_shows_its_short_form(reception, row):
    put(row, channel="sms")

    words = reception.get(url(row)).context["words"]

    assert (words["subject"], "\n" in words["text"]) == ("", False)


def test_message_says_that_quiet_hours_moved_it(reception, course):
    book(course, TODAY.replace(day=11), NOW.time().replace(hour=9), now=NOW)
    row = Reminder.objects.get(course=course, rule__slug="two-hours-before", state="due")

    words = words_of(reception.get(url(row)))

    assert "Wanted for Wed 11 Mar, 07:00 Time to go Tue 10 Mar, 20:30 Moved out of quiet hours." in words


def test_group_and_fallback_are_linked(reception, row, session):
    others = list(Reminder.objects.exclude(pk=row.pk).filter(course=row.course)[:2])
    put(others[0], sent_with=row)
    put(others[1], fallback_for=row)

    words = words_of(reception.get(url(row)))
    assert "Carried along" in words
    assert "Taken over by" in words
    assert "Sent in one message with" in words_of(reception.get(url(others[0])))
    assert "Goes because this failed" in words_of(reception.get(url(others[1])))


def test_message_is_sent_now(reception, row):
    answer = reception.post(url(row, "send"), follow=True)

    row.refresh_from_db()
    assert row.send_at == NOW
    assert "It goes out in a moment." in words_of(answer)
    assert AuditEvent.objects.filter(action="reminder.sent_now", subject_code=row.code).count() == 1


def test_message_is_not_sent_now_against_a_wish(reception, row):
    Consent.objects.update(withdrawn_at=NOW, withdrawn_source="link")

    answer = reception.post(url(row, "send"), headers=HTMX)

    assert answer.status_code == 422
    assert "It may not go: the client has not agreed to this channel." in words_of(answer)


def test_message_is_stopped_in_place(reception, row):
    answer = reception.post(url(row, "stop"), headers=HTMX)

    assert "Not sent: a member of staff stopped it." in words_of(answer)
    assert "Stopped" in words_of(reception.get(url(row)))


@pytest.mark.parametrize(
    ("verb", "state", "said"),
    [("arrived", "sent", "Recorded: it arrived."), ("again", "due", "It goes out once more in a moment.")],
)
def test_uncertain_message_is_settled(reception, row, verb, state, said):
    put(row, state="uncertain", decision_reason="lost_in_flight", decided_at=NOW)

    answer = reception.post(url(row, verb), follow=True)

    row.refresh_from_db()
    assert (row.state, said in words_of(answer)) == (state, True)


def test_failed_message_is_taken_off_the_list(reception, row):
    put(row, state="failed", decision_reason="gave_up", decided_at=NOW)

    reception.post(url(row, "close"))

    assert "Seen to." in words_of(reception.get(url(row)))
    assert lines_of(reception.get(f"{LIST}?show=waiting")) == []


def test_reader_sees_no_acts(browser_of, row):
    reader, booker = browser_of(Role.ANALYST), browser_of(Role.RECEPTIONIST)

    assert (reader.get(url(row)).context["acts"], booker.get(url(row)).context["acts"]) == (
        {},
        {"send": True, "stop": True},
    )
