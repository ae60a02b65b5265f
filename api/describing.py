"""What each operation is, said once: the description of the API, its scopes and its examples come from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from api.cursors import MOST_ROWS, USUAL_SIZE
from api.filters import ListFilter
from api.serializers.base import Answer, Input
from api.serializers.errors import ErrorAnswer, PlainErrorAnswer
from clinics.models import Scope

JSON: Final = "application/json"
# Each status that is no success, with when it is answered.
REFUSALS: Final[Mapping[int, str]] = {
    304: "Nothing changed since the answer whose ETag stands in If-None-Match.",
    400: "The request makes no sense as it stands; each wrong field is named.",
    401: "No token, or one that is unknown, revoked or expired.",
    403: "The token was not made for that.",
    404: "There is nothing at this address, or nothing of this clinic.",
    405: "This verb does nothing here.",
    406: "The answer is JSON, which Accept does not take.",
    409: "The request makes sense, but cannot be carried out as things stand.",
    412: "Somebody changed it since the answer whose ETag stands in If-Match.",
    413: "The body is longer than a megabyte.",
    415: "The body is not application/json.",
    422: "The Idempotency-Key belongs to another request of the last 24 hours.",
    429: "Too many requests in this minute; Retry-After says how many seconds to wait.",
}
_EXAMPLES: Final[Mapping[int, tuple[str, str, str]]] = {
    400: ("minutes", "A valid integer is required.", "invalid"),
    401: ("request", "This token has expired.", "authentication_failed"),
    403: ("request", "This token was not made for that.", "permission_denied"),
    404: ("request", "There is nothing at this address.", "not_found"),
    405: ("request", "Use GET.", "method_not_allowed"),
    406: ("request", "Could not satisfy the request Accept header.", "not_acceptable"),
    409: ("starts_at", "Another session holds this time.", "slot_taken"),
    412: ("request", "Somebody changed this meanwhile. Read it again, then decide.", "changed"),
    413: ("request", "Send at most one megabyte.", "too_large"),
    415: ("request", 'Unsupported media type "text/plain" in request.', "unsupported_media_type"),
    422: (
        "request",
        "This Idempotency-Key belongs to another request of the last 24 hours.",
        "idempotency_key_reused",
    ),
    429: ("request", "Wait 12 seconds, then try again.", "throttled"),
}
_ALWAYS: Final = (405, 429)


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb at one address.

    `id` never changes once it is published. Without a scope no token is asked for.
    `filters` and `is_list` describe the query of a list, `parameters` any other: schema and meaning by name.
    """

    id: str
    tag: str
    summary: str
    answer: type[Answer] | dict[str, Any] | None
    example: Any
    scope: Scope | None = None
    text: str = ""
    status: int = 200
    body: type[Input] | dict[str, Any] | None = None
    body_example: Any = None
    refusals: tuple[int, ...] = ()
    is_list: bool = False
    filters: type[ListFilter] | None = None
    parameters: Mapping[str, tuple[dict[str, Any], str]] = field(default_factory=dict)
    # Whether it changes something; whether what it changes was there before, so that it may have changed meanwhile.
    is_deed: bool = False
    is_new: bool = False
    required: tuple[str, ...] = ()
    media_type: str = JSON


