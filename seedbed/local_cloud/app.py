"""AWS on a laptop, one ASGI app on one port: SageMaker is ours, e-mail too, everything else is MiniStack's."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .mail import PATH as MAIL_PATH
from .mail import Mailer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAGEMAKER_PATH = "/_seedbed/sagemaker/"
LARGEST_NOTICE = 1024 * 1024


class LocalCloud:
    """Sends each request to whom it is for; refuses what a web page sends, by its Origin or by a foreign Host."""

    def __init__(self, sagemaker: App, mailer: Mailer, everything_else: App) -> None:
        self._sagemaker = sagemaker
        self._mailer = mailer
        self._everything_else = everything_else

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            await self._everything_else(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get("origin", "")
        if not is_local(headers.get("host", "")) or (origin and not is_local(origin.split("://")[-1])):
            await answer(send, 403, b"This is a local cloud: address it as 127.0.0.1 or localhost.")
        elif headers.get("x-amz-target", "").startswith("SageMaker.") or scope["path"].startswith(SAGEMAKER_PATH):
            await self._sagemaker(scope, receive, send)
        elif scope["path"] == MAIL_PATH:
            await self._mailer.receive(scope["query_string"].decode(), await read(receive))
            await answer(send, 200, b"")
        else:
            await self._everything_else(scope, receive, send)


def is_local(host: str) -> bool:
    """Whether a host names this machine by a name under which nobody else can serve a page."""
    name = host.rsplit(":", 1)[0].lower()
    return name in {"127.0.0.1", "localhost", "host.docker.internal"} or name.endswith(".localhost")


async def read(receive: Receive) -> bytes:
    body = b""
    while len(body) <= LARGEST_NOTICE:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


async def answer(send: Send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})
