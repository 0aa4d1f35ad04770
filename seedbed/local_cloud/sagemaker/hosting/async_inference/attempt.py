"""One attempt to give an asynchronous invocation its result."""

import time
from collections.abc import Callable
from pathlib import Path

from ...errors import JobFailure
from ...jobs import JobServices
from ...records.async_requests import AsyncRequest
from ..call import CallFailed, Exchange, is_success
from ..refusals import party_of
from .result import Postponed, Result

MOST_BYTES = 2**30
"""SageMaker's limit for a payload; here for an answer too."""
SEE_LOGS = "See the SageMaker Endpoint logs in your account for more information."


class Attempt:
    """A request on its way to a container, and its answer.

    folder: for its files. is_ending: whether the container or this program was asked to end, so that what fails now is
    no failure of the model or the request.
    """

    def __init__(
        self, services: JobServices, request: AsyncRequest, folder: Path, is_ending: Callable[[], bool]
    ) -> None:
        self.request = request
        self.folder = folder
        self.transfer = services.transfer
        self._disk = services.disk
        self._is_ending = is_ending
        self._begun = time.monotonic()

    def failed(self, reason: str, answer: Path | None = None, content_type: str = "") -> Result:
        """The result of a failure. Raises Postponed where trying again later helps: while it ends, or lacks space."""
        if self._is_ending() or self._disk.was_short(self._begun):
            raise Postponed(reason)
        return Result(answer, content_type, reason)

    def ask(self, port: int, payload: bytes) -> Result:
        """What a container says. Raises NotTaken or Postponed.

        payload: that of a request without a place in S3.
        """
        request, source, answer = self.request, self.folder / "payload", self.folder / "answer"
        try:
            headers = {**self._fetch(source, payload), **request.headers, "Content-Length": str(source.stat().st_size)}
            with source.open("rb") as body, Exchange(port, body, headers, request.seconds) as exchange:
                keep(exchange, answer)
        except JobFailure as failure:
            return self.failed(str(failure))
        except CallFailed as failure:
            return self.failed(f"ClientError: {failure}")
        except OSError as error:
            return self.failed(f"InternalServerError: the payload or the answer can't be kept: {error.strerror}")
        content_type = exchange.headers.get("content-type", "")
        if is_success(exchange.status):
            return Result(answer, content_type)
        reason = f"ClientError: Received {party_of(exchange.status)} error ({exchange.status}) from model. {SEE_LOGS}"
        return self.failed(reason, answer, content_type)

    def _fetch(self, source: Path, payload: bytes) -> dict[str, str]:
        """Puts the payload into a file. Returns the header that its object in S3 gives. Raises JobFailure."""
        if not self.request.input:
            source.write_bytes(payload)
            return {}
        content_type = self.transfer.download_object(self.request.input, source, MOST_BYTES)
        return {"Content-Type": content_type} if content_type else {}


def keep(exchange: Exchange, file: Path) -> None:
    """Writes an answer to a file. Raises CallFailed."""
    with file.open("wb") as kept:
        for part in exchange.parts(MOST_BYTES):
            kept.write(part)