class Schema(AutoSchema):
    """Reads the operations that a view names for its verbs."""

    @property
    def operation(self) -> Operation:
        found: Operation = getattr(self.view, "operations", {})[self.method]
        return found

    def get_operation_id(self) -> str:
        return self.operation.id

    def get_tags(self) -> list[str]:
        return [self.operation.tag]

    def get_summary(self) -> str:
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]  # the stubs want a lazy text
        scope = self.operation.scope
        asks = f"Asks for the scope `{scope}`." if scope else "Asks for no token."
        return "\n\n".join(part for part in (self.operation.text, asks) if part)

    def get_request_serializer(self) -> Any:
        body = self.operation.body
        return {JSON: body} if isinstance(body, dict) else body

    def _get_request_body(self, direction: Any = "request") -> Any:
        body = super()._get_request_body(direction)  # type: ignore[no-untyped-call]  # without types
        if isinstance(self.operation.body, dict):
            body["required"] = True
        return body

    def get_response_serializers(self) -> Any:
        operation = self.operation
        statuses = {*_ALWAYS, *operation.refusals}
        statuses |= {401, 403} if operation.scope else {406}
        if self.method == "GET" and operation.scope:
            statuses |= {304, 400}
        if self.method in ("POST", "PATCH"):
            statuses |= {400, 413}
            statuses |= {415} if operation.scope else set()
        if operation.is_deed:
            statuses |= {409} if operation.is_new else {409, 412}
            statuses |= {422} if self.method == "POST" else set()
        found: dict[Any, Any] = {
            (operation.status, operation.media_type): OpenApiResponse(
                operation.answer,
                description="Done." if operation.is_deed else "The answer.",
                examples=[OpenApiExample("Example", value=operation.example)],
            )
        }
        shape = ErrorAnswer if operation.scope else PlainErrorAnswer
        for status in sorted(statuses):
            found[status] = OpenApiResponse(
                None if status == 304 else shape,
                description=REFUSALS[status],
                examples=[] if status == 304 else [_error_example(status, is_plain=not operation.scope)],
            )
        return found

    def get_examples(self) -> list[OpenApiExample]:
        if self.operation.body_example is None:
            return []
        return [OpenApiExample("Example", value=self.operation.body_example, request_only=True)]

    def get_override_parameters(self) -> list[Any]:
        operation = self.operation
        found = [
            _query(name, schema, text, is_required=name in operation.required)
            for name, (schema, text) in {**_list_parameters(operation), **operation.parameters}.items()
        ]
        if operation.is_deed and self.method == "POST":
            found.append(
                _header(
                    "Idempotency-Key",
                    "Names the request: sent again within 24 hours, it is done once.",
                    # Printable ASCII.
                    minLength=1,
                    maxLength=200,
                    pattern="^[ -~]+$",
                )
            )
        if operation.is_deed and not operation.is_new:
            found.append(_header("If-Match", "The ETag of what is to be changed, as it was read."))
        if self.method == "GET" and operation.scope:
            found.append(_header("If-None-Match", "The ETag of an answer that is at hand."))
        return found + _headers(operation, self.method)

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # without types
        if isinstance(serializer, Input):
            schema["additionalProperties"] = False
        return schema


def _list_parameters(operation: Operation) -> dict[str, tuple[dict[str, Any], str]]:
    if not operation.is_list:
        return {}
    size = {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": USUAL_SIZE}
    return {
        **(operation.filters.parameters() if operation.filters else {}),
        "page_size": (size, "So many rows at most."),
        "cursor": (
            {"type": "string", "minLength": 1},
            "Where the page begins; it stands in `next` of the page before.",
        ),
    }


def _query(name: str, schema: dict[str, Any], text: str, *, is_required: bool) -> OpenApiParameter:
    return OpenApiParameter(
        name, schema, OpenApiParameter.QUERY, description=text, required=is_required, allow_blank=False
    )


def _header(name: str, text: str, **limits: Any) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", **limits}, OpenApiParameter.HEADER, description=text)


def _headers(operation: Operation, method: str) -> list[OpenApiParameter]:
    """Return the headers of the answers."""
    done, told = [operation.status], sorted({operation.status, 429})
    found = [
        _answer_header(
            "RateLimit", 'What is left, such as `"token";r=599;t=60`: requests and seconds.', told
        ),
        _answer_header("RateLimit-Policy", 'What is allowed, such as `"token";q=600;w=60`.', told),
        _answer_header("Retry-After", "So many seconds to wait.", [429], kind=OpenApiTypes.INT),
    ]
    if operation.scope and (method == "GET" or operation.is_deed):
        found.append(_answer_header("ETag", "Stands for this answer as long as it stays the same.", done))
    if operation.is_deed and method == "POST":
        found.append(_answer_header("Idempotency-Replayed", "`true` where it had been done before.", done))
    if operation.status == 201:
        found.append(_answer_header("Location", "Where what was made can be read.", done))
    return found


def _answer_header(
    name: str, text: str, statuses: list[int], *, kind: OpenApiTypes = OpenApiTypes.STR
) -> OpenApiParameter:
    return OpenApiParameter(
        name, kind, OpenApiParameter.HEADER, description=text, response=[str(status) for status in statuses]
    )


def _error_example(status: int, *, is_plain: bool) -> OpenApiExample:
    named, message, code = _EXAMPLES[status]
    told: dict[str, Any] = {"field": named, "message": message}
    if not is_plain:
        told |= {"code": code, "fields": {} if named == "request" else {named: message}}
    return OpenApiExample("Example", value={"error": told})
