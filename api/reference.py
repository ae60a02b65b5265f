"""The description of the API as a page: sections, operations, and each shape as rows of a table; runs no query."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

VERBS: Final = ("get", "post", "patch")
_TONES: Final = {"get": "good", "post": "accent", "patch": "warning"}
_DEEPEST: Final = 3


@dataclass(frozen=True, slots=True)
class Field:
    """One name of a shape; `depth` is how far inside it stands."""

    name: str
    kind: str
    text: str
    is_required: bool
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    code: str
    text: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Described:
    """One operation as it is read; JSON is text, empty where there is none."""

    id: str
    verb: str
    tone: str
    path: str
    summary: str
    text: str
    scope: str
    query: tuple[Field, ...]
    headers: tuple[Field, ...]
    body: tuple[Field, ...]
    answer: tuple[Field, ...]
    curl: str
    answer_json: str
    statuses: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    anchor: str
    operations: tuple[Described, ...]


def sections(schema: Mapping[str, Any], *, base_url: str) -> tuple[Section, ...]:
    """Return the operations of the description by their tags, in its order."""
    by_tag: dict[str, list[Described]] = {tag["name"]: [] for tag in schema["tags"]}
    for path, verbs in schema["paths"].items():
        for verb in VERBS:
            if verb in verbs:
                operation = verbs[verb]
                by_tag[operation["tags"][0]].append(_describe(schema, path, verb, operation, base_url))
    return tuple(
        Section(name, f"section-{name.lower()}", tuple(operations))
        for name, operations in by_tag.items()
        if operations
    )


def _describe(
    schema: Mapping[str, Any], path: str, verb: str, operation: Mapping[str, Any], base_url: str
) -> Described:
    *text, asks = operation["description"].split("\n\n")
    parameters = operation.get("parameters", [])
    done = next(code for code in operation["responses"] if code.startswith("2"))
    content: Mapping[str, Any] = next(iter(operation["responses"][done].get("content", {}).values()), {})
    sent = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = _example(sent)
    return Described(
        id=operation["operationId"],
        verb=verb.upper(),
        tone=_TONES[verb],
        path=path,
        summary=operation["summary"],
        text=" ".join(text),
        scope=asks.partition("`")[2].partition("`")[0],
        query=tuple(_parameters(parameters, "query")),
        headers=tuple(_parameters(parameters, "header")),
        body=tuple(_fields(schema, sent.get("schema", {}))),
        answer=tuple(_fields(schema, content.get("schema", {}))),
        curl=_curl(operation, verb, path, body, base_url),
        answer_json=_json(_example(content)),
        statuses=tuple(
            Status(code, told["description"], code == done)
            for code, told in sorted(operation["responses"].items())
        ),
    )


def _example(content: Mapping[str, Any]) -> Any:
    return content.get("examples", {}).get("Example", {}).get("value")


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def _parameters(parameters: list[Mapping[str, Any]], place: str) -> Iterator[Field]:
    for one in parameters:
        if one["in"] == place:
            yield Field(
                one["name"], _kind(one["schema"]), one.get("description", ""), one.get("required", False)
            )


def _fields(schema: Mapping[str, Any], shape: Mapping[str, Any], depth: int = 0) -> Iterator[Field]:
    """Yield the names of a shape, those of the shapes inside it behind each."""
    found = _resolved(schema, shape)
    required = found.get("required", ())
    for name, inner in found.get("properties", {}).items():
        yield Field(name, _kind(inner), inner.get("description", ""), name in required, depth)
        if depth < _DEEPEST:
            yield from _fields(schema, inner.get("items", inner), depth + 1)


def _resolved(schema: Mapping[str, Any], shape: Mapping[str, Any]) -> Mapping[str, Any]:
    for one in (shape, *shape.get("allOf", ()), *shape.get("oneOf", ()), *shape.get("anyOf", ())):
        if reference := one.get("$ref"):
            found: Mapping[str, Any] = schema["components"]["schemas"][reference.rpartition("/")[2]]
            return found
    return shape


def _kind(shape: Mapping[str, Any]) -> str:
    """Return what a value is, in a few words: `date, or null`, `one of a, b`, `list of text`."""
    kinds = shape.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    is_open = "null" in kinds or {"type": "null"} in shape.get("oneOf", ()) or None in shape.get("enum", ())
    if words := [word for word in shape.get("enum", ()) if word is not None]:
        said = f"one of {', '.join(str(word) for word in words)}"
    elif "array" in kinds:
        said = f"list of {_kind(shape.get('items', {}))}"
    else:
        said = _plain_kind(shape, [kind for kind in kinds if kind != "null"])
    return f"{said}, or null" if is_open else said


def _plain_kind(shape: Mapping[str, Any], kinds: list[str]) -> str:
    named = {"date": "date", "date-time": "moment", "uuid": "code", "uri": "address"}.get(
        shape.get("format", "")
    )
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    said = named or words.get(kinds[0] if kinds else "", "object")
    least, most = shape.get("minimum"), shape.get("maximum")
    if least is not None and most is not None and most < 10**9:
        said += f", {least} to {most}"
    elif "maxLength" in shape:
        said += f", at most {shape['maxLength']} characters"
    return said


def _curl(operation: Mapping[str, Any], verb: str, path: str, body: Any, base_url: str) -> str:
    """Return the request as one would type it."""
    parts = ["curl"] if verb == "get" else [f"curl -X {verb.upper()}"]
    if operation.get("security", [{}])[0]:
        parts.append('-H "Authorization: Bearer rgm_…"')
    if any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", [])):
        parts.append('-H "Idempotency-Key: $(uuidgen)"')
    if body is not None or verb != "get":
        parts.append('-H "Content-Type: application/json"')
    if body is not None:
        # As a shell takes it: an apostrophe ends the text, stands for itself, and begins it again.
        text = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
        parts.append(f"-d '{text}'")
    needed = "&".join(
        f"{one['name']}=…"
        for one in operation.get("parameters", [])
        if one["in"] == "query" and one.get("required")
    )
    address = base_url + path.replace("{code}", "7f0b8a5c-0000-4000-8000-000000000001").replace(
        "{report}", "adherence"
    )
    parts.append(f'"{address}?{needed}"' if needed else address)
    command, *others = parts
    return " \\\n  ".join([" ".join([command, *others[:1]]), *others[1:]])
