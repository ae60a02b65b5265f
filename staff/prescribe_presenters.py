"""A prescription being written, and its preview, in words; everything here is handed its rows and runs no query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.forms import BoundField, Form
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from clinics.core import ClinicCalendar
from courses.core.assess import assess
from courses.core.ribbon import EndFlag, RibbonFacts, gather_ribbon
from courses.core.types import PhaseSpec, Prescription, SessionRecord
from courses.models import ProtocolContraindication
from courses.prescription_words import prescription_words
from courses.services import CourseDraft, CoursePreview, Objection
from staff.course_presenters import open_span_words
from staff.planning_presenters import PreviewLine, note_sentences, preview_lines
from staff.planning_words import span_words
from staff.prescribe_forms import PhaseForm
from staff.templatetags.interface import day


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase's sentence with its place among the others."""

    form: PhaseForm
    index: int
    number: int
    more: tuple[BoundField, ...]
    errors: tuple[tuple[str, str], ...]
    is_more_open: bool


_MORE = ("rest_days", "flex_days", "grace_days", "lapse_days", "minutes_by_session")


def phase_rows(forms: Sequence[PhaseForm]) -> list[PhaseRow]:
    return [
        PhaseRow(
            form,
            index,
            index + 1,
            tuple(form[name] for name in _MORE),
            tuple(
                (str(form[name].label), " ".join(map(str, errors)))
                for name, errors in form.errors.items()
                if name in form.fields
            ),
            any(form[name].value() not in (None, "") for name in _MORE),
        )
        for index, form in enumerate(forms)
    ]


def wrong_fields(form: Form, phases: Sequence[PhaseForm]) -> list[str]:
    """Return the names of what is missing or wrong."""
    names = [str(form[name].label) for name in form.errors if name in form.fields]
    for number, phase in enumerate(phases, 1):
        names += [
            _("phase %(number)s: %(field)s") % {"number": number, "field": phase[name].label}
            for name in phase.errors
            if name in phase.fields
        ]
    return names if phases else [*names, _("at least one phase")]


def sentence(phases: Sequence[PhaseSpec]) -> str:
    return capfirst(prescription_words(phases)) + "."


@dataclass(frozen=True, slots=True)
class ObjectionRow:
    """A recorded condition that speaks against the protocol, with what may be done about it."""

    condition: str
    name: str
    when: str
    is_blocking: bool
    reason: str
    proposal: str


def objection_rows(
    objections: Sequence[Objection],
    known: Sequence[ProtocolContraindication],
    overrides: Mapping[str, str],
    *,
    today: date,
) -> list[ObjectionRow]:
    """Return the conditions found, those that block first."""
    language = get_language() or "en"
    names = {row.condition: row.name_in(language) for row in known}
    rows = [
        ObjectionRow(
            found.condition,
            names.get(found.condition, found.condition),
            open_span_words(found.from_on, found.to_on, today=today),
            found.strength == "permanent",
            overrides.get(found.condition, ""),
            _("Start after %(day)s, or pause until then.") % {"day": day(found.to_on, today)}
            if found.to_on and found.strength == "temporary"
            else "",
        )
        for found in objections
    ]
    return sorted(rows, key=lambda row: not row.is_blocking)


def preview_parts(
    draft: CourseDraft,
    preview: CoursePreview,
    calendar: ClinicCalendar,
    people: Mapping[str, str],
    *,
    today: date,
    most: int,
) -> dict[str, Any]:
    """Return what the preview shows: totals, the ribbon, the dates with their reasons, warnings and notes."""
    lines, more = preview_lines(preview.plan, people, today=today, shown=most)
    outside = sum(planned.days_outside > 0 for planned in preview.plan.planned)
    return {
        "total": _total(preview, today=today),
        "outside": ngettext(
            "%(n)s session outside its window", "%(n)s sessions outside their windows", outside
        )
        % {"n": outside}
        if outside
        else "",
        "ribbon": _ribbon(draft, preview, calendar, today=today),
        "lines": lines,
        "rest": _rest(preview, people, more, today=today),
        "warnings": preview.warnings,
        "notes": note_sentences(preview.plan, today=today),
    }


def _total(preview: CoursePreview, *, today: date) -> str:
    planned = preview.plan.planned
    if not planned:
        return _("No session could be planned.")
    sessions = ngettext("%(n)s session", "%(n)s sessions", len(planned)) % {"n": len(planned)}
    # The dates stay outside the plural: 41 sessions have the form of one in some languages.
    return f"{sessions}: {span_words(planned[0].on, planned[-1].on, today=today)}"


def _rest(preview: CoursePreview, people: Mapping[str, str], more: int, *, today: date) -> list[PreviewLine]:
    everything, _none = preview_lines(preview.plan, people, today=today, shown=len(preview.plan.planned))
    return everything[len(everything) - more :] if more else []


def _ribbon(
    draft: CourseDraft, preview: CoursePreview, calendar: ClinicCalendar, *, today: date
) -> RibbonFacts:
    """Return the ribbon of the plan as if it were booked."""
    prescription = Prescription(draft.start_on, draft.phases)
    records = [SessionRecord(planned.on, "booked") for planned in preview.plan.planned]
    lead_days = draft.clinic.booking_lead_days
    assessment = assess(prescription, records, (), (), calendar, lead_days, today=today)
    facts = gather_ribbon(prescription, records, (), calendar, assessment, today=today)
    # Here all of the course is planned: its end is the last date, not the projection of one phase.
    return replace(facts, end=EndFlag(records[-1].on, "projected")) if records else facts


def with_targets(forms: Sequence[PhaseForm], before: Sequence[PhaseSpec]) -> list[PhaseSpec]:
    """Return the phases typed; a number of sessions decided before stays decided where it still fits."""
    specs = []
    for index, form in enumerate(forms):
        spec = form.spec()
        target = before[index].target if index < len(before) and before[index].kind == spec.kind else None
        is_fitting = target is not None and (spec.sessions_min or 0) <= target <= (spec.sessions_max or 0)
        specs.append(replace(spec, target=target) if is_fitting else spec)
    return specs
