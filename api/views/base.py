"""What operations on a clinic's rows have in common: whose they are, pages, ETags, and deeds that are done once."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.http import parse_etags
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.authentication import HasScope, TokenAuthentication, key_of
from api.cursors import read_page
from api.describing import Operation, Schema
from api.errors import ChangedError, ReusedKeyError
from api.filters import narrowed
from api.parsers import BodyParser
from api.serializers.base import Answer as AnswerShape
from api.throttling import OperationThrottle
from audit.services import Actor
from clinics.answered import Answer, OtherRequestError, find_answer, hold_request, keep_answer
from clinics.models import ApiToken, Clinic, Scope
from clinics.tokens import actor_of_token

_LONGEST_NAME = 200


class OnlyJson(BaseContentNegotiation):
    """Answers JSON whatever is accepted: a program that asks here can read nothing else."""

    def select_parser(self, request: Request, parsers: list[BaseParser]) -> BaseParser | None:  # type: ignore[override]
        named = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type in (named, "*/*")), None)

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], str(renderers[0].media_type)


class DescribedView(APIView):
    """A view whose verbs are described by `operations`."""

    schema = Schema()
    throttle_classes = (OperationThrottle,)
    operations: ClassVar[Mapping[str, Operation]] = {}

    def finalize_response(
        self, request: Request, response: Response, *args: object, **kwargs: object
    ) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        # Health data: no cache on the way keeps a copy.
        answer.headers["Cache-Control"] = "no-store"
        if counted := getattr(self, "counted_by", None):
            for name, value in counted.headers().items():
                answer.headers[name] = value
        return answer

    def options(self, request: Request, *args: object, **kwargs: object) -> Response:  # type: ignore[override]  # the framework's own request
        """Say which verbs there are."""
        return Response(status=204)


class ClinicApiView(DescribedView):
    """An operation on one clinic's rows: the clinic of the token, and no other."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (HasScope,)
    parser_classes: Sequence[type[BaseParser]] = (BodyParser,)
    content_negotiation_class = OnlyJson
    throttle_scope = "token"
    # Whether equal ETags stand for answers equal to the byte.
    is_exact: ClassVar[bool] = True

    @property
    def scopes(self) -> dict[str, Scope]:
        """The scope that each verb asks for."""
        return {verb: told.scope for verb, told in self.operations.items() if told.scope}

    @property
    def token(self) -> ApiToken:
        token = self.request.auth
        assert isinstance(token, ApiToken)
        return token

    @property
    def clinic(self) -> Clinic:
        return self.token.clinic

    @property
    def by(self) -> Actor:
        return actor_of_token(self.token)

    def context(self) -> dict[str, Any]:
        return {"clinic": self.clinic, "request": self.request}

    def shape(self) -> type[AnswerShape]:
        """Return what the verb asked for answers."""
        shape = self.operations["GET" if self.request.method == "HEAD" else str(self.request.method)].answer
        return cast("type[AnswerShape]", shape)

    def show(self, value: Any) -> dict[str, Any]:
        """Return a value in the shape of the answer, as JSON values."""
        return dict(self.shape()(value, context=self.context()).data)

    def typed(self) -> dict[str, Any]:
        """Return what was sent.

        Raises: ValidationError by field.
        """
        body = self.operations[str(self.request.method)].body
        assert isinstance(body, type)
        serializer = body(data=self.request.data, context=self.context())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def refuse_unknown_parameters(self, known: Mapping[str, object] | None = None) -> dict[str, str]:
        """Return the query's values by name; a name that nobody listens to is refused, so is an empty value."""
        wrong: dict[str, list[str]] = {}
        for name, values in self.request.query_params.lists():
            if name not in (known or {}):
                wrong[name] = ["There is no such parameter here."]
            elif len(values) > 1 or not values[0].strip():
                wrong[name] = ["Give one value, or leave it out."]
        if wrong:
            raise ValidationError(wrong)
        return {name: str(value) for name, value in self.request.query_params.items()}

    def lasting(self, data: Any) -> Any:
        """Return of an answer what its ETag stands for."""
        return data

    def finalize_response(
        self, request: Request, response: Response, *args: object, **kwargs: object
    ) -> Response:
        if request.method in ("GET", "HEAD") and response.status_code == 200:
            mark = etag_of(self.lasting(response.data))
            # The same mark for answers that are not the same to the byte is a weak one.
            shown = mark if self.is_exact else f"W/{mark}"
            if _is_named(request.headers.get("If-None-Match"), mark, weakly=True):
                response = Response(status=304)
            response.headers["ETag"] = shown
        return super().finalize_response(request, response, *args, **kwargs)


