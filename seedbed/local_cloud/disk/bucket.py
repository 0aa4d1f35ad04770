"""Makes MiniStack's S3 durable: a write without room is refused, and one that is answered with success is on disk.

MiniStack keeps objects as files, but answers 200 even if a file could not be written, which only its log shows.
"""

import asyncio
import errno
import logging
import os
import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id
from ministack.core.router import detect_service
from ministack.services import s3
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..sagemaker.disk import MIB, Disk

FAILED = ("Failed to persist", "Failed to delete persisted", "Failed to read persisted")
FULL = {errno.ENOSPC, errno.EDQUOT}
NO_ROOM = "InsufficientCapacity"
RECORD = re.compile(r"/runs/[^/]+/[^/]+\.json")
RECORD_BYTES = MIB


@dataclass
class RequestWrites:
    """What MiniStack wrote to disk for one request: the files, and the errors."""

    files: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)


REQUEST_WRITES: ContextVar[RequestWrites | None] = ContextVar("request_writes", default=None)


class DurableS3:
    """Passes requests on to `app`, and makes those to S3 durable. `on_refusal` is called for each write without room.

    A write that fails is answered with an error. MiniStack still has it in memory, and writes it once there is room: as
    with any S3, a write answered with a 5xx may or may not have been accepted.
    """

    def __init__(self, app: ASGIApp, disk: Disk, on_refusal: Callable[[], None] = lambda: None) -> None:
        self._app = app
        self._disk = disk
        self._on_refusal = on_refusal
        self._failed_writes: set[tuple[str, str, str]] = set()
        record_writes()
        s3.logger.addFilter(self._record_failure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        if scope["type"] != "http" or not is_for_s3(scope, headers):
            await self._app(scope, receive, send)
            return
        self.retry_failed_writes()
        size = int(headers.get("content-length") or 0)
        if scope["method"] in {"PUT", "POST"} and self._lacks_room(scope, size):
            await drain(receive)
            self._on_refusal()
            await refuse(send, scope, NoRoom(self._disk.no_room_for(size)))
        else:
            await self._answer(scope, receive, send)

    def retry_failed_writes(self) -> None:
        """Have MiniStack repeat failed writes, if there is room now."""
        if self._failed_writes and not self._disk.is_short():
            for account, bucket, key in sorted(self._failed_writes):
                self._failed_writes.discard((account, bucket, key))
                with s3._in_account(account):
                    if bucket in s3._buckets:
                        s3._persist_version_state(bucket, key, s3._buckets[bucket])

    def _lacks_room(self, scope: Scope, size: int) -> bool:
        """Whether a write is refused. The records of runs may use the last of the room: they are small."""
        if "delete" in scope["query_string"].decode("latin-1").split("&"):
            return False
        if RECORD.search(scope["path"]) and size <= RECORD_BYTES:
            return self._disk.free() - size < self._disk.floor // 8
        return self._disk.is_short() or self._disk.free() - size < self._disk.floor

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        writes = RequestWrites()
        token = REQUEST_WRITES.set(writes)
        refused = False

        async def send_once_durable(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                if writes.files and not writes.errors:
                    writes.errors += await sync(writes.files)
                if writes.errors and message["status"] < 300:
                    refused = True
                    await refuse(send, scope, writes.errors[0])
            if not refused:
                await send(message)

        try:
            await self._app(scope, receive, send_once_durable)
        finally:
            REQUEST_WRITES.reset(token)

    def _record_failure(self, record: logging.LogRecord) -> bool:
        """A filter of MiniStack's log for S3 that records failures, and lets every line pass."""
        if str(record.msg).startswith(FAILED) and isinstance(record.args, tuple) and len(record.args) == 3:
            bucket, key, error = record.args
            writes = REQUEST_WRITES.get()
            if writes is not None and isinstance(error, BaseException):
                writes.errors.append(error)
            if not str(record.msg).startswith("Failed to read"):
                self._failed_writes.add((get_account_id(), str(bucket), str(key)))
        return True


class NoRoom(OSError):
    """The disk lacks room; the text is for the user."""

    def __init__(self, sentence: str) -> None:
        super().__init__(errno.ENOSPC, sentence)


def is_for_s3(scope: Scope, headers: dict[str, str]) -> bool:
    """Whether MiniStack treats a request as one to S3."""
    service: str = detect_service(scope["method"], scope["path"], headers, {})
    return service == "s3" or b"%2Fs3%2Faws4_request" in scope["query_string"]


def record_writes() -> None:
    """Patch MiniStack's function that writes files, so that it records each file with the current request."""
    write = s3._atomic_write
    if hasattr(write, "is_recording"):
        return

    def recording(path: str, data: bytes, *, text: bool = False) -> None:
        write(path, data, text=text)
        writes = REQUEST_WRITES.get()
        if writes is not None:
            writes.files.append(path)

    recording.is_recording = True  # type: ignore[attr-defined]
    s3._atomic_write = recording


async def sync(files: Sequence[str]) -> list[OSError]:
    """Sync files and their folders to disk. Returns the errors."""
    errors = []
    for paths in (set(files), {str(Path(path).parent) for path in files}):
        errors += await asyncio.gather(*(asyncio.to_thread(flush, path) for path in paths))  # together: one commit
    return [error for error in errors if error]


def flush(path: str) -> OSError | None:
    try:
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
    except FileNotFoundError:
        return None  # deleted meanwhile
    except OSError as error:
        return error
    return None


async def drain(receive: Receive) -> None:
    """Receive and discard a request's body: a client reads the answer only after it has sent all."""
    while (await receive()).get("more_body"):
        pass


async def refuse(send: Send, scope: Scope, error: BaseException) -> None:
    """Answer with S3's error for a failed write or read."""
    no_room = isinstance(error, OSError) and error.errno in FULL
    sentence = str(error.strerror) if isinstance(error, NoRoom) else f"The disk failed: {error}."
    status, code = (507, NO_ROOM) if no_room else (500, "InternalError")
    request = uuid.uuid4().hex.upper()
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(sentence)}</Message>'
        f"<Resource>{escape(scope['path'])}</Resource><RequestId>{request}</RequestId></Error>"
    ).encode()
    headers: Iterable[tuple[bytes, bytes]] = [
        (b"content-type", b"application/xml"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amz-request-id", request.encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
