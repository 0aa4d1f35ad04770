"""Patterns that are matched without EventBridge are matched as EventBridge does it."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from seedbed.local_cloud.sagemaker.eventbridge import BATCH_BYTES, batches, matches_plainly

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

EVENT = {
    "version": "0",
    "id": "1",
    "account": "000000000000",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "source": "aws.sagemaker",
    "detail-type": "SageMaker Training Job State Change",
    "resources": ["arn:one", "arn:two"],
    "detail": {"TrainingJobName": "a", "SecondaryStatus": "Training", "Tags": {"run": "1"}, "Time": 5},
}
DECIDED: list[tuple[dict[str, Any], bool]] = [
    ({"source": ["aws.sagemaker"]}, True),
    ({"source": ["aws.s3"]}, False),
    ({"source": ["aws.s3", "aws.sagemaker"], "detail": {"TrainingJobName": ["b", "a"]}}, True),
    ({"detail": {"TrainingJobName": ["A"]}}, False),
    ({"detail": {"Tags": {"run": ["1"]}}}, True),
    ({"detail": {"Tags": {"owner": ["1"]}}}, False),
    ({"resources": ["arn:two"]}, True),
    ({"resources": ["arn:three"]}, False),
    ({"source": ["aws.s3"], "detail": {"TrainingJobName": [{"prefix": "a"}]}}, False),
]
ASKED: list[dict[str, Any]] = [
    {"detail": {"TrainingJobName": [{"prefix": "a"}]}},
    {"detail": {"TrainingJobName": [{"anything-but": "a"}]}},
    {"detail": {"Time": [5]}},
    {"detail": {"missing": [{"exists": False}]}},
    {"$or": [{"source": ["aws.s3"]}, {"source": ["aws.sagemaker"]}]},
    {"detail": {"TrainingJobName": {"first": ["a"]}}},
]


@pytest.mark.parametrize(("pattern", "expected"), DECIDED)
def test_strings_are_compared_as_eventbridge_compares_them(
    endpoint: "Endpoint", pattern: dict[str, Any], expected: bool
) -> None:
    assert matches_plainly(pattern, EVENT) is expected
    asked = endpoint.client("events").test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(EVENT))
    assert asked["Result"] is expected


@pytest.mark.parametrize("pattern", ASKED)
def test_other_patterns_are_left_to_eventbridge(pattern: dict[str, Any]) -> None:
    assert matches_plainly(pattern, EVENT) is None


def test_a_batch_is_never_larger_than_sqs_accepts() -> None:
    events = [{"number": number, "filler": "x" * (BATCH_BYTES // 4)} for number in range(25)]
    made = list(batches(events))
    assert [json.loads(text)["number"] for batch in made for text in batch] == list(range(25))
    assert all(sum(map(len, batch)) <= BATCH_BYTES for batch in made)
    assert [len(batch) for batch in batches([{"number": number} for number in range(25)])] == [10, 10, 5]
