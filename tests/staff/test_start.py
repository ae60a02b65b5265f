"""How a clinic begins: founded by the operator or in the browser, with a guide through what it still needs."""

import re
from datetime import date, time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from audit.models import AuditEvent
from clinics.models import Clinic, Closure, OpeningHours, Role, StaffMember, User
from clinics.zones import guess_zone, zones_of
from courses.models import Protocol
from staff.guide import load_guide
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    RoomFactory,
    StaffMemberFactory,
    UserFactory,
    prescribe,
)
from tests.staff.conftest import BACKEND, NOW
from tests.staff.test_today import words_of

TYPED = {
    "name": "Clinic by the Sea",
    "country": "LV",
    "language": "en",
    "display_name": "Ilze",
    "is_treating": "on",
}


@pytest.fixture
def user(db):
    return UserFactory(email="ilze@example.com")


@pytest.fixture
def newcomer(user):
    newcomer = Browser()
    newcomer.force_login(user, backend=BACKEND)
    return newcomer


@pytest.fixture
def fresh(newcomer, user):
    """The browser of an owner who has just founded a clinic."""
    newcomer.post("/start/", TYPED)
    return newcomer


# ---------------------------------------------------------------- founding


def test_user_without_a_clinic_founds_one_and_is_its_owner(newcomer, user):
    assert 'href="/start/"' in newcomer.get("/").content.decode()

    response = newcomer.post("/start/", TYPED, follow=True)

    member = StaffMember.objects.select_related("clinic").get(user=user)
    clinic = member.clinic
    assert (member.role, member.display_name, member.is_treating) == (Role.OWNER, "Ilze", True)
    assert (clinic.name, clinic.country, clinic.time_zone) == ("Clinic by the Sea", "LV", "Europe/Riga")
    hours = OpeningHours.objects.for_clinic(clinic).values_list("weekday", "opens_time", "closes_time")
    assert list(hours) == [(day, time(9), time(18)) for day in (1, 2, 3, 4, 5)]
    assert {event.actor_code for event in AuditEvent.objects.for_clinic(clinic)} == {member.code}
    words = words_of(response)
    assert "Clinic by the Sea is founded. Its clock is that of Europe/Riga." in words
    assert "Set the clinic up 2 of 7 done" in words


def test_country_of_the_browsers_language_is_proposed(newcomer):
    page = newcomer.get("/start/", headers={"Accept-Language": "lv-LV,lv;q=0.9,en;q=0.8"})

    assert page.context["form"].initial == {"country": "LV", "language": "en"}


def test_time_zone_is_asked_for_where_a_country_has_several(newcomer):
    asked = newcomer.post("/start/", TYPED | {"country": "US"})

    assert asked.status_code == 422
    assert asked.context["form"].errors == {
        "time_zone": ["This country has several time zones. Choose the clinic's."]
    }
    assert 'value="Clinic by the Sea"' in asked.content.decode()
    assert not Clinic.objects.exists()
    assert (
        newcomer.post("/start/", TYPED | {"country": "US", "time_zone": "America/Chicago"}).status_code == 302
    )
    assert Clinic.objects.get().time_zone == "America/Chicago"


@pytest.mark.parametrize("field", ["name", "country", "display_name"])
def test_what_is_missing_is_named_and_the_rest_kept(newcomer, field):
    response = newcomer.post("/start/", TYPED | {field: ""})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Clinic.objects.exists()


def test_second_clinic_is_worked_in_at_once_and_offered_in_the_profile(reception):
    assert 'href="/start/"' in reception.get("/me/").content.decode()

    page = reception.post("/start/", TYPED, follow=True)

    assert "Clinic by the Sea" in words_of(page)
    assert StaffMember.objects.filter(role=Role.OWNER).count() == 1


def test_where_the_operator_forbids_it_nobody_founds_a_clinic(newcomer, settings):
    settings.ALLOW_NEW_CLINICS = False

    assert "/start/" not in newcomer.get("/").content.decode()
    assert [newcomer.get("/start/").status_code, newcomer.post("/start/", TYPED).status_code] == [403, 403]
    assert not Clinic.objects.exists()


def test_zones_follow_from_countries():
    assert [guess_zone(country) for country in ("LV", "DE", "US", "XX")] == [
        "Europe/Riga",
        "Europe/Berlin",
        "",
        "",
    ]
    assert "Africa/Ceuta" in zones_of("ES")
    assert zones_of("ZZ") == zones_of("XX") == ()


