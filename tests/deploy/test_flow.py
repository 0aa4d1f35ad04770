"""The whole way onto an account and off it again, on an emulated AWS; CodeBuild's Docker is the test's own."""

import re
from pathlib import Path
from typing import Any

import pytest

from seedbed.deploy.deploy import Deployment, Wish
from seedbed.hosting.packages import delete_group
from seedbed.watch.stage import StageProgress
from tests.contract.template import ROOT
from tests.deploy.conftest import CALLS, Cloud
from tests.sagemaker.toy_endpoint import IMAGE, ROLE
from tests.seedbed.commands import Outcome, Person

STACK, ROOM, REPOSITORY = "mine", "mine-build", "mine-trainer"
EMAIL = "me@example.org"
PERMISSIONS = {
    "HeadObject": {"GetObject"},
    "ListObjectVersions": {"ListBucketVersions"},
    "DeleteObjects": {"DeleteObject", "DeleteObjectVersion"},
}
"""The actions that IAM knows an operation by, if it is not by its own name."""


@pytest.fixture
def deployed(cloud: Cloud, person: Person) -> Cloud:
    """The account with a stack of Seedbed's."""
    if not cloud.stack(STACK):
        deploy_with_build(cloud)
    return cloud


def deploy_with_build(cloud: Cloud) -> list[StageProgress]:
    """Deploy for the first time; the image is pushed while its build runs. Returns what was shown."""
    shown: list[StageProgress] = []

    def show(progress: StageProgress) -> None:
        shown.append(progress)
        if progress.stage == "image":
            cloud.push(REPOSITORY)

    Deployment(Wish(STACK, EMAIL, "10", {}, "us-east-1"), show, pytest.fail).run()
    return shown


def deploy(person: Person, *words: str) -> Outcome:
    """Deploy once more, without a word on the address."""
    outcome = person.runs("deploy", "--stack", STACK, *words)
    assert outcome.status == 0, outcome
    return outcome


def test_a_first_deployment_builds_the_image_and_makes_the_stack(cloud: Cloud) -> None:
    shown = deploy_with_build(cloud)

    stages = list(dict.fromkeys(progress.stage for progress in shown))
    assert stages == ["package", "room", "image", "deploy"]
    assert cloud.stack(STACK)["StackStatus"] == "CREATE_COMPLETE"
    assert {"Key": "project", "Value": "seedbed"} in cloud.stack(STACK)["Tags"]
    values = cloud.values(STACK)
    assert (values["NotificationEmail"], values["RunBudget"]) == (EMAIL, "10")
    assert values["TrainingImage"].startswith(cloud.outputs(ROOM)["RepositoryUri"] + "@sha256:")
    project = cloud.outputs(ROOM)["BuildProject"]
    assert len(cloud.client("codebuild").list_builds_for_project(projectName=project)["ids"]) == 1


def test_a_deployment_says_what_to_do_next(deployed: Cloud, person: Person) -> None:
    outcome = deploy(person)

    assert "The stack mine is deployed in us-east-1, account 000000000000." in outcome.output
    assert f"E-mails go to {EMAIL}." in outcome.output  # MiniStack takes any address for confirmed
    assert "upload FOLDER --aws mine" in outcome.output
    assert "A run costs at most $" in outcome.output


def test_a_deployment_with_nothing_new_changes_and_builds_nothing(deployed: Cloud, person: Person) -> None:
    before = [deployed.stack(name).get("LastUpdatedTime") for name in (STACK, ROOM)]
    builds = deployed.client("codebuild").list_builds()["ids"]

    deploy(person)

    assert [deployed.stack(name).get("LastUpdatedTime") for name in (STACK, ROOM)] == before
    assert deployed.client("codebuild").list_builds()["ids"] == builds


def test_a_later_deployment_keeps_what_a_person_chose(deployed: Cloud, person: Person, template: Path) -> None:
    deploy(person, "--set", "TrialCount=5", "--budget", "9")
    text = template.read_text(encoding="utf-8")
    assert "    Default: 120\n" in text
    template.write_text(text.replace("    Default: 120\n", "    Default: 121\n"), encoding="utf-8")

    deploy(person)

    values = deployed.values(STACK)
    assert (values["TrialCount"], values["RunBudget"], values["NotificationEmail"]) == ("5", "9", EMAIL)
    assert values["QuietPeriodSeconds"] == "121"


def test_a_stack_that_cant_be_created_names_the_resource_and_leaves_nothing(
    cloud: Cloud, person: Person, template: Path
) -> None:
    cloud.client("s3").create_bucket(Bucket="taken")
    taken = "Resources:\n  Taken: {Type: AWS::S3::Bucket, Properties: {BucketName: taken}}\n"
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace("Resources:\n", taken, 1), encoding="utf-8")
    person.runs("deploy", "--stack", "second", "--email", EMAIL)
    cloud.push("second-trainer")

    outcome = person.runs("deploy", "--stack", "second", "--email", EMAIL)

    assert outcome.status == 1
    assert "Error: The stack second could not be deployed. " in outcome.notes
    assert "Taken (AWS::S3::Bucket): Resource of type" in outcome.notes
    assert outcome.notes.endswith("Put that right, then run this again.\n")
    assert not cloud.stack("second")


