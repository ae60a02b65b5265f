"""The demonstration's mailbox: newest first, one's own clinic, harmless, and nowhere but in a demonstration."""

from datetime import timedelta

import pytest

from clinics.models import Role
from reminders.models import KeptMessage
from tests.factories import ClinicFactory
from tests.staff.conftest import NOW
from tests.staff.test_today import words_of

BOX = "/demo/mailbox/"


@pytest.fixture
def demo(settings):
    settings.DEMO = True


def keep(clinic, subject, *, minutes=0, html=""):
    return KeptMessage.objects.create(
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


def test_empty_mailbox_teaches(demo, reception):
    assert "No mail yet" in words_of(reception.get(BOX))


def test_mail_shows_its_text_and_frames_its_html(demo, reception, clinic):
    mail = keep(clinic, "Tomorrow", html="<p>Hello</p><script>alert(1)</script>")

    answer = reception.get(f"{BOX}{mail.code}/")

    page = answer.content.decode()
    assert "Tomorrow in full" in page
    assert 'sandbox=""' in page
    assert "<script>alert" not in page
    assert "frame-src 'self'" in answer["Content-Security-Policy"]


def test_html_of_a_mail_can_do_nothing(demo, reception, clinic):
    mail = keep(clinic, "Tomorrow", html="<p>Hello</p><script>alert(1)</script>")

    answer = reception.get(f"{BOX}{mail.code}/html/")

    rules = {part.strip() for part in answer["Content-Security-Policy"].split(";")}
    assert answer.content == mail.html.encode()
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert {"default-src 'none'", "script-src 'none'", "form-action 'none'", "sandbox"} <= rules
    assert "frame-ancestors 'self'" in rules


def test_mail_without_html_has_no_frame(demo, reception, clinic):
    mail = keep(clinic, "Plain")

    assert "<iframe" not in reception.get(f"{BOX}{mail.code}/").content.decode()
    assert reception.get(f"{BOX}{mail.code}/html/").status_code == 404


def test_mail_of_another_clinic_is_not_found(demo, reception):
    mail = keep(ClinicFactory(), "Abroad", html="<p>x</p>")

    assert reception.get(f"{BOX}{mail.code}/").status_code == 404
    assert reception.get(f"{BOX}{mail.code}/html/").status_code == 404


def test_there_is_no_mailbox_outside_a_demonstration(reception, clinic):
    mail = keep(clinic, "Tomorrow", html="<p>x</p>")

    assert [
        reception.get(f"{BOX}{path}").status_code for path in ("", f"{mail.code}/", f"{mail.code}/html/")
    ] == [
        404,
        404,
        404,
    ]


@pytest.mark.parametrize("verb", ["post", "put", "delete"])
def test_mailbox_is_only_read(demo, reception, verb):
    assert getattr(reception, verb)(BOX).status_code == 405


def test_mailbox_asks_for_a_login(demo, client):
    assert client.get(BOX)["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("role", Role)
def test_every_role_may_look(demo, browser_of, role):
    assert browser_of(role).get(BOX).status_code == 200
