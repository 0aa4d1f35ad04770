"""HTTP as API Gateway passes it on: JSON, problems (RFC 9457), and answers that a client has already (RFC 9110)."""

import hashlib
import json
import re
from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from typing import Any

from ..domain.errors import WrongRequest

PROBLEM = "application/problem+json"

Event = dict[str, Any]


def json_of(answer: Any) -> str:
    """An answer, a dataclass, as JSON with its times as ISO 8601 text."""
    return json.dumps(asdict(answer), default=datetime.isoformat)


def number_of(text: str, name: str, most: int) -> int:
    """A number from 1 to `most`. Raises WrongRequest for anything else."""
    if re.fullmatch("[0-9]{1,6}", text) and 1 <= int(text) <= most:
        return int(text)
    raise WrongRequest(f"`{name}` is a number from 1 to {most}.")


def as_get(event: Event) -> Event:
    """The request, a HEAD as the GET that it is answered like."""
    context = event["requestContext"]
    if context["http"]["method"] != "HEAD":
        return event
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}


def as_asked(event: Event, answer: Event) -> Event:
    """An answer with an ETag if it is a readable one; without its body if the client has it, or asked by HEAD."""
    method = event["requestContext"]["http"]["method"]
    headers = dict(answer["headers"])
    if method in {"GET", "HEAD"} and answer["statusCode"] == HTTPStatus.OK and "Cache-Control" not in headers:
        tag = f'"{hashlib.sha256(answer["body"].encode()).hexdigest()[:32]}"'
        headers |= {"ETag": tag, "Cache-Control": "private, no-cache"}
        if has(event["headers"].get("if-none-match", ""), tag):
            del headers["Content-Type"]
            return {**answer, "statusCode": int(HTTPStatus.NOT_MODIFIED), "headers": headers, "body": ""}
    return {**answer, "headers": headers, "body": "" if method == "HEAD" else answer["body"]}


def has(if_none_match: str, tag: str) -> bool:
    """Whether the tags of an If-None-Match include this one; whether they are called weak makes no difference."""
    tags = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return bool(tags & {tag, "*"})
