"""The API's answers on a full disk: they say that, instead of 502, when no function could start."""

import json
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..sagemaker.disk import Disk

API = "/_aws/execute-api/"


class ApiOnFullDisk:
    """Passes requests on to `app`, and answers 507 with the disk's sentence where the API failed for lack of room."""

    def __init__(self, app: ASGIApp, disk: Disk) -> None:
        self._app = app
        self._disk = disk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        replaced = False

        async def send_or_explain(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] >= 500 and self._disk.is_short():
                replaced = True
                await refuse(send, self._disk)
            if not replaced:
                await send(message)

        await self._app(scope, receive, send_or_explain)


async def refuse(send: Send, disk: Disk) -> None:
    body = json.dumps({"message": f"The disk is full: {disk.sentence()}"}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": HTTPStatus.INSUFFICIENT_STORAGE, "headers": headers})
    await send({"type": "http.response.body", "body": body})
