"""The errors of the runtime's calls, as SageMaker answers them."""

import json
from typing import Any

from starlette.responses import Response

from ..settings import EndpointSettings, partition_of
from .owner import LOG_GROUP


class InvocationRefused(Exception):
    """An invocation that gets no answer of a model.

    code: SageMaker's error code. status: the HTTP status. more: further fields of the error.
    """

    def __init__(self, code: str, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.more = more

    def response(self) -> Response:
        """The error as an HTTP response."""
        content = json.dumps({"Message": self.message, "message": self.message, **self.more})
        return Response(content, self.status, {"x-amzn-errortype": self.code}, "application/json")


def invalid(message: str) -> InvocationRefused:
    """A request that can't be taken."""
    return InvocationRefused("ValidationError", 400, message)


def unavailable(message: str) -> InvocationRefused:
    """A request for which there is nobody now."""
    return InvocationRefused("ServiceUnavailable", 503, message)


def model_error(settings: EndpointSettings, endpoint: str, status: int, said: str) -> InvocationRefused:
    """A container's own error. status: that of its answer, 0 without one. said: what it answered, or why it did not."""
    group = f"{LOG_GROUP}/{endpoint}"
    message = (
        f'Received {party_of(status)} error ({status}) from primary with message "{said}". See the log group {group}'
        f" in account {settings.account} for more information."
    )
    arn = f"arn:{partition_of(settings.region)}:logs:{settings.region}:{settings.account}:log-group:{group}"
    return InvocationRefused(
        "ModelError", 424, message, OriginalStatusCode=status, OriginalMessage=said, LogStreamArn=arn
    )


def party_of(status: int) -> str:
    """Whose error a container's answer is."""
    return "client" if 400 <= status < 500 else "server"


def wrong_kind(endpoint: str, call: str) -> InvocationRefused:
    """A call that is not for this kind of endpoint. call: the one that is."""
    return invalid(f"Endpoint {endpoint} does not support this inference type. Use {call}.")


def too_long(most: int) -> InvocationRefused:
    """The refusal of a body of more bytes."""
    return invalid(
        "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than"
        f" or equal to {most}"
    )
