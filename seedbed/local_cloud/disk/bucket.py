"""MiniStack's S3 on a disk that may fill: no write begins without room for it, or is answered before it is on disk.

MiniStack keeps objects as files, but answers 200 also where a file could not be written; it says so in its log alone.
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
class Notes:
    """What MiniStack did to the disk for one request: the files it wrote, and what it could not do."""

    written: list[str] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)


REQUEST_WRITES: ContextVar[Notes | None] = ContextVar("notes", default=None)


class DurableS3:
    """Hands on every request, those to S3 with care. `on_refusal` is called with each write for which there is no room.

    A write that failed is answered with an error, and what MiniStack has in memory is written once there is room: like
    any S3 it may or may not have taken a write that it answered with a 5xx.
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
        """Have MiniStack write what it could not, if there is room now."""
        if self._failed_writes and not self._disk.is_short():
            for account, bucket, key in sorted(self._failed_writes):
                self._failed_writes.discard((account, bucket, key))
                with s3._in_account(account):
                    if bucket in s3._buckets:
                        s3._persist_version_state(bucket, key, s3._buckets[bucket])

    def _lacks_room(self, scope: Scope, size: int) -> bool:
        """The last of the room is for the records of runs: small, and worth more than an upload."""
        if "delete" in scope["query_string"].decode("latin-1").split("&"):
            return False
        if RECORD.search(scope["path"]) and size <= RECORD_BYTES:
            return self._disk.free() - size < self._disk.floor // 8
        return self._disk.is_short() or self._disk.free() - size < self._disk.floor

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        notes = Notes()
        token = REQUEST_WRITES.set(notes)
        refused = False

        async def send_once_durable(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                if notes.written and not notes.faults:
                    notes.faults += await synced(notes.written)
                if notes.faults and message["status"] < 300:
                    refused = True
                    await refuse(send, scope, notes.faults[0])
            if not refused:
                await send(message)

        try:
            await self._app(scope, receive, send_once_durable)
        finally:
            REQUEST_WRITES.reset(token)

    def _record_failure(self, record: logging.LogRecord) -> bool:
        """Listens to MiniStack's log of S3; lets every line through."""
        if str(record.msg).startswith(FAILED) and isinstance(record.args, tuple) and len(record.args) == 3:
            bucket, key, fault = record.args
            notes = REQUEST_WRITES.get()
            if notes is not None and isinstance(fault, BaseException):
                notes.faults.append(fault)
            if not str(record.msg).startswith("Failed to read"):
                self._failed_writes.add((get_account_id(), str(bucket), str(key)))
        return True


class NoRoom(OSError):
    """The disk lacks room; the text is for a person."""

    def __init__(self, sentence: str) -> None:
        super().__init__(errno.ENOSPC, sentence)


def is_for_s3(scope: Scope, headers: dict[str, str]) -> bool:
    """Whether MiniStack takes a request for one of S3's, by its own rules."""
    service: str = detect_service(scope["method"], scope["path"], headers, {})
    return service == "s3" or b"%2Fs3%2Faws4_request" in scope["query_string"]


def record_writes() -> None:
    """Have MiniStack's one way of writing a file note the file with the request at hand."""
    write = s3._atomic_write
    if hasattr(write, "noted"):
        return

    def noted(path: str, data: bytes, *, text: bool = False) -> None:
        write(path, data, text=text)
        notes = REQUEST_WRITES.get()
        if notes is not None:
            notes.written.append(path)

    noted.noted = True  # type: ignore[attr-defined]
    s3._atomic_write = noted


async def synced(files: Sequence[str]) -> list[OSError]:
    """Waits until the files, and their names, outlast a power cut; what stood in the way, if anything did."""
    faults = []
    for paths in (set(files), {str(Path(path).parent) for path in files}):
        faults += await asyncio.gather(*(asyncio.to_thread(flush, path) for path in paths))  # together: one commit
    return [fault for fault in faults if fault]


def flush(path: str) -> OSError | None:
    try:
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
    except FileNotFoundError:
        return None  # it has been deleted meanwhile
    except OSError as error:
        return error
    return None


async def drain(receive: Receive) -> None:
    """Take in a request's body and forget it: a client that still sends hears no answer."""
    while (await receive()).get("more_body"):
        pass


async def refuse(send: Send, scope: Scope, fault: BaseException) -> None:
    """S3's own error for a write that was not done, or a read of what is gone."""
    no_room = isinstance(fault, OSError) and fault.errno in FULL
    sentence = str(fault.strerror) if isinstance(fault, NoRoom) else f"The disk did not do it: {fault}."
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
