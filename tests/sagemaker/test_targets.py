"""State changes reach every kind of target, as its rule shapes them."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.waiting import wait_for

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

ACCOUNT = "us-east-1:000000000000"


class Queue:
    """A queue, and what has been received from it."""

    def __init__(self, endpoint: "Endpoint", name: str, **attributes: str) -> None:
        self._sqs = endpoint.client("sqs")
        self._url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{ACCOUNT}:{name}"

    def first(self) -> dict[str, Any]:
        """The first message, once there is one."""

        def received() -> list[Any]:
            answer = self._sqs.receive_message(
                QueueUrl=self._url, MessageAttributeNames=["All"], AttributeNames=["All"], WaitTimeSeconds=1
            )
            found: list[Any] = answer.get("Messages", [])
            return found

        message: dict[str, Any] = wait_for(received)[0]
        return message


def rule(endpoint: "Endpoint", job: str, *targets: dict[str, Any], bus: str = "default", **options: str) -> None:
    """A rule for the end of a training job."""
    events = endpoint.client("events")
    pattern = {"source": ["aws.sagemaker"], "detail": {"TrainingJobName": [job], "TrainingJobStatus": ["Completed"]}}
    name = f"{job}-{bus}"
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), EventBusName=bus, **options)
    listed = [{"Id": str(number), **target} for number, target in enumerate(targets)]
    events.put_targets(Rule=name, EventBusName=bus, Targets=listed)


def test_each_target_gets_what_its_rule_asks_for(endpoint: "Endpoint") -> None:
    paths = {
        "job": "$.detail.TrainingJobName",
        "model": "$.detail.ModelArtifacts.S3ModelArtifacts",
        "first": "$.detail.SecondaryStatusTransitions[0].Status",
        "kind": "$.detail-type",
        "given": "$.detail.HyperParameters",
        "missing": "$.detail.FailureReason",
    }
    template = (
        '{"job": <job>, "text": "<job> is at <model>", "first": <first>, "kind": <kind>, "given": <given>,'
        ' "missing": "<missing>", "rule": <aws.events.rule-name>, "event": <aws.events.event>}'
    )
    asked: dict[str, dict[str, Any]] = {
        "all": {},
        "part": {"InputPath": "$.detail.ModelArtifacts"},
        "fixed": {"Input": '{"kind": "fixed"}'},
        "template": {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}},
        "text": {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": '"<job> has ended"'}},
    }
    queues = {name: Queue(endpoint, f"shaped-{name}") for name in asked}
    rule(endpoint, "shaped", *({"Arn": queues[name].arn, **more} for name, more in asked.items()))
    endpoint.train("shaped", {"epochs": "1"})
    got = {name: json.loads(queue.first()["Body"]) for name, queue in queues.items()}

    model = "s3://bench/out/shaped/output/model.tar.gz"
    assert got["part"] == got["all"]["detail"]["ModelArtifacts"] == {"S3ModelArtifacts": model}
    assert got["fixed"] == {"kind": "fixed"}
    assert got["text"] == "shaped has ended"
    assert got["template"] == {
        "job": "shaped",
        "text": f"shaped is at {model}",
        "first": "Starting",
        "kind": "SageMaker Training Job State Change",
        "given": {"epochs": "1"},
        "missing": "",
        "rule": "shaped-default",
        "event": {name: value for name, value in got["all"].items() if name != "detail"},
    }


def test_events_detail_is_what_describe_answers(endpoint: "Endpoint") -> None:
    queue = Queue(endpoint, "described")
    rule(endpoint, "described", {"Arn": queue.arn})
    endpoint.train("described", Tags=[{"Key": "run", "Value": "1"}])
    detail = json.loads(queue.first()["Body"])["detail"]

    described = endpoint.described("training", "described")
    assert set(detail) == set(described) - {"ResponseMetadata"} | {"Tags"}
    assert detail["Tags"] == {"run": "1"}
    assert detail["CreationTime"] == int(described["CreationTime"].timestamp() * 1000)
    assert detail["SecondaryStatusTransitions"][0]["StartTime"] > 1_700_000_000_000
    assert detail["FinalMetricDataList"][0]["Timestamp"] > 1_700_000_000_000


def test_event_reaches_every_kind_of_target(endpoint: "Endpoint") -> None:
    sns, states, events, logs = (endpoint.client(name) for name in ("sns", "stepfunctions", "events", "logs"))
    queue, fifo, beyond = Queue(endpoint, "kinds"), fifo_queue(endpoint), Queue(endpoint, "kinds-beyond")
    topic = sns.create_topic(Name="kinds")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    machine = states.create_state_machine(
        name="kinds",
        roleArn="arn:aws:iam::000000000000:role/any",
        definition=json.dumps({"StartAt": "end", "States": {"end": {"Type": "Pass", "End": True}}}),
    )["stateMachineArn"]
    bus = events.create_event_bus(Name="kinds")["EventBusArn"]
    logs.create_log_group(logGroupName="/aws/events/kinds")
    rule(endpoint, "kinds", {"Arn": beyond.arn}, bus="kinds")
    rule(
        endpoint,
        "kinds",
        {"Arn": topic},
        {"Arn": fifo.arn, "SqsParameters": {"MessageGroupId": "jobs"}},
        {"Arn": machine, "InputPath": "$.detail"},
        {"Arn": bus},
        {"Arn": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/events/kinds"},
    )
    endpoint.train("kinds")

    assert json.loads(json.loads(queue.first()["Body"])["Message"])["detail"]["TrainingJobName"] == "kinds"
    assert fifo.first()["Attributes"]["MessageGroupId"] == "jobs"
    assert json.loads(beyond.first()["Body"])["detail"]["TrainingJobName"] == "kinds"
    runs = wait_for(lambda: states.list_executions(stateMachineArn=machine)["executions"])
    given = states.describe_execution(executionArn=runs[0]["executionArn"])["input"]
    assert json.loads(given)["TrainingJobName"] == "kinds"
    lines = wait_for(lambda: logs.filter_log_events(logGroupName="/aws/events/kinds")["events"])
    assert json.loads(lines[0]["message"])["detail"]["TrainingJobName"] == "kinds"


def fifo_queue(endpoint: "Endpoint") -> Queue:
    return Queue(endpoint, "kinds.fifo", FifoQueue="true", ContentBasedDeduplication="true")


@pytest.mark.parametrize(
    "gone",
    [
        f"arn:aws:sqs:{ACCOUNT}:gone",
        f"arn:aws:sns:{ACCOUNT}:gone",
        f"arn:aws:lambda:{ACCOUNT}:function:gone",
        f"arn:aws:states:{ACCOUNT}:stateMachine:gone",
        f"arn:aws:events:{ACCOUNT}:event-bus/gone",
        f"arn:aws:kinesis:{ACCOUNT}:stream/gone",
    ],
    ids=lambda arn: arn.split(":")[2],
)
def test_undeliverable_event_goes_to_the_dead_letter_queue_and_hinders_no_other(
    endpoint: "Endpoint", gone: str
) -> None:
    job = f"undelivered-{gone.split(':')[2]}"
    dead, other = Queue(endpoint, f"{job}-dead"), Queue(endpoint, f"{job}-other")
    rule(endpoint, job, {"Arn": gone, "DeadLetterConfig": {"Arn": dead.arn}}, {"Arn": other.arn})
    endpoint.train(job, {"epochs": "1"})

    letter = dead.first()
    assert json.loads(letter["Body"])["detail"]["TrainingJobName"] == job
    said = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert said["TARGET_ARN"] == gone
    assert said["RULE_ARN"].endswith(f"rule/{job}-default")
    assert said["ERROR_CODE"]
    assert said["ERROR_MESSAGE"]
    assert json.loads(other.first()["Body"])["detail"]["TrainingJobName"] == job


def test_disabled_rule_sends_nothing(endpoint: "Endpoint") -> None:
    silent, other = Queue(endpoint, "disabled"), Queue(endpoint, "disabled-other")
    rule(endpoint, "disabled", {"Arn": silent.arn}, State="DISABLED")
    rule(endpoint, "disabled-after", {"Arn": other.arn})
    endpoint.train("disabled", {"epochs": "1"})
    endpoint.ended("training", "disabled")
    endpoint.train("disabled-after", {"epochs": "1"})
    other.first()

    attributes = endpoint.client("sqs").get_queue_attributes(
        QueueUrl=f"{endpoint.url}/000000000000/disabled", AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "0"