# ---------------------------------------------------------------- the guide


def test_guide_takes_each_step_from_the_rows(fresh, user):
    clinic = Clinic.objects.get()

    def states():
        return [step.is_done for step in load_guide(clinic).steps]

    assert states() == [True, False, True, False, False, False, False]
    Closure.objects.create(clinic=clinic, from_on=date(2026, 5, 1), to_on=date(2026, 5, 1))
    RoomFactory(clinic=clinic)
    protocol = ProtocolFactory(clinic=clinic)
    assert states() == [True, True, True, True, True, False, False]
    assert load_guide(clinic).next.url == "/clients/new/"
    client = ClientFactory(clinic=clinic)
    prescribe(now=NOW, member=StaffMember.objects.get(), client=client, protocol=protocol)

    assert load_guide(clinic).is_complete
    assert "The clinic is set up 7 of 7 done" in words_of(fresh.get("/"))
    assert "Setting up:" not in words_of(fresh.get("/clients/"))


def test_next_step_is_named_on_every_page_and_only_to_owners(fresh, log_in):
    colleague = StaffMemberFactory(clinic=Clinic.objects.get(), role=Role.RECEPTIONIST)

    assert "Setting up: 2 of 7 done. Next: Public holidays" in words_of(fresh.get("/clients/"))
    assert "Setting up: 2 of 7 done. All steps" in words_of(fresh.get("/settings/closures/holidays/"))
    assert "Set" not in words_of(log_in(colleague).get("/")).replace("Settings", "")


def test_guide_is_put_away_for_good(fresh):
    fresh.post("/start/close/")
    fresh.post("/start/close/")

    assert "Set the clinic up" not in words_of(fresh.get("/"))
    assert AuditEvent.objects.filter(action="clinic.guide_closed").count() == 1


def test_clinic_that_nobody_is_guided_through_costs_no_query(clinic, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert load_guide(clinic) is None


def test_protocols_are_picked_from_the_library_once(fresh):
    page = fresh.get("/start/protocols/")
    slugs = [line["slug"] for line in page.context["lines"]]

    nothing = fresh.post("/start/protocols/", {})
    picked = fresh.post("/start/protocols/", {"slugs": slugs[:2]})
    again = fresh.post("/start/protocols/", {"slugs": slugs[:3]})

    assert (nothing.status_code, nothing.context["form"].errors) == (422, {"slugs": ["Choose at least one."]})
    assert (picked.status_code, picked["Location"], again.status_code) == (302, "/", 302)
    assert sorted(Protocol.objects.values_list("slug", flat=True)) == sorted(slugs[:3])
    assert "there already" in words_of(fresh.get("/start/protocols/"))


# ---------------------------------------------------------------- the operator's command


def found(name="Clinic by the Sea", **options):
    said = StringIO()
    call_command(
        "found_clinic", name, **{"owner": "Ilze@Example.com", "country": "lv"} | options, stdout=said
    )
    return said.getvalue()


def test_operator_founds_a_clinic_and_the_owner_chooses_a_password(db, client, settings):
    said = found(owner_name="Ilze")

    owner = StaffMember.objects.select_related("clinic", "user").get()
    assert (owner.role, owner.display_name, owner.user.email) == (Role.OWNER, "Ilze", "ilze@example.com")
    assert owner.clinic.is_being_set_up
    link = re.search(rf"{re.escape(settings.BASE_URL)}(/accounts/\S+)", said)[1]
    assert client.get(link, follow=True).status_code == 200


def test_operator_is_told_what_is_wrong_and_nothing_is_founded(db):
    refusals = [
        ({"country": "US"}, "has several: America/Adak"),
        ({"country": "XX"}, "no country that is known"),
        ({"owner": "ilze"}, "--owner: "),
        ({"time_zone": "Europe/Nowhere"}, "is not a time zone"),
    ]
    for options, why in refusals:
        with pytest.raises(CommandError, match=why):
            found(**options)

    assert not Clinic.objects.exists()
    assert not User.objects.exists()


def test_operator_does_not_found_the_same_clinic_twice(db):
    found()

    with pytest.raises(CommandError, match="has a clinic of this name already"):
        found()
    assert "signs in as before" not in found("Another clinic")


def test_owner_of_two_clinics_signs_in_as_before(db):
    UserFactory(email="ilze@example.com", password="a-long-enough-password")

    assert "ilze@example.com signs in as before" in found()
    assert ClinicFactory._meta.model.objects.count() == 1
