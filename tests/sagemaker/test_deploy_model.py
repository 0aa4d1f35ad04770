"""`seedbed deploy-model` with model packages of `seedbed sagemaker`, which it finds by AWS_ENDPOINT_URL."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.sagemaker.hosted import IMAGE, Hosted, archive
from tests.sagemaker.toy_endpoint import BUCKET, CREDENTIALS, ROLE
from tests.seedbed.commands import Person

PACKAGES = "arn:aws:sagemaker:us-east-1:000000000000:model-package"


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    server = Hosted(tmp_path_factory.mktemp("deploy") / "endpoint")
    yield server
    server.end()


@pytest.fixture
def person(hosted: Hosted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    """Somebody whose shell leads AWS's tools to the server."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", hosted.url)
    for name, value in CREDENTIALS.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return Person(monkeypatch, capsys)


def version(hosted: Hosted, group: str, status: str = "Approved", **behaviour: Any) -> str:
    """The ARN of a new version in a group, whose container behaves like that."""
    found = hosted.sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    if not found:
        hosted.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    key = f"packages/{group}/{len(behaviour)}-{behaviour.get('name')}.tar.gz"
    hosted.s3.put_object(Bucket=BUCKET, Key=key, Body=archive(behaviour))
    arn: str = hosted.sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={"Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{key}"}]},
        ModelApprovalStatus=status,
    )["ModelPackageArn"]
    return arn


def made_for(hosted: Hosted, endpoint: str) -> tuple[list[str], list[str]]:
    """The configurations and the models of an endpoint."""
    configs = hosted.sagemaker.list_endpoint_configs(NameContains=f"{endpoint}-")["EndpointConfigs"]
    models = hosted.sagemaker.list_models(NameContains=f"{endpoint}-")["Models"]
    return [each["EndpointConfigName"] for each in configs], [each["ModelName"] for each in models]


def test_the_latest_approved_package_of_a_group_takes_over(hosted: Hosted, person: Person) -> None:
    version(hosted, "plants", name="first")
    deployed = person.runs("deploy-model", "plants", "--role", ROLE)
    before = made_for(hosted, "plants")
    second = version(hosted, "plants", name="second")
    version(hosted, "plants", "PendingManualApproval", name="third")

    updated = person.runs("deploy-model", "plants", "--role", ROLE, "--memory", "2048", "--concurrency", 3)
    again = person.runs("deploy-model", second, "--role", ROLE, "--memory", "2048", "--concurrency", 3)

    assert deployed.output.startswith("The endpoint plants serves the model package arn:aws:sagemaker:us-east-1:")
    assert updated.output.startswith(f"The endpoint plants serves the model package {second}.\n")
    assert again.output.startswith(f"The endpoint plants serves the model package {second} already")
    assert hosted.invoke("plants")["name"] == "second"
    configs, models = made_for(hosted, "plants")
    assert (len(configs), len(models), {*configs, *models} & {*before[0]}) == (1, 1, set())
    [variant] = hosted.sagemaker.describe_endpoint_config(EndpointConfigName=configs[0])["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 3}


def test_a_model_that_does_not_start_leaves_the_one_before(hosted: Hosted, person: Person) -> None:
    version(hosted, "steady", name="good")
    person.runs("deploy-model", "steady", "--role", ROLE)
    before = made_for(hosted, "steady")
    version(hosted, "steady", name="bad", fail="no weights in the archive")

    outcome = person.runs("deploy-model", "steady", "--role", ROLE)

    assert (outcome.status, outcome.output) == (1, "")
    assert "Error: The endpoint steady could not be started. " in outcome.notes
    assert "no weights in the archive" in outcome.notes
    assert outcome.notes.endswith("It still serves the model that it had before.\n")
    assert hosted.invoke("steady")["name"] == "good"
    assert made_for(hosted, "steady") == before


def test_a_failed_endpoint_is_made_again_and_deleted_with_all_that_is_its_own(hosted: Hosted, person: Person) -> None:
    version(hosted, "again", name="bad", fail="no weights")
    assert person.runs("deploy-model", "again", "--role", ROLE).status == 1
    version(hosted, "again", name="good")

    assert person.runs("deploy-model", "again", "--role", ROLE).status == 0
    assert hosted.invoke("again")["name"] == "good"

    assert person.runs("deploy-model", "again", "--delete").output.startswith("The endpoint again was deleted, ")
    assert hosted.gone("again")
    assert made_for(hosted, "again") == ([], [])
    assert person.runs("deploy-model", "again", "--delete").output == "There is no endpoint again to delete.\n"


def test_an_endpoint_of_another_program_is_left_alone(hosted: Hosted, person: Person) -> None:
    version(hosted, "foreign")
    hosted.deploy("foreign", {"name": "theirs"})

    for option in ("--role=" + ROLE, "--delete"):
        outcome = person.runs("deploy-model", "foreign", option)
        assert outcome.status == 1
        assert "an endpoint foreign that Seedbed did not make" in outcome.notes
    assert hosted.invoke("foreign")["name"] == "theirs"


def test_a_package_that_nobody_has_approved_is_refused(hosted: Hosted, person: Person) -> None:
    arn = version(hosted, "waiting", "PendingManualApproval")

    one = person.runs("deploy-model", arn, "--role", ROLE)
    group = person.runs("deploy-model", "waiting", "--role", ROLE)

    one.assert_is_sentence(1)
    assert f"{arn} is not approved: its status is PendingManualApproval. Approve it with: aws sagemaker" in one.notes
    group.assert_is_sentence(1)
    assert "The group waiting has no approved model package." in group.notes
    assert made_for(hosted, "waiting") == ([], [])


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (f"none --role {ROLE}", 1, "There is no group of model packages none at http://127.0.0.1:"),
        (f"{PACKAGES}/none/1 --role {ROLE}", 1, f"There is no model package {PACKAGES}/none/1 at http://127.0.0.1:"),
        ("../etc", 1, "'../etc' is neither the ARN of a model package nor the name of a group of them."),
        ("plants --endpoint a_b", 1, "'a_b' can't be an endpoint's name here"),
        ("plants --memory 1500", 2, "1500 is not one of 1024, 2048"),
        ("plants --concurrency 0", 2, "0 is not a whole number from 1 to 200"),
        ("plants --pending", 2, "--pending is about the champion"),
        ("--pending --delete", 2, "Choose one of --pending and --delete."),
        ("plants --account --aws x", 2, "Choose one of --aws and --account."),
        ("plants", 1, "Name the role with which SageMaker fetches the image and the model: --role ARN"),
        ("--account", 2, "Only a stack has a champion"),
        ("--account --delete", 2, "Only a stack has a champion"),
    ],
)
def test_what_cant_be_done_is_a_sentence(hosted: Hosted, person: Person, words: str, status: int, said: str) -> None:
    version(hosted, "plants")

    outcome = person.runs("deploy-model", *words.split())

    outcome.assert_is_sentence(status)
    assert said in outcome.notes
