"""Signed requests → answers."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import requests

from job_manager import wiring
from job_manager.aws.http import PROBLEM
from job_manager.aws.logs import GROUP, PROCESSING
from job_manager.domain import layout
from job_manager.domain.dataset import ExcludedFile, Snapshot
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.domain.run_request import RunRequest
from tests.contract.openapi import check_answer
from tests.handlers.deployed import BUCKET, Deployed, Event

RUN_ID = "sb-3f9c1b7a5d2e8046-1"
UNKNOWN = "/secrets"
TRIAL = f"{RUN_ID}-007-5b0e93dc"

Events = Callable[[str], Event]


@pytest.fixture
def champion(deployed: Deployed, run: Run, ended: Run) -> Run:
    """The run in the table, as the champion, with a trial."""
    deployed.runs.create(run)
    for state in (RunState.TUNING, RunState.EVALUATING):
        deployed.runs.move(run.moved(state), came_from=run.state)
        run = run.moved(state)
    deployed.runs.move(ended, came_from=run.state)
    deployed.runs.save_trial(RUN_ID, Trial(TRIAL, "Completed", {"epochs": "33"}, 0.93, 131))
    return ended


def to(request: Event, path: str, **headers: str) -> Event:
    """The request, to another path and with more headers."""
    request["rawPath"] = request["requestContext"]["http"]["path"] = path
    request["headers"] |= headers
    return request


def asked(deployed: Deployed, event: Event) -> tuple[int, Any]:
    """The status and the content of an answer; of a problem, the sentence that says what to do."""
    answer = deployed.invoke("Api", event)
    status, content = answer["statusCode"], json.loads(answer["body"])
    http = event["requestContext"]["http"]
    if http["path"] != UNKNOWN:
        check_answer(http["method"], http["path"], answer)
    if status < 400:
        assert answer["headers"]["Content-Type"] == "application/json"
        return status, content
    assert answer["headers"]["Content-Type"] == PROBLEM
    assert content["status"] == status
    assert content["detail"] == content["message"]
    return status, content["detail"]


def test_the_best_model_is_answered(deployed: Deployed, event: Events, champion: Run) -> None:
    status, body = asked(deployed, event("api_best_model"))

    assert status == 200
    assert body["run_id"] == RUN_ID
    assert body["model_uri"] == champion.model_uri
    assert body["dataset"]["labels"] == ["Common wheat", "Maïs", "玉米"]


def test_the_runs_are_answered(deployed: Deployed, event: Events, champion: Run) -> None:
    status, body = asked(deployed, event("api_runs"))

    assert status == 200
    assert [run["run_id"] for run in body["runs"]] == [RUN_ID]
    assert body["pending"] is None


def test_one_run_is_answered_with_its_trials(deployed: Deployed, event: Events, champion: Run) -> None:
    status, body = asked(deployed, event("api_run"))

    assert status == 200
    assert [trial["name"] for trial in body["trials"]] == [TRIAL]
    assert body["evaluation"]["confusion"] == [[6, 0, 0], [0, 5, 0], [0, 1, 5]]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("api_best_model", "There is no model yet. Upload labelled images and wait for the first run."),
        ("api_run", f"There is no run {RUN_ID}. List those that there are: seedbed runs"),
    ],
)
def test_an_unknown_object_is_answered_with_404_and_a_sentence(
    deployed: Deployed, event: Events, name: str, sentence: str
) -> None:
    assert asked(deployed, event(name)) == (404, sentence)


def test_stop_is_accepted_for_an_open_run_and_refused_for_an_ended_one(
    deployed: Deployed, event: Events, run: Run
) -> None:
    deployed.runs.create(run)
    request = event("api_stop_run")

    status, body = asked(deployed, request)
    assert (status, body["message"].split(":")[0]) == (202, f"The run {RUN_ID} is being stopped")
    assert deployed.jobs.stopped == [f"{RUN_ID}-prepare"]
    assert deployed.bucket.has(layout.stop(RUN_ID))

    deployed.runs.move(run.ended(RunState.STOPPED, run.created_at), came_from=run.state)
    assert asked(deployed, request) == (409, f"The run {RUN_ID} has already ended: it is Stopped.")


def test_retry_is_refused_for_an_open_run_and_accepted_for_a_stopped_one(
    deployed: Deployed, event: Events, run: Run
) -> None:
    deployed.runs.create(run)
    request = event("api_retry_run")

    assert asked(deployed, request)[0] == 409
    assert deployed.runs.pending() is None

    deployed.runs.move(run.ended(RunState.STOPPED, run.created_at), came_from=run.state)
    status, body = asked(deployed, request)
    promised = f"The images of the run {RUN_ID} get another attempt once nothing has been uploaded for 120 seconds."
    assert (status, body["message"]) == (202, promised)
    assert deployed.bucket.has(layout.retry(RUN_ID))
    assert deployed.runs.pending() is not None
    assert deployed.wake_ups() == 1


def sent(request: Event, body: str | None, **headers: str) -> Event:
    """The request with another body and other headers, of which an empty one is taken away."""
    own = {**request["headers"], **headers}
    return {**request, "body": body, "headers": {name: value for name, value in own.items() if value}}


def test_a_run_is_asked_for_once_however_often_the_request_is_sent(deployed: Deployed, event: Events) -> None:
    deployed.put("seedlings/Maize/1.png")
    request = event("api_request_run")

    for times in (1, 2):
        status, body = asked(deployed, request)
        assert (status, body["request_id"], body["run_id"]) == (202, "8e03978e-40d5-43dd-bc93-6894a57f9324", None)
        assert deployed.wake_ups() == times
    pending = deployed.runs.pending()
    assert pending is not None
    assert pending.request is not None
    assert (pending.request.plan, pending.request.trials, pending.request.again) == ("full", 40, False)


def test_the_run_of_a_request_is_named_once_it_has_started(deployed: Deployed, event: Events, run: Run) -> None:
    request = RunRequest("8e03978e-40d5-43dd-bc93-6894a57f9324", run.created_at)
    deployed.runs.create(replace(run, request=request))

    status, body = asked(deployed, event("api_request_run"))

    assert (status, body["run_id"], body["message"]) == (202, RUN_ID, f"The run {RUN_ID} was started for this request.")
    assert asked(deployed, sent(event("api_request_run"), None, **{"idempotency-key": ""}))[0] == 409


def test_a_request_without_a_body_leaves_everything_to_the_stack(deployed: Deployed, event: Events) -> None:
    deployed.put("seedlings/Maize/1.png")

    for body in (None, "", "{}"):
        status, answer = asked(deployed, sent(event("api_request_run"), body, **{"idempotency-key": ""}))
        assert (status, answer["request_id"]) == (202, "Zk3vTh0QIAMEJvA=")


@pytest.mark.parametrize(
    ("body", "headers", "refusal"),
    [
        ("plan=full", {"content-type": "application/x-www-form-urlencoded"}, "415 Send the body as JSON"),
        ("{}", {"content-type": ""}, "415 Send the body as JSON"),
        (" " * 10_001, {}, "413 The body has 10001 bytes."),
        ("{", {}, "400 The body is not as GET /openapi.json describes it: Input data was truncated."),
        ("[" * 9_000, {}, "400 The body is not as"),
        ('{"plan": "slow"}', {}, "Invalid enum value 'slow'"),
        ('{"trials": 0}', {}, "Expected `int` >= 1"),
        ('{"trials": 1e400}', {}, "400 The body is not as"),
        ('{"budget": 1}', {}, "unknown field `budget`"),
        ("{}", {"idempotency-key": "a b"}, "400 An Idempotency-Key has 1 to 64 letters"),
    ],
)
def test_a_request_that_makes_no_sense_starts_nothing(
    deployed: Deployed, event: Events, body: str, headers: dict[str, str], refusal: str
) -> None:
    status, sentence = asked(deployed, sent(event("api_request_run"), body, **headers))

    assert refusal in f"{status} {sentence}"
    assert deployed.runs.pending() is None


def test_a_body_that_api_gateway_encoded_is_read(deployed: Deployed, event: Events) -> None:
    deployed.put("seedlings/Maize/1.png")
    request = sent(event("api_request_run"), base64.b64encode(b'{"trials": 3}').decode())

    assert asked(deployed, {**request, "isBase64Encoded": True})[0] == 202
    assert asked(deployed, {**request, "isBase64Encoded": True, "body": "{}"})[0] == 400


def test_another_method_is_answered_with_those_that_there_are(deployed: Deployed, event: Events) -> None:
    for path, allowed in {f"/runs/{RUN_ID}/stop": "POST", "/runs": "GET, HEAD, POST", "/health": "GET, HEAD"}.items():
        request = to(event("api_runs"), path)
        request["requestContext"]["http"]["method"] = "DELETE"

        answer = deployed.invoke("Api", request)

        assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, allowed)
        assert answer["headers"]["Content-Type"] == PROBLEM
        assert json.loads(answer["body"])["detail"] == f"This answers {allowed.replace(', ', ' and ')} alone."


def test_an_unknown_route_is_404(deployed: Deployed, event: Events) -> None:
    status, sentence = asked(deployed, to(event("api_runs"), UNKNOWN))

    assert (status, sentence) == (404, "There is nothing here. GET /openapi.json lists what can be asked for.")


def test_a_client_that_has_an_answer_does_not_get_it_again(deployed: Deployed, event: Events, champion: Run) -> None:
    tag = deployed.invoke("Api", event("api_runs"))["headers"]["ETag"]

    for known in (tag, f'"another", W/{tag}', "*"):
        answer = deployed.invoke("Api", to(event("api_runs"), "/runs", **{"if-none-match": known}))
        assert (answer["statusCode"], answer["body"], answer["headers"]["ETag"]) == (304, "", tag)
    answer = deployed.invoke("Api", to(event("api_run"), f"/runs/{RUN_ID}", **{"if-none-match": tag}))
    assert answer["statusCode"] == 200


def test_an_answer_that_changed_has_another_tag(deployed: Deployed, event: Events, run: Run) -> None:
    deployed.runs.create(run)
    tag = deployed.invoke("Api", event("api_run"))["headers"]["ETag"]

    deployed.runs.move(run.ended(RunState.STOPPED, run.created_at), came_from=run.state)
    answer = deployed.invoke("Api", to(event("api_run"), f"/runs/{RUN_ID}", **{"if-none-match": tag}))

    assert answer["statusCode"] == 200
    assert answer["headers"]["ETag"] != tag


@pytest.mark.parametrize("name", ["api_best_model", "api_runs", "api_run"])
def test_head_is_answered_as_get_without_a_body(deployed: Deployed, event: Events, champion: Run, name: str) -> None:
    got = deployed.invoke("Api", event(name))
    request = event(name)
    request["requestContext"]["http"]["method"] = "HEAD"

    head = deployed.invoke("Api", request)

    assert head == {**got, "body": ""}
    assert head["headers"]["ETag"]


def test_lists_continue_where_the_query_says(deployed: Deployed, event: Events, champion: Run) -> None:
    for path in ("/runs", "/models"):
        for query in ({"limit": "1"}, {"limit": "200", "cursor": RUN_ID}):
            request = to(event("api_runs"), path)
            request["queryStringParameters"] = query
            status, body = asked(deployed, request)
            assert (status, body["next"]) == (200, None)
            assert len(body["runs" if path == "/runs" else "models"]) == ("cursor" not in query)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"limit": "0"}, "`limit` is a number from 1 to 200."),
        ({"limit": "many"}, "`limit` is a number from 1 to 200."),
        ({"limit": "٣"}, "`limit` is a number from 1 to 200."),
        ({"cursor": "x"}, "The cursor is not one that an answer gave as `next`. Ask without it."),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_with_what_to_do(
    deployed: Deployed, event: Events, query: dict[str, str], sentence: str
) -> None:
    for path in ("/runs", "/models"):
        request = to(event("api_runs"), path)
        request["queryStringParameters"] = query
        assert asked(deployed, request) == (400, sentence)


def test_trials_are_answered_with_the_curves_of_their_log(deployed: Deployed, event: Events, champion: Run) -> None:
    stream: Any = {"logGroupName": GROUP, "logStreamName": f"{TRIAL}/algo-1-1"}
    line = "epoch 1/33 - train_loss: 0.9; train_accuracy: 0.5; validation_loss: 1.0; validation_accuracy: 0.4;"
    client = boto3.client("logs")
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(**stream)
    event_now: Any = {"timestamp": int(time.time() * 1000), "message": line}
    client.put_log_events(logEvents=[event_now], **stream)
    request = to(event("api_run"), f"/runs/{RUN_ID}/trials")
    request["queryStringParameters"] = {"curves": TRIAL}

    status, body = asked(deployed, request)

    assert (status, body["state"]) == (200, "Completed")
    (trial,) = body["trials"]
    assert (trial["name"], trial["objective"]) == (TRIAL, 0.93)
    assert [(epoch["epoch"], epoch["validation_accuracy"]) for epoch in trial["epochs"]] == [(1, 0.4)]


def test_an_open_run_is_answered_with_how_far_its_processing_job_is(
    deployed: Deployed, event: Events, run: Run
) -> None:
    deployed.runs.create(run)
    assert asked(deployed, event("api_run"))[1]["progress"] is None
    stream: Any = {"logGroupName": PROCESSING, "logStreamName": f"{run.job}/algo-1-1"}
    client = boto3.client("logs")
    client.create_log_group(logGroupName=PROCESSING)
    client.create_log_stream(**stream)
    line: Any = {"timestamp": int(time.time() * 1000), "message": "progress: 20/72 images"}
    client.put_log_events(logEvents=[line], **stream)

    assert asked(deployed, event("api_run"))[1]["progress"] == {"done": 20, "total": 72}


def test_files_are_answered_with_links_and_a_tag_that_lasts_no_longer_than_they(
    deployed: Deployed, event: Events, champion: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = (ExcludedFile("Maize/empty.png", "an empty file"),)
    deployed.bucket.write_snapshot(champion, Snapshot((), refused))
    deployed.put("seedlings/Maize/empty.png", b"its content")
    request = to(event("api_run"), f"/runs/{RUN_ID}/files")

    answer = deployed.invoke("Api", request)
    check_answer("GET", f"/runs/{RUN_ID}/files", answer)

    (file,) = json.loads(answer["body"])["files"]
    assert (file["kind"], file["reason"]) == ("refused", "an empty file")
    assert requests.get(file["url"], timeout=5).content == b"its content"
    tag = answer["headers"]["ETag"]
    known = to(request, f"/runs/{RUN_ID}/files", **{"if-none-match": tag})
    began, statuses = datetime.now(UTC), []
    for minutes in range(0, 15, 5):
        monkeypatch.setattr(wiring.aws().clock, "now", lambda minutes=minutes: began + timedelta(minutes=minutes))
        statuses.append(deployed.invoke("Api", known)["statusCode"])
    assert tag.startswith('W/"')
    assert statuses in ([304, 304, 200], [304, 200, 200], [200, 200, 200])


def test_an_object_that_cannot_be_read_is_named(deployed: Deployed, event: Events, champion: Run) -> None:
    deployed.put(layout.snapshot(RUN_ID), b"{not JSON")

    status, sentence = asked(deployed, to(event("api_run"), f"/runs/{RUN_ID}/files"))

    assert status == 502
    assert sentence.startswith(f"s3://{BUCKET}/runs/{RUN_ID}/snapshot.json can't be read")


def test_a_dataset_is_answered(deployed: Deployed, event: Events, champion: Run) -> None:
    status, sentence = asked(deployed, to(event("api_run"), "/datasets/ffffffffffff"))
    assert (status, sentence.split(".")[0]) == (404, "There is no run of a dataset ffffffffffff")


def test_health_is_answered(deployed: Deployed, event: Events, champion: Run) -> None:
    status, body = asked(deployed, to(event("api_runs"), "/health"))

    assert (status, body["status"], body["best_model"]) == (200, "ok", RUN_ID)


def test_the_api_describes_itself(deployed: Deployed, event: Events) -> None:
    status, document = asked(deployed, to(event("api_runs"), "/openapi.json"))

    assert status == 200
    assert "/openapi.json" in document["paths"]


def test_the_test_stack_notices_calls_beyond_a_functions_policy(deployed: Deployed) -> None:
    deployed.running = "Api"

    deployed.runs.save_trial(RUN_ID, Trial(TRIAL, "Completed", {}))

    assert deployed.forbidden == ["dynamodb:PutItem"]
