"""One invocation of a container of an endpoint, answered whole or as a stream."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from starlette.responses import Response

from ..settings import EndpointSettings
from .call import MOST_BYTES, Answer, CallFailed, Exchange, NotTaken, call, is_success
from .deployment import Deployment, Variant
from .instance import Instance
from .refusals import InvocationRefused, model_error
from .response_stream import STREAM_SECONDS, EventStreamResponse

CUSTOM_ATTRIBUTES, STREAMED_TYPE = "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-content-type"
INVOKED_VARIANT = "x-amzn-invoked-production-variant"
Found = TypeVar("Found")


@dataclass(frozen=True)
class Taken:
    """A container that was taken for one invocation, which gives it back. endpoint: as the request names it."""

    settings: EndpointSettings
    endpoint: str
    deployment: Deployment
    variant: Variant
    instance: Instance

    async def answer(self, body: bytes, headers: Mapping[str, str]) -> Response | None:
        """The answer; None if the container does not take the request now. Raises InvocationRefused."""
        try:
            answer = await self._in_thread(partial(call, self.instance.port, body, headers))
            if answer is None:
                return None
            self._check(answer)
            return Response(answer.body, headers=self._answered(answer, "content-type"))
        finally:
            self._give_back()

    async def stream(self, body: bytes, headers: Mapping[str, str]) -> Response | None:
        """As `answer`, with the parts of the answer as they come."""
        response = None
        try:
            begun = await self._in_thread(partial(begin, self.instance.port, body, headers))
            if isinstance(begun, Answer):
                self._check(begun)
            elif begun is not None:
                answered = self._answered(begun, STREAMED_TYPE)
                response = EventStreamResponse(begun, answered, self.deployment.threads, self._give_back)
            return response
        finally:
            if response is None:
                self._give_back()

    async def _in_thread(self, work: Callable[[], Found]) -> Found | None:
        try:
            return await asyncio.get_running_loop().run_in_executor(self.deployment.threads, work)
        except (NotTaken, RuntimeError):  # RuntimeError: the deployment has just ended, and its threads with it
            return None
        except CallFailed as failure:
            raise self._model_error(0, str(failure)) from failure

    def _check(self, answer: Answer) -> None:
        """Raises InvocationRefused for an error."""
        if not is_success(answer.status):
            raise self._model_error(answer.status, answer.body.decode(errors="replace"))

    def _model_error(self, status: int, said: str) -> InvocationRefused:
        return model_error(self.settings, self.endpoint, status, said)

    def _answered(self, answer: Answer | Exchange, content_type: str) -> dict[str, str]:
        """The headers of the response. content_type: the name of the one with the answer's own type."""
        names = {"content-type": content_type, CUSTOM_ATTRIBUTES: CUSTOM_ATTRIBUTES}
        given = {name: answer.headers[header] for header, name in names.items() if header in answer.headers}
        return {**given, INVOKED_VARIANT: self.variant.plan.name}

    def _give_back(self) -> None:
        self.variant.give_back(self.instance)


def begin(port: int, body: bytes, headers: Mapping[str, str]) -> Exchange | Answer:
    """An answer that begins, or the whole of one that is an error. Raises NotTaken or CallFailed."""
    exchange = Exchange(port, body, headers, STREAM_SECONDS)
    if is_success(exchange.status):
        return exchange
    with exchange:
        return Answer(exchange.status, exchange.headers, b"".join(exchange.parts(MOST_BYTES)))
