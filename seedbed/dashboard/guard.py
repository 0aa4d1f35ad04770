"""What the page's server takes from a browser: it holds a person's credentials, so only their own page may ask.

The key in the address that the command prints becomes a cookie; without either nothing is answered.
"""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = {"127.0.0.1", "localhost", "[::1]"}
MAX_BODY = 20 * 1024 * 1024
BODY_TIMEOUT = 30
KEY = "key"
TOKEN, TOKEN_HEADER = "token", "X-Seedbed-Token"
CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
WRONG_HOST = "This address is not the page's. Open the one that `seedbed dashboard` printed."
NO_KEY = "This needs the key of the page. Open the whole address that `seedbed dashboard` printed."
FOREIGN = "Another page asked for this, so it was not done."
OLD_PAGE = "This page is of an earlier `seedbed dashboard`. Load it again, then try once more."
TOO_LARGE = "That is larger than 20 MB. Choose a smaller photograph."
TOO_SLOW = "The upload stood still for 30 seconds, so it was ended. Try again."


@dataclass(frozen=True)
class Keys:
    """The secrets of one server: `key` opens it, `token` is in each of its pages and must come with each change."""

    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _tickets: set[str] = field(default_factory=set, repr=False)

    def ticket(self) -> str:
        """A key that opens the page once."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return ticket

    def open_with(self, given: str) -> bool:
        """Whether this is the key, or a ticket that was not used yet."""
        if given in self._tickets:
            self._tickets.discard(given)
            return True
        return same(given, self.key)


class Refused(Exception):
    """A request is not answered: why, for a person, and the HTTP status."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Guard:
    """Checks each request before `app` sees it, and gives each answer its security headers."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        request, guarded = Request(scope), with_headers(send)
        try:
            check_host(request.headers)
            check_site(request)
            answer = self._opened(request)
            if answer is None:
                self._check(request)
        except Refused as refused:
            answer = PlainTextResponse(str(refused), refused.status)
        if answer:
            await answer(scope, receive, guarded)
            return
        await self._limited(scope, receive, guarded)

    def _opened(self, request: Request) -> Response | None:
        """The way to the page without the key in its address, if the request has a right one."""
        given = request.query_params.get(KEY)
        if request.method != "GET" or given is None or not self._keys.open_with(given):
            return None
        rest = urlencode([(name, value) for name, value in request.query_params.multi_items() if name != KEY])
        path = "/" + request.url.path.lstrip("/")
        answer = RedirectResponse(f"{path}?{rest}" if rest else path, HTTPStatus.SEE_OTHER)
        answer.set_cookie(cookie_name(request), self._keys.key, httponly=True, samesite="lax")
        return answer

    def _check(self, request: Request) -> None:
        """Raises Refused unless the request comes from the person's own page."""
        if not same(request.cookies.get(cookie_name(request), ""), self._keys.key):
            raise Refused(HTTPStatus.FORBIDDEN, NO_KEY)
        if request.method in CHANGES:
            check_origin(request.headers)
            given = request.headers.get(TOKEN_HEADER) or request.query_params.get(TOKEN) or ""
            if not same(given, self._keys.token):
                raise Refused(HTTPStatus.FORBIDDEN, OLD_PAGE)
        if int_of(request.headers.get("content-length", "0")) > MAX_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app's answer to a body that is neither too large nor too slow."""
        try:
            await self._app(scope, limited(receive), send)
        except Refused as refused:
            await PlainTextResponse(str(refused), refused.status)(scope, receive, send)


def check_host(headers: Headers) -> None:
    """Raises Refused for a name that leads here but is not this machine's own, as a rebound one does."""
    if headers.get("host", "").rpartition(":")[0].lower() not in HOSTS:
        raise Refused(HTTPStatus.MISDIRECTED_REQUEST, WRONG_HOST)


def check_site(request: Request) -> None:
    """Raises Refused for what another site's page asks for. A link to this page may be followed."""
    site = request.headers.get("sec-fetch-site", "none")
    followed = request.method == "GET" and request.headers.get("sec-fetch-dest") == "document"
    if site not in {"same-origin", "none"} and not followed:
        raise Refused(HTTPStatus.FORBIDDEN, FOREIGN)


def check_origin(headers: Headers) -> None:
    """Raises Refused for a change that another origin's page asks for."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        raise Refused(HTTPStatus.FORBIDDEN, FOREIGN)
    if origin is None and headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Refused(HTTPStatus.FORBIDDEN, FOREIGN)


def cookie_name(request: Request) -> str:
    """The cookie's name: browsers give cookies to all ports of a machine, and two pages may be open."""
    return f"seedbed-{request.headers.get('host', '').rpartition(':')[2]}"


def same(given: str, secret: str) -> bool:
    """Whether both are equal, in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def int_of(text: str) -> int:
    """A length that a client declares; anything but digits counts as too large."""
    return int(text) if text.isdigit() and len(text) < 19 else MAX_BODY + 1


def with_headers(send: Send) -> Send:
    """`send`, with the security headers on the answer's start; what the app set itself stays."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded


def limited(receive: Receive) -> Callable[[], Awaitable[Message]]:
    """`receive`, which raises Refused for a body that is too large or too slow."""
    seen, ended = 0, False

    async def counted() -> Message:
        nonlocal seen, ended
        if ended:  # what comes after the body is only the news that the client has gone
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), BODY_TIMEOUT)
        except TimeoutError:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW) from None
        seen += len(message.get("body", b""))
        ended = not message.get("more_body", False)
        if seen > MAX_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
        return message

    return counted
