from typing import ClassVar

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.authentication import HasScope, TokenAuthentication
from api.parsers import OperationParser
from api.serializers import ClinicAnswer
from api.throttling import OperationThrottle
from clinics.models import ApiToken, Scope
from courses.core.plan_wire import answer_plan
from courses.core.wire import answer_assess


class OperationView(APIView):
    """A pure function of the request: no login, no cookie, no row, so nothing to protect but the processor."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (OperationParser,)
    throttle_classes = (OperationThrottle,)


class AssessView(OperationView):
    throttle_scope = "assess"

    @extend_schema(
        operation_id="assess", request=OpenApiTypes.OBJECT, responses={200: OpenApiTypes.OBJECT}, auth=[]
    )
    def post(self, request: Request) -> Response:
        """Assess a course given as JSON: state, gaps, measures, findings, next check."""
        return Response(answer_assess(request.data))


class PlanView(OperationView):
    throttle_scope = "plan"

    @extend_schema(
        operation_id="plan", request=OpenApiTypes.OBJECT, responses={200: OpenApiTypes.OBJECT}, auth=[]
    )
    def post(self, request: Request) -> Response:
        """Plan the sessions ahead of a course given as JSON: slots, cost, notes."""
        return Response(answer_plan(request.data, most_steps=settings.PLAN_MOST_STEPS))


class ClinicApiView(APIView):
    """An operation on one clinic's rows: the clinic of the token, and no other."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (HasScope,)
    throttle_classes = (OperationThrottle,)
    throttle_scope = "token"
    # The scope that each verb asks for.
    scopes: ClassVar[dict[str, Scope]] = {}

    def finalize_response(
        self, request: Request, response: Response, *args: object, **kwargs: object
    ) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        # Health data: no cache on the way keeps a copy.
        answer.headers["Cache-Control"] = "no-store"
        return answer


class ClinicView(ClinicApiView):
    scopes: ClassVar[dict[str, Scope]] = {"GET": Scope.READ}

    @extend_schema(operation_id="clinic", responses={200: ClinicAnswer})
    def get(self, request: Request) -> Response:
        """Say whose token this is, and what it may do until when."""
        token = request.auth
        assert isinstance(token, ApiToken)
        return Response(ClinicAnswer({"clinic": token.clinic, "token": token}).data)


class UnknownView(APIView):
    """Whatever else is asked for: as JSON too, as programs ask here."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    schema = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise NotFound
