"""The operator's pages: for superusers with a second step alone, without a word about clients, and read-only."""

import re
from datetime import UTC, datetime, time

import pytest
import time_machine
from allauth.account.internal.userkit import user_id_to_str
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from django.urls import reverse

from audit.models import AuditEvent
from clients.models import Channel
from clinics.models import Role, StaffMember, User
from operators.admin import site
from operators.naming import MODELS
from reminders.models import JobState, Reminder
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    StaffMemberFactory,
    UserFactory,
    book,
    prescribe,
)

NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
LISTS = [
    reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in site._registry
]
PAGES = ["/operator/", *LISTS]


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


def sign_in(user, *, second_step=False):
    browser = Browser()
    browser.force_login(user, backend=BACKEND)
    if second_step:
        session = browser.session
        session["account_authentication_methods"] = [{"method": "password"}, {"method": "mfa"}]
        session["account_authentication_methods_user"] = user_id_to_str(user)
        session.save()
    return browser


@pytest.fixture
def superuser(db):
    return UserFactory(email="op@example.com", is_superuser=True, is_staff=True)


@pytest.fixture
def operator(superuser):
    return sign_in(superuser, second_step=True)


@pytest.fixture
def clinic(db):
    return ClinicFactory(name="Kalnina Clinic")


@pytest.fixture
def owner(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.OWNER, user__email="ilze@example.com")


@pytest.fixture
def course(clinic):
    """A course of somebody of whom everything that could be shown can be searched for."""
    client = ClientFactory(
        clinic=clinic,
        given_name="Wilhelmine",
        family_name="Zvirbule",
        health_notes="Migraine with aura",
        search_text="wilhelmine zvirbule",
    )
    client.contact_points.filter(channel=Channel.EMAIL).update(value="wilhelmine@example.net")
    member = StaffMemberFactory(clinic=clinic)
    course = prescribe(
        now=datetime(2026, 3, 2, 4, tzinfo=UTC),
        member=member,
        client=client,
        protocol=ProtocolFactory(clinic=clinic),
    )
    book(course, NOW.date(), time(15), now=NOW)
    return course


def act(browser, model, action, *rows, **more):
    values = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0} | more
    return browser.post(reverse(f"admin:clinics_{model}_changelist"), values)


# ---------------------------------------------------------------- who gets in


@pytest.mark.parametrize("role", Role)
def test_staff_of_any_role_find_nothing_there(clinic, role):
    member = StaffMemberFactory(clinic=clinic, role=role)
    # A flag of Django's own gives nothing either, nor does a second step.
    User.objects.filter(pk=member.user.pk).update(is_staff=True)
    browser = sign_in(member.user, second_step=True)

    assert {browser.get(address).status_code for address in PAGES} == {404}


def test_strangers_are_sent_to_the_login(client, db):
    for address in (*PAGES, "/operator/login/"):
        response = client.get(address)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, "/accounts/login/")


def test_superuser_without_a_second_step_is_told_what_is_missing(superuser):
    browser = sign_in(superuser)
    without = browser.get("/operator/")
    TOTP.activate(superuser, generate_totp_secret())
    unused = browser.get("/operator/")

    assert (without.status_code, unused.status_code) == (403, 403)
    assert 'href="/accounts/2fa/totp/activate/"' in without.content.decode()
    assert "Sign out, then in again." in unused.content.decode()


def test_superuser_who_was_switched_off_gets_in_nowhere(superuser, operator):
    User.objects.filter(pk=superuser.pk).update(is_active=False)

    assert operator.get("/operator/").status_code == 302


def test_operator_sees_every_list(operator, course, owner):
    JobState.objects.create(job="tick", last_started_at=NOW)

    assert {address: operator.get(address).status_code for address in PAGES} == dict.fromkeys(PAGES, 200)
    assert operator.get(f"/operator/clinics/user/{owner.user.pk}/change/").status_code == 200


def test_every_list_and_column_has_a_name_of_its_own(db):
    unnamed = [
        f"{model._meta.label}.{name}"
        for model, page in site._registry.items()
        for name in {*page.list_display, *page.fields}
        if name in {field.name for field in model._meta.get_fields()} - MODELS[model._meta.label][2].keys()
    ]

    # The model has a name for that one, which forms use too.
    assert unnamed == ["clinics.User.email"]


def test_operator_reads_russian(operator, superuser, owner):
    superuser.language = "ru"
    superuser.save()

    page = operator.get("/operator/clinics/staffmember/").content.decode()

    assert re.findall(r"<h1>(.*?)</h1>", page) == ["Сотрудники"]
    assert re.findall(r'<div class="text">(?:<a[^>]*>)?([^<]+)', page) == [
        "Имя", "Учётная запись", "Клиника", "Роль", "Ведёт приём", "Есть доступ",
    ]  # fmt: skip


# ---------------------------------------------------------------- what they see and do not


def test_nothing_about_clients_is_shown_anywhere(operator, course, superuser):
    assert Reminder.objects.filter(course=course).exists()
    pages = []
    for model, page in site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listed = operator.get(reverse(f"{name}_changelist"))
        pages.append(listed.content.decode())
        for row in page.get_queryset(listed.wsgi_request)[:3]:
            for kind in ("change", "history", "delete"):
                shown = operator.get(reverse(f"{name}_{kind}", args=[row.pk]))
                assert shown.status_code == (403 if kind == "delete" else 200)
                pages.append(shown.content.decode())

    assert len(pages) > 20
    words = ("Wilhelmine", "Zvirbule", "wilhelmine@", "Migraine", str(course.client.code))
    assert [word for word in words for page in pages if word in page] == []
    # And no model that holds such a thing can be reached at all.
    apps = {model._meta.app_label for model in site._registry}
    assert apps == {"audit", "clinics", "reminders"}
    assert operator.get("/operator/clients/client/").status_code == 404


