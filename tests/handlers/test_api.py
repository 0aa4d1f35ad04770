"""Signed requests → answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from job_manager.domain import layout
from job_manager.domain.result import Trial
from job_manager.domain.run import Run, RunState
from tests.handlers.deployed import Deployed, Event

RUN_ID = "sb-3f9c1b7a5d2e8046-1"
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


def asked(deployed: Deployed, event: Event) -> tuple[int, Any]:
    answer = deployed.invoke("Api", event)
    assert answer["headers"]["Content-Type"] == "application/json"
    return answer["statusCode"], json.loads(answer["body"])


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
        ("api_run", f"There is no run {RUN_ID}."),
    ],
)
def test_an_unknown_object_is_answered_with_404_and_a_sentence(
    deployed: Deployed, event: Events, name: str, sentence: str
) -> None:
    assert asked(deployed, event(name)) == (404, {"message": sentence})


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
    assert asked(deployed, request) == (409, {"message": f"The run {RUN_ID} has already ended: it is Stopped."})


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


def test_an_unknown_route_is_404(deployed: Deployed, event: Events) -> None:
    request = event("api_runs")
    request["rawPath"] = request["requestContext"]["http"]["path"] = "/secrets"

    assert asked(deployed, request)[0] == 404


def test_the_test_stack_notices_calls_beyond_a_functions_policy(deployed: Deployed) -> None:
    deployed.running = "Api"

    deployed.runs.save_trial(RUN_ID, Trial(TRIAL, "Completed", {}))

    assert deployed.forbidden == ["dynamodb:PutItem"]
