"""The two pure functions that anybody may call, and whatever else is asked for."""

from typing import Any, ClassVar, Final

from django.conf import settings
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import examples
from api.describing import Operation
from api.parsers import OperationParser
from api.views.base import DescribedView
from courses.core.plan_wire import answer_plan
from courses.core.wire import answer_assess

_OBJECT: Final[dict[str, Any]] = {"type": "object"}


class OperationView(DescribedView):
    """A pure function of the request: no login, no cookie, no row, so nothing to protect but the processor."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (OperationParser,)
    # Their refusals are the commands' own, to the letter.
    answers_plainly = True


class AssessView(OperationView):
    throttle_scope = "assess"
    operations: ClassVar = {
        "POST": Operation(
            "assess",
            "Calculations",
            "Assess a course",
            _OBJECT,
            examples.ASSESSED,
            text="Takes a course as JSON and answers its state, gaps, measures, findings and the day of the next "
            "check. Nothing is stored.",
            body=_OBJECT,
            body_example=examples.ASSESS,
        )
    }

    def post(self, request: Request) -> Response:
        return Response(answer_assess(request.data))


class PlanView(OperationView):
    throttle_scope = "plan"
    operations: ClassVar = {
        "POST": Operation(
            "plan",
            "Calculations",
            "Plan the sessions ahead",
            _OBJECT,
            examples.PLANNED,
            text="Takes what `assess` takes and the hours, people and rooms; answers slots, cost and notes. "
            "Nothing is stored.",
            body=_OBJECT,
            body_example=examples.PLAN,
        )
    }

    def post(self, request: Request) -> Response:
        return Response(answer_plan(request.data, most_steps=settings.PLAN_MOST_STEPS))


class UnknownView(APIView):
    """Whatever else is asked for: as JSON too, as programs ask here."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    schema = None
    # There is no token yet of which anything could be told.
    answers_plainly = True

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise NotFound
