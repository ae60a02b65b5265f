"""Reports: the same figures as on the page."""

from datetime import date
from typing import Any, ClassVar, Final

from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.describing import Operation
from api.serializers.base import read_day
from api.serializers.reports import FiguresAnswer
from api.views.base import ClinicApiView
from clinics.models import Scope
from courses.convert import local_today
from reports.core import Period
from reports.selectors import Scope as ReportScope
from reports.selectors import period_figures

MOST_DAYS: Final = 366
_DAY: Final[dict[str, Any]] = {"type": "string", "format": "date"}


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
