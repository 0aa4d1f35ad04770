"""Asks Seedbed's API, on this machine or on AWS, with requests signed by the person's own credentials."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import BotoCoreError, HTTPClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session

from ..errors import SeedbedError
from ..local_cloud.environment import REGION
from ..stack import Stack, object_in, refusal
from ..terminal.aws_errors import aws_sentence, unreachable

TIMEOUT = 30
ANSWERS_KEPT = 64
MAX_BYTES = 64 * 1024 * 1024
UNREADABLE = "The API answered something that this release can't read: update Seedbed, here or on AWS."

Answer = TypeVar("Answer")


class ApiError(SeedbedError):
    """The API did not do as asked; `status` is its HTTP status, 503 if it can't be reached."""

    def __init__(self, message: str, status: int = HTTPStatus.SERVICE_UNAVAILABLE) -> None:
        super().__init__(message)
        self.status = int(status)

    @property
    def is_away(self) -> bool:
        """Whether nothing answers at all, so that asking again later may help."""
        return self.status == HTTPStatus.SERVICE_UNAVAILABLE


class Api:
    """The API of the stack that `find` returns, which is asked each time: a local cloud may end and start again.

    An answer that has not changed since (ETag) is not sent again.
    """

    def __init__(self, find: Callable[[], Stack]) -> None:
        self._find = find
        self._session = URLLib3Session(timeout=TIMEOUT, max_pool_connections=16)
        self._kept: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def stack(self) -> Stack:
        """The stack that is asked now. Raises ApiError if there is none."""
        try:
            return self._find()
        except ApiError:
            raise
        except SeedbedError as error:
            raise ApiError(str(error)) from error

    def get(self, kind: type[Answer], path: str, /, **query: object) -> Answer:
        """What the API answers at `path`, as `kind`, a type of `answers`. What is None in the query is left out.

        Raises ApiError with the API's sentence.
        """
        given = {name: str(value) for name, value in query.items() if value not in {None, ""}}
        asked = urlencode(given, quote_via=quote)
        return read(kind, self._get(f"{path}?{asked}" if asked else path))

    def post(self, path: str, body: bytes = b"", content_type: str = "") -> dict[str, Any]:
        """What the API answers to a POST. Raises ApiError with the API's sentence."""
        headers = {"Content-Type": content_type} if content_type else {}
        answer = self._send("POST", path, body, headers)
        return content_of(answer)

    def _get(self, path: str) -> bytes:
        stack = self.stack
        place = stack.api_url + path
        with self._lock:
            tag, kept = self._kept.get(place, ("", b""))
        answer = self._send("GET", path, b"", {"If-None-Match": tag} if tag else {})
        if answer.status_code == HTTPStatus.NOT_MODIFIED and tag:
            return kept
        content_of(answer)
        self._keep(place, answer.headers.get("ETag", ""), answer.content)
        return answer.content

    def _keep(self, place: str, tag: str, content: bytes) -> None:
        with self._lock:
            self._kept.pop(place, None)
            if tag:
                self._kept[place] = (tag, content)
            while len(self._kept) > ANSWERS_KEPT:
                self._kept.popitem(last=False)

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> AWSResponse:
        stack = self.stack
        request = AWSRequest(method, stack.api_url + path, headers=dict(headers), data=body)
        try:
            credentials = stack.session.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            SigV4Auth(credentials, "execute-api", stack.session.region_name or REGION).add_auth(request)
            return self._session.send(request.prepare())
        except HTTPClientError as error:
            raise ApiError(unreachable(stack.endpoint or stack.api_url)) from error
        except BotoCoreError as error:
            raise ApiError(aws_sentence(error)) from error


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def read(kind: type[Answer], content: bytes) -> Answer:
    """JSON as a type of answers. Raises ApiError if it is something else."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        raise ApiError(UNREADABLE, HTTPStatus.BAD_GATEWAY) from error


def read_content(kind: type[Answer], content: object) -> Answer:
    """A JSON value as a type of answers. Raises ApiError if it is something else."""
    try:
        return msgspec.convert(content, type=kind)
    except msgspec.MsgspecError as error:
        raise ApiError(UNREADABLE, HTTPStatus.BAD_GATEWAY) from error


def content_of(answer: AWSResponse) -> dict[str, Any]:
    """The JSON object that was answered. Raises ApiError with what the API says if it did not do as asked."""
    content = object_in(answer.content)
    if answer.status_code in {HTTPStatus.OK, HTTPStatus.ACCEPTED} and content is not None:
        return content
    raise ApiError(refusal(answer.status_code, content or {}), answer.status_code)
