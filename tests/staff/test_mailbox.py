"""The demonstration's mailbox: newest first, one's own clinic, harmless, and nowhere but in a demonstration."""

from datetime import timedelta

import pytest

from clinics.models import Role
from reminders.channels.kept import KEPT_EMAIL
from reminders.models import KeptMessage
from tests.factories import ClinicFactory
from tests.staff.conftest import NOW
from tests.staff.test_today import words_of

BOX = "/demo/mailbox/"


@pytest.fixture
def demo(settings):
    settings.DEMO = True


def keep(clinic, subject, *, minutes=0, html="", **fields):
    return KeptMessage.objects.create(
        **fields,
        clinic=clinic,
        from_header="Kalnina Clinic <clinic@example.com>",
        to_header="anna@example.com",
        subject=subject,
        text=f"{subject} in full\nhttps://example.com/yes",
        html=html,
        kept_at=NOW + timedelta(minutes=minutes),
    )


def test_mails_are_listed_newest_first(demo, reception, clinic):
    keep(clinic, "Tomorrow", minutes=1)
    keep(None, "New password", minutes=2)
    keep(ClinicFactory(), "Abroad", minutes=3)
    keep(clinic, "Missed", minutes=0)

    page = reception.get(BOX).context["page"]

    assert [mail.subject for mail in page] == ["New password", "Tomorrow", "Missed"]


def test_list_costs_the_same_with_one_and_three_mails(
    demo, reception, clinic, django_assert_num_queries, django_assert_max_num_queries
):
    keep(clinic, "One")
    with django_assert_max_num_queries(10) as counted:
        reception.get(BOX)
    keep(clinic, "Two")
    keep(clinic, "Three")

    with django_assert_num_queries(len(counted.captured_queries)):
        reception.get(BOX)


@pytest.mark.parametrize(
    ("backend", "bar", "lead"),
    [
        (KEPT_EMAIL, "no message leaves this machine.", "None has left this machine."),
        (
            "django.core.mail.backends.smtp.EmailBackend",
            "invented people. E-mail goes out through the mail server that was set up.",
            "What was kept of this demonstration, newest first.",
        ),
    ],
)
def test_pages_of_a_demonstration_say_where_mail_goes(demo, reception, settings, backend, bar, lead):
    settings.EMAIL_BACKEND = backend

    words = words_of(reception.get(BOX))

    assert bar in words
    assert lead in words
    assert ("leaves this machine" in words) == ("left this machine" in words) == (backend == KEPT_EMAIL)


def test_empty_mailbox_teaches(demo, reception):
    assert "No mail yet" in words_of(reception.get(BOX))


def test_mail_shows_its_text_and_frames_its_html(demo, reception, clinic):
    mail = keep(clinic, "Tomorrow", html="<p>Hello</p><script>alert(1)</script>")

    answer = reception.get(f"{BOX}{mail.code}/")

    page = answer.content.decode()
    assert "Tomorrow in full" in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "<script>alert" not in page
    assert "frame-src 'self'" in answer["Content-Security-Policy"]


def test_html_of_a_mail_can_do_nothing(demo, reception, clinic):
    mail = keep(clinic, "Tomorrow", html="<p>Hello</p><script>alert(1)</script>")

    answer = reception.get(f"{BOX}{mail.code}/html/")

    rules = {part.strip() for part in answer["Content-Security-Policy"].split(";")}
    assert answer.content == mail.html.encode()
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert {"default-src 'none'", "script-src 'none'", "form-action 'none'"} <= rules
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in rules
    assert "frame-ancestors 'self'" in rules


def test_mail_without_html_has_no_frame(demo, reception, clinic):
    mail = keep(clinic, "Plain")

    assert "<iframe" not in reception.get(f"{BOX}{mail.code}/").content.decode()
    assert reception.get(f"{BOX}{mail.code}/html/").status_code == 404


def test_mail_of_another_clinic_is_not_found(demo, reception):
    mail = keep(ClinicFactory(), "Abroad", html="<p>x</p>")

    assert reception.get(f"{BOX}{mail.code}/").status_code == 404
    assert reception.get(f"{BOX}{mail.code}/html/").status_code == 404


def test_messages_of_every_channel_lie_together_and_apart(demo, reception, clinic):
    keep(clinic, "By mail", minutes=1)
    keep(clinic, "By SMS", minutes=2, channel="sms")

    def subjects(query):
        return [mail.subject for mail, _ in reception.get(f"{BOX}{query}").context["lines"]]

    assert subjects("") == ["By SMS", "By mail"]
    assert subjects("?channel=sms") == ["By SMS"]
    assert subjects("?channel=pigeon") == ["By SMS", "By mail"]
    assert "Nothing on this channel yet" in words_of(reception.get(f"{BOX}?channel=telegram"))


def test_sms_is_a_bubble(demo, reception, clinic):
    sms = keep(clinic, "Soon", channel="sms")

    page = reception.get(f"{BOX}{sms.code}/").content.decode()

    assert '<p class="bubble">Soon in full' in page
    assert "<iframe" not in page


def test_files_are_named_and_saved(demo, reception, clinic):
    files = [
        ["visit.ics", "text/calendar; method=REQUEST", "BEGIN:VCALENDAR"],
        ["a.bin", "x/y;base64", "AP8="],
    ]
    mail = keep(clinic, "Tomorrow", attachments=files, headers={"List-Unsubscribe": "<https://e.example/u>"})

    page = words_of(reception.get(f"{BOX}{mail.code}/"))
    calendar, binary = (reception.get(f"{BOX}{mail.code}/files/{place}/") for place in (0, 1))

    assert "visit.ics" in page
    assert "List-Unsubscribe" in page
    assert (calendar.content, calendar["Content-Type"]) == (
        b"BEGIN:VCALENDAR",
        "text/calendar; method=REQUEST",
    )
    assert calendar["Content-Disposition"] == 'attachment; filename="visit.ics"'
    assert (binary.content, binary["Content-Type"]) == (b"\x00\xff", "x/y")
    assert calendar["X-Content-Type-Options"] == "nosniff"


def test_file_that_is_not_there_or_not_ours_is_not_found(demo, reception, clinic):
    mail = keep(clinic, "Plain")
    foreign = keep(ClinicFactory(), "Abroad", attachments=[["a", "x/y", "1"]])

    assert reception.get(f"{BOX}{mail.code}/files/0/").status_code == 404
    assert reception.get(f"{BOX}{foreign.code}/files/0/").status_code == 404


def test_there_is_no_mailbox_outside_a_demonstration(reception, clinic):
    mail = keep(clinic, "Tomorrow", html="<p>x</p>", attachments=[["a", "x/y", "1"]])
    paths = ("", f"{mail.code}/", f"{mail.code}/html/", f"{mail.code}/files/0/")

    assert {reception.get(f"{BOX}{path}").status_code for path in paths} == {404}


@pytest.mark.parametrize("verb", ["post", "put", "delete"])
def test_mailbox_is_only_read(demo, reception, verb):
    assert getattr(reception, verb)(BOX).status_code == 405


def test_mailbox_asks_for_a_login(demo, client):
    assert client.get(BOX)["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("role", Role)
def test_every_role_may_look(demo, browser_of, role):
    assert browser_of(role).get(BOX).status_code == 200