def test_an_image_that_the_build_did_not_push_is_named(cloud: Cloud, person: Person) -> None:
    outcome = person.runs("deploy", "--stack", "third", "--email", EMAIL)

    assert outcome.status == 1
    assert "CodeBuild has built the training image, but ECR has none tagged" in outcome.notes
    assert not cloud.stack("third")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--email", EMAIL, "--budget", "0.5"), "more than the RunBudget of $0.50"),
        (("--email", EMAIL, "--set", "MonthlyBudget=1"), "--set MonthlyBudget="),
        ((), "Name the address that e-mails go to: --email you@example.com"),
        (
            ("--email", EMAIL, "--set", "TrainingImage=000000000000.dkr.ecr.us-east-1.amazonaws.com/my/own:1"),
            "was never pushed. Push it, or leave TrainingImage out",
        ),
        (("--email", EMAIL, "--region", "eu-central-9"), "eu-central-9 is not a region of AWS with SageMaker."),
    ],
)
def test_what_can_be_known_before_is_refused_before(
    cloud: Cloud, person: Person, words: tuple[str, ...], said: str
) -> None:
    outcome = person.runs("deploy", "--stack", "never", *words)

    assert said in outcome.notes
    assert outcome.notes.startswith("Error: ")
    assert not cloud.stack("never-build")


def test_another_stack_of_that_name_is_left_alone(cloud: Cloud, person: Person) -> None:
    topic = '{"Description": "The shop", "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    cloud.client("cloudformation").create_stack(StackName="shop", TemplateBody=topic)
    cloud.client("cloudformation").get_waiter("stack_create_complete").wait(StackName="shop", WaiterConfig={"Delay": 0})

    for command in (("deploy", "--email", EMAIL), ("undeploy", "--yes")):
        outcome = person.runs(*command, "--stack", "shop")
        assert "The stack shop is not Seedbed's. Choose another name with --stack." in outcome.notes

    assert cloud.stack("shop")["StackStatus"] == "CREATE_COMPLETE"


def test_an_image_of_ones_own_is_deployed_by_its_digest(deployed: Cloud, person: Person) -> None:
    deployed.client("ecr").create_repository(repositoryName="my/own")
    digest = deployed.push("my/own", tag="v1")
    uri = "000000000000.dkr.ecr.us-east-1.amazonaws.com/my/own"

    deploy(person, "--set", f"TrainingImage={uri}:v1")

    assert deployed.values(STACK)["TrainingImage"] == f"{uri}@{digest}"


def test_a_stack_with_a_run_in_progress_stays(deployed: Cloud, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = {"runs": [{"run_id": "sb-1", "ended_at": None}]}
    monkeypatch.setattr("seedbed.stack.Stack.get", lambda *_: runs)

    outcome = person.runs("undeploy", "--stack", STACK, "--yes")

    assert "The run sb-1 is in progress" in outcome.notes
    assert "stop sb-1 --aws mine" in outcome.notes
    assert deployed.stack(STACK)


def test_nothing_is_deleted_where_nobody_can_be_asked(deployed: Cloud, person: Person) -> None:
    outcome = person.runs("undeploy", "--stack", STACK)

    assert (outcome.status, outcome.output) == (2, "")
    assert "run this again with --yes" in outcome.notes
    assert deployed.stack(STACK)


def test_undeploying_keeps_the_bucket_and_says_what_it_costs(deployed: Cloud, person: Person) -> None:
    bucket = deployed.outputs(STACK)["BucketName"]
    deployed.client("s3").put_object(Bucket=bucket, Key="seedlings/Maize/1.png", Body=b"x" * 2_000_000)

    outcome = person.runs("undeploy", "--stack", STACK, "--yes")

    assert outcome.status == 0, outcome
    assert f"the bucket {bucket}: 1 object, 2.0 MB" in outcome.output
    assert "What remains costs about $0.00 a month" in outcome.output
    assert not deployed.stack(STACK)
    assert not deployed.stack(ROOM)
    assert deployed.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    assert [each["repositoryName"] for each in deployed.client("ecr").describe_repositories()["repositories"]].count(
        REPOSITORY
    ) == 0
    delete_bucket(deployed, bucket)


def delete_bucket(cloud: Cloud, bucket: str) -> None:
    """As a person does in the console, so that the next stack may have a bucket of that name."""
    s3 = cloud.client("s3")
    for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=bucket)


def test_all_data_is_deleted_if_asked_for(deployed: Cloud, person: Person) -> None:
    bucket = deployed.outputs(STACK)["BucketName"]
    for body in (b"old", b"new"):
        deployed.client("s3").put_object(Bucket=bucket, Key="seedlings/Maize/1.png", Body=body)

    outcome = person.runs("undeploy", "--stack", STACK, "--yes", "--delete-data")

    assert outcome.status == 0, outcome
    assert "All was deleted." in outcome.output
    assert bucket not in {each["Name"] for each in deployed.client("s3").list_buckets()["Buckets"]}


