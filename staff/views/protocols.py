"""Settings, Protocols: the templates that courses are prescribed from. A change makes a new version."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinics.access import Capability
from courses import services
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import Protocol
from courses.selectors import running_by_protocol
from courses.services.library import load_library, read_library
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import attempt, show
from staff.prescribe_forms import (
    NEW_PHASE,
    PhaseForm,
    phase_forms,
    posted_phases,
    unsent_phase_forms,
)
from staff.prescribe_presenters import phase_rows
from staff.presenters import protocols as shown
from staff.protocol_forms import (
    ConditionForm,
    KnownConditionForm,
    ProtocolForm,
    condition_forms,
    conditions_initial,
    draft_initial,
    phases_initial,
    posted_conditions,
    typed_draft,
    unsent_condition_forms,
)

_LIST: Final = "staff/protocols/protocol_list.html"
_DETAIL: Final = "staff/protocols/protocol.html"
_EDIT: Final = "staff/protocols/protocol_edit.html"
_SHEET: Final = "staff/protocols/_protocol_sheet.html"
# Where a refusal of a verb belongs: conditions[2].name_en, phases[0].cadence.period_min, minutes_by_session[1].
_PLACE: Final = re.compile(r"(phases|conditions|minutes_by_session)\[(\d+)\](?:\.(?:.+\.)?(\w+))?")
# What a phase calls otherwise than its form does.
_ALIASES: Final = {"duration_days": "duration"}
_NAME_LENGTH: Final = 110

Line = dict[str, Any]


@dataclass
class _Writing:
    """A protocol as it is being written."""

    form: ProtocolForm
    phases: list[PhaseForm]
    conditions: list[ConditionForm]

    def is_valid(self) -> bool:
        # Every one is checked, so that all that is wrong is named at once.
        return not [sheet for sheet in (self.form, *self.phases, *self.conditions) if not sheet.is_valid()]

    def has_errors(self) -> bool:
        return any(sheet.errors for sheet in (self.form, *self.phases, *self.conditions))


@staff_page(read=Capability.PRESCRIBE)
def protocol_list(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    rows = Protocol.objects.for_clinic(clinic).filter(is_current=True)
    running, shipped = running_by_protocol(clinic), read_library()
    lines = sorted(
        (
            shown.protocol_line(
                row,
                services.draft_of(row),
                is_shipped=row.slug in shipped,
                running=running.get(row.slug, 0),
            )
            for row in rows.prefetch_related("phases", "contraindications")
        ),
        key=lambda line: line.name.casefold(),
    )
    context = {
        "lines": [line for line in lines if line.protocol.retired_at is None],
        "retired": [line for line in lines if line.protocol.retired_at],
        "missing": len(set(shipped) - {line.protocol.slug for line in lines}),
        "may_manage": may(request, Capability.MANAGE),
        "may_export": may(request, Capability.EXPORT),
    }
    return show(request, _LIST, _LIST, context)


@staff_page(write=Capability.PRESCRIBE)
def load(request: StaffRequest) -> HttpResponse:
    count = load_library(clinic=request.staff_member.clinic, by=acting(request), now=timezone.now())
    if count:
        loaded = ngettext("%(n)s protocol is loaded.", "%(n)s protocols are loaded.", count) % {"n": count}
        messages.success(request, loaded)
    else:
        messages.info(request, _("The whole library is here already."))
    return redirect("staff:protocol-list")


@staff_page(read=Capability.PRESCRIBE)
def show_protocol(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    protocol = _find(request, code)
    versions = [
        (row, services.draft_of(row))
        for row in Protocol.objects.for_clinic(protocol.clinic)
        .filter(slug=protocol.slug)
        .select_related("created_by")
        .prefetch_related("phases", "contraindications")
        .order_by("version")
    ]
    draft = next(draft for row, draft in versions if row.pk == protocol.pk)
    running = running_by_protocol(protocol.clinic).get(protocol.slug, 0)
    context = {
        "protocol": protocol,
        "line": shown.protocol_line(
            protocol, draft, is_shipped=protocol.slug in read_library(), running=running
        ),
        "badge": shown.state_badge(protocol),
        "phases": shown.phase_lines(draft),
        "groups": shown.condition_groups(list(protocol.contraindications.all())),
        "summaries": shown.language_texts(protocol, "summary"),
        "preparations": shown.language_texts(protocol, "preparation"),
        "order": shown.order_words(protocol),
        "versions": shown.version_lines(
            versions, protocol, today=local_today(protocol.clinic, timezone.now())
        ),
        "current": next(row for row, _draft in versions if row.is_current),
    }
    return show(request, _DETAIL, _DETAIL, context)


def _find(request: StaffRequest, code: uuid.UUID) -> Protocol:
    protocols = Protocol.objects.for_clinic(request.staff_member.clinic).select_related("clinic")
    return get_object_or_404(protocols, code=code)


def _current(protocol: Protocol) -> Protocol:
    versions = Protocol.objects.for_clinic(protocol.clinic).select_related("clinic")
    return versions.get(slug=protocol.slug, is_current=True)


# ---------------------------------------------------------------- writing


@staff_page(read=Capability.PRESCRIBE, write=Capability.PRESCRIBE)
def new_protocol(request: StaffRequest) -> HttpResponse:
    """Write a protocol of the clinic's own, from nothing or as a copy of another."""
    if request.method != "POST":
        return _show_sheet(request, _start(_copied(request)))
    writing = _posted(request)
    if request.POST.get("do") == "save" and writing.is_valid():
        try:
            protocol = services.create_protocol(
                clinic=request.staff_member.clinic,
                draft=_typed(writing),
                by=acting(request),
                now=timezone.now(),
            )
        except CourseError as error:
            _add_refusals(writing, error)
        else:
            messages.success(request, _("The protocol is saved. It can be prescribed now."))
            return redirect("staff:protocol-detail", protocol.code)
    return _show_sheet(request, writing)


