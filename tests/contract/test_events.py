"""The events of events/ are what AWS sends, and the template lets them through, and no others."""

import hashlib
import json
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from job_manager.aws.events import changed_run, job_state, settle_message, uploaded_key
from job_manager.domain.run import RunState
from tests.contract.patterns import matches
from tests.contract.template import ROOT, Template

BUCKET = "seedbed-123456789012-us-east-1"
TEMPLATE = Template(physical={"Bucket": BUCKET})
EVENTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "events").glob("*.json"))}
ENVELOPE = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
MESSAGE = {
    "messageId",
    "receiptHandle",
    "body",
    "attributes",
    "messageAttributes",
    "md5OfBody",
    "eventSource",
    "eventSourceARN",
    "awsRegion",
}
JOB_EVENTS = [
    "processing_job_state_change",
    "training_job_state_change",
    "tuning_job_state_change",
    "fine_tuning_trial_state_change",
    "fine_tuning_job_state_change",
]


def records(source: str) -> list[Any]:
    found = [record for event in EVENTS.values() for record in event.get("Records", [])]
    return [record for record in found if record["eventSource"] == source]


def bridged() -> list[Any]:
    """All EventBridge events, those in queued messages too."""
    queued = [json.loads(record["body"]) for record in records("aws:sqs")]
    return [event for event in [*EVENTS.values(), *queued] if "detail-type" in event]


def rule(name: str) -> dict[str, Any]:
    pattern: dict[str, Any] = TEMPLATE.resolve(TEMPLATE.resources[name]["Properties"]["EventPattern"])
    return pattern


def with_detail(event: Any, **changes: Any) -> Any:
    changed = deepcopy(event)
    changed["detail"] |= changes
    return changed


def test_there_is_an_event_for_every_trigger() -> None:
    assert set(EVENTS) == {
        "s3_object_created",
        "s3_object_deleted",
        "upload_batch",
        "settled",
        *JOB_EVENTS,
        "job_states",
        "run_ended",
        "clock",
        "api_best_model",
        "api_runs",
        "api_run",
        "api_request_run",
        "api_stop_run",
        "api_retry_run",
    }


def test_eventbridge_events_have_the_standard_envelope() -> None:
    for event in bridged():
        assert set(event) == ENVELOPE
        assert datetime.fromisoformat(event["time"]).tzinfo is not None


def test_queued_messages_have_all_fields() -> None:
    for record in records("aws:sqs"):
        assert set(record) == MESSAGE
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


def test_every_queued_message_can_be_read_by_its_function() -> None:
    for name, read in (("upload_batch", uploaded_key), ("settled", settle_message), ("job_states", job_state)):
        for record in EVENTS[name]["Records"]:
            read(record["body"])


def test_queued_batches_contain_the_single_events() -> None:
    queued = [json.loads(record["body"]) for record in EVENTS["job_states"]["Records"]]

    assert sorted(map(str, queued)) == sorted(str(EVENTS[name]) for name in JOB_EVENTS)
    assert EVENTS["s3_object_created"] == json.loads(EVENTS["upload_batch"]["Records"][0]["body"])


def test_the_upload_rule_matches_uploads_and_deletions() -> None:
    for record in EVENTS["upload_batch"]["Records"]:
        assert matches(rule("UploadRule"), json.loads(record["body"]))


@pytest.mark.parametrize(
    "changes",
    [{"object": {"key": "runs/sb-3f9c1b7a5d2e8046-1/manifest.json"}}, {"bucket": {"name": "somebody-elses"}}],
)
def test_the_upload_rule_ignores_run_outputs_and_other_buckets(changes: dict[str, Any]) -> None:
    assert not matches(rule("UploadRule"), with_detail(EVENTS["s3_object_created"], **changes))


@pytest.mark.parametrize("name", JOB_EVENTS)
def test_the_job_rule_matches_only_ends_of_our_jobs(name: str) -> None:
    event = EVENTS[name]
    (job,) = (key for key in event["detail"] if key.endswith("JobName"))
    status = job.removesuffix("Name") + "Status"

    assert matches(rule("JobStateRule"), event)
    assert matches(rule("JobStateRule"), with_detail(event, **{status: "Failed"}))
    assert not matches(rule("JobStateRule"), with_detail(event, **{status: "InProgress"}))
    assert not matches(rule("JobStateRule"), with_detail(event, **{job: "somebody-elses"}))


def test_the_stream_filter_matches_only_runs_that_start_or_ended() -> None:
    events = TEMPLATE.functions["Notify"]["Events"]["FinishedRuns"]["Properties"]
    (pattern,) = (json.loads(found["Pattern"]) for found in events["FilterCriteria"]["Filters"])
    (record,) = EVENTS["run_ended"]["Records"]
    image = record["dynamodb"]["NewImage"]

    assert matches(pattern, record)
    assert changed_run({"body": image["body"]["S"]}).state.ended
    for change in ({"state": {"S": "Tuning"}}, {"kind": {"S": "trial"}}):
        assert not matches(pattern, {"dynamodb": {"NewImage": {**image, **change}}})


def test_the_stream_filter_matches_every_final_state() -> None:
    (found,) = TEMPLATE.functions["Notify"]["Events"]["FinishedRuns"]["Properties"]["FilterCriteria"]["Filters"]

    states = json.loads(found["Pattern"])["dynamodb"]["NewImage"]["state"]["S"]
    assert set(states) == {state.value for state in RunState if state.ended} | {"Preparing"}


def test_requests_carry_who_signed_them() -> None:
    for name in ("api_best_model", "api_runs", "api_run", "api_stop_run", "api_retry_run"):
        context = EVENTS[name]["requestContext"]
        assert EVENTS[name]["version"] == "2.0"
        assert f"{context['http']['method']} {EVENTS[name]['rawPath']}".startswith(context["routeKey"].split("{")[0])
        assert context["authorizer"]["iam"]["userArn"].startswith("arn:aws:iam::")
