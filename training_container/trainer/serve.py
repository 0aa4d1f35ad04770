"""A whole model behind HTTP, as SageMaker hosting asks: `GET /ping`, and `POST /invocations` with images.

Memory and time are bounded: a few requests are taken at a time, each of a limited size, and each image costs no more
than the limits of decoding/. Images are decoded in other processes, so that pings and other requests are answered
meanwhile, and its end need not wait for them.
"""

import asyncio
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
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainer.archive import WHOLE, Model, read_model
from trainer.decoding.images import DECODERS
from trainer.decoding.limits import LIMITS, Limits
from trainer.decoding.pool import Decoders
from trainer.errors import BadInput, UnreadableModel
from trainer.inference.averaging import classify
from trainer.inference.invocation import Invocations

MAX_BYTES = 25 * 1024 * 1024
MAX_REQUESTS = 8
LEAST_DECODERS = 2
"""So that one costly image leaves another decoder to the rest."""
BODY_SECONDS = 60
DECODED_SECONDS, GRACE_SECONDS = 20, 25
"""For images, and for all, from SIGTERM on: SageMaker kills what has not ended after 30."""


def serve(model: Path, host: str, port: int, limits: Limits = LIMITS) -> None:
    """Answers until SIGTERM or SIGINT, then ends what was asked before. `model` is a model.tar.gz, or a folder of one.

    It listens once the model has answered a first time, and says where; 0 is any free port. No image costs more than
    the limits. Raises UnreadableModel, DecoderFailed, and BadInput where the port can't be had.
    """
    with Decoders(limits, max(DECODERS, LEAST_DECODERS)) as decoders:
        decoders.start()
        _serve(Endpoint(_ready(model), decoders), decoders, host, port)


class Server(uvicorn.Server):
    """Once told to end, it gives up images that take long, so that who sent them is answered before it has to end."""

    def __init__(self, config: uvicorn.Config, decoders: Decoders) -> None:
        super().__init__(config)
        self._give_up = Timer(DECODED_SECONDS, decoders.close)
        self._give_up.daemon = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by SIGTERM and SIGINT."""
        super().handle_exit(sig, frame)
        if not self._give_up.ident:
            self._give_up.start()


def _serve(endpoint: "Endpoint", decoders: Decoders, host: str, port: int) -> None:
    try:
        listener = socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        raise BadInput(f"Port {port} of {host} can't be listened on: {error}. Choose another with --port.") from error
    config = uvicorn.Config(
        endpoint.application(),
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = Server(config, decoders)
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again once it has ended
        signal.signal(number, server.handle_exit)
    sys.stdout.write(f"serving at http://{host}:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    server.run([listener])


def _ready(archive: Path) -> Model:
    """The model, after a first answer: that one takes longest."""
    with tempfile.TemporaryDirectory() as scratch:
        model = read_model(archive, WHOLE, Path(scratch, "model"))
    if not np.isfinite(classify(model, np.zeros((1, model.image_size, model.image_size, 3), np.uint8))).all():
        raise UnreadableModel(f"The model {archive.name} can't be used: its answers are no numbers.")
    return model


class Endpoint:
    """The two routes of one model. Whatever is wrong with a request is told in JSON, as `message`."""

    def __init__(self, model: Model, decoders: Decoders) -> None:
        self._invocations = Invocations(model, decoders)
        self._requests = 0
        self._threads = ThreadPoolExecutor(MAX_REQUESTS)

    def application(self) -> Starlette:
        """The ASGI application."""
        routes = [Route("/ping", self._ping), Route("/invocations", self._invoke, methods=["POST"])]
        return Starlette(routes=routes, exception_handlers={HTTPException: _told})

    async def _ping(self, _: Request) -> Response:
        return Response()

    async def _invoke(self, request: Request) -> Response:
        if self._requests >= MAX_REQUESTS:
            busy = f"{MAX_REQUESTS} requests are being answered already: ask again in a while."
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, busy, {"Retry-After": "1"})
        self._requests += 1
        try:
            body = await _body(request)
            content_type, accept = (request.headers.get(name, "") for name in ("content-type", "accept"))
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._invocations.answer, content_type, body, accept)
        finally:
            self._requests -= 1


async def _body(request: Request) -> bytes:
    """All of it is read, so that the client hears the answer, but no more than the limit is kept."""
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


async def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"message": error.detail}, error.status_code, error.headers)
