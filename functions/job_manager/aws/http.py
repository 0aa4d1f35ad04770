"""HTTP as API Gateway passes it on: JSON, problems (RFC 9457), and answers that a client has already (RFC 9110)."""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

import msgspec

from ..domain.errors import WrongRequest
from ..domain.run_request import PlanName

PROBLEM = "application/problem+json"

KEY = re.compile(r'"?([A-Za-z0-9._:-]{1,64})"?')
MOST_BYTES = 10_000
SIGNED = re.compile(r'(?<=\?)X-Amz-[^"]*')
TAG_SECONDS = 600

Event = dict[str, Any]


class NewRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of a run; what is left out or null is as the stack's parameters say.

    `plan` is quick, which trains heads only, or full, which trains the whole network too. `trials` is the number of
    heads. `again` has a run even if one had these images and this plan.
    """

    plan: PlanName | None = None
    trials: Annotated[int, msgspec.Meta(ge=1, le=750)] | None = None
    again: bool = False


class TooLarge(WrongRequest):
    """A body that is larger than any request needs."""


class WrongMediaType(WrongRequest):
    """A body that is not JSON by its Content-Type."""


def json_of(answer: Any) -> str:
    """An answer, a dataclass, as JSON with its times as ISO 8601 text."""
    return json.dumps(asdict(answer), default=datetime.isoformat)


def number_of(text: str, name: str, most: int) -> int:
    """A number from 1 to `most`. Raises WrongRequest for anything else."""
    if re.fullmatch("[0-9]{1,6}", text) and 1 <= int(text) <= most:
        return int(text)
    raise WrongRequest(f"`{name}` is a number from 1 to {most}.")


def new_run_of(event: Event) -> NewRun:
    """The run that a request's body asks for; without a body, one as the stack's parameters say.

    Raises WrongRequest, TooLarge or WrongMediaType with what is wrong.
    """
    body = bytes_of(event)
    if not body:
        return NewRun()
    if len(body) > MOST_BYTES:
        raise TooLarge(f"The body has {len(body)} bytes. {MOST_BYTES} are enough for any request.")
    media_type = event["headers"].get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise WrongMediaType("Send the body as JSON, with the header Content-Type: application/json.")
    try:
        return msgspec.json.decode(body, type=NewRun)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise WrongRequest(f"The body is not as GET /openapi.json describes it: {error}.") from None


def bytes_of(event: Event) -> bytes:
    """The body of a request. Raises WrongRequest if API Gateway's encoding of it can't be undone."""
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise WrongRequest("The body can't be read. Send it as JSON.") from None


def request_id_of(event: Event) -> str:
    """The name of a request: what its Idempotency-Key says, or else API Gateway's own. Raises WrongRequest."""
    key = event["headers"].get("idempotency-key", "")
    if not key:
        return str(event["requestContext"]["requestId"])
    found = KEY.fullmatch(key)
    if not found:
        raise WrongRequest("An Idempotency-Key has 1 to 64 letters, digits or characters of . _ : and -.")
    return found[1]


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
    if method in {"GET", "HEAD"} and answer["statusCode"] == HTTPStatus.OK:
        headers = {"ETag": tag_of(answer["body"]), **headers, "Cache-Control": "private, no-cache"}
        if has(event["headers"].get("if-none-match", ""), headers["ETag"]):
            del headers["Content-Type"]
            return {**answer, "statusCode": int(HTTPStatus.NOT_MODIFIED), "headers": headers, "body": ""}
    return {**answer, "headers": headers, "body": "" if method == "HEAD" else answer["body"]}


def has(if_none_match: str, tag: str) -> bool:
    """Whether the tags of an If-None-Match include this one; whether they are called weak makes no difference."""
    tags = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return bool(tags & {tag.removeprefix("W/"), "*"})


def tag_of(text: str) -> str:
    """The ETag of an answer."""
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def tag_without_signatures(body: str, now: datetime) -> str:
    """The weak ETag of an answer whose links, signed anew each time, are alike but for their signatures.

    It changes every ten minutes: links that a client has by the same tag are valid for five minutes more.
    """
    return "W/" + tag_of(f"{int(now.timestamp()) // TAG_SECONDS} " + SIGNED.sub("", body))
