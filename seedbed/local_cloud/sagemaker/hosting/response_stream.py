"""InvokeEndpointWithResponseStream: a container's answer, passed on while the container still writes it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from . import event_stream
from .call import CallFailed, CallTimedOut, Exchange

log = logging.getLogger(__name__)

STREAM_SECONDS = 480.0
"""SageMaker's limit for a whole answer that is streamed."""


class EventStreamResponse(StreamingResponse):
    """An answer as an event stream. threads: in which its parts are waited for. on_end: called once it is over."""

    def __init__(
        self, exchange: Exchange, headers: Mapping[str, str], threads: Executor, on_end: Callable[[], None]
    ) -> None:
        super().__init__(events(exchange, threads), headers=headers, media_type=event_stream.MEDIA_TYPE)
        self._exchange = exchange
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:  # the client may have gone away
            self._exchange.close()
            self._on_end()


async def events(exchange: Exchange, threads: Executor) -> AsyncIterator[bytes]:
    """The parts of an answer as messages; what goes wrong on the way is the last one."""
    loop = asyncio.get_running_loop()
    try:
        while part := await loop.run_in_executor(threads, exchange.part):
            yield event_stream.event("PayloadPart", part)
    except CallTimedOut:
        yield broken(
            "ModelInvocationTimeExceeded",
            "Your model primary did not complete sending the inference response in the allotted time.",
        )
    except CallFailed as failure:
        yield broken("StreamBroken", str(failure))
    except Exception:
        log.exception("A stream failed with an error of the endpoint")
        said = {"Message": "The endpoint has failed. Its log says why."}
        yield event_stream.exception("InternalStreamFailure", said)


def broken(code: str, message: str) -> bytes:
    """The message that a container's answer has ended too early."""
    return event_stream.exception("ModelStreamError", {"Message": message, "ErrorCode": code})
