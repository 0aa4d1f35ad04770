"""A whole model behind HTTP, as SageMaker hosting expects it: `GET /ping`, and `POST /invocations` with images.

Memory and time are bounded: a few requests run at a time, each of limited size, and decoding/ limits each image. Images
are decoded in other processes, so pings and other requests are answered meanwhile, and shutdown does not wait for them.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from threading import Timer
from types import FrameType

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainer.answering.compression import decompressed
from trainer.archive import WHOLE, Model, read_model
from trainer.decoding.images import DECODERS
from trainer.decoding.limits import DEFAULT_LIMITS, DecodingLimits
from trainer.decoding.pool import DecoderPool
from trainer.errors import BadInput, RequestRefused, UnreadableModel
from trainer.inference.averaging import classify
from trainer.inference.invocation import Invocations

MAX_BYTES = 25 * 1024 * 1024
MAX_REQUESTS = 8
MIN_DECODERS = 2
"""So that one costly image leaves a decoder to the other requests."""
BODY_SECONDS = 60
DECODED_SECONDS, GRACE_SECONDS = 20, 25
"""Counted from SIGTERM: when decoding is given up, and when the server ends. SageMaker kills it after 30."""


def serve(model: Path, host: str, port: int, limits: DecodingLimits = DEFAULT_LIMITS) -> None:
    """Serves until SIGTERM or SIGINT, and then finishes the requests that it has already accepted.

    `model` is a model.tar.gz, or a folder with its files. The server listens after a first prediction, and prints its
    address; port 0 takes any free port. Decoding an image is bounded by `limits`. Raises UnreadableModel,
    DecoderFailed, and BadInput if it can't listen on the port.
    """
    with DecoderPool(limits, max(DECODERS, MIN_DECODERS)) as decoders:
        decoders.start()
        _serve(ModelApp(_ready(model), decoders), decoders, host, port)


class GracefulServer(uvicorn.Server):
    """A server that, during shutdown, stops long decoding early enough to still answer those requests."""

    def __init__(self, config: uvicorn.Config, decoders: DecoderPool) -> None:
        super().__init__(config)
        self._close_decoders = Timer(DECODED_SECONDS, decoders.close)
        self._close_decoders.daemon = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by SIGTERM and SIGINT."""
        super().handle_exit(sig, frame)
        if not self._close_decoders.ident:
            self._close_decoders.start()


def _serve(endpoint: "ModelApp", decoders: DecoderPool, host: str, port: int) -> None:
    try:
        listener = socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "there is no such port"
        raise BadInput(f"Port {port} of {host} can't be listened on: {why}. Choose another with --port.") from error
    config = uvicorn.Config(
        endpoint.application(),
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = GracefulServer(config, decoders)
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again once it has stopped
        signal.signal(number, server.handle_exit)
    sys.stdout.write(f"serving at http://{host}:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    server.run([listener])


def _ready(archive: Path) -> Model:
    """The model after its first prediction, which takes longest."""
    with tempfile.TemporaryDirectory() as scratch:
        model = read_model(archive, WHOLE, Path(scratch, "model"))
    answers = classify(model, np.zeros((1, model.image_size, model.image_size, 3), np.uint8))
    if not np.isfinite(answers.probabilities).all():
        raise UnreadableModel(f"The model {archive.name} can't be used: its answers are not numbers.")
    return model


class ModelApp:
    """The two routes of one model. Errors are answered in JSON, as `message`."""

    def __init__(self, model: Model, decoders: DecoderPool) -> None:
        self._invocations = Invocations(model, decoders)
        self._requests = 0
        self._threads = ThreadPoolExecutor(MAX_REQUESTS)

    def application(self) -> Starlette:
        """The ASGI application."""
        routes = [Route("/ping", self._ping), Route("/invocations", self._invoke, methods=["POST"])]
        return Starlette(routes=routes, exception_handlers={HTTPException: _error_response, RequestRefused: _refusal})

    async def _ping(self, _: Request) -> Response:
        return Response()

    async def _invoke(self, request: Request) -> Response:
        if self._requests >= MAX_REQUESTS:
            busy = f"{MAX_REQUESTS} requests are being answered already: try again in a while."
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, busy, {"Retry-After": "1"})
        self._requests += 1
        try:
            body = await _body(request)
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, request.headers, body)
        finally:
            self._requests -= 1

    def _answer(self, headers: Headers, body: bytes) -> Response:
        content = decompressed(body, headers.get("content-encoding", ""), MAX_BYTES)
        answer = self._invocations.answer(headers.get("content-type", ""), content, headers.get("accept", ""))
        return Response(answer.text, media_type=answer.media_type)


async def _body(request: Request) -> bytes:
    """The request's body. A larger one is read but not kept, so that the client gets the answer."""
    kept, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= MAX_BYTES:
                    kept.append(chunk)
    except TimeoutError:
        raise HTTPException(
            HTTPStatus.REQUEST_TIMEOUT, f"The body did not arrive within {BODY_SECONDS} seconds."
        ) from None
    except ClientDisconnect:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The client has gone.") from None
    if size > MAX_BYTES:
        limit = f"The body is larger than {MAX_BYTES:,} bytes: send fewer or smaller images."
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, limit)
    return b"".join(kept)


async def _error_response(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"message": error.detail}, error.status_code, error.headers)


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefused)
    return JSONResponse({"message": str(error)}, error.status)
