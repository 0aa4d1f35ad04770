"""functions/openapi.json as tests use it: an answer has to be one that it describes, with nothing more in it."""

import json
import re
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tools.openapi import FILE

DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
COMPONENTS = {
    name: {**schema, "additionalProperties": False} if "properties" in schema else schema
    for name, schema in DOCUMENT["components"]["schemas"].items()
}


def check_answer(method: str, path: str, answer: dict[str, Any]) -> None:
    """Raises an error for what a function gave API Gateway, unless the document describes it."""
    described = operation(method, path)["responses"][str(answer["statusCode"])]
    if "content" not in described:
        assert answer["body"] == ""
        return
    media_type = described["content"][answer["headers"]["Content-Type"]]
    schema = {**media_type["schema"], "components": {"schemas": COMPONENTS}}
    Draft202012Validator(schema).validate(json.loads(answer["body"]))


def operation(method: str, path: str) -> dict[str, Any]:
    """The operation that answers a request; a path that is written out goes before one with a part that varies."""
    for known in sorted(DOCUMENT["paths"], key=lambda known: "{" in known):
        if re.fullmatch(re.sub(r"\\{.*?\\}", "[^/]+", re.escape(known)), path):
            found: dict[str, Any] = DOCUMENT["paths"][known][method.lower()]
            return found
    raise AssertionError(f"{path} is not in {FILE.name}")
