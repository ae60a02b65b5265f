"""Reports: the same figures as on their pages."""

from datetime import date
from typing import Any, ClassVar, Final

from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.describing import Operation
from api.filters import practitioners
from api.serializers.base import read_code, read_day
from api.serializers.reports import FiguresAnswer, ReportAnswer, ReportListAnswer
from api.views.base import ClinicApiView
from clinics.models import Clinic, Scope, StaffMember
from courses.convert import local_today
from courses.models import Protocol
from reports.catalogue import CATALOGUE, Entry
from reports.core import WEEKS_AHEAD, Period, usual_periods
from reports.selectors import Scope as ReportScope
from reports.selectors import period_figures

MOST_DAYS: Final = 366
_DAY: Final[dict[str, Any]] = {"type": "string", "format": "date"}
_USUAL_WEEKS: Final = 12


class FiguresView(ClinicApiView):
    operations: ClassVar = {
        "GET": Operation(
            "reports_figures",
            "Reports",
            "The figures of a period",
            FiguresAnswer,
            examples.FIGURES,
            scope=Scope.REPORTS,
            text=f"Days after today count nothing yet. A period has at most {MOST_DAYS} days.",
            parameters={
                "from_on": (_DAY, "The first day."),
                "to_on": (_DAY, "The last day, included."),
            },
            required=("from_on", "to_on"),
        )
    }

    def get(self, request: Request) -> Response:
        asked = self.refuse_unknown_parameters(self.operations["GET"].parameters)
        period = _period(asked)
        today = local_today(self.clinic, timezone.now())
        figures = period_figures(ReportScope(self.clinic, period, today))
        shown = {name: getattr(figures, name) for name in figures.__slots__}
        return Response(self.show({"from_on": period.from_on, "to_on": period.to_on, **shown}))


class ReportsView(ClinicApiView):
    operations: ClassVar = {
        "GET": Operation(
            "reports_list",
            "Reports",
            "The reports there are",
            ReportListAnswer,
            examples.REPORTS,
            scope=Scope.REPORTS,
            text="All of them on one page. Words are in the language that Accept-Language asks for.",
        )
    }

    def get(self, request: Request) -> Response:
        self.refuse_unknown_parameters()
        return Response(self.show({"results": list(CATALOGUE.values())}))


class ReportView(ClinicApiView):
    operations: ClassVar = {
        "GET": Operation(
            "reports_read",
            "Reports",
            "One report",
            ReportAnswer,
            examples.REPORT,
            scope=Scope.REPORTS,
            text="Figures and tables as its page and its files have them, with what each of them means. Without days it is "
            f"about the period that its page begins with; a period has at most {MOST_DAYS} days. Staff are named in it, "
            "clients never.",
            refusals=(404,),
            parameters={
                "from_on": (_DAY, "The first day; of reports about a period."),
                "to_on": (_DAY, "The last day, included; of reports about a period."),
                "weeks": (
                    {"type": "integer", "enum": list(WEEKS_AHEAD)},
                    "How many weeks to look ahead, this one included; of `forecast` only.",
                ),
                "protocol": (
                    {"type": "string", "pattern": "^[-a-zA-Z0-9_]{1,60}$"},
                    "Only what any version of this protocol prescribed, by its slug.",
                ),
                "practitioner": (
                    {"type": "string", "format": "uuid"},
                    "Only what is one practitioner's, by code.",
                ),
            },
        )
    }

    def get(self, request: Request, report: str) -> Response:
        if report not in CATALOGUE:
            raise Http404
        entry = CATALOGUE[report]
        asked = self.refuse_unknown_parameters(self.operations["GET"].parameters)
        scope = _scope(self.clinic, entry, asked)
        found = entry.build(scope)
        is_about_days = bool(entry.period)
        shown = {
            **{name: getattr(entry, name) for name in ("slug", "title", "question")},
            **{name: getattr(found, name) for name in ("figures", "tables", "notes", "is_empty")},
            "from_on": scope.period.from_on if is_about_days else None,
            "to_on": scope.period.to_on if is_about_days else None,
            "weeks": None if is_about_days else scope.weeks,
            "protocol": scope.protocol.slug if scope.protocol else None,
            "practitioner": scope.practitioner.code if scope.practitioner else None,
        }
        return Response(self.show(shown))


def _scope(clinic: Clinic, entry: Entry, asked: dict[str, str]) -> ReportScope:
    """Return whose figures of which days are asked for, as the report's page would understand it.

    Raises: ValidationError by name.
    """
    today = local_today(clinic, timezone.now())
    usual = usual_periods(today)[entry.period or "thirty"]
    if entry.period:
        if "weeks" in asked:
            raise ValidationError({"weeks": ["This report is about days: give from_on and to_on."]})
        usual_days = {"from_on": usual.from_on.isoformat(), "to_on": usual.to_on.isoformat()}
        period, weeks = _period(usual_days | asked), _USUAL_WEEKS
    else:
        if surplus := [name for name in ("from_on", "to_on") if name in asked]:
            raise ValidationError({surplus[0]: ["This report looks ahead from today: give weeks."]})
        period, weeks = usual, _weeks(asked.get("weeks", str(_USUAL_WEEKS)))
    return ReportScope(
        clinic=clinic,
        period=period,
        today=today,
        protocol=_protocol(clinic, asked.get("protocol")),
        practitioner=_practitioner(clinic, asked.get("practitioner")),
        weeks=weeks,
    )


def _period(asked: dict[str, str]) -> Period:
    """Return the period asked for.

    Raises: ValidationError by name.
    """
    days: dict[str, date] = {}
    for name in ("from_on", "to_on"):
        day = read_day(asked.get(name))
        if day is None:
            raise ValidationError({name: ["Write a date that exists as YYYY-MM-DD."]})
        days[name] = day
    length = (days["to_on"] - days["from_on"]).days + 1
    if not 1 <= length <= MOST_DAYS:
        raise ValidationError({"to_on": [f"Choose a period of 1 to {MOST_DAYS} days."]})
    return Period(days["from_on"], days["to_on"])


def _weeks(asked: str) -> int:
    if asked not in [str(count) for count in WEEKS_AHEAD]:
        raise ValidationError({"weeks": [f"Choose one of {', '.join(map(str, WEEKS_AHEAD))}."]})
    return int(asked)


def _protocol(clinic: Clinic, slug: str | None) -> Protocol | None:
    if slug is None:
        return None
    # A null byte is no text to the database.
    current = Protocol.objects.for_clinic(clinic).filter(is_current=True)
    found = current.filter(slug=slug).first() if slug.isprintable() else None
    if found is None:
        raise ValidationError({"protocol": ["There is no protocol in force with this slug in this clinic."]})
    return found


def _practitioner(clinic: Clinic, code: str | None) -> StaffMember | None:
    if code is None:
        return None
    known = read_code(code)
    found = practitioners(clinic).filter(code=known).first() if known else None
    if found is None:
        raise ValidationError({"practitioner": ["There is no practitioner with this code in this clinic."]})
    return found
