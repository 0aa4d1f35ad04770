"""Models, endpoint configurations and endpoints: what they answer, and what their containers are given."""

import re
import socket
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.containers.docker import Engine
from seedbed.local_cloud.sagemaker.errors import JobFailure
from seedbed.local_cloud.sagemaker.hosting.model_data import unpack
from tests.sagemaker.hosted import IMAGE, INSTANCE, SERVERLESS, Hosted, archive
from tests.sagemaker.test_contract import fake_docker
from tests.sagemaker.toy_endpoint import BUCKET, ROLE

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    server = Hosted(tmp_path_factory.mktemp("hosting") / "endpoint")
    yield server
    server.end()


def answers_at(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_model_answers_at_its_endpoint(hosting: Hosted) -> None:
    described = hosting.deploy("plain")

    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    seen = hosting.invoke("plain", b"three words here", ContentType="text/plain", Accept="application/json")
    assert seen["name"] == "plain"
    assert seen["said"] == "three words here"
    assert seen["variant"] == "AllTraffic"
    assert seen["arguments"] == ["serve"]
    assert seen["headers"]["content-type"] == "text/plain"
    assert seen["headers"]["accept"] == "application/json"
    assert "authorization" not in seen["headers"]


def test_custom_attributes_go_to_the_container_and_come_back(hosting: Hosted) -> None:
    hosting.deploy("attributes")

    answer = hosting.runtime.invoke_endpoint(
        EndpointName="attributes", Body=b"", CustomAttributes="trace=7", InferenceId="one"
    )
    assert answer["CustomAttributes"] == "seen"
    assert answer["ContentType"] == "application/json"
    headers = hosting.invoke("attributes", CustomAttributes="trace=7", InferenceId="one")["headers"]
    assert headers["x-amzn-sagemaker-custom-attributes"] == "trace=7"
    assert headers["x-amzn-sagemaker-inference-id"] == "one"


def test_the_models_environment_goes_to_its_container(hosting: Hosted) -> None:
    hosting.model("moody", Environment={"MOOD": "grave"})
    hosting.config("moody")
    hosting.sagemaker.create_endpoint(EndpointName="moody", EndpointConfigName="moody")
    hosting.settled("moody")

    assert hosting.invoke("moody")["mood"] == "grave"


def test_a_model_of_single_files_needs_no_archive(hosting: Hosted) -> None:
    hosting.s3.put_object(Bucket=BUCKET, Key="models/files/toy.json", Body=b'{"name": "of files"}')
    source = {"S3Uri": f"s3://{BUCKET}/models/files/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}
    hosting.sagemaker.create_model(ModelName="files", Containers=[container], ExecutionRoleArn=ROLE)
    hosting.config("files")
    hosting.sagemaker.create_endpoint(EndpointName="files", EndpointConfigName="files")
    hosting.settled("files")

    assert hosting.invoke("files")["name"] == "of files"


def test_a_container_that_only_knows_8080_is_found_there(hosting: Hosted) -> None:
    if answers_at(8080):
        pytest.skip("another program has the port 8080")
    described = hosting.deploy("stubborn", {"stubborn": True})

    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    assert hosting.invoke("stubborn")["name"] == "stubborn"
    hosting.sagemaker.delete_endpoint(EndpointName="stubborn")
    hosting.eventually(lambda: hosting.gone("stubborn"))


def test_describe_answers_as_aws_does(hosting: Hosted) -> None:
    endpoint = hosting.deploy("described")
    model = hosting.sagemaker.describe_model(ModelName="described")
    config = hosting.sagemaker.describe_endpoint_config(EndpointConfigName="described")
    (deployed,) = endpoint["ProductionVariants"]
    (image,) = deployed.pop("DeployedImages")
    for answer in (endpoint, model, config):
        del answer["ResponseMetadata"]
        assert answer.pop("CreationTime") <= image["ResolutionTime"]

    assert model == {
        "ModelName": "described",
        "ModelArn": f"{ARN}:model/described",
        "PrimaryContainer": {
            "Image": IMAGE,
            "Mode": "SingleModel",
            "ModelDataUrl": f"s3://{BUCKET}/models/described/model.tar.gz",
            "Environment": {},
        },
        "ExecutionRoleArn": ROLE,
        "EnableNetworkIsolation": False,
    }
    assert config == {
        "EndpointConfigName": "described",
        "EndpointConfigArn": f"{ARN}:endpoint-config/described",
        "ProductionVariants": [
            {"VariantName": "AllTraffic", "ModelName": "described", "InitialVariantWeight": 1.0, **INSTANCE}
        ],
        "EnableNetworkIsolation": False,
    }
    assert endpoint.pop("LastModifiedTime") >= image["ResolutionTime"]
    assert endpoint == {
        "EndpointName": "described",
        "EndpointArn": f"{ARN}:endpoint/described",
        "EndpointConfigName": "described",
        "EndpointStatus": "InService",
        "ProductionVariants": [
            {
                "VariantName": "AllTraffic",
                "CurrentWeight": 1.0,
                "DesiredWeight": 1.0,
                "CurrentInstanceCount": 1,
                "DesiredInstanceCount": 1,
            }
        ],
    }
    assert image["SpecifiedImage"] == image["ResolvedImage"] == IMAGE


def test_a_new_endpoint_has_no_container_yet(hosting: Hosted) -> None:
    hosting.hold.touch()
    hosting.model("unready", {"not_healthy_while": str(hosting.hold)})
    hosting.config("unready")
    created = hosting.sagemaker.create_endpoint(EndpointName="unready", EndpointConfigName="unready")

    assert created["EndpointArn"] == f"{ARN}:endpoint/unready"
    described = hosting.sagemaker.describe_endpoint(EndpointName="unready")
    assert described["EndpointStatus"] == "Creating"
    (variant,) = described["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (0, 1)
    assert [state["Status"] for state in variant["VariantStatus"]] == ["Creating"]
    with pytest.raises(hosting.sagemaker.exceptions.ClientError, match="Cannot update in-progress endpoint"):
        hosting.sagemaker.delete_endpoint(EndpointName="unready")
    with pytest.raises(hosting.runtime.exceptions.ValidationError, match=r"Endpoint unready of account 0+ not found"):
        hosting.invoke("unready")
    hosting.let_go()
    assert hosting.settled("unready")["EndpointStatus"] == "InService"


def test_an_endpoint_whose_container_ends_has_failed_with_its_last_lines(hosting: Hosted) -> None:
    described = hosting.deploy("broken", {"fail": "no weights in the archive"})

    assert described["EndpointStatus"] == "Failed"
    assert "production variant AllTraffic did not pass the ping health check" in described["FailureReason"]
    assert "no weights in the archive, exit code: 3" in described["FailureReason"]
    with pytest.raises(hosting.sagemaker.exceptions.ClientError, match=r"in status Failed. Delete it"):
        hosting.sagemaker.update_endpoint(EndpointName="broken", EndpointConfigName="broken")
    hosting.sagemaker.delete_endpoint(EndpointName="broken")
    hosting.eventually(lambda: hosting.gone("broken"))


def test_an_endpoint_whose_archive_is_none_has_failed(hosting: Hosted) -> None:
    hosting.model("garbled")
    hosting.s3.put_object(Bucket=BUCKET, Key="models/garbled/model.tar.gz", Body=b"not an archive")
    hosting.config("garbled")
    hosting.sagemaker.create_endpoint(EndpointName="garbled", EndpointConfigName="garbled")

    described = hosting.settled("garbled")
    assert described["EndpointStatus"] == "Failed"
    assert f"s3://{BUCKET}/models/garbled/model.tar.gz can't be unpacked" in described["FailureReason"]


def test_each_list_is_newest_first_and_takes_filters(hosting: Hosted) -> None:
    for name in ("listed-a", "listed-b", "listed-c"):
        hosting.model(name)
        hosting.config(name)
    hosting.sagemaker.create_endpoint(EndpointName="listed-a", EndpointConfigName="listed-a")
    hosting.settled("listed-a")

    models = hosting.sagemaker.list_models(NameContains="listed", MaxResults=2)
    assert [each["ModelName"] for each in models["Models"]] == ["listed-c", "listed-b"]
    more = hosting.sagemaker.list_models(NameContains="listed", MaxResults=2, NextToken=models["NextToken"])
    assert [each["ModelName"] for each in more["Models"]] == ["listed-a"]
    configs = hosting.sagemaker.list_endpoint_configs(NameContains="listed", SortBy="Name", SortOrder="Ascending")
    assert [each["EndpointConfigName"] for each in configs["EndpointConfigs"]] == ["listed-a", "listed-b", "listed-c"]
    for status, found in (("InService", ["listed-a"]), ("Creating", [])):
        endpoints = hosting.sagemaker.list_endpoints(NameContains="listed", StatusEquals=status)["Endpoints"]
        assert [each["EndpointName"] for each in endpoints] == found


def test_what_is_deleted_is_gone_and_its_name_is_free(hosting: Hosted) -> None:
    hosting.deploy("gone")
    pid = hosting.invoke("gone")["pid"]
    hosting.sagemaker.delete_endpoint_config(EndpointConfigName="gone")
    hosting.sagemaker.delete_model(ModelName="gone")
    assert hosting.invoke("gone")["pid"] == pid, "an endpoint keeps what it was made of"
    hosting.sagemaker.delete_endpoint(EndpointName="gone")

    hosting.eventually(lambda: hosting.gone("gone"))
    assert pid not in hosting.serving()
    with pytest.raises(hosting.runtime.exceptions.ValidationError, match=r"Endpoint gone of account 0+ not found"):
        hosting.invoke("gone")
    assert hosting.deploy("gone")["EndpointStatus"] == "InService"


MISSING: list[tuple[str, dict[str, Any], str]] = [
    ("describe_model", {"ModelName": "nope"}, f'Could not find model "{ARN}:model/nope"'),
    ("delete_model", {"ModelName": "nope"}, f'Could not find model "{ARN}:model/nope"'),
    ("describe_endpoint", {"EndpointName": "nope"}, f'Could not find endpoint "{ARN}:endpoint/nope"'),
    ("delete_endpoint", {"EndpointName": "nope"}, f'Could not find endpoint "{ARN}:endpoint/nope"'),
    (
        "describe_endpoint_config",
        {"EndpointConfigName": "nope"},
        f'Could not find endpoint configuration "{ARN}:endpoint-config/nope"',
    ),
    (
        "create_endpoint",
        {"EndpointName": "new", "EndpointConfigName": "nope"},
        f'Could not find endpoint configuration "{ARN}:endpoint-config/nope"',
    ),
    (
        "create_endpoint_config",
        {"EndpointConfigName": "new", "ProductionVariants": [{"VariantName": "v", "ModelName": "nope", **INSTANCE}]},
        f'Could not find model "{ARN}:model/nope"',
    ),
    (
        "create_model",
        {"ModelName": "new", "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/nothing"}},
        f"Could not find model data at s3://{BUCKET}/nothing",
    ),
    (
        "create_model",
        {"ModelName": "new", "PrimaryContainer": {"Image": "nowhere/unknown:1"}},
        "There is no folder for the image repository 'unknown'",
    ),
]


@pytest.mark.parametrize(("call", "request_", "said"), MISSING)
def test_what_does_not_exist_is_named(hosting: Hosted, call: str, request_: dict[str, Any], said: str) -> None:
    with pytest.raises(hosting.sagemaker.exceptions.ClientError, match=f"ValidationException.*{re.escape(said)}"):
        getattr(hosting.sagemaker, call)(**request_)


def test_a_name_is_taken_once(hosting: Hosted) -> None:
    hosting.deploy("taken")

    with pytest.raises(hosting.sagemaker.exceptions.ClientError, match=r'existing model "arn:aws.*model/taken"'):
        hosting.model("taken")
    with pytest.raises(hosting.sagemaker.exceptions.ClientError, match="existing endpoint configuration"):
        hosting.config("taken")
    with pytest.raises(hosting.sagemaker.exceptions.ClientError, match='already existing endpoint "arn'):
        hosting.sagemaker.create_endpoint(EndpointName="Taken", EndpointConfigName="taken")


UNFIT: list[tuple[list[dict[str, Any]], str]] = [
    ([{**INSTANCE, "InitialVariantWeight": 0}], "weight above 0"),
    ([INSTANCE, INSTANCE], "a VariantName of its own"),
    ([{}], "needs an InstanceType and an InitialInstanceCount, or a ServerlessConfig"),
    ([{**INSTANCE, **SERVERLESS}], "is serverless: it takes no InstanceType"),
    ([{**INSTANCE, "EnableSSMAccess": True}], "EnableSSMAccess in 'v': no session"),
    ([{**INSTANCE, "ModelName": None}], "needs a ModelName"),
]


@pytest.mark.parametrize(("variants", "said"), UNFIT)
def test_a_configuration_that_makes_no_sense_is_refused(
    hosting: Hosted, variants: list[dict[str, Any]], said: str
) -> None:
    if not hosting.sagemaker.list_models(NameContains="unfit")["Models"]:
        hosting.model("unfit")
    given = [
        {key: value for key, value in {"VariantName": "v", "ModelName": "unfit", **each}.items() if value is not None}
        for each in variants
    ]
    with pytest.raises(hosting.sagemaker.exceptions.ClientError, match=said):
        hosting.sagemaker.create_endpoint_config(EndpointConfigName="unfit", ProductionVariants=given)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {
                "DataCaptureConfig": {
                    "InitialSamplingPercentage": 1,
                    "DestinationS3Uri": "s3://b/",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            "DataCaptureConfig",
        ),
        ({"MetricsConfig": {"EnableEnhancedMetrics": True}}, "MetricsConfig"),
    ],
)
def test_what_is_not_here_is_refused_by_name(hosting: Hosted, changes: dict[str, Any], said: str) -> None:
    variant = {"VariantName": "v", "ModelName": "any", **INSTANCE}
    with pytest.raises(hosting.sagemaker.exceptions.ClientError, match=f"can't take {said}"):
        hosting.unchecked.create_endpoint_config(EndpointConfigName="n", ProductionVariants=[variant], **changes)


@pytest.mark.parametrize(
    ("container", "said"),
    [
        ({"Mode": "MultiModel"}, "PrimaryContainer.Mode MultiModel"),
        ({"ModelPackageName": "package"}, "ModelPackageName can't have Image"),
        ({"ModelDataUrl": "https://example.com/model.tar.gz"}, "must be at s3://bucket/key"),
    ],
)
def test_a_model_that_can_not_be_run_is_refused(hosting: Hosted, container: dict[str, Any], said: str) -> None:
    with pytest.raises(hosting.sagemaker.exceptions.ClientError, match=said):
        hosting.sagemaker.create_model(ModelName="odd", PrimaryContainer={"Image": IMAGE, **container})


def test_a_model_has_one_container(hosting: Hosted) -> None:
    for request, said in (
        ({"Containers": [{"Image": IMAGE}, {"Image": IMAGE}]}, "give one of the Containers"),
        ({}, "needs either a PrimaryContainer or one of Containers"),
        ({"PrimaryContainer": {}}, "needs an Image"),
    ):
        with pytest.raises(hosting.sagemaker.exceptions.ClientError, match=said):
            hosting.sagemaker.create_model(ModelName="odd", **request)


def test_tags_of_an_endpoint_are_kept(hosting: Hosted) -> None:
    hosting.model("tagged")
    hosting.config("tagged")
    tags = [{"Key": "team", "Value": "weeds"}]
    arn = hosting.sagemaker.create_endpoint(EndpointName="tagged", EndpointConfigName="tagged", Tags=tags)[
        "EndpointArn"
    ]
    hosting.settled("tagged")

    assert hosting.sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_a_container_of_docker_answers_at_its_published_port(tmp_path: Path) -> None:
    server = Hosted(tmp_path / "endpoint", containers="docker", path=fake_docker(tmp_path / "bin"))
    try:
        described = server.deploy("contained", {"name": "in a container"})
        assert described["EndpointStatus"] == "InService", described.get("FailureReason")
        assert server.invoke("contained")["name"] == "in a container"
        server.sagemaker.delete_endpoint(EndpointName="contained")
        server.eventually(lambda: server.gone("contained"))
    finally:
        server.end()


def test_a_container_of_docker_has_a_network_of_its_own() -> None:
    engine = Engine("owner", shares_network=True)

    options = engine.network(port=5000)
    assert options[options.index("--publish") + 1] == "127.0.0.1:5000:8080"
    assert "--network" not in options
    assert "--network" in engine.network()


@pytest.mark.parametrize("name", ["../outside", "/outside"])
def test_an_archive_writes_nothing_outside_its_folder(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name if name.startswith("..") else f"{tmp_path}{name}"))
    (tmp_path / "model").mkdir()

    with suppress(JobFailure):
        unpack(tmp_path / "model.tar.gz", tmp_path / "model", "s3://bench/model.tar.gz")
    assert not (tmp_path / "outside").exists()


def test_an_archive_that_ends_too_early_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(archive({"name": "x" * 1000})[:100])
    (tmp_path / "model").mkdir()

    with pytest.raises(JobFailure, match=r"s3://bench/model.tar.gz can't be unpacked as a .tar.gz"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "model", "s3://bench/model.tar.gz")
