"""Settings, People: who works here; they are invited by mail, changed, and lose and regain their access."""

import re
import smtplib
from datetime import time, timedelta

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    generate_totp_secret,
)
from django.core.mail import EmailMessage
from django.utils import translation

from audit.models import AuditEvent
from clinics.models import Role, StaffMember
from tests.factories import StaffMemberFactory, book
from tests.staff.conftest import NOW, THURSDAY, TODAY
from tests.staff.test_today import words_of

LIST = "/settings/people/"
NEW = f"{LIST}new/"
EVA = {"display_name": "Eva", "email": "Eva@example.com", "role": "practitioner", "is_treating": "on"}


@pytest.fixture
def ilze(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.OWNER, display_name="Ilze", is_treating=False)


@pytest.fixture
def owner(ilze, log_in):
    return log_in(ilze)


def page_of(member):
    return f"{LIST}{member.code}/"


# ---------------------------------------------------------------- list


def test_list_tells_roles_second_steps_and_last_sign_in(owner, ilze, clinic):
    TOTP.activate(ilze.user, generate_totp_secret())
    RecoveryCodes.activate(ilze.user)
    StaffMemberFactory(clinic=clinic, role=Role.PRESCRIBER, display_name="Dr Ozola", signed_in_at=THURSDAY)
    StaffMemberFactory(clinic=clinic, role=Role.ANALYST, display_name="Eva", is_active=False)

    response = owner.get(LIST)

    told = {
        line.member.display_name: (
            line.role,
            line.second_step and line.second_step.label,
            line.badge.label,
            line.is_self,
        )
        for line in [*response.context["here"], *response.context["gone"]]
    }
    assert told == {
        "Ilze": ("Owner", "On", "Active", True),
        "Dr Ozola": ("Prescriber", "Off", "Active", False),
        "Eva": ("Analyst", None, "No access", False),
    }
    words = words_of(response)
    assert "Last signed in Mon 9 Mar, 10:00" in words
    assert "Last signed in Thu 5 Mar, 10:00" in words
    assert "Second step – not known yet Last signed in never" in words
    assert "Without access E Eva" in words


