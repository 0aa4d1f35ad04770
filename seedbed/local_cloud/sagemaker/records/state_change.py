"""State changes as EventBridge events."""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from .. import service_model
from ..kinds import ENDPOINT, Body, Kind
from ..settings import EndpointSettings, region_of

SOURCE = "aws.sagemaker"


def state_change(kind: Kind, body: Mapping[str, Any], tags: list[dict[str, str]], settings: EndpointSettings) -> Body:
    """The event SageMaker sends when a job's status changes.

    Its detail is what Describe answers, with times as epoch milliseconds, and the tags as a map. An endpoint's status
    is written there as in IN_SERVICE.
    """
    describe = f"Describe{kind.name}"
    shape = service_model.operation(describe).output_shape
    assert shape is not None
    detail = _in_milliseconds(shape, service_model.answer(describe, body))
    if kind is ENDPOINT:
        detail["EndpointStatus"] = re.sub("(?<=[a-z])(?=[A-Z])", "_", detail["EndpointStatus"]).upper()
    detail["Tags"] = {tag["Key"]: tag["Value"] for tag in tags}
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind.event,
        "source": SOURCE,
        "account": settings.account,
        "time": datetime.fromtimestamp(body["LastModifiedTime"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region_of(body[kind.arn_field]),
        "resources": [body[kind.arn_field]],
        "detail": detail,
    }


def _in_milliseconds(shape: Shape, value: Any) -> Any:
    """The value with each of its times, which are epoch seconds, in milliseconds."""
    if isinstance(shape, StructureShape):
        return {name: _in_milliseconds(shape.members[name], item) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [_in_milliseconds(shape.member, item) for item in value]
    return int(value * 1000) if shape.type_name == "timestamp" else value
