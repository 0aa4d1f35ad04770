"""The notification that SageMaker sends to a topic of SNS when an asynchronous invocation has ended."""

import base64
from datetime import UTC, datetime
from typing import Any

from ...kinds import Body
from ...records.async_requests import AsyncRequest
from .result import COMPLETED, Result

MOST_INCLUDED_BYTES = 128 * 1024


def notification(request: AsyncRequest, result: Result, at: float) -> Body:
    """The message of a result. at: when it was there, in epoch seconds."""
    reason = {"failureReason": result.reason} if result.reason else {}
    return {
        "awsRegion": request.region,
        "eventTime": _time(at),
        "receivedTime": _time(request.received),
        "invocationStatus": result.status,
        **reason,
        "requestParameters": _given(
            accept=request.headers.get("Accept"),
            contentType=request.headers.get("Content-Type"),
            endpointName=request.endpoint,
            inputLocation=request.input,
        ),
        **_response(request, result),
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def _response(request: AsyncRequest, result: Result) -> Body:
    """Where the answer is, and the answer itself if the topic is to get it and it is short enough."""
    if result.answer is None:
        return {}
    written = {"outputLocation": request.output} if result.status == COMPLETED else {"failureLocation": request.failure}
    found: Body = {"responseParameters": _given(contentType=result.content_type, **written)}
    if result.status in request.included and result.answer.stat().st_size <= MOST_INCLUDED_BYTES:
        content = base64.b64encode(result.answer.read_bytes()).decode()
        found["responseBody"] = {"content": content, "encoding": "BASE64"}
    return found


def _given(**fields: Any) -> Body:
    return {name: value for name, value in fields.items() if value}


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
