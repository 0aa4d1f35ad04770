"""A job as a trial component, and a tuning job as an experiment with one trial, as SageMaker tracks them by itself."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..kinds import PROCESSING, TRAINING, TUNING, Body, Kind
from ..records.experiments import COMPONENT_SUFFIXES, EXPERIMENT_SUFFIX, TRIAL_SUFFIX
from ..records.store import JobRecord

SOURCE_TYPES = {
    TRAINING: "SageMakerTrainingJob",
    PROCESSING: "SageMakerProcessingJob",
    TUNING: "SageMakerHyperParameterTuningJob",
}
MEDIA_TYPE = re.compile(r"[-\w]{1,40}/[-\w+]{1,23}")
NOBODY: Body = {"CreatedBy": {}, "LastModifiedBy": {}}


def component(kind: Kind, job: JobRecord) -> Body:
    """A training or processing job as a trial component, without its ARN."""
    body = job.body
    name = f"{body[kind.name_field]}{COMPONENT_SUFFIXES[kind]}"
    config = body.get("ExperimentConfig", {})
    prefix = kind.name.removesuffix("Job")
    times = {"StartTime": body.get(f"{prefix}StartTime"), "EndTime": body.get(f"{prefix}EndTime")}
    inputs, outputs = _training_artifacts(body) if kind is TRAINING else _processing_artifacts(body)
    return {
        "TrialComponentName": name,
        "DisplayName": config.get("TrialComponentDisplayName", name),
        "Source": source(kind, body),
        "Status": {"PrimaryStatus": body[kind.status_field], "Message": _status_message(kind, body)},
        **{field: value for field, value in times.items() if value is not None},
        "CreationTime": body["CreationTime"],
        "LastModifiedTime": body["LastModifiedTime"],
        **NOBODY,
        "Parameters": {name: parameter(value) for name, value in _parameters(kind, body)},
        "InputArtifacts": inputs,
        "OutputArtifacts": outputs,
        "Metrics": [{**metric, "SourceArn": body[kind.arn_field]} for metric in statistics(job)],
        **({"RunName": config["RunName"]} if "RunName" in config else {}),
    }


def source(kind: Kind, body: Body) -> Body:
    """The job that something was made of."""
    return {"SourceArn": body[kind.arn_field], "SourceType": SOURCE_TYPES[kind]}


def experiment(body: Body) -> Body:
    """A tuning job as an experiment, without its ARN."""
    name = f"{body['HyperParameterTuningJobName']}{EXPERIMENT_SUFFIX}"
    return {"ExperimentName": name, "DisplayName": name, **_tracked(body)}


def trial(body: Body) -> Body:
    """The one trial of a tuning job's experiment, without its ARN."""
    job = body["HyperParameterTuningJobName"]
    name = f"{job}{TRIAL_SUFFIX}"
    return {"TrialName": name, "DisplayName": name, "ExperimentName": f"{job}{EXPERIMENT_SUFFIX}", **_tracked(body)}


def parameter(text: str | float) -> dict[str, str | float]:
    """A parameter's value: a number where it is one."""
    try:
        value = float(text)
    except ValueError:
        return {"StringValue": str(text)}
    return {"NumberValue": value} if math.isfinite(value) else {"StringValue": str(text)}


def statistics(job: JobRecord) -> list[Body]:
    """The summary of each metric of a training job that has ended; of an old record the last values alone."""
    found: list[Body] | None = job.private.get("statistics")
    if found is None:
        return [
            {"MetricName": each["MetricName"], "Last": each["Value"], "TimeStamp": each["Timestamp"]}
            for each in job.body.get("FinalMetricDataList", [])
        ]
    return found


def _tracked(body: Body) -> Body:
    times = {name: body[name] for name in ("CreationTime", "LastModifiedTime")}
    return {"Source": source(TUNING, body), **times, **NOBODY}


def _status_message(kind: Kind, body: Body) -> str:
    reason = body.get("FailureReason") or "null"
    middle = (
        f"secondary status: {body.get('SecondaryStatus')}"
        if kind is TRAINING
        else f"exit message: {body.get('ExitMessage') or 'null'}"
    )
    return f"Status: {body[kind.status_field]}, {middle}, failure reason: {reason}"[:1024]


def _parameters(kind: Kind, body: Body) -> Iterator[tuple[str, str | float]]:
    if kind is TRAINING:
        yield from body.get("HyperParameters", {}).items()
        yield "SageMaker.ImageUri", body["AlgorithmSpecification"].get("TrainingImage", "")
        resources: Mapping[str, Any] = body.get("ResourceConfig", {})
    else:
        resources = body["ProcessingResources"]["ClusterConfig"]
    for field in ("InstanceType", "InstanceCount", "VolumeSizeInGB"):
        if field in resources:
            yield f"SageMaker.{field}", resources[field]


def _training_artifacts(body: Body) -> tuple[Body, Body]:
    inputs = {}
    for channel in body.get("InputDataConfig", []):
        media = channel.get("ContentType", "")
        typed = {"MediaType": media} if MEDIA_TYPE.fullmatch(media) else {}
        uri = channel["DataSource"].get("S3DataSource", {}).get("S3Uri", "")
        inputs[channel["ChannelName"]] = {**typed, "Value": uri}
    outputs = {}
    if "ModelArtifacts" in body:
        outputs["SageMaker.ModelArtifact"] = {"Value": body["ModelArtifacts"]["S3ModelArtifacts"]}
    if "DebugHookConfig" in body:
        outputs["SageMaker.DebugHookOutput"] = {"Value": body["DebugHookConfig"]["S3OutputPath"]}
    return inputs, outputs


def _processing_artifacts(body: Body) -> tuple[Body, Body]:
    inputs = {"SageMaker.ImageUri": {"Value": body["AppSpecification"]["ImageUri"]}}
    for given in body.get("ProcessingInputs", []):
        inputs[given["InputName"]] = {"Value": given.get("S3Input", {}).get("S3Uri", "")}
    outputs = body.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return inputs, {each["OutputName"]: {"Value": each.get("S3Output", {}).get("S3Uri", "")} for each in outputs}
