"""Refuses every request to the local cloud that is not signed with a key of this home."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from ministack.core.iam_actions import access_denied_response
from ministack.core.router import detect_service
from ministack.core.sigv4 import decode_header_value
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .signature import (
    LOCAL_NAMES,
    Request,
    RequestRefused,
    SecretOf,
    check_presigned_v2,
    claimed_signature,
    is_presigned_v2,
)

CLOSED = ("/_ministack/", "/_localstack/", "/_aws/")
OPEN = "/_aws/execute-api/"
OWN_PAGES = {"", "none", "same-origin"}
ADVICE = "Sign with this local cloud's own access key: `seedbed up` and `seedbed sagemaker` print it."


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


class Gate:
    """Passes a request on to `app` if it is signed with a key that `secret_of` knows.

    It also refuses what a browser sends for another site's page, and the emulator's administration routes.
    """

    def __init__(
        self, app: ASGIApp, secret_of: SecretOf, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._app = app
        self._secret_of = secret_of
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request or websocket, or pass it on to `app` (ASGI 3)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request = request_of(scope)
        try:
            check_origin(request)
            receive = await self._signed(request, receive, is_http=scope["type"] == "http")
        except RequestRefused as refusal:
            await refuse(scope, receive, send, request, refusal)
        except Disconnected:
            return
        else:
            await self._app(scope, receive, send)

    async def _signed(self, request: Request, receive: Receive, *, is_http: bool) -> Receive:
        """Check the signature, and return what the request's messages can be received from. Raises RequestRefused."""
        if is_presigned_v2(request):
            check_presigned_v2(request, self._secret_of, self._now())
            return receive
        signature = claimed_signature(request, self._secret_of, self._now())
        if not is_http:
            signature.check(b"")
            return receive
        if not signature.needs_body:
            signature.check(b"")
            if signature.body_digest is None:
                return receive
        body = await read(receive)
        signature.check(body)
        signature.check_digest(body)
        return replayed(body, receive)


def request_of(scope: Scope) -> Request:
    """A request in the form in which signatures are checked."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        value = decode_header_value(raw_value)
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"").decode("latin-1")
    return Request(scope.get("method", "GET"), path.decode("latin-1"), query, headers)


def check_origin(request: Request) -> None:
    """Raises RequestRefused for a request from another site's page, or for a host name that is not local."""
    origin, site = request.headers.get("origin", ""), request.headers.get("sec-fetch-site", "")
    foreign = bool(origin) and not is_local(origin.partition("://")[2])
    if foreign or site not in OWN_PAGES or not is_local(request.headers.get("host", "")):
        raise RequestRefused("AccessDenied", "This local cloud answers programs on this machine, not web pages.")
    if "Action" in request.parameters and not request.signed_in_headers:
        raise RequestRefused("AccessDenied", "An Action must be signed in the headers.")
    if request.raw_path.startswith(CLOSED) and not request.raw_path.startswith(OPEN):
        raise RequestRefused("AccessDenied", "The emulator's administration routes are closed.")
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        raise RequestRefused("AccessDenied", "A token (JWT) is taken on AWS alone, by the stack's JwtApiUrl.")


def is_local(host: str) -> bool:
    """Whether a host, with or without a port, is a local name, under which no other site can serve a page."""
    name = host.rsplit(":", 1)[0].lower()
    return name in LOCAL_NAMES or name.endswith(".localhost")


async def read(receive: Receive) -> bytes:
    """The whole body of a request. Raises Disconnected."""
    chunks, more = [], True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Disconnected
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Receives a body that was read already, then the messages after it."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again


async def refuse(scope: Scope, receive: Receive, send: Send, request: Request, refusal: RequestRefused) -> None:
    """Answer with the reason, in the service's own format, so that its client can show it."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    status, headers, body = denial(request, refusal)
    raw = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})


def denial(request: Request, refusal: RequestRefused) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a refusal."""
    message = f"{refusal} {ADVICE}"
    service = detect_service(request.method, request.raw_path, dict(request.headers), request.parameters)
    to_runtime = "/sagemaker/aws4_request" in request.headers.get("authorization", "")
    if to_runtime or request.headers.get("x-amz-target", "").startswith("SageMaker."):
        answer = {"__type": refusal.code, "message": message}
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": refusal.code}
        return 403, headers, json.dumps(answer).encode()
    if service == "s3":
        code = "InvalidAccessKeyId" if refusal.code == "UnrecognizedClientException" else refusal.code
        text = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        return 403, {"Content-Type": "application/xml"}, text.encode()
    status, headers, body = access_denied_response(
        service, "", "", str(uuid.uuid4()), error_code=refusal.code, message=message, headers=dict(request.headers)
    )
    return status, headers, body