def test_a_bucket_that_is_gone_already_is_no_obstacle(deployed: Cloud, person: Person) -> None:
    delete_bucket(deployed, deployed.outputs(STACK)["BucketName"])

    outcome = person.runs("undeploy", "--stack", STACK, "--yes")

    assert outcome.status == 0, outcome
    assert "All was deleted." in outcome.output


def test_the_endpoints_of_the_stack_go_with_it(deployed: Cloud, person: Person) -> None:
    sagemaker = deployed.client("sagemaker")
    for name, config, stack in (
        ("its-own", "its-own-0123456789", STACK),
        ("of-others", "made-by-hand", STACK),
        ("of-another-stack", "of-another-stack-0123456789", "another"),
    ):
        sagemaker.create_model(ModelName=config, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
        variant = {
            "VariantName": "one",
            "ModelName": config,
            "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
        }
        sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant])
        tags = [{"Key": "stack", "Value": stack}]
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, Tags=tags)

    outcome = person.runs("undeploy", "--stack", STACK, "--yes", "--delete-data")

    assert outcome.status == 0, outcome
    assert "the endpoint its-own, which answers with its model" in outcome.notes
    kept = {"of-others", "of-another-stack"}
    assert {each["EndpointName"] for each in sagemaker.list_endpoints()["Endpoints"]} == kept
    assert "its-own-0123456789" not in {each["ModelName"] for each in sagemaker.list_models()["Models"]}
    configs = {each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]}
    assert configs == {"made-by-hand", "of-another-stack-0123456789"}
    for name in kept:
        sagemaker.delete_endpoint(EndpointName=name)


def registered(sagemaker: Any, group: str, stack: str) -> str:
    """A group of one model package, as of a stack's champions; its name."""
    sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=[{"Key": "stack", "Value": stack}])
    container = {"Image": IMAGE, "ModelDataUrl": "s3://seedlings/model.tar.gz"}
    types = {"SupportedContentTypes": ["image/png"], "SupportedResponseMIMETypes": ["application/json"]}
    sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification={"Containers": [container], **types}
    )
    return group


def groups(sagemaker: Any) -> set[str]:
    listed = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    return {each["ModelPackageGroupName"] for each in listed}


def test_the_model_packages_of_the_stack_stay_and_are_named(deployed: Cloud, person: Person) -> None:
    sagemaker = deployed.client("sagemaker")
    group = registered(sagemaker, STACK, STACK)

    outcome = person.runs("undeploy", "--stack", STACK, "--yes")

    assert f"the group of model packages {group}: 1\n" in outcome.output
    assert f"--model-package-group-name {group} (after its packages)\n" in outcome.output
    assert group in groups(sagemaker)
    delete_group(sagemaker, group)


def test_the_model_packages_of_the_stack_go_with_its_data(deployed: Cloud, person: Person) -> None:
    sagemaker = deployed.client("sagemaker")
    own, others = registered(sagemaker, STACK, STACK), registered(sagemaker, f"{STACK}-copy", STACK)

    outcome = person.runs("undeploy", "--stack", STACK, "--yes", "--delete-data")

    assert outcome.status == 0, outcome
    assert f"the group of model packages {own}: 1\n" in outcome.notes
    assert own not in groups(sagemaker)
    assert others in groups(sagemaker)


def test_model_packages_with_the_name_of_the_stack_but_not_its_tag_stay(deployed: Cloud, person: Person) -> None:
    sagemaker = deployed.client("sagemaker")
    others = registered(sagemaker, STACK, "another")

    outcome = person.runs("undeploy", "--stack", STACK, "--yes", "--delete-data")

    assert "group of model packages" not in outcome.notes
    assert others in groups(sagemaker)
    delete_group(sagemaker, others)


def test_a_name_without_a_stack_is_a_sentence(cloud: Cloud, person: Person) -> None:
    person.runs("undeploy", "--stack", "nowhere", "--yes").assert_is_sentence(status=1)


def test_the_page_on_aws_names_every_action_that_commands_take(deployed: Cloud, person: Person) -> None:
    person.runs("undeploy", "--stack", STACK, "--yes")
    page = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    section = page.split("## Which permissions it needs")[1].split("##", maxsplit=1)[0]
    named = {
        (service, action)
        for service, actions in re.findall(r"`([a-z0-9]+):` ?([\w,\s]+)[;.]", section)
        for action in re.findall(r"\w+", actions)
    } | set(re.findall(r"`([a-z0-9]+):(\w+)`", section))
    taken = {(service, action) for service, name in CALLS for action in PERMISSIONS.get(name, {name})}

    assert ("cloudformation", "CreateChangeSet") in taken
    assert taken - named == set()
