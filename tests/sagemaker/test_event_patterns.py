"""Patterns that are matched without EventBridge are matched as EventBridge does it."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from seedbed.local_cloud.sagemaker.events.publisher import matches_plainly

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
    {"detail": {"TrainingJobName": [{"suffix": "a"}]}},
    {"detail": {"TrainingJobName": [{"wildcard": "*a"}]}},
    {"detail": {"TrainingJobName": [{"equals-ignore-case": "A"}]}},
    {"detail": {"TrainingJobName": [{"anything-but": {"prefix": "b"}}]}},
    {"detail": {"Time": [{"numeric": [">", 4, "<=", 5]}]}},
    {"$or": [{"source": ["aws.s3"]}, {"source": ["aws.sagemaker"]}]},
    {"detail": {"TrainingJobName": {"first": ["a"]}}},
]
UNMATCHED = [
    {"detail": {"TrainingJobName": [{"anything-but": "a"}]}},
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
def test_other_patterns_are_left_to_eventbridge(endpoint: "Endpoint", pattern: dict[str, Any]) -> None:
    assert matches_plainly(pattern, EVENT) is None
    asked = endpoint.client("events").test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(EVENT))
    assert asked["Result"] is (pattern not in UNMATCHED)