def test_pages_keep_to_the_strict_policy_and_are_not_kept(operator, owner):
    for address in (
        "/operator/",
        "/operator/clinics/user/",
        f"/operator/clinics/user/{owner.user.pk}/change/",
    ):
        response = operator.get(address)
        page = response.content.decode()
        assert "script-src 'self'" in response["Content-Security-Policy"]
        assert "unsafe" not in response["Content-Security-Policy"]
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=", page) == []
        assert [
            one for one in re.findall(r"<script[^>]*>", page) if "src=" not in one and "json" not in one
        ] == []
        assert "no-store" in response["Cache-Control"]


def test_nothing_can_be_added_changed_or_deleted(operator, owner, clinic):
    refused = {
        operator.get("/operator/clinics/user/add/").status_code,
        operator.post(f"/operator/clinics/clinic/{clinic.pk}/change/", {"name": "Mine"}).status_code,
        operator.post(f"/operator/clinics/user/{owner.user.pk}/delete/", {"post": "yes"}).status_code,
    }

    clinic.refresh_from_db()
    assert (refused, clinic.name) == ({403}, "Kalnina Clinic")
    assert not LogEntry.objects.exists()


def test_lists_take_the_same_queries_for_one_row_and_for_three(operator, owner, django_assert_num_queries):
    operator.get("/operator/clinics/staffmember/")
    with django_assert_num_queries(5):
        operator.get("/operator/clinics/staffmember/")
    StaffMemberFactory(clinic=ClinicFactory())
    StaffMemberFactory(clinic=ClinicFactory())

    with django_assert_num_queries(5):
        operator.get("/operator/clinics/staffmember/")


# ---------------------------------------------------------------- what they do


def test_login_is_switched_off_at_once_and_on_again_on_record(operator, superuser, owner, clinic):
    staff = sign_in(owner.user)
    assert staff.get("/").status_code == 200

    act(operator, "user", "switch_off", owner.user)

    assert staff.get("/").status_code == 302
    act(operator, "user", "switch_on", owner.user)
    assert sign_in(User.objects.get(pk=owner.user.pk)).get("/").status_code == 200
    events = AuditEvent.objects.filter(clinic_code=clinic.code, action__startswith="staff.login").order_by(
        "pk"
    )
    assert [(event.action, event.actor_kind, event.actor_code) for event in events] == [
        ("staff.login_off", "system", superuser.code),
        ("staff.login_on", "system", superuser.code),
    ]
    log = sign_in(owner.user).get("/settings/audit/").content.decode()
    assert "the operator" in log


def test_operator_does_not_shut_themselves_out(operator, superuser):
    response = act(operator, "user", "switch_off", superuser)

    superuser.refresh_from_db()
    assert superuser.is_active
    assert "This is your own login." in operator.get(response["Location"]).content.decode()


def test_second_step_is_reset_after_a_question(operator, owner):
    TOTP.activate(owner.user, generate_totp_secret())

    asked = act(operator, "user", "reset_second_step", owner.user)
    assert "Reset the second step of these logins?" in asked.content.decode()
    assert Authenticator.objects.filter(user=owner.user).exists()
    act(operator, "user", "reset_second_step", owner.user, sure="yes")
    act(operator, "user", "reset_second_step", owner.user, sure="yes")

    assert not Authenticator.objects.filter(user=owner.user).exists()
    assert AuditEvent.objects.filter(action="staff.second_step_reset").count() == 1


def test_deactivated_clinic_opens_to_nobody_until_it_is_reactivated(operator, owner, clinic):
    browser = sign_in(owner.user)

    assert "Everything is kept." in act(operator, "clinic", "deactivate", clinic).content.decode()
    assert browser.get("/").status_code == 200
    act(operator, "clinic", "deactivate", clinic, sure="yes")
    act(operator, "clinic", "deactivate", clinic, sure="yes")
    during = [browser.get("/").status_code, sign_in(owner.user).get("/").status_code]
    # Somebody who works elsewhere too works there.
    other = StaffMemberFactory(user=owner.user)
    elsewhere = browser.get("/")
    other.delete()
    act(operator, "clinic", "reactivate", clinic)

    assert during == [403, 403]
    assert elsewhere.context["member"].display_name == other.display_name
    assert browser.get("/").status_code == 200
    owner.refresh_from_db()
    assert owner.is_active
    trail = AuditEvent.objects.filter(subject_code=clinic.code, action__contains="activated").order_by("pk")
    assert list(trail.values_list("action", flat=True)) == ["clinic.deactivated", "clinic.reactivated"]


def test_clinic_is_shut_after_a_question_and_its_owners_let_in_again(operator, owner, clinic):
    colleague = StaffMemberFactory(clinic=clinic, role=Role.RECEPTIONIST)

    assert "Messages to clients go on being sent." in act(operator, "clinic", "shut", clinic).content.decode()
    assert StaffMember.objects.filter(is_active=True).count() == 2
    act(operator, "clinic", "shut", clinic, sure="yes")
    assert sign_in(owner.user).get("/").status_code == 403
    act(operator, "clinic", "let_in", clinic)

    owner.refresh_from_db()
    colleague.refresh_from_db()
    assert (owner.is_active, colleague.is_active) == (True, False)
    actions = AuditEvent.objects.filter(action__in=["clinic.shut", "clinic.let_in"]).order_by("pk")
    assert list(actions.values_list("action", "new")) == [
        ("clinic.shut", {"count": 2}),
        ("clinic.let_in", {"count": 1}),
    ]
