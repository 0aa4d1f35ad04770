"""State changes as EventBridge events."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..kinds import PROCESSING, TRAINING, TUNING, Body, Kind
from ..settings import EndpointSettings

SOURCE = "aws.sagemaker"

FIELDS = {
    TUNING: [
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobStatus",
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition",
        "TrainingJobDefinitions",
        "CreationTime",
        "LastModifiedTime",
        "HyperParameterTuningEndTime",
        "TrainingJobStatusCounters",
        "ObjectiveStatusCounters",
        "FailureReason",
    ],
    TRAINING: [
        "TrainingJobName",
        "TrainingJobArn",
        "TrainingJobStatus",
        "SecondaryStatus",
        "HyperParameters",
        "AlgorithmSpecification",
        "RoleArn",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "VpcConfig",
        "StoppingCondition",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "SecondaryStatusTransitions",
        "FailureReason",
    ],
    PROCESSING: [
        "ProcessingJobName",
        "ProcessingJobArn",
        "ProcessingJobStatus",
        "ProcessingInputs",
        "ProcessingOutputConfig",
        "ProcessingResources",
        "AppSpecification",
        "StoppingCondition",
        "Environment",
        "RoleArn",
        "CreationTime",
        "ProcessingStartTime",
        "ProcessingEndTime",
        "LastModifiedTime",
        "FailureReason",
        "ExitMessage",
    ],
}


def state_change(kind: Kind, body: Mapping[str, Any], tags: list[dict[str, str]], settings: EndpointSettings) -> Body:
    """The event SageMaker sends when a job's status changes. Times in its detail are epoch milliseconds."""
    detail = {field: _in_milliseconds(field, body[field]) for field in FIELDS[kind] if field in body}
    detail["Tags"] = {tag["Key"]: tag["Value"] for tag in tags}
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind.event,
        "source": SOURCE,
        "account": settings.account,
        "time": datetime.fromtimestamp(body["LastModifiedTime"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": settings.region,
        "resources": [body[kind.arn_field]],
        "detail": detail,
    }


def _in_milliseconds(field: str, value: Any) -> Any:
    if field.endswith("Time"):
        return int(value * 1000)
    if field == "SecondaryStatusTransitions":
        return [{name: _in_milliseconds(name, item) for name, item in step.items()} for step in value]
    return value
