"""The description of the API, made once a process."""

import json
from functools import cache
from typing import Any

import yaml
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator


@cache
def schema() -> dict[str, Any]:
    """Return the description as JSON values, in English whoever asks."""
    with translation.override("en"):
        made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # without types
    # Plain values: the generator leaves lazy texts and ordered mappings behind.
    found: dict[str, Any] = json.loads(json.dumps(made, default=str))
    return found


@cache
def as_json() -> bytes:
    return json.dumps(schema(), ensure_ascii=False).encode()


@cache
def as_yaml() -> bytes:
    return yaml.safe_dump(schema(), allow_unicode=True, sort_keys=False).encode()
