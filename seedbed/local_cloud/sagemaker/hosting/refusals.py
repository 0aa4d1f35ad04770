"""The errors of the runtime's calls, as SageMaker answers them."""

import json
from typing import Any

from starlette.responses import Response


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
