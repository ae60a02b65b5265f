"""Settings, Protocols: what a clinic prescribes from, changed by new versions, retired and taken back."""

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import Role
from courses.models import Protocol
from courses.services import draft_of
from courses.services.library import load_library, read_library
from tests.factories import ProtocolFactory, actor_of
from tests.staff.conftest import HTMX, NOW
from tests.staff.test_today import words_of

LIST = "/settings/protocols/"
NEW = f"{LIST}new/"


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER)


def at(protocol, act=""):
    return f"{LIST}{protocol.code}/{act}"


def typed(page, **changes):
    """What the sheet of a page would send as it stands, with some fields typed anew."""
    sheets = [
        page.context["form"],
        *(row.form for row in page.context["phases"]),
        *page.context["conditions"],
    ]
    shown = {sheet[name].html_name: sheet[name].value() for sheet in sheets for name in sheet.fields}
    shown |= {
        "phase_count": len(page.context["phases"]),
        "condition_count": len(page.context["conditions"]),
        "do": "save",
    }
    return {name: "" if value is None else value for name, value in (shown | changes).items()}


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_library_is_loaded_at_once_and_only_what_is_missing(owner, clinic):
    empty = owner.get(LIST)
    owner.post(f"{LIST}load/")
    Protocol.objects.filter(slug="honey-massage").update(slug="ours", name_en="Ours")

    some = owner.get(LIST)
    loaded = said(owner.post(f"{LIST}load/"))
    again = said(owner.post(f"{LIST}load/"))

    assert "Load the library" in words_of(empty)
    assert "1 protocol of the library is not here." in words_of(some)
    assert {line.protocol.slug: line.origin for line in some.context["lines"]} == {
        "ours": "own",
        **{slug: "from the library" for slug in read_library() if slug != "honey-massage"},
    }
    assert (loaded[-1], again[-1]) == ("1 protocol is loaded.", "The whole library is here already.")


def test_list_says_what_each_prescribes_and_how_many_courses_run(owner, course, clinic):
    page = owner.get(LIST)
    with CaptureQueriesContext(connection) as one:
        owner.get(LIST)
    for number in range(2):
        ProtocolFactory(clinic=clinic, name_en=f"Other {number}")
    with CaptureQueriesContext(connection) as three:
        owner.get(LIST)

    assert len(one) == len(three)
    line = page.context["lines"][0]
    assert (line.words, line.running_words, line.running_url) == (
        "10–15 sessions, every 1–2 days, 30–60 minutes; then every 2 weeks for 1 year, 30–60 minutes",
        "1 course runs",
        "/courses/?protocol=manual",
    )


def test_saving_makes_a_version_and_courses_keep_theirs(owner, course, protocol):
    page = owner.get(at(protocol, "edit/"))

    answer = owner.post(
        at(protocol, "edit/"),
        typed(
            page, **{"phases-0-sessions_max": 12, "phases-0-minutes_by_session": "20, 25", "modality": "bed"}
        ),
    )

    current = Protocol.objects.get(is_current=True)
    course.refresh_from_db()
    assert answer["Location"] == at(current)
    assert (current.version, course.protocol_id) == (2, protocol.pk)
    new = draft_of(current)
    assert (new.phases[0].sessions_max, new.minutes_by_session, new.modality) == (12, ((20, 25), ()), "bed")
    assert new.conditions == draft_of(protocol).conditions
    shown = owner.get(at(current))
    assert [line.words for line in shown.context["versions"]] == [
        "changed: phases, minutes by session number, kind of treatment",
        "the first version",
    ]
    assert "1 course runs" in words_of(shown)
    old = owner.get(at(protocol))
    assert "This is version 1; version 2 is in force." in words_of(old)
    owner.post(at(protocol, "restore/"))
    assert draft_of(Protocol.objects.get(is_current=True, version=3)) == draft_of(protocol)


