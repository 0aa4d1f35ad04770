"""`seedbed status` tells how far a run is, and `seedbed watch` and `upload --wait` follow one to its end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from job_manager.domain.run import RunState
from job_manager.steps.api import one_run, recent_runs
from seedbed.commands import watch as command
from seedbed.commands.progress import EventLines
from seedbed.errors import SeedbedError
from seedbed.stack import Stack
from seedbed.watch import status
from seedbed.watch.stage import StageProgress
from tests.contract.people import api_server
from tests.fakes.world import FULL_PLAN, World, answered
from tests.seedbed.commands import Person

WAITS = "The prepare job waits for a quota of this account."


class Followed:
    """A stack whose API is that of the job manager in memory; `steps` happen one after each look."""

    stack: Stack

    def __init__(self) -> None:
        self.world = World()
        self.steps: list[Any] = []
        self.refusals = 0

    def answer(self, path: str) -> dict[str, Any]:
        """What the API answers. After a run's details the next step happens."""
        if path == "/runs":
            listed = answered(recent_runs(self.world))
            if not listed["runs"]:
                self.happen()
            return listed
        shown = answered(one_run(path.rpartition("/")[2], self.world))
        self.happen()
        return shown

    def happen(self) -> None:
        """The next step, if there is one."""
        if self.steps:
            self.steps.pop(0)()


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Followed]:
    """The stack of `--aws mine`; no time passes between two looks at it."""
    found = Followed()
    session = boto3.session.Session(region_name="us-east-1")
    with api_server(found.answer) as (url, _), Stubber(boto3.client("sagemaker", "us-east-1")) as sagemaker:
        sagemaker.add_client_error("describe_hyper_parameter_tuning_job", "AccessDeniedException")
        logs = Stubber(boto3.client("logs", "us-east-1"))
        logs.activate()
        logs.add_client_error("describe_log_streams", "AccessDeniedException")
        found.stack = Stack(session, None, {"ApiUrl": url}, {"sagemaker": sagemaker.client, "logs": logs.client})
        monkeypatch.setattr("seedbed.commands.options.aws_stack", lambda _: found.stack)
        monkeypatch.setattr(status, "POLL_SECONDS_ON_AWS", 0)
        monkeypatch.setattr(status, "PATIENCE_SECONDS_ON_AWS", 0)
        yield found


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    return Person(monkeypatch, capsys)


def test_without_a_run_it_says_how_to_begin(followed: Followed, person: Person) -> None:
    outcome = person.runs("status", "--aws", "mine")

    assert (outcome.status, outcome.output) == (0, "There is no run yet.\n")
    assert "upload FOLDER --aws mine" in outcome.notes


def test_a_run_is_followed_from_the_uploads_to_its_result(followed: Followed, person: Person) -> None:
    world, run = followed.world, "sb-"
    world.plan = FULL_PLAN
    world.upload_dataset()

    def settle() -> None:
        nonlocal run
        (started,) = world.settle()
        run = started.run_id

    followed.steps = [
        settle,
        lambda: world.end_prepare(run),
        lambda: world.end_tuning(run, 0.7, None, 0.9),
        lambda: world.end_fine_tuning(run, 0.94, 0.95),
        lambda: world.end_evaluation(run),
    ]
    outcome = person.runs("watch", "--aws", "mine")

    assert (outcome.status, outcome.notes) == (0, ""), outcome
    *lines, told, champion = outcome.output.splitlines()
    assert [line for line in lines if line.endswith("…")] == [
        "Settle …",
        "Prepare …",
        "Tune …",
        "Fine-tune …",
        "Evaluate …",
    ]
    assert "Trial 001-0a1b2c3d: 70.0% on validation." in lines
    assert "Trial 002-0a1b2c3d failed." in lines
    assert "Trial fine-002-0a1b2c3d: 95.0% on validation." in lines
    assert len(lines) == len(set(lines))
    assert told.startswith(f"{run} has completed: 90.0% of the test images right, for US$ ")
    assert champion == "This is the first model, so it is now the best model."