def test_list_costs_the_same_however_many(
    owner, clinic, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_max_num_queries(15) as counted:
        owner.get(LIST)
    StaffMemberFactory.create_batch(3, clinic=clinic)

    with django_assert_num_queries(len(counted.captured_queries)):
        owner.get(LIST)


# ---------------------------------------------------------------- invitation


def test_added_person_chooses_a_password_by_the_link_in_the_mail(owner, clinic, mailoutbox, client):
    response = owner.post(NEW, EVA, follow=True)

    assert "The link to sign in went to their e-mail address." in words_of(response)
    member = StaffMember.objects.get(clinic=clinic, display_name="Eva")
    assert (member.role, member.is_treating, member.user.email) == ("practitioner", True, "eva@example.com")
    [mail] = mailoutbox
    assert mail.to == ["eva@example.com"]
    assert mail.subject == "Your access to Regimen"
    assert "You now have access to the pages of Kalnina Clinic." in mail.body
    # When the link is followed, it asks for a password, and afterwards that password opens the clinic
    path = re.search(r"http://testserver(/\S+)", mail.body).group(1)
    form = client.get(path, follow=True)
    client.post(
        form.redirect_chain[-1][0], {"password1": "nine-green-herons", "password2": "nine-green-herons"}
    )
    client.post("/accounts/login/", {"login": "eva@example.com", "password": "nine-green-herons"})
    assert client.get("/").status_code == 200
    assert "This link is used up" in client.get(path, follow=True).content.decode()


def test_mail_to_somebody_with_a_login_leads_to_it(owner, mailoutbox):
    StaffMemberFactory(user__email="eva@example.com", user__password="x" * 12, user__language="ru")

    owner.post(NEW, EVA)

    [mail] = mailoutbox
    assert "http://testserver/accounts/login/" in mail.body
    assert "Теперь у вас есть доступ к страницам клиники: Kalnina Clinic." in mail.body


def test_address_with_a_login_elsewhere_looks_like_one_without(owner, clinic, log_in):
    elsewhere = StaffMemberFactory(user__email="eva@example.com", user__password="x" * 12)
    TOTP.activate(elsewhere.user, generate_totp_secret())
    browser = log_in(elsewhere)

    owner.post(NEW, EVA)
    owner.post(NEW, EVA | {"email": "new@example.com", "display_name": "New"}, follow=True)
    eva, new = (StaffMember.objects.get(clinic=clinic, display_name=name) for name in ("Eva", "New"))
    # The second factor is set up anew in the other clinic meanwhile.
    RecoveryCodes.activate(elsewhere.user)
    told = [words_of(owner.get(page_of(member))).partition("Signing in")[2] for member in (eva, new)]

    assert told[0] == told[1]
    assert "Second step not known yet Last signed in never" in told[0]
    assert not AuditEvent.objects.filter(subject_code=eva.code, action="staff.recovery_codes_made").exists()
    # Once they work here, this clinic is told what guards the login, and nothing of their other days.
    browser.post("/me/clinic/", {"member": str(eva.code)})
    assert "Second step On Last signed in Mon 9 Mar, 10:00" in words_of(owner.get(page_of(eva)))


def test_sign_in_is_noted_for_the_clinic_it_opens_only(clinic, log_in):
    here = StaffMemberFactory(clinic=clinic)
    there = StaffMemberFactory(user=here.user)

    log_in(here)

    here.refresh_from_db()
    there.refresh_from_db()
    assert (here.signed_in_at, there.signed_in_at) == (NOW, None)


def test_mail_that_does_not_go_is_said_and_sent_again(owner, mailoutbox, monkeypatch, caplog):
    def refuse(self, fail_silently=False):
        raise smtplib.SMTPRecipientsRefused({"eva@example.com": (550, b"no such user")})

    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", refuse)
        response = owner.post(NEW, EVA, follow=True)
    member = StaffMember.objects.get(display_name="Eva")
    again = owner.post(f"{page_of(member)}invite/", follow=True)

    assert "The mail with the link did not go out." in words_of(response)
    assert caplog.messages == [f"Invitation of {member.code} was not sent: SMTPRecipientsRefused"]
    assert "The link to sign in went to their e-mail address." in words_of(again)
    assert len(mailoutbox) == 1
    assert AuditEvent.objects.filter(action="staff.invited", subject_code=member.code).count() == 1


def test_address_that_is_there_already_is_refused_at_the_field(owner, ilze, mailoutbox):
    response = owner.post(NEW, EVA | {"email": ilze.user.email.upper()})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["email"]
    assert 'value="Eva"' in response.content.decode()
    assert mailoutbox == []


# ---------------------------------------------------------------- changes


def test_person_is_changed(owner, prescriber):
    response = owner.post(
        page_of(prescriber), {"display_name": "Dr Liepa", "role": "practitioner", "is_treating": "on"}
    )

    prescriber.refresh_from_db()
    assert response["Location"] == LIST
    assert (prescriber.display_name, prescriber.role, prescriber.is_treating) == (
        "Dr Liepa",
        "practitioner",
        True,
    )


def test_last_owner_is_kept_and_told(owner, ilze):
    demoted = owner.post(page_of(ilze), {"display_name": "Ilze", "role": "analyst"})
    deactivated = owner.post(f"{page_of(ilze)}deactivate/", follow=True)

    assert demoted.status_code == 422
    assert list(demoted.context["form"].errors) == ["role"]
    assert "last owner. Make somebody else an owner first." in words_of(deactivated)
    ilze.refresh_from_db()
    assert (ilze.role, ilze.is_active) == ("owner", True)


def test_coming_sessions_are_said_before_and_after(owner, prescriber, course, room):
    book(course, TODAY + timedelta(days=1), time(11), now=NOW, room=room)

    before = words_of(owner.get(page_of(prescriber)))
    after = words_of(owner.post(f"{page_of(prescriber)}deactivate/", follow=True))

    assert "1 session is booked with them. What is booked stays so until somebody moves it." in before
    assert "Dr Ozola has no access any more." in after
    assert "1 coming session is still booked with them: move it or give it to somebody else." in after


def test_access_ends_at_once_and_is_given_back(owner, clinic, log_in):
    member = StaffMemberFactory(clinic=clinic, role=Role.RECEPTIONIST, is_treating=False)
    browser = log_in(member)
    address = page_of(member)

    statuses = [browser.get("/").status_code]
    owner.post(f"{address}deactivate/")
    statuses.append(browser.get("/").status_code)
    owner.post(f"{address}reactivate/")
    statuses.append(browser.get("/").status_code)

    assert statuses == [200, 403, 200]


def test_owner_who_steps_down_is_not_sent_to_a_closed_page(owner, ilze, clinic):
    StaffMemberFactory(clinic=clinic, role=Role.OWNER)

    response = owner.post(page_of(ilze), {"display_name": "Ilze", "role": "analyst"})

    assert response["Location"] == "/"


def test_no_link_goes_to_somebody_without_access(owner, clinic, mailoutbox):
    member = StaffMemberFactory(clinic=clinic, is_active=False)

    owner.post(f"{page_of(member)}invite/")

    assert mailoutbox == []


@pytest.mark.parametrize("address", [LIST, NEW])
def test_pages_read_russian(owner, ilze, address):
    ilze.user.language = "ru"
    ilze.user.save()

    with translation.override("en"):
        words = words_of(owner.get(address)).partition("Журнал действий")[2] or words_of(owner.get(address))

    assert [word for word in ("People", "Second", "Role", "Add", "signed", "Owner") if word in words] == []


# ---------------------------------------------------------------- absences


def test_absence_is_added_with_what_it_hits_and_removed(owner, prescriber, course, room):
    book(course, TODAY + timedelta(days=1), time(11), now=NOW, room=room)
    address = f"{page_of(prescriber)}absences/"

    added = owner.post(
        address, {"from_on": "2026-03-10", "to_on": "2026-03-12", "reason": "leave"}, follow=True
    )
    absence = prescriber.absences.get()
    removed = owner.post(f"{address}{absence.code}/remove/", follow=True)
    gone = owner.post(f"{address}{absence.code}/remove/", follow=True)

    assert "Tue 10 Mar – Thu 12 Mar leave" in words_of(added)
    assert "1 session is booked with them on these days" in words_of(added)
    assert "The absence is removed." in words_of(removed)
    assert "This absence is gone already." in words_of(gone)


def test_absence_upside_down_is_refused_at_its_field_and_kept_as_typed(owner, prescriber):
    answer = owner.post(
        f"{page_of(prescriber)}absences/", {"from_on": "2026-03-12", "to_on": "2026-03-10", "reason": "leave"}
    )

    assert answer.status_code == 422
    assert list(answer.context["absence_form"].errors) == ["to_on"]
    assert 'value="leave"' in answer.content.decode()
    assert not prescriber.absences.exists()
