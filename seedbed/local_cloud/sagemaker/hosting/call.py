"""One `POST /invocations` to a container."""

import http.client
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Self

from ..containers.launcher import HERE

CALL_SECONDS = 60.0
"""SageMaker's limit for an answer."""
MOST_BYTES = 6_291_456
CHUNK_BYTES = 2**18


class NotTaken(Exception):
    """A container that takes no connection: the call has not reached it."""


class CallFailed(Exception):
    """A container that gave no whole answer, with a sentence on why."""


class CallTimedOut(CallFailed):
    """A container that did not answer in time."""


@dataclass(frozen=True)
class Answer:
    """A container's answer. headers: by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    port: int, body: bytes, headers: Mapping[str, str], seconds: float = CALL_SECONDS, most_bytes: int = MOST_BYTES
) -> Answer:
    """A container's answer to an invocation. Raises NotTaken or CallFailed.

    seconds: in which the answer must come. most_bytes: how long it may be.
    """
    with Exchange(port, body, headers, seconds) as exchange:
        return Answer(exchange.status, exchange.headers, b"".join(exchange.parts(most_bytes)))


class Exchange:
    """An invocation whose answer is received part by part.

    status, headers: of the answer, the headers by their names in lower case.

    Each has a connection of its own: a container may close one that waits for the next call at any moment, and a call
    that was lost then could not be repeated safely.
    """

    def __init__(self, port: int, body: bytes | IO[bytes], headers: Mapping[str, str], seconds: float) -> None:
        """Sends the request and waits for the answer's headers. Raises NotTaken or CallFailed.

        body: for a file, headers has its Content-Length. seconds: in which the whole answer must come.
        """
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._size = 0
        self._connection = http.client.HTTPConnection(HERE, port, timeout=seconds, blocksize=CHUNK_BYTES)
        try:
            self._connection.connect()
        except OSError as error:
            raise NotTaken from error
        self._socket: socket.socket = self._connection.sock  # the connection forgets it once the answer has begun
        try:
            with self._explained():
                self._connection.request("POST", "/invocations", body, {**headers, "Connection": "close"})
                self._limit()
                self._response = self._connection.getresponse()
        except BaseException:
            self._connection.close()
            raise
        self._stated = self._response.length
        self.status = self._response.status
        self.headers = {name.lower(): " ".join(value.split()) for name, value in self._response.getheaders()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def part(self) -> bytes:
        """What comes next of the answer's body, as soon as there is something; empty at its end. Raises CallFailed."""
        if self._size == self._stated:
            return b""
        with self._explained():
            self._limit()
            part = self._response.read1(CHUNK_BYTES)
            if not part and self._stated is not None:
                raise http.client.IncompleteRead(b"", self._stated - self._size)
        self._size += len(part)
        return part

    def parts(self, most_bytes: int) -> Iterator[bytes]:
        """The answer's body. Raises CallFailed, also if it is longer than that."""
        while part := self.part():
            if self._size > most_bytes:
                raise CallFailed(f"The container's answer is larger than {most_bytes:,} bytes.")
            yield part

    def close(self) -> None:
        """Ends the exchange, also while another thread waits for a part."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._response.close()
        self._connection.close()

    def _limit(self) -> None:
        """Lets the next answer of the container take the time that is left."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turns what can go wrong on the way into CallFailed."""
        try:
            yield
        except TimeoutError:
            raise CallTimedOut(
                "Your invocation timed out while waiting for a response from container primary. An answer must come in"
                f" {self._seconds:.0f} seconds."
            ) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise CallFailed(f"The container gave no whole answer: {error or type(error).__name__}") from error


def is_success(status: int) -> bool:
    """Whether an HTTP status says that all went well."""
    return 200 <= status < 300