def test_what_a_run_waits_for_is_told_once(followed: Followed, person: Person) -> None:
    world = followed.world
    run = world.start()

    def waits() -> None:
        world.runs.move(replace(world.runs.get(run.run_id), waits_for=WAITS), RunState.PREPARING)

    followed.steps = [waits, lambda: None, lambda: None, lambda: world.complete(run.run_id)]
    outcome = person.runs("watch", run.run_id, "--aws", "mine")

    assert outcome.output.count(WAITS) == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState.FAILED, "failed: The image is missing."),
        (RunState.STOPPED, "was stopped: The image is missing."),
    ],
)
def test_a_run_that_ends_without_a_model_is_an_error_with_what_to_do(
    followed: Followed, person: Person, state: RunState, words: str
) -> None:
    world = followed.world
    run = world.start()
    ended = run.ended(state, world.clock.now(), "The image is missing.")
    followed.steps = [lambda: world.runs.move(ended, RunState.PREPARING)]

    outcome = person.runs("watch", "--aws", "mine")

    assert (outcome.status, outcome.output) == (3, "Prepare …\n")
    assert f"Error: {run.run_id} {words}" in outcome.notes
    assert outcome.notes.endswith(f"retry {run.run_id} --aws mine\n")
    assert person.runs("watch", "--aws", "mine").status == 3
    told = person.runs("status", "--aws", "mine")
    assert (told.status, words in told.output) == (0, True)


def test_status_prints_one_state_and_ends(followed: Followed, person: Person) -> None:
    world = followed.world
    run = world.start()
    world.end_prepare(run.run_id)
    world.run_trials(run.run_id, 0.8)
    for trial in world.jobs.trials(run.run_id):
        world.runs.save_trial(run.run_id, trial)
    world.upload("seedlings/Maize/later.png")

    outcome = person.runs("status", "--aws", "mine")

    assert (outcome.status, outcome.notes) == (0, "")
    first, began, pending = outcome.output.splitlines()
    assert first == f"{run.run_id} is training heads: 1 of 4 trials, best so far 80.0% on validation."
    assert began.startswith("It began at ")
    assert pending == "Later uploads wait for the next run."


def test_ctrl_c_says_that_the_run_continues(followed: Followed, capsys: pytest.CaptureFixture[str]) -> None:
    followed.world.start()

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", press)
        with pytest.raises(KeyboardInterrupt):
            command.watch(aws="mine")

    said = capsys.readouterr().err
    assert said.startswith("The run continues. Watch it again with: ")
    assert said.endswith("watch --aws mine\n")


@contextmanager
def refusals(patch: pytest.MonkeyPatch, count: int) -> Iterator[None]:
    """The API does not answer this many times in a row, after the first two answers."""
    get, asked = Stack.get, 0

    def refusing(stack: Stack, path: str) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if 2 < asked <= 2 + count:
            raise SeedbedError("The API could not answer.")
        return get(stack, path)

    patch.setattr(Stack, "get", refusing)
    yield


@pytest.mark.parametrize(("count", "exit_status"), [(status.FAILURES - 1, 0), (status.FAILURES, 1)])
def test_a_server_that_is_busy_for_a_moment_does_not_end_it(
    followed: Followed, person: Person, count: int, exit_status: int
) -> None:
    run = followed.world.start()
    followed.steps = [lambda: followed.world.complete(run.run_id)]

    with refusals(person.monkeypatch, count):
        assert person.runs("watch", "--aws", "mine").status == exit_status


def test_heads_that_share_a_job_are_counted_by_job() -> None:
    run = {"state": "Tuning", "trials": [], "plan": {"trials": 20, "heads_per_job": 8}}

    assert status.stage_of(status.Status(run)) == StageProgress("tune", 0, 3)


@pytest.mark.parametrize(
    ("state", "ends", "shown"),
    [
        ("Merging", "Completed", StageProgress("merge")),
        ("Refitting", "InProgress", StageProgress("refit", 0, 1)),
        ("Refitting", "Completed", StageProgress("refit", 1, 1, "best so far 93.0% on validation")),
    ],
)
def test_the_further_stages_of_many_images_are_shown(state: str, ends: str, shown: StageProgress) -> None:
    trial = {"stage": "refit", "status": ends, "objective": 0.93}
    run = {"state": state, "trials": [trial], "plan": {"trials": 20, "prepare_instances": 2, "head_sample": 7}}

    assert status.stage_of(status.Status(run)) == shown


