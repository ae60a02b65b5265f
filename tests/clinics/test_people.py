"""Staff are invited, changed and deactivated; a clinic never loses its last owner."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEvent
from audit.services import SYSTEM
from clinics.models import Role, StaffMember, User
from clinics.services import (
    change_staff_member,
    deactivate_staff_member,
    invite_staff_member,
    reactivate_staff_member,
)
from courses.errors import CourseError
from tests.factories import ClinicFactory, StaffMemberFactory, UserFactory
from tests.races import race, shared_database

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


@pytest.fixture
def clinic(db):
    return ClinicFactory(language="ru")


@pytest.fixture
def owner(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.OWNER, display_name="Ilze", is_treating=False)


def invite(clinic, email="eva@example.com", role=Role.ANALYST, name="Eva"):
    return invite_staff_member(clinic=clinic, email=email, role=role, display_name=name, by=SYSTEM, now=NOW)


def change(member, **values):
    kept = {name: getattr(member, name) for name in ("role", "display_name", "is_treating")}
    return change_staff_member(member=member, by=SYSTEM, now=NOW, **{**kept, **values})


def trail():
    return list(AuditEvent.objects.order_by("pk").values_list("action", "old", "new"))


def test_invited_person_gets_a_login_that_no_password_opens(clinic):
    member = invite(clinic, email=" Eva@Example.com ")

    assert (member.role, member.display_name, member.is_active) == ("analyst", "Eva", True)
    assert (member.user.email, member.user.language) == ("eva@example.com", "ru")
    assert not member.user.has_usable_password()
    assert trail() == [("clinic.staff_added", {}, {"member": str(member.code), "role": "analyst"})]


def test_invited_person_with_a_login_keeps_it(clinic):
    user = UserFactory(email="eva@example.com", password="a-long-enough-password")

    member = invite(clinic)

    assert member.user == user
    assert User.objects.get().check_password("a-long-enough-password")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "there@example.com"}, "email"),
        ({"role": "wizard"}, "role"),
        ({"name": " "}, "display_name"),
    ],
)
def test_impossible_invitation_is_refused_at_its_field_and_leaves_nothing(clinic, values, field):
    invite(clinic, email="there@example.com")

    with pytest.raises(ValidationError) as refused:
        invite(clinic, **values)

    assert list(refused.value.message_dict) == [field]
    assert (StaffMember.objects.count(), User.objects.count(), AuditEvent.objects.count()) == (1, 1, 1)


def test_change_is_on_record_without_the_name(clinic, owner):
    member = StaffMemberFactory(clinic=clinic, role=Role.ANALYST, is_treating=False)

    change(member, role=Role.PRESCRIBER, display_name=" Dr Eva ", is_treating=True)
    change(StaffMember.objects.get(pk=member.pk))

    member.refresh_from_db()
    assert (member.role, member.display_name, member.is_treating) == ("prescriber", "Dr Eva", True)
    assert trail() == [
        (
            "staff.changed",
            {"role": "analyst", "is_treating": False},
            {"role": "prescriber", "is_treating": True, "fields": ["display_name"]},
        )
    ]


def test_member_goes_and_comes_back(clinic, owner):
    member = StaffMemberFactory(clinic=clinic)

    for verb in (deactivate_staff_member, deactivate_staff_member, reactivate_staff_member):
        verb(member=member, by=SYSTEM, now=NOW)

    member.refresh_from_db()
    assert member.is_active
    assert trail() == [("staff.deactivated", {}, {}), ("staff.reactivated", {}, {})]


@pytest.mark.parametrize("others", [[], ["inactive"], ["elsewhere"], ["locked_out"]])
def test_last_owner_stays(clinic, owner, others):
    for other in others:
        StaffMemberFactory(
            clinic=ClinicFactory() if other == "elsewhere" else clinic,
            role=Role.OWNER,
            is_active=other != "inactive",
            user__is_active=other != "locked_out",
        )

    for refused in (
        lambda: deactivate_staff_member(member=owner, by=SYSTEM, now=NOW),
        lambda: change(owner, role=Role.ANALYST),
    ):
        with pytest.raises(ValidationError, match="last owner"):
            refused()

    owner.refresh_from_db()
    assert (owner.role, owner.is_active, trail()) == ("owner", True, [])


def test_owner_among_others_may_go(clinic, owner):
    StaffMemberFactory(clinic=clinic, role=Role.OWNER)

    change(owner, role=Role.ANALYST)

    assert trail() == [("staff.changed", {"role": "owner"}, {"role": "analyst"})]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_owners_who_end_each_others_access_leave_one(tmp_path):
    clinic = ClinicFactory()
    owners = [StaffMemberFactory(clinic=clinic, role=Role.OWNER) for _ in range(4)]

    def end(member):
        try:
            deactivate_staff_member(member=StaffMember.objects.get(pk=member.pk), by=SYSTEM, now=NOW)
        except ValidationError as error:
            raise CourseError("refused", code=error.code) from error

    with shared_database(tmp_path):
        outcome = race([lambda owner=owner: end(owner) for owner in owners])
        left = StaffMember.objects.filter(is_active=True).count()

    assert (outcome, left) == ({"won": 3, "last_owner": 1}, 1)
