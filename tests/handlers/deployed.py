"""What template.yaml deploys, with the functions in their environment and under their policies."""

import json
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import boto3

from job_manager import settings, wiring
from job_manager.ports import Bucket, Runs
from predictor import wiring as predictions
from tests.contract.iam import actions_of, granted
from tests.contract.template import Template, table_request
from tests.fakes.jobs import MemoryJobs

Event = dict[str, Any]
BUCKET = "seedbed-bucket-1a2b3c4d5e6f"


@dataclass
class LambdaContext:
    """What Lambda tells of an invocation."""

    function_name: str = "seedbed"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:seedbed"
    aws_request_id: str = "8f507cfc-6f3a-4c9b-8f0e-2a1d6c7b9e53"

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the function's time."""
        return 20_000


@dataclass
class Deployed:
    """The deployed stack; SageMaker is in memory, as moto ends every job at once and lists no trials."""

    template: Template
    jobs: MemoryJobs
    forbidden: list[str] = field(default_factory=list)
    running: str | None = None

    @property
    def runs(self) -> Runs:
        return wiring.aws().runs

    @property
    def bucket(self) -> Bucket:
        return wiring.aws().bucket

    def invoke(self, function: str, event: Event) -> Any:
        """Run a function, by its name in the template, under its policy."""
        module, name = self.template.functions[function]["Handler"].split(".")
        self.running = function
        try:
            answer = getattr(import_module(module), name)(event, LambdaContext())
        finally:
            self.running = None
        assert self.forbidden == [], f"{function} may not do this"
        return answer

    def watch(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        """Note what the running function asks of AWS beyond its policy."""
        if self.running:
            service = model.service_model.service_name
            actions = set(actions_of(service, model.name))
            if model.name == "TransactWriteItems":
                writes = json.loads(params["body"])["TransactItems"]
                actions = {f"dynamodb:{kind}Item" for write in writes for kind in write}
            self.forbidden += sorted(actions - granted(self.template, self.running))

    def put(self, key: str, body: bytes = b"image") -> None:
        """Put an object into the bucket."""
        boto3.client("s3").put_object(Bucket=self.template.environment["BUCKET"], Key=key, Body=body)

    def wake_ups(self) -> int:
        """How many messages wait for start_run, delayed or not."""
        queue = self.template.environment["SETTLE_QUEUE"]
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        waiting = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(waiting[name]) for name in names)

    def mails(self) -> list[dict[str, Any]]:
        """What subscribers of the e-mails got."""
        return self._heard("topic")

    def events(self) -> list[dict[str, Any]]:
        """What subscribers of the events got."""
        return self._heard("events")

    def _heard(self, topic: str) -> list[dict[str, Any]]:
        client = boto3.client("sqs")
        queue = client.get_queue_url(QueueName=f"subscriber-of-{topic}")["QueueUrl"]
        return [
            json.loads(message["Body"])
            for message in client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        ]


def deploy() -> Template:
    """Make the template's resources, and the template with their names in it."""
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    table = boto3.client("dynamodb").create_table(**table_request(Template()))["TableDescription"]["TableName"]
    queue = sqs.create_queue(QueueName="settle")["QueueUrl"]
    topics = {name: sns.create_topic(Name=name)["TopicArn"] for name in ("topic", "events")}
    for name, topic in topics.items():
        subscriber = sqs.create_queue(QueueName=f"subscriber-of-{name}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=subscriber, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    template = Template(
        physical={
            "Bucket": BUCKET,
            "Table": table,
            "Topic": topics["topic"],
            "EventTopic": topics["events"],
            "SettleQueue": queue,
        },
        attributes={("TrainingRole", "Arn"): "arn:aws:iam::123456789012:role/seedbed-training"},
    )
    boto3.client("s3").create_bucket(Bucket=template.environment["BUCKET"])
    return template


def forget_what_is_warm() -> None:
    settings.settings.cache_clear()
    wiring.aws.cache_clear()
    predictions.service.cache_clear()


def spoil(event: Event, index: int = 0, body: str = "{not JSON") -> str:
    """Make one of an SQS event's messages malformed; its id."""
    record = event["Records"][index]
    record["body"] = body
    return str(record["messageId"])


def failed(answer: Any) -> list[str]:
    """The ids of the messages that a function returns to where they came from."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