def test_programs_get_json_alone_at_once(followed: Followed, person: Person) -> None:
    words = ("status", "--json", "--aws", "mine")
    nothing = person.runs(*words)
    run = followed.world.start()
    followed.world.end_prepare(run.run_id)

    outcome = person.runs(*words)

    assert json.loads(nothing.output) == {"in_progress": False, "pending": False, "stage": None, "run": None}
    shown = json.loads(outcome.output)
    assert (shown["in_progress"], shown["stage"]["name"], shown["run"]["run_id"]) == (True, "tune", run.run_id)
    assert (nothing.notes, outcome.notes, outcome.output.isascii()) == ("", "", True)


def test_watch_gives_programs_an_object_a_line_until_the_end(followed: Followed, person: Person) -> None:
    world = followed.world
    run = world.start()
    followed.steps = [
        lambda: world.end_prepare(run.run_id),
        lambda: world.end_tuning(run.run_id, 0.7, 0.9),
        lambda: world.end_evaluation(run.run_id),
    ]
    outcome = person.runs("watch", "--json", "--aws", "mine")

    events = [json.loads(line) for line in outcome.output.splitlines()]
    assert (outcome.status, outcome.notes, outcome.output.isascii()) == (0, "", True)
    assert [event["stage"] for event in events if event["event"] == "stage"] == ["prepare", "tune", "evaluate"]
    assert [event["trial"]["objective"] for event in events if event["event"] == "trial"] == [0.7, 0.9]
    assert (events[-1]["event"], events[-1]["state"]) == ("ended", "Completed")


def test_there_is_nothing_to_watch_before_the_first_upload(followed: Followed, person: Person) -> None:
    outcome = person.runs("watch", "--aws", "mine")

    outcome.assert_is_sentence(status=1)
    assert outcome.notes.endswith("upload FOLDER --aws mine\n")


def test_a_wait_ends_with_the_run_that_began_after_the_uploads(
    followed: Followed, capsys: pytest.CaptureFixture[str]
) -> None:
    world = followed.world
    earlier = world.start()
    world.complete(earlier.run_id)
    world.upload_dataset(batch="later")

    def begin() -> None:
        (run,) = world.settle()
        followed.steps[:] = [lambda: world.complete(run.run_id, champion=0.5)]

    followed.steps = [lambda: None, begin]

    run = command.wait_for_run(followed.stack, {earlier.run_id}, EventLines())

    assert run
    assert run["run_id"] != earlier.run_id
    assert run["state"] == "Completed"


def test_a_wait_ends_where_the_uploads_need_no_run(followed: Followed) -> None:
    world = followed.world
    run = world.start()
    world.complete(run.run_id)

    assert command.wait_for_run(followed.stack, {run.run_id}, EventLines()) is None


def test_runs_shows_the_run_in_its_middle_and_what_waits(followed: Followed, person: Person) -> None:
    world = followed.world
    nothing = person.runs("runs", "--aws", "mine")
    run = world.start()
    world.end_prepare(run.run_id)
    world.run_trials(run.run_id, 0.8)
    for trial in world.jobs.trials(run.run_id):
        world.runs.save_trial(run.run_id, trial)
    world.upload("seedlings/Maize/later.png")

    outcome, as_json = person.runs("runs", "--aws", "mine"), person.runs("runs", "--json", "--aws", "mine")

    assert nothing.output == "There is no run yet.\n"
    assert "Tuning 1/4" in outcome.output
    assert f"{run.run_id} is training heads: 1 of 4 trials, best so far 80.0% on validation.\n" in outcome.output
    assert outcome.output.endswith("Later uploads wait for the next run.\n")
    stage = {"name": "tune", "done": 1, "total": 4, "best_validation_accuracy": 0.8}
    assert json.loads(as_json.output)["stage"] == stage
    assert (outcome.notes, as_json.notes) == ("", "")
