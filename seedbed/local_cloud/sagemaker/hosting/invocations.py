"""InvokeEndpoint: SageMaker's runtime API over HTTP, from a signed request to a container's answer."""

import asyncio
import logging
import random
import re
import time
import uuid
from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..settings import EndpointSettings, partition_of
from .call import Answer, CallFailed, NotTaken, call
from .deployment import Deployment, Variant, choose
from .owner import LOG_GROUP
from .refusals import InvocationRefused, invalid, unavailable

log = logging.getLogger(__name__)

PATH = re.compile(r"/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)")
NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
OWN = "x-amzn-sagemaker-"
MOST_BYTES, MOST_SERVERLESS_BYTES = 6_291_456, 4 * 2**20
READY_SECONDS = 30.0
"""How long an invocation waits for a container that is started again."""
LOOK_SECONDS = 0.05
PASSED = ("content-type", "accept", f"{OWN}custom-attributes", f"{OWN}inference-id")
ANSWERED = ("content-type", f"{OWN}custom-attributes")
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

    live: their deployments, by their names in lower case. chance: decides between variants.
    """

    def __init__(
        self, live: Mapping[str, Deployment], settings: EndpointSettings, chance: random.Random | None = None
    ) -> None:
        self._live = live
        self._settings = settings
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
        if operation != "invocations":
            raise invalid(f"This endpoint has no {operation}. Use InvokeEndpoint, and wait for its answer.")
        body = await _body(request)
        check(name, request)
        headers = {header: request.headers[header] for header in PASSED if header in request.headers}
        target = request.headers.get(f"{OWN}target-variant", "")
        until = time.monotonic() + READY_SECONDS
        while True:  # a container that is started again is waited for
            deployment = self._deployment(name)
            variant = self._variant(name, deployment.variants, target)
            if variant.plan.serverless and len(body) > MOST_SERVERLESS_BYTES:
                raise too_long(MOST_SERVERLESS_BYTES)
            answer = await self._ask(name, deployment, variant, body, headers)
            if answer is not None:
                return self._response(name, variant, answer)
            if time.monotonic() > until:
                raise unavailable(f"No container of the variant {variant.plan.name} of {name} answers now.")
            await asyncio.sleep(LOOK_SECONDS)

    async def _ask(
        self, name: str, deployment: Deployment, variant: Variant, body: bytes, headers: Mapping[str, str]
    ) -> Answer | None:
        """The answer of one of a variant's containers; None if none takes the request now. Raises InvocationRefused."""
        instance = variant.take()
        if instance is None:
            return None
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(deployment.threads, call, instance.port, body, headers)
        except (NotTaken, RuntimeError):  # RuntimeError: the deployment has just ended, and its threads with it
            return None
        except CallFailed as failure:
            raise self._model_error(name, 0, str(failure)) from failure
        finally:
            variant.give_back(instance)

    def _variant(self, name: str, variants: Mapping[str, Variant], target: str) -> Variant:
        if not target:
            return choose(variants, self._chance)
        if target not in variants:
            raise invalid(f"Variant {target} not found for endpoint {name}.")
        return variants[target]

    def _deployment(self, name: str) -> Deployment:
        found = self._live.get(name.lower())
        if found is None:
            raise invalid(f"Endpoint {name} of account {self._settings.account} not found.")
        return found

    def _response(self, name: str, variant: Variant, answer: Answer) -> Response:
        if not 200 <= answer.status < 300:
            raise self._model_error(name, answer.status, answer.body.decode(errors="replace"))
        headers = {header: answer.headers[header] for header in ANSWERED if header in answer.headers}
        return Response(answer.body, headers={**headers, "x-amzn-invoked-production-variant": variant.plan.name})

    def _model_error(self, name: str, status: int, said: str) -> InvocationRefused:
        settings, group = self._settings, f"{LOG_GROUP}/{name}"
        party = "client" if 400 <= status < 500 else "server"
        message = (
            f'Received {party} error ({status}) from primary with message "{said}". See the log group {group}'
            f" in account {settings.account} for more information."
        )
        arn = f"arn:{partition_of(settings.region)}:logs:{settings.region}:{settings.account}:log-group:{group}"
        return InvocationRefused(
            "ModelError", 424, message, OriginalStatusCode=status, OriginalMessage=said, LogStreamArn=arn
        )


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


def too_long(most: int) -> InvocationRefused:
    """The refusal of a body of more bytes."""
    return invalid(
        "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than"
        f" or equal to {most}"
    )


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
