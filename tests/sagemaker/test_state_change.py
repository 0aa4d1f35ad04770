"""State changes arrive where EventBridge rules send them."""

import json
from typing import Any

from tests.sagemaker.toy_endpoint import Endpoint


class Mailbox:
    """A queue behind a rule."""

    def __init__(self, endpoint: "Endpoint", name: str, pattern: dict[str, Any]) -> None:
        self._sqs, events = endpoint.client("sqs"), endpoint.client("events")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        self.received: list[dict[str, Any]] = []

    def look(self) -> list[dict[str, Any]]:
        messages = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.received.append(json.loads(message["Body"]))
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self.received


def test_a_tuning_jobs_changes_arrive_with_their_fields(endpoint: "Endpoint") -> None:
    detail = {"HyperParameterTuningJobName": ["eventful"]}
    kind = "SageMaker HyperParameter Tuning Job State Change"
    box = Mailbox(endpoint, "tunings", {"source": ["aws.sagemaker"], "detail-type": [kind], "detail": detail})
    endpoint.tune("eventful", jobs=2, Tags=[{"Key": "run", "Value": "1"}])
    endpoint.ended("tuning", "eventful")
    endpoint.eventually(lambda: len(box.look()) >= 2)
    assert [event["detail"]["HyperParameterTuningJobStatus"] for event in box.received] == ["InProgress", "Completed"]
    last = box.received[-1]
    assert last["resources"] == ["arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/eventful"]
    assert last["detail"]["TrainingJobStatusCounters"]["Completed"] == 2
    assert last["detail"]["ObjectiveStatusCounters"]["Succeeded"] == 2
    assert last["detail"]["Tags"] == {"run": "1"}
    assert last["detail"]["CreationTime"] > 1_700_000_000_000, "epoch milliseconds"
    assert "TrainingJobDefinition" in last["detail"]


def test_a_training_jobs_secondary_changes_arrive_in_order(endpoint: "Endpoint") -> None:
    pattern = {"source": ["aws.sagemaker"], "detail": {"TrainingJobName": [{"prefix": "eventful-train"}]}}
    box = Mailbox(endpoint, "trainings", pattern)
    endpoint.train("eventful-train", {"fail": "alas"})
    endpoint.ended("training", "eventful-train")
    endpoint.eventually(lambda: [e for e in box.look() if e["detail"]["TrainingJobStatus"] == "Failed"])
    assert [event["detail"]["SecondaryStatus"] for event in box.received] == [
        "Starting",
        "Downloading",
        "Training",
        "Failed",
    ]
    assert "alas" in box.received[-1]["detail"]["FailureReason"]
    assert box.received[-1]["detail-type"] == "SageMaker Training Job State Change"


def test_a_processing_jobs_end_arrives_and_other_events_dont(endpoint: "Endpoint") -> None:
    detail = {"ProcessingJobStatus": ["Completed"], "ProcessingJobName": ["eventful-process"]}
    box = Mailbox(endpoint, "processings", {"detail": detail})
    endpoint.process_images("eventful-process")
    endpoint.ended("processing", "eventful-process")
    endpoint.eventually(box.look)
    assert [event["detail"]["ProcessingJobName"] for event in box.received] == ["eventful-process"]


def test_a_rule_whose_queue_is_deleted_blocks_no_other(endpoint: "Endpoint") -> None:
    events = endpoint.client("events")
    events.put_rule(Name="dangling", EventPattern=json.dumps({"detail": {"TrainingJobName": ["dangling"]}}))
    gone = "arn:aws:sqs:us-east-1:000000000000:gone"
    events.put_targets(Rule="dangling", Targets=[{"Id": "queue", "Arn": gone}])
    box = Mailbox(endpoint, "after", {"detail": {"TrainingJobName": ["after-it"]}})
    endpoint.train("dangling")
    endpoint.train("after-it")
    assert endpoint.ended("training", "dangling")["TrainingJobStatus"] == "Completed"
    events.remove_targets(Rule="dangling", Ids=["queue"])
    endpoint.eventually(box.look)
