"""Each field of a Create request is given, noted or refused, and the documentation says which."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.model import ListShape, Shape, StructureShape

from seedbed.local_cloud.sagemaker import service_model
from seedbed.local_cloud.sagemaker.request_fields import FIELDS
from seedbed.local_cloud.sagemaker.request_fields.field import Field
from tests.sagemaker.toy_endpoint import IMAGE, processing_request

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

PAGE = Path(__file__).parents[2] / "docs/sagemaker.md"


def leaves(shape: Shape, path: str = "") -> Iterator[str]:
    """The paths of the fields that hold no further fields."""
    if isinstance(shape, ListShape):
        yield from leaves(shape.member, path)
    elif isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield from leaves(member, f"{path}.{name}" if path else name)
    else:
        yield path


@pytest.mark.parametrize("operation", FIELDS)
def test_every_field_of_the_service_model_is_in_the_table_once(operation: str) -> None:
    shape = service_model.operation(operation).input_shape
    assert shape is not None
    fields, unused = FIELDS[operation], set(FIELDS[operation])
    for leaf in leaves(shape):
        found = [path for path in fields if leaf == path or leaf.startswith(f"{path}.")]
        assert len(found) == 1, f"{leaf} is in the table {len(found)} times"
        assert fields[found[0]].effect != "given" or found[0] == leaf, f"{leaf} is given, so it needs its own entry"
        unused -= set(found)
    assert unused == set(), "the service model has no such fields"


def row(operation: str, path: str, field: Field) -> str:
    taken = f" unless it is {' or '.join(map(str, field.taken))}" if field.taken else ""
    return f"| {operation.removeprefix('Create')} | `{path}` | {field.effect}{taken}: {field.why} |"


def test_documentation_lists_what_is_noted_or_refused() -> None:
    wanted = [
        row(operation, path, field)
        for operation, fields in FIELDS.items()
        for path, field in fields.items()
        if field.effect != "given" and not path.startswith(("TrainingJobDefinition", "Containers"))
    ]
    own = {path: field for path, field in FIELDS["CreateHyperParameterTuningJob"].items() if ".Hyper" in path}
    wanted += [
        row("HyperParameterTuningJob", path, field)
        for path, field in own.items()
        if field.effect != "given" and path.startswith("TrainingJobDefinition.")
    ]
    page = PAGE.read_text(encoding="utf-8").splitlines()
    tables = tuple(f"| {operation.removeprefix('Create')} | `" for operation in FIELDS)
    assert sorted(line for line in page if line.startswith(tables)) == sorted(wanted)


CHANNEL = {
    "ChannelName": "odd",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/in/"}},
}
GROUP = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "one"}
TRAINING: list[tuple[dict[str, Any], str]] = [
    ({"ResourceConfig": {"InstanceGroups": [GROUP, GROUP]}}, "needs an InstanceGroupName of its own"),
    ({"ResourceConfig": {"InstanceGroups": [GROUP], "InstanceCount": 1}}, "can't have an InstanceCount"),
    (
        {
            "InputDataConfig": [
                {
                    "ChannelName": "odd",
                    "DataSource": {"S3DataSource": {"S3DataType": "Converse", "S3Uri": "s3://bench/in/"}},
                }
            ]
        },
        "S3DataType Converse in 'odd': conversations are not read",
    ),
    (
        {"InputDataConfig": [{"ChannelName": "odd", "DataSource": {"DatasetSource": {"DatasetArn": "arn:aws:x"}}}]},
        "DatasetSource in 'odd'|datasetArn",
    ),
    ({"TensorBoardOutputConfig": {"S3OutputPath": "s3://bench/tb", "LocalPath": "/logs"}}, "/opt/ml"),
    (
        {"DebugRuleConfigurations": [{"RuleConfigurationName": "rule", "RuleEvaluatorImage": IMAGE}]},
        "DebugRuleConfigurations: no rules of Debugger are run",
    ),
    ({"RemoteDebugConfig": {"EnableRemoteDebug": True}}, "RemoteDebugConfig"),
]


@pytest.mark.parametrize(("changes", "named"), TRAINING)
def test_training_job_that_asks_for_too_much_is_refused_by_name(
    endpoint: "Endpoint", changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(endpoint.sagemaker.exceptions.ClientError, match=f"ValidationException.*({named})"):
        endpoint.train("asked", **changes)


def test_processing_job_that_asks_for_too_much_is_refused_by_name(endpoint: "Endpoint") -> None:
    request = processing_request("asked")
    output = request["ProcessingOutputConfig"]["Outputs"][0]
    asked: list[tuple[dict[str, Any], str]] = [
        (
            {
                "ProcessingInputs": [
                    {
                        **request["ProcessingInputs"][0],
                        "S3Input": {**request["ProcessingInputs"][0]["S3Input"], "S3InputMode": "Pipe"},
                    }
                ]
            },
            "S3InputMode Pipe in 'data': processing jobs get files alone",
        ),
        ({"ProcessingInputs": [{**request["ProcessingInputs"][0], "AppManaged": True}]}, "AppManaged in 'data'"),
        (
            {"ProcessingOutputConfig": {"Outputs": [{**output, "FeatureStoreOutput": {"FeatureGroupName": "f"}}]}},
            "FeatureStoreOutput in 'all'",
        ),
    ]
    for changes, named in asked:
        with pytest.raises(endpoint.sagemaker.exceptions.ClientError, match=named):
            endpoint.sagemaker.create_processing_job(**{**request, **changes})


def test_defaults_that_clients_send_are_taken(endpoint: "Endpoint") -> None:
    endpoint.train(
        "defaults",
        {"epochs": "1"},
        DebugRuleConfigurations=[],
        RemoteDebugConfig={"EnableRemoteDebug": False},
        EnableNetworkIsolation=False,
        ProfilerConfig={"DisableProfiler": True},
        DebugHookConfig={"S3OutputPath": "s3://bench/debug"},
        ResourceConfig={"InstanceGroups": [GROUP], "VolumeSizeInGB": 1, "KeepAlivePeriodInSeconds": 0},
        RetryStrategy={"MaximumRetryAttempts": 1},
        InputDataConfig=[{**CHANNEL, "CompressionType": "None", "RecordWrapperType": "None"}],
    )
    job = endpoint.ended("training", "defaults")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
