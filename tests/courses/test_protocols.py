"""A clinic's own protocols: new versions, what each refuses, and what a retired one still allows."""

from dataclasses import replace

import pytest

from audit.models import AuditEvent
from audit.services import SYSTEM
from courses.models import Protocol
from courses.services import (
    ConditionDraft,
    ProtocolDraft,
    create_protocol,
    draft_of,
    reopen_protocol,
    retire_protocol,
    revise_protocol,
)
from courses.services.library import load_library
from tests.courses.build import MONDAY, refused
from tests.factories import actor_of, intensive, maintenance, prescribe

DRAFT = ProtocolDraft(
    name_en=" Cupping ",
    name_ru="",
    phases=(intensive(), maintenance()),
    minutes_by_session=((20, 25, 30), ()),
    conditions=(
        ConditionDraft("permanent", "Pregnancy"),
        ConditionDraft("temporary", "", "Свежий загар"),
    ),
    preparation_en="Come rested.\r\nDrink water.",
    same_day_order=("Mechanical bed", "massage", "massage"),
)


def events(protocol):
    first = Protocol.objects.get(slug=protocol.slug, version=1)
    return list(
        AuditEvent.objects.filter(subject_code=first.code).order_by("pk").values_list("action", "new")
    )


def test_protocol_is_made_changed_retired_and_taken_back(clinic, by, member):
    protocol = create_protocol(clinic=clinic, draft=DRAFT, by=by, now=MONDAY)
    saved = draft_of(protocol)

    assert (protocol.slug, protocol.version, protocol.created_by) == ("cupping", 1, member)
    assert saved == replace(
        DRAFT,
        name_en="Cupping",
        conditions=(
            # A condition that the library names goes under the library's word: clients' records match by it.
            ConditionDraft("permanent", "Pregnancy", "", "pregnancy"),
            ConditionDraft("temporary", "Свежий загар", "Свежий загар", "condition"),
        ),
        preparation_en="Come rested.\nDrink water.",
        same_day_order=("mechanical_bed", "massage"),
    )

    course = prescribe(member=member, protocol=protocol)
    revised = revise_protocol(
        protocol=protocol,
        draft=replace(saved, phases=(intensive(),), minutes_by_session=()),
        by=by,
        now=MONDAY,
    )
    again = revise_protocol(protocol=revised, draft=draft_of(revised), by=by, now=MONDAY)
    retire_protocol(protocol=revised, by=by, now=MONDAY)
    retire_protocol(protocol=protocol, by=by, now=MONDAY)

    course.refresh_from_db()
    assert (revised.version, again.pk, course.protocol) == (2, revised.pk, protocol)
    assert list(Protocol.objects.order_by("version").values_list("is_current", "retired_at")) == [
        (False, None),
        (True, MONDAY),
    ]
    assert reopen_protocol(protocol=revised, by=by, now=MONDAY).retired_at is None
    assert events(protocol) == [
        ("protocol.created", {"version": 1}),
        ("protocol.revised", {"version": 2, "fields": ["phases", "minutes_by_session"]}),
        ("protocol.retired", {"version": 2}),
        ("protocol.reopened", {"version": 2}),
    ]


def test_names_and_slugs_stay_apart(clinic, by):
    load_library(clinic=clinic, by=SYSTEM, now=MONDAY)
    honey = Protocol.objects.get(slug="honey-massage")
    retire_protocol(protocol=honey, by=by, now=MONDAY)

    # The name of a retired one is free, until it is to come back; the library's slug never is.
    own = create_protocol(clinic=clinic, draft=replace(DRAFT, name_en="HONEY massage"), by=by, now=MONDAY)
    russian = create_protocol(
        clinic=clinic, draft=replace(DRAFT, name_en="", name_ru="Банки"), by=by, now=MONDAY
    )
    other = replace(
        DRAFT, name_en="", name_ru="Банки 2", conditions=(ConditionDraft("caution", "", "Загар"),)
    )
    second = create_protocol(clinic=clinic, draft=other, by=by, now=MONDAY)

    assert (own.slug, russian.slug, russian.name_en, second.slug) == (
        "honey-massage-2",
        "protocol",
        "Банки",
        "protocol-2",
    )
    # “condition” is taken by what the first one calls a fresh tan.
    assert second.contraindications.get().condition == "condition_2"
    with refused("protocol_name_taken", "name_en"):
        reopen_protocol(protocol=honey, by=by, now=MONDAY)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name_en": " "}, ["name_en"]),
        ({"name_en": "anti-CELLULITE massage", "modality": "x" * 61}, ["modality", "name_en"]),
        ({"name_en": "One\ntwo", "summary_ru": "x" * 2001}, ["name_en", "summary_ru"]),
        ({"phases": ()}, ["minutes_by_session", "phases"]),
        ({"phases": (intensive(minutes_max=601), maintenance())}, ["phases[0].minutes_max"]),
        ({"minutes_by_session": ((), (0,))}, ["minutes_by_session[1]"]),
        ({"same_day_order": [f"treatment {n}" for n in range(13)]}, ["same_day_order"]),
        (
            {"conditions": (ConditionDraft("deadly", ""), ConditionDraft("caution", "x" * 161))},
            ["conditions[0].name_en", "conditions[0].strength", "conditions[1].name_en"],
        ),
        (
            {"conditions": (ConditionDraft("caution", "Fever"), ConditionDraft("temporary", "FEVER"))},
            ["conditions[1].name_en"],
        ),
        ({"conditions": [ConditionDraft("caution", f"c {n}") for n in range(61)]}, ["conditions"]),
    ],
)
def test_what_cannot_be_saved_is_named_by_field(clinic, by, protocol, changes, fields):
    draft = replace(DRAFT, **changes)

    with refused("bad_protocol", *fields):
        create_protocol(clinic=clinic, draft=draft, by=by, now=MONDAY)


def test_version_that_somebody_else_changed_is_not_lost(protocol, by, member, client_row):
    theirs = revise_protocol(protocol=protocol, draft=DRAFT, by=by, now=MONDAY)
    stale = Protocol.objects.select_related("clinic").get(pk=protocol.pk)

    with refused("protocol_changed"):
        revise_protocol(protocol=stale, draft=replace(DRAFT, modality="bed"), by=by, now=MONDAY)

    retire_protocol(protocol=theirs, by=by, now=MONDAY)
    with refused("protocol_retired"):
        revise_protocol(protocol=theirs, draft=replace(DRAFT, modality="bed"), by=by, now=MONDAY)
    theirs.refresh_from_db()
    with refused("protocol_retired", "protocol"):
        prescribe(member=member, client=client_row, protocol=theirs)


def test_only_prescribers_of_the_clinic_change_protocols(clinic, protocol, receptionist, foreign_member):
    for by in (receptionist, actor_of(foreign_member), SYSTEM):
        verbs = (
            (create_protocol, {"clinic": clinic, "draft": DRAFT}),
            (revise_protocol, {"protocol": protocol, "draft": DRAFT}),
            (retire_protocol, {"protocol": protocol}),
            (reopen_protocol, {"protocol": protocol}),
        )
        for verb, arguments in verbs:
            with refused("prescriber_required"):
                verb(**arguments, by=by, now=MONDAY)
