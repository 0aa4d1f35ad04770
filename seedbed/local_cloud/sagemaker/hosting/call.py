"""One `POST /invocations` to a container."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ..containers.launcher import HERE

CALL_SECONDS = 60.0
"""SageMaker's limit for an answer."""
MOST_BYTES = 6_291_456
CHUNK_BYTES = 2**18


class NotTaken(Exception):
    """A container that takes no connection: the call has not reached it."""


class CallFailed(Exception):
    """A container that gave no whole answer, with a sentence on why."""


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

    Each call has a connection of its own: a container may close one that waits for the next call at any moment, and a
    call that was lost then could not be repeated safely.
    """
    until = time.monotonic() + seconds
    connection = http.client.HTTPConnection(HERE, port, timeout=seconds)
    try:
        connection.connect()
    except OSError as error:
        raise NotTaken from error
    try:
        connection.request("POST", "/invocations", body, {**headers, "Connection": "close"})
        response = connection.getresponse()
        given = {name.lower(): " ".join(value.split()) for name, value in response.getheaders()}
        return Answer(response.status, given, _read(connection, response, until, most_bytes))
    except TimeoutError:
        raise CallFailed(
            "Your invocation timed out while waiting for a response from container primary. An answer must come in"
            f" {seconds:.0f} seconds."
        ) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CallFailed(f"The container gave no whole answer: {error or type(error).__name__}") from error
    finally:
        connection.close()


def _read(
    connection: http.client.HTTPConnection, response: http.client.HTTPResponse, until: float, most_bytes: int
) -> bytes:
    parts: list[bytes] = []
    size, stated = 0, response.length
    while size != stated:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left)
        part = response.read1(CHUNK_BYTES)
        if not part:
            if stated is not None:
                raise http.client.IncompleteRead(b"", stated - size)
            break
        parts.append(part)
        size += len(part)
        if size > most_bytes:
            raise CallFailed(f"The container's answer is larger than {most_bytes:,} bytes.")
    return b"".join(parts)
