"""SageMaker's runtime API over HTTP: from a signed request to a container's answer, or to a place in the queue."""

import asyncio
import json
import logging
import random
import re
import sqlite3
import time
import uuid
from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..settings import EndpointSettings
from .async_inference.accept import accepted
from .async_inference.queue import AsyncQueue
from .deployment import Deployment, Variant, choose
from .refusals import InvocationRefused, invalid, too_long, unavailable, wrong_kind
from .taken import Taken

log = logging.getLogger(__name__)

PATH = re.compile(r"/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)")
ASYNC, STREAM = "async-invocations", "invocations-response-stream"
NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
OWN = "x-amzn-sagemaker-"
MOST_BYTES, MOST_SERVERLESS_BYTES = 6_291_456, 4 * 2**20
READY_SECONDS = 30.0
"""How long an invocation waits for a container that is started again."""
LOOK_SECONDS = 0.05
PASSED = ("content-type", "accept", f"{OWN}custom-attributes", f"{OWN}inference-id")
STREAM_ACCEPT = f"{OWN}accept"
"""The Accept of a request for a stream."""
REFUSED = {
    "target-model": "an endpoint has one model",
    "target-container-hostname": "an endpoint has one container",
    "inference-component": "there are no inference components",
    "enable-explanations": "predictions are not explained",
    "session-id": "there are no sessions with containers",
}


def is_runtime(scope: Scope) -> bool:
    """Whether a request is one of SageMaker's runtime API: its path could be an object's, so the signature tells."""
    return (
        scope["method"] == "POST"
        and PATH.fullmatch(scope["path"]) is not None
        and any(name == b"authorization" and b"/sagemaker/aws4_request" in value for name, value in scope["headers"])
    )


class Invocations:
    """Answers invocations of the endpoints that are in service.

    live: their deployments, by their names in lower case. queue: takes those that are answered later.
    chance: decides between variants.
    """

    def __init__(
        self,
        live: Mapping[str, Deployment],
        settings: EndpointSettings,
        queue: AsyncQueue,
        chance: random.Random | None = None,
    ) -> None:
        self._live = live
        self._settings = settings
        self._queue = queue
        self._chance = chance or random.Random()  # noqa: S311  not for secrets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request (ASGI 3) for which `is_runtime` holds."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except InvocationRefused as refusal:
            response = refusal.response()
        except sqlite3.OperationalError as error:
            log.warning("%s was refused: %s", scope["path"], error)
            response = unavailable(f"The request can't be recorded now: {error}.").response()
        except Exception:
            log.exception("%s failed with an error of the endpoint", scope["path"])
            response = InvocationRefused(
                "InternalFailure", 500, "The endpoint has failed. Its log says why."
            ).response()
        response.headers["x-amzn-requestid"] = str(uuid.uuid4())
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        found = PATH.fullmatch(request.url.path)
        assert found is not None
        name, operation = found.groups()
        body = await _body(request)
        check(name, request)
        if operation == ASYNC:
            return await self._accept(name, request, body)
        return await self._invoke(name, request, body, streamed=operation == STREAM)

    async def _invoke(self, name: str, request: Request, body: bytes, *, streamed: bool) -> Response:
        """InvokeEndpoint and InvokeEndpointWithResponseStream. Raises InvocationRefused."""
        headers = {header: request.headers[header] for header in PASSED if header in request.headers}
        if streamed and STREAM_ACCEPT in request.headers:
            headers["accept"] = request.headers[STREAM_ACCEPT]
        target = request.headers.get(f"{OWN}target-variant", "")
        until = time.monotonic() + READY_SECONDS
        while True:  # a container that is started again is waited for
            deployment = self._deployment(name)
            if deployment.async_config:
                raise wrong_kind(name, "InvokeEndpointAsync")
            variant = self._variant(name, deployment.variants, target)
            if variant.plan.serverless and len(body) > MOST_SERVERLESS_BYTES:
                raise too_long(MOST_SERVERLESS_BYTES)
            instance = variant.take()
            if instance is not None:
                taken = Taken(self._settings, name, deployment, variant, instance)
                response = await (taken.stream if streamed else taken.answer)(body, headers)
                if response is not None:
                    return response
            if time.monotonic() > until:
                raise unavailable(f"No container of the variant {variant.plan.name} of {name} answers now.")
            await asyncio.sleep(LOOK_SECONDS)

    async def _accept(self, name: str, request: Request, body: bytes) -> Response:
        """InvokeEndpointAsync: the request gets a place in the queue. Raises InvocationRefused."""
        deployment = self._deployment(name)
        if not deployment.async_config:
            raise wrong_kind(name, "InvokeEndpoint")
        queued = accepted(name, request.headers, body, deployment.owner, deployment.async_config)
        if not await asyncio.to_thread(self._queue.add, queued, body):
            raise self._not_found(name)
        places = {"outputlocation": queued.output, "failurelocation": queued.failure}
        headers = {f"{OWN}{header}": uri for header, uri in places.items() if uri}
        return Response(json.dumps({"InferenceId": queued.inference_id}), 202, headers, "application/json")

    def _variant(self, name: str, variants: Mapping[str, Variant], target: str) -> Variant:
        if not target:
            return choose(variants, self._chance)
        if target not in variants:
            raise invalid(f"Variant {target} not found for endpoint {name}.")
        return variants[target]

    def _deployment(self, name: str) -> Deployment:
        found = self._live.get(name.lower())
        if found is None:
            raise self._not_found(name)
        return found

    def _not_found(self, name: str) -> InvocationRefused:
        return invalid(f"Endpoint {name} of account {self._settings.account} not found.")


def check(name: str, request: Request) -> None:
    """Raises InvocationRefused for a request that asks for what isn't here."""
    if not NAME.fullmatch(name):
        raise invalid(
            f"1 validation error detected: Value '{name[:100]}' at 'endpointName' failed to satisfy constraint: Member"
            f" must satisfy regular expression pattern: ^{NAME.pattern}"
        )
    for header, why in REFUSED.items():
        if request.headers.get(OWN + header):
            raise invalid(f"This endpoint can't take {OWN}{header}: {why}.")


async def _body(request: Request) -> bytes:
    """The request's body; what is too long is read to its end but not kept, so that the client gets the answer."""
    kept, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MOST_BYTES:
            kept.append(chunk)
    if size > MOST_BYTES:
        raise too_long(MOST_BYTES)
    return b"".join(kept)
