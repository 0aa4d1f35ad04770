"""InvokeEndpointAsync: from a request to a place in the queue."""

import uuid
from collections.abc import Mapping

from ... import service_model
from ...errors import Invalid
from ...kinds import Body
from ...records.async_requests import AsyncRequest
from ...records.transitions import now
from ..owner import Owner
from ..refusals import invalid, too_long
from .result import COMPLETED, FAILED

OPERATION, RUNTIME = "InvokeEndpointAsync", "sagemaker-runtime"
MOST_INLINE_BYTES = 128_000
TTL_SECONDS, CALL_SECONDS = 21_600, 900
"""SageMaker's defaults for the time in the queue and for the answer."""
TOPICS = {COMPLETED: ("SuccessTopic", "SUCCESS_NOTIFICATION_TOPIC"), FAILED: ("ErrorTopic", "ERROR_NOTIFICATION_TOPIC")}
PASSED = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
}


def accepted(name: str, headers: Mapping[str, str], body: bytes, owner: Owner, config: Body) -> AsyncRequest:
    """The request as it is queued. Raises InvocationRefused for one that SageMaker would not take.

    headers: by their names in lower case. body: the payload where it is not in S3. config: the endpoint's
    AsyncInferenceConfig.
    """
    given = read(name, headers)
    check_input(given.get("InputLocation", ""), body)
    output, own = config["OutputConfig"], str(uuid.uuid4())
    inference_id, topics = given.get("InferenceId", own), output.get("NotificationConfig", {})
    container = {header: given[field] for field, header in PASSED.items() if field in given}
    return AsyncRequest(
        endpoint=owner.name,
        region=owner.region,
        inference_id=inference_id,
        received=now(),
        input=given.get("InputLocation", ""),
        output=place(
            output.get("S3OutputPath"), given.get("S3OutputPathExtension"), given.get("Filename", f"{own}.out")
        ),
        failure=place(output.get("S3FailurePath"), None, f"{own}-error.out"),
        ttl=given.get("RequestTTLSeconds", TTL_SECONDS),
        seconds=given.get("InvocationTimeoutSeconds", CALL_SECONDS),
        headers={**container, "X-Amzn-SageMaker-Inference-Id": inference_id},
        topics={status: topics[field] for status, (field, _) in TOPICS.items() if field in topics},
        included=tuple(
            status for status, (_, kind) in TOPICS.items() if kind in topics.get("IncludeInferenceResponseIn", [])
        ),
    )


def read(name: str, headers: Mapping[str, str]) -> Body:
    """The request's fields, by the service model. Raises InvocationRefused."""
    shape = service_model.operation(OPERATION, RUNTIME).input_shape
    assert shape is not None
    given: Body = {"EndpointName": name}
    for field, member in shape.members.items():
        header = member.serialization.get("name", "").lower()
        if member.serialization.get("location") == "header" and header in headers:
            value = headers[header]
            given[field] = int(value) if member.type_name == "integer" and value.isdecimal() else value
    try:
        return service_model.validate(OPERATION, given, RUNTIME)
    except Invalid as fault:
        raise invalid(fault.message) from None


def check_input(location: str, body: bytes) -> None:
    """Raises InvocationRefused unless there is one payload."""
    if bool(location) == bool(body):
        raise invalid("An asynchronous invocation needs either an InputLocation or a Body.")
    if location and not (location.startswith("s3://") and location.removeprefix("s3://").partition("/")[2]):
        raise invalid(f"The InputLocation must be s3://bucket/key, not {location}.")
    if len(body) > MOST_INLINE_BYTES:
        raise too_long(MOST_INLINE_BYTES)


def place(path: str | None, extension: str | None, name: str) -> str:
    """The URI of an object below a path; empty without a path."""
    return "/".join(part.strip("/") for part in (path, extension, name) if part) if path else ""