def test_lines_are_added_and_removed_and_keep_what_was_typed(owner, protocol):
    page = owner.get(at(protocol, "edit/"))
    sent = typed(page, name_en="Half typed", **{"conditions-0-name_en": "TB", "phases-0-period_max": "x"})

    step = owner.post(
        at(protocol, "edit/"), sent | {"do": "add-condition", "new_condition": "pregnancy"}, headers=HTMX
    )
    step = owner.post(at(protocol, "edit/"), typed(step) | {"do": "drop-1"})
    step = owner.post(at(protocol, "edit/"), typed(step) | {"do": "add"})
    step = owner.post(at(protocol, "edit/"), typed(step) | {"do": "remove-1"})

    assert step.status_code == 200
    assert step.context["form"]["name_en"].value() == "Half typed"
    assert [sheet["name_en"].value() for sheet in step.context["conditions"]] == ["TB", "Pregnancy"]
    assert [row.form["period_max"].value() for row in step.context["phases"]] == ["x", ""]
    assert Protocol.objects.count() == 1


def test_wrong_fields_are_named_and_keep_what_was_typed(owner, protocol):
    ProtocolFactory(clinic=protocol.clinic, name_en="Cupping")
    page = owner.get(at(protocol, "edit/"))
    wrong = {"name_en": "CUPPING", "conditions-1-name_en": " "}
    wrong_phases = {
        "phases-0-period_min": "",
        "phases-1-duration": 11,
        "phases-1-duration_unit": "years",
    }

    answer = owner.post(at(protocol, "edit/"), typed(page, **wrong))
    form_errors = owner.post(at(protocol, "edit/"), typed(page, **wrong_phases))

    assert (answer.status_code, form_errors.status_code) == (422, 422)
    assert answer.context["form"].errors == {"name_en": ["Another protocol has this name."]}
    assert answer.context["conditions"][1].errors == {"name_en": ["Name the condition, or remove its line."]}
    too_long = form_errors.context["phases"][1].form.errors
    assert too_long == {"duration": ["A phase lasts at most ten years."]}
    assert 'value="CUPPING"' in answer.content.decode()
    assert "This field is required." in words_of(form_errors)
    assert Protocol.objects.filter(slug="manual").count() == 1


def test_two_who_change_at_once_lose_nothing(owner, prescriber, log_in, protocol):
    page = owner.get(at(protocol, "edit/"))
    doctor = log_in(prescriber)
    doctor.post(at(protocol, "edit/"), typed(doctor.get(at(protocol, "edit/")), modality="theirs"))

    stale = owner.post(at(protocol, "edit/"), typed(page, modality="mine"))
    before = Protocol.objects.get(is_current=True).modality
    owner.post(at(protocol, "edit/"), typed(stale))

    assert stale.status_code == 422
    assert "Somebody has meanwhile changed this protocol: version 2 is in force." in words_of(stale)
    assert (before, Protocol.objects.get(is_current=True, version=3).modality) == ("theirs", "mine")


def test_copy_becomes_the_clinics_own(owner, clinic, prescriber):
    load_library(clinic=clinic, by=actor_of(prescriber), now=NOW)
    honey = Protocol.objects.get(slug="honey-massage")

    page = owner.get(f"{NEW}?from={honey.code}")
    owner.post(NEW, typed(page))

    own = Protocol.objects.get(slug="honey-massage-copy")
    assert (own.name_en, own.name_ru) == ("Honey massage (copy)", "Медовый массаж (копия)")
    assert draft_of(own).conditions == draft_of(honey).conditions
    assert draft_of(own).minutes_by_session == draft_of(honey).minutes_by_session
    assert owner.get(at(own)).context["line"].origin == "own"


def test_retired_protocol_stays_with_its_courses_and_comes_back(owner, prescriber, log_in, course, protocol):
    retired = said(owner.post(at(protocol, "retire/")))
    page = owner.get(LIST)
    offered = log_in(prescriber).get("/courses/new/").context["form"].fields["protocol"].queryset
    is_offered = protocol in offered
    filtered = owner.get("/courses/?protocol=manual")
    owner.post(at(protocol, "reopen/"))

    assert retired == [
        "Anti-cellulite massage is no longer prescribed.",
        "1 course goes on as prescribed.",
    ]
    assert ([line.protocol for line in page.context["retired"]], is_offered) == ([protocol], False)
    assert "Berzina" in words_of(filtered)
    assert [line.protocol for line in owner.get(LIST).context["lines"]] == [protocol]


def test_prescriber_finds_protocols_without_the_other_settings(log_in, prescriber, protocol):
    page = log_in(prescriber).get(LIST)

    assert f'href="{LIST}"' in page.content.decode()
    assert "/settings/clinic/" not in page.content.decode()