class ListView(ClinicApiView):
    """The rows of a clinic of one kind, page by page."""

    order: ClassVar[tuple[str, ...]] = ("pk",)

    def rows(self) -> QuerySet[Any]:
        raise NotImplementedError

    def get(self, request: Request) -> Response:
        rows = narrowed(request, self.rows(), self.operations["GET"].filters)
        page = read_page(request, rows, order=self.order)
        self.note_reading(page.rows)
        return Response(self.show({"results": page.rows, "next": page.next}))

    def note_reading(self, rows: list[Any]) -> None:
        """Put on record that these rows were read, where they are personal data."""


class FindingView(ClinicApiView):
    """An address that names one row of the clinic; another clinic's is as unknown as none."""

    def found(self, code: UUID) -> Any:
        """Return the row with all that its answer shows."""
        raise NotImplementedError

    def find(self, rows: QuerySet[Any], code: UUID) -> Any:
        row = rows.filter(code=code).first()
        if row is None:
            raise Http404
        return row


class ReadView(FindingView):
    """One row."""

    def get(self, request: Request, code: UUID) -> Response:
        self.refuse_unknown_parameters()
        row = self.found(code)
        self.note_reading(row)
        return Response(self.show(row))

    def note_reading(self, row: Any) -> None:
        """Put on record that the row was read, where it is personal data."""


class DeedView(FindingView):
    """A change of one row by one verb of the services; done once for one Idempotency-Key, and not on a changed row.

    The ETag of If-Match is the one of the answer that reading the row gives: `read_shape` of what found() returns.
    """

    read_shape: ClassVar[type[AnswerShape]]

    def post(self, request: Request, code: UUID) -> Response:
        return self.answer_once(code)

    def lock(self, code: UUID) -> Model:
        """Lock the row against changes until the transaction ends and return it; foreign ones are unknown."""
        raise NotImplementedError

    def act(self, row: Any, *, now: datetime, **values: Any) -> Any:
        """Do it and return what to show; by default the row as it is then."""
        raise NotImplementedError

    def reading_of(self, row: Any) -> dict[str, Any]:
        """Return the row as reading it would answer it."""
        return dict(self.read_shape(row, context=self.context()).data)

    def answer_once(self, code: UUID | None) -> Response:
        """Do the deed in one transaction with the note that it was done; a refusal leaves nothing behind."""
        self.refuse_unknown_parameters()
        request = self.request
        if code is not None:
            # A stranger's row is unknown whatever the body says.
            self.found(code)
        values, name = self.typed(), request.headers.get("Idempotency-Key")
        with transaction.atomic():
            if name is None or request.method != "POST":
                return _response(self._answer(code, values))
            secret, now = key_of(request), timezone.now()
            try:
                held = hold_request(
                    token=self.token, secret=secret, name=_checked(name), request=_asked(request), now=now
                )
            except OtherRequestError as error:
                raise ReusedKeyError from error
            if (before := find_answer(held, secret=secret)) is not None:
                return _response(before, {"Idempotency-Replayed": "true"})
            answer = self._answer(code, values)
            keep_answer(held, answer, secret=secret)
            return _response(answer)

    def _answer(self, code: UUID | None, values: dict[str, Any]) -> Answer:
        now = timezone.now()
        row = self._unchanged(code) if code is not None else None
        made = self.act(row, now=now, **values)
        told = self.operations[str(self.request.method)]
        body = self.show(made)
        headers = {"ETag": etag_of(body)} if told.answer is getattr(self, "read_shape", None) else {}
        if told.status == 201 and (address := self.address_of(made)):
            headers["Location"] = address
        return Answer(told.status, body, headers)

    def address_of(self, made: Any) -> str:
        """Return where what was made can be read, if anywhere."""
        return ""

    def _unchanged(self, code: UUID) -> Any:
        """Return the row to change, as it was when the program read it."""
        wanted = self.request.headers.get("If-Match")
        if wanted is None:
            return self.found(code)
        self.lock(code)
        row = self.found(code)
        if not _is_named(wanted, etag_of(self.reading_of(row)), weakly=False):
            raise ChangedError
        return row


def etag_of(data: Any) -> str:
    """Return what stands for an answer as long as it stays the same."""
    text: bytes = JSONRenderer().render(data)
    return f'"{hashlib.sha256(text).hexdigest()[:32]}"'


def _is_named(header: str | None, mark: str, *, weakly: bool) -> bool:
    if header is None:
        return False
    named = parse_etags(header)
    if weakly:
        named = [one.removeprefix("W/") for one in named]
    return "*" in named or mark in named


def _checked(name: str) -> str:
    if not (0 < len(name) <= _LONGEST_NAME and name.isascii() and name.isprintable()):
        raise ValidationError({"Idempotency-Key": [f"Use 1 to {_LONGEST_NAME} printable ASCII characters."]})
    return name


def _asked(request: Request) -> bytes:
    """Return what tells this request from others: the verb, the address and every byte that was sent."""
    body = JSONRenderer().render(request.data)
    condition = request.headers.get("If-Match", "")
    return b"\n".join([str(request.method).encode(), request.path.encode(), condition.encode(), body])


def _response(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.body, status=answer.status, headers={**answer.headers, **(headers or {})})
