"""AWS on a laptop, as one ASGI app on one port: our own SageMaker, and MiniStack for all other services."""

from starlette.types import ASGIApp, Receive, Scope, Send

from .sagemaker.hosting.invocations import is_runtime

SAGEMAKER_PATH = "/_seedbed/sagemaker/"
METRICS_PATH = "/BatchPutMetrics"
"""Of SageMaker's metrics service. No bucket of S3 is called so, as their names have no capitals."""


class ServiceRouter:
    """Routes each request to SageMaker or to MiniStack."""

    def __init__(self, sagemaker: ASGIApp, everything_else: ASGIApp) -> None:
        self._sagemaker = sagemaker
        self._everything_else = everything_else

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        to_sagemaker = scope["type"] == "http" and (
            any(name == b"x-amz-target" and value.startswith(b"SageMaker.") for name, value in scope["headers"])
            or scope["path"].startswith(SAGEMAKER_PATH)
            or is_runtime(scope)
            or scope["path"] == METRICS_PATH
        )
        await (self._sagemaker if to_sagemaker else self._everything_else)(scope, receive, send)