@staff_page(read=Capability.PRESCRIBE, write=Capability.PRESCRIBE)
def edit_protocol(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Write the next version, from the one in force."""
    current = _current(_find(request, code))
    if request.method != "POST":
        writing = _start(services.draft_of(current), known=current.code)
        return _show_sheet(request, writing, protocol=current)
    writing = _posted(request)
    if request.POST.get("do") == "save" and writing.is_valid():
        try:
            saved = services.revise_protocol(
                protocol=_looked_at(writing, current),
                draft=_typed(writing),
                by=acting(request),
                now=timezone.now(),
            )
        except CourseError as error:
            _add_refusals(writing, error)
            if error.code == "protocol_changed":
                writing.form.renew_known(_current(current).code)
        else:
            words = _("Version %(version)s is in force. Courses that run keep theirs.")
            messages.success(request, words % {"version": saved.version})
            return redirect("staff:protocol-detail", saved.code)
    return _show_sheet(request, writing, protocol=current)


def _looked_at(writing: _Writing, current: Protocol) -> Protocol:
    """Return the version that the page showed; one that is none of this protocol's counts as outdated."""
    known = writing.form.cleaned_data["known"]
    if known == current.code:
        return current
    versions = Protocol.objects.for_clinic(current.clinic).filter(slug=current.slug).select_related("clinic")
    return versions.filter(code=known).first() or versions.exclude(pk=current.pk).first() or current


def _copied(request: StaffRequest) -> services.ProtocolDraft | None:
    """Return the protocol that the address names, under a name of its own."""
    try:
        code = uuid.UUID(request.GET.get("from", ""))
    except ValueError:
        return None
    draft = services.draft_of(_find(request, code))
    names = {"en": draft.name_en, "ru": draft.name_ru}
    for language, name in names.items():
        with translation.override(language):
            names[language] = name and _("%(name)s (copy)") % {"name": name[:_NAME_LENGTH]}
    return replace(draft, name_en=names["en"], name_ru=names["ru"])


def _start(draft: services.ProtocolDraft | None, *, known: uuid.UUID | None = None) -> _Writing:
    if draft is None:
        first = NEW_PHASE | {"kind": "intensive", "period_min": 1, "period_max": 2}
        return _Writing(ProtocolForm(), unsent_phase_forms([first]), [])
    return _Writing(
        ProtocolForm(initial=draft_initial(draft) | {"known": known}),
        unsent_phase_forms(phases_initial(draft)),
        unsent_condition_forms(conditions_initial(draft)),
    )


def _posted(request: StaffRequest) -> _Writing:
    """Return what was typed, with the phase or the condition added or removed as asked."""
    data, todo = request.POST, request.POST.get("do", "")
    if todo == "save":
        return _Writing(ProtocolForm(data), phase_forms(data), condition_forms(data))
    phases: list[Line] = posted_phases(data)
    conditions: list[Line] = posted_conditions(data)
    if todo == "add":
        phases.append(dict(NEW_PHASE))
    elif todo == "add-condition":
        conditions.append(_named_condition(request))
    elif todo.startswith("remove-"):
        phases = _without(phases, todo.removeprefix("remove-"))
    elif todo.startswith("drop-"):
        conditions = _without(conditions, todo.removeprefix("drop-"))
    typed = {name: data.get(name, "") for name in ProtocolForm.base_fields}
    return _Writing(
        ProtocolForm(initial=typed), unsent_phase_forms(phases), unsent_condition_forms(conditions)
    )


def _without(lines: Sequence[Line], index: str) -> list[Line]:
    return [line for number, line in enumerate(lines) if str(number) != index]


def _named_condition(request: StaffRequest) -> Line:
    known = services.known_conditions(request.staff_member.clinic)
    chosen = request.POST.get("new_condition", "")
    name_en, name_ru = known.get(chosen, ("", ""))
    condition = chosen if chosen in known else ""
    return {"condition": condition, "name_en": name_en, "name_ru": name_ru, "strength": "temporary"}


def _typed(writing: _Writing) -> services.ProtocolDraft:
    return typed_draft(writing.form, writing.phases, writing.conditions)


def _add_refusals(writing: _Writing, error: CourseError) -> None:
    """Put each refusal at its field, and what concerns no field above them all."""
    lines: Mapping[str, Sequence[PhaseForm | ConditionForm]] = {
        "phases": writing.phases,
        "minutes_by_session": writing.phases,
        "conditions": writing.conditions,
    }
    if not error.fields:
        writing.form.add_error(None, error.message)
    for field, text in error.fields.items():
        place = _PLACE.fullmatch(field)
        sheet = lines[place[1]][int(place[2])] if place else writing.form
        name = (place[3] or place[1]) if place else field
        name = _ALIASES.get(name, name)
        if name in sheet.fields:
            sheet.add_error(name, text)
        else:
            writing.form.add_error(None, text)


def _show_sheet(
    request: StaffRequest, writing: _Writing, *, protocol: Protocol | None = None
) -> HttpResponse:
    known = services.known_conditions(request.staff_member.clinic)
    used = [str(condition["condition"].value() or "") for condition in writing.conditions]
    context = {
        "form": writing.form,
        "phases": phase_rows(writing.phases),
        "conditions": writing.conditions,
        "known_conditions": KnownConditionForm(known=known, used=used),
        "protocol": protocol,
        "name": protocol.name_in(translation.get_language() or "en") if protocol else "",
        "has_errors": writing.has_errors(),
    }
    return show(request, _EDIT, _SHEET, context, status=422 if writing.has_errors() else 200)


# ---------------------------------------------------------------- out of use and back


@staff_page(write=Capability.PRESCRIBE)
def restore(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Put an earlier version in force again, as a new one."""
    earlier = _find(request, code)
    with attempt(request) as tried:
        saved = services.revise_protocol(
            protocol=_current(earlier),
            draft=services.draft_of(earlier),
            by=acting(request),
            now=timezone.now(),
        )
    if tried.is_refused:
        return redirect("staff:protocol-detail", code)
    words = _("What version %(old)s said is in force again, as version %(version)s.")
    messages.success(request, words % {"old": earlier.version, "version": saved.version})
    return redirect("staff:protocol-detail", saved.code)


@staff_page(write=Capability.PRESCRIBE)
def retire(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    protocol = _find(request, code)
    with attempt(request) as tried:
        services.retire_protocol(protocol=protocol, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        name = protocol.name_in(translation.get_language() or "en")
        messages.success(request, _("%(name)s is no longer prescribed.") % {"name": name})
        if running := running_by_protocol(protocol.clinic).get(protocol.slug, 0):
            words = ngettext(
                "%(n)s course goes on as prescribed.", "%(n)s courses go on as prescribed.", running
            )
            messages.info(request, words % {"n": running})
    return redirect("staff:protocol-list")


@staff_page(write=Capability.PRESCRIBE)
def reopen(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    protocol = _find(request, code)
    with attempt(request) as tried:
        services.reopen_protocol(protocol=protocol, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        name = protocol.name_in(translation.get_language() or "en")
        messages.success(request, _("%(name)s can be prescribed again.") % {"name": name})
    return redirect("staff:protocol-list")
