"""Endpoints that change, crash and survive: updates, containers that end, a server that is killed, events."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import psutil
import pytest

from tests.sagemaker.hosted import SERVERLESS, Hosted


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    server = Hosted(tmp_path_factory.mktemp("hosting") / "endpoint")
    yield server
    server.end()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Hosted]:
    """A server that the test may kill."""
    server = Hosted(tmp_path / "endpoint")
    yield server
    server.end(signal.SIGKILL)


def update(hosting: Hosted, name: str, **request: Any) -> dict[str, Any]:
    """The description of an endpoint once an UpdateEndpoint is over."""
    hosting.sagemaker.update_endpoint(EndpointName=name, **request)
    return hosting.settled(name)


def resize(hosting: Hosted, name: str, *desired: dict[str, Any]) -> dict[str, Any]:
    hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=list(desired)
    )
    return hosting.settled(name)


def test_an_update_loses_no_invocation(hosting: Hosted) -> None:
    hosting.deploy("moving")
    hosting.config("moved", {"ModelName": hosting.model("moved")})
    over, seen = Event(), []

    def ask() -> None:
        while not over.is_set():
            seen.append(hosting.invoke("moving")["name"])

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        try:
            hosting.eventually(lambda: len(seen) > 20)
            described = update(hosting, "moving", EndpointConfigName="moved")
            after = len(seen)
            hosting.eventually(lambda: len(seen) > after + 20)
        finally:
            over.set()
        for each in asking:
            each.result()

    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "moved"
    assert seen[0] == "moving"
    assert seen[-1] == "moved"
    hosting.eventually(lambda: len(hosting.serving_of("moving")) == 1)


def test_an_endpoint_that_is_updated_can_not_be_changed(hosting: Hosted) -> None:
    hosting.deploy("twice")
    hosting.hold.touch()
    hosting.config("later", {"ModelName": hosting.model("later", {"not_healthy_while": str(hosting.hold)})})
    hosting.sagemaker.update_endpoint(EndpointName="twice", EndpointConfigName="later")

    described = hosting.sagemaker.describe_endpoint(EndpointName="twice")
    assert described["EndpointStatus"] == "Updating"
    assert described["EndpointConfigName"] == "twice"
    assert hosting.invoke("twice")["name"] == "twice", "the old container answers meanwhile"
    for change in (
        lambda: hosting.sagemaker.update_endpoint(EndpointName="twice", EndpointConfigName="twice"),
        lambda: hosting.sagemaker.delete_endpoint(EndpointName="twice"),
        lambda: resize(hosting, "twice", {"VariantName": "AllTraffic", "DesiredWeight": 2}),
    ):
        with pytest.raises(hosting.sagemaker.exceptions.ClientError, match="Cannot update in-progress endpoint"):
            change()
    hosting.let_go()
    assert hosting.settled("twice")["EndpointConfigName"] == "later"
    assert hosting.invoke("twice")["name"] == "later"


def test_an_update_that_fails_leaves_what_was(hosting: Hosted) -> None:
    hosting.deploy("steady")
    hosting.config("unfit", {"ModelName": hosting.model("unfit", {"fail": "out of luck"})})

    described = update(hosting, "steady", EndpointConfigName="unfit")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "steady"
    assert "out of luck" in described["FailureReason"]
    assert hosting.invoke("steady")["name"] == "steady"
    assert "FailureReason" not in update(hosting, "steady", EndpointConfigName="steady")


def test_weights_and_counts_can_be_changed_and_kept(hosting: Hosted) -> None:
    models = {name: hosting.model(name) for name in ("left", "right")}
    hosting.config("both", *({"VariantName": name, "ModelName": model} for name, model in models.items()))
    hosting.sagemaker.create_endpoint(EndpointName="both", EndpointConfigName="both")
    hosting.settled("both")

    described = resize(
        hosting,
        "both",
        {"VariantName": "left", "DesiredWeight": 0},
        {"VariantName": "right", "DesiredInstanceCount": 2},
    )
    shown = {each["VariantName"]: each for each in described["ProductionVariants"]}
    assert (shown["left"]["CurrentWeight"], shown["left"]["CurrentInstanceCount"]) == (0, 1)
    assert (shown["right"]["CurrentWeight"], shown["right"]["CurrentInstanceCount"]) == (1, 2)
    assert {hosting.invoke("both")["variant"] for _ in range(20)} == {"right"}
    assert len(hosting.serving_of("both")) == 3

    kept = update(
        hosting,
        "both",
        EndpointConfigName="both",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredInstanceCount"}],
    )
    shown = {each["VariantName"]: each for each in kept["ProductionVariants"]}
    assert (shown["left"]["CurrentWeight"], shown["right"]["CurrentInstanceCount"]) == (0, 1)


def test_a_smaller_count_ends_containers(hosting: Hosted) -> None:
    hosting.deploy("shrinks", InitialInstanceCount=3)
    assert len(hosting.serving_of("shrinks")) == 3

    described = resize(hosting, "shrinks", {"VariantName": "AllTraffic", "DesiredInstanceCount": 1})
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    hosting.eventually(lambda: len(hosting.serving_of("shrinks")) == 1)
    assert hosting.invoke("shrinks")["name"] == "shrinks"


def test_a_change_that_makes_no_sense_is_refused(hosting: Hosted) -> None:
    hosting.deploy("sensible")
    hosting.deploy("cloudy", **SERVERLESS)
    for name, desired, said in (
        ("sensible", {"VariantName": "Other", "DesiredWeight": 1}, r'name\(s\) "Other" is/are not present within'),
        ("sensible", {"VariantName": "AllTraffic", "DesiredInstanceCount": 0}, "at least 1"),
        ("sensible", {"VariantName": "AllTraffic", "DesiredWeight": 0}, "weight above 0"),
        ("sensible", {"VariantName": "AllTraffic", "DesiredInstanceCount": 21}, "ResourceLimitExceeded.*at most 20"),
        ("cloudy", {"VariantName": "AllTraffic", "DesiredInstanceCount": 2}, "is serverless"),
        ("sensible", {"VariantName": "AllTraffic", "ServerlessUpdateConfig": {"MaxConcurrency": 2}}, "not serverless"),
    ):
        with pytest.raises(hosting.sagemaker.exceptions.ClientError, match=said):
            resize(hosting, name, desired)
        assert hosting.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
    described = resize(
        hosting, "cloudy", {"VariantName": "AllTraffic", "ServerlessUpdateConfig": {"MaxConcurrency": 9}}
    )
    assert described["ProductionVariants"][0]["CurrentServerlessConfig"] == {
        "MemorySizeInMB": 2048,
        "MaxConcurrency": 9,
    }


def test_an_update_at_a_slow_pace_is_refused_by_name(hosting: Hosted) -> None:
    hosting.deploy("paced")
    policy = {"TrafficRoutingConfiguration": {"Type": "CANARY", "WaitIntervalInSeconds": 60}}

    with pytest.raises(hosting.sagemaker.exceptions.ClientError, match="Type CANARY: an update takes all traffic"):
        update(hosting, "paced", EndpointConfigName="paced", DeploymentConfig={"BlueGreenUpdatePolicy": policy})


def test_a_container_that_crashes_is_started_again(hosting: Hosted) -> None:
    hosting.deploy("shaky")
    first = hosting.invoke("shaky")["pid"]
    with pytest.raises(hosting.runtime.exceptions.ModelError):
        hosting.invoke("shaky", b"crash")

    again = hosting.invoke("shaky")["pid"]
    assert again != first, "an invocation waits for the container that is started again"
    os.kill(again, signal.SIGKILL)
    hosting.eventually(lambda: again not in hosting.serving())  # until then the kernel may still take a connection
    assert hosting.invoke("shaky")["pid"] not in (first, again)
    log = hosting.log("endpoint", "shaky")
    assert log.count("serves") == 3


def test_a_killed_server_serves_its_endpoints_again(own: Hosted) -> None:
    own.deploy("kept", InitialInstanceCount=2)
    before = own.sagemaker.describe_endpoint(EndpointName="kept")
    resize(own, "kept", {"VariantName": "AllTraffic", "DesiredInstanceCount": 1})
    own.sagemaker.delete_model(ModelName="kept")
    own.sagemaker.delete_endpoint_config(EndpointConfigName="kept")
    first = own.invoke("kept")["pid"]
    own.kill()
    own.start()

    seen = own.invoke_patiently("kept")
    assert seen["name"] == "kept"
    assert seen["pid"] != first
    own.eventually(lambda: first not in own.serving())
    after = own.sagemaker.describe_endpoint(EndpointName="kept")
    assert after["EndpointStatus"] == "InService"
    assert after["CreationTime"] == before["CreationTime"]
    assert after["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def test_a_killed_server_ends_what_nobody_else_has_ended(own: Hosted) -> None:
    own.deploy("orphan")
    pid = own.invoke("orphan")["pid"]
    for process in psutil.Process(own.process.pid).children():
        if any(word.endswith("reaper.py") for word in process.cmdline()):
            process.kill()
    own.kill_alone()
    assert psutil.pid_exists(pid), "nobody was left to end it"
    own.start()

    assert own.invoke_patiently("orphan")["pid"] != pid
    own.eventually(lambda: pid not in own.serving())


def test_a_killed_server_ends_what_it_had_begun(own: Hosted) -> None:
    own.hold.touch()
    slow = {"not_healthy_while": str(own.hold)}
    own.deploy("updated")
    own.config("new", {"ModelName": own.model("new", slow)})
    own.sagemaker.update_endpoint(EndpointName="updated", EndpointConfigName="new")
    own.config("made", {"ModelName": own.model("made", slow)})
    own.sagemaker.create_endpoint(EndpointName="made", EndpointConfigName="made")
    own.kill()
    own.let_go()
    own.start()

    assert own.settled("made")["EndpointStatus"] == "InService"
    assert own.invoke("made")["name"] == "made"
    assert own.settled("updated")["EndpointConfigName"] == "new"
    own.eventually(lambda: own.invoke_patiently("updated")["name"] == "new")


def test_a_server_that_is_stopped_leaves_no_container(own: Hosted) -> None:
    own.deploy("stopped")
    assert own.serving()
    own.end()
    assert not own.serving()


def test_each_status_is_an_event_written_as_aws_does(hosting: Hosted) -> None:
    events, queues = hosting.client("events"), hosting.client("sqs")
    queue = queues.create_queue(QueueName="states")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"]}
    events.put_rule(Name="states", EventPattern=json.dumps({**pattern, "detail": {"EndpointName": ["told"]}}))
    events.put_targets(Rule="states", Targets=[{"Id": "queue", "Arn": arn}])
    hosting.deploy("told")
    hosting.sagemaker.delete_endpoint(EndpointName="told")
    heard: list[dict[str, Any]] = []

    def has_heard_all() -> bool:
        found = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            heard.append(json.loads(message["Body"]))
            queues.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(heard) >= 3

    hosting.eventually(has_heard_all)
    assert [event["detail"]["EndpointStatus"] for event in heard] == ["CREATING", "IN_SERVICE", "DELETING"]
    event = heard[1]
    assert event["resources"] == ["arn:aws:sagemaker:us-east-1:000000000000:endpoint/told"]
    assert event["detail"]["EndpointConfigName"] == "told"
    assert isinstance(event["detail"]["CreationTime"], int)
