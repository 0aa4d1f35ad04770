"""SageMaker events → the run's next stage, and its trials."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from job_manager.domain import layout
from job_manager.domain.dataset import Snapshot
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from tests.fakes.jobs import MemoryJobs
from tests.handlers.deployed import Deployed, Event, failed, spoil

RUN_ID = "sb-3f9c1b7a5d2e8046-1"
TRIAL = f"{RUN_ID}-007-5b0e93dc"
FINE_TUNED = f"{RUN_ID}-fine-002-c81f06ae"

Events = Callable[[str], Event]


@pytest.fixture
def prepared(deployed: Deployed, run: Run) -> MemoryJobs:
    """The run, whose prepare job has ended; SageMaker's jobs."""
    deployed.runs.create(run)
    deployed.bucket.write_snapshot(run, Snapshot((), ()))
    report = {"images": 123, "used": 120, "labels": {"Maize": {"train": 28, "validation": 6, "test": 6}}}
    deployed.put(layout.dataset_report(RUN_ID), json.dumps(report).encode())
    deployed.jobs.start_prepare(run)
    deployed.jobs.end(layout.prepare_job(RUN_ID))
    return deployed.jobs


@pytest.fixture
def states(event: Events) -> dict[str, Event]:
    """Batches of one event each."""
    records = event("job_states")["Records"]
    kinds = ("prepare", "trial", "tuning", "fine-tuning trial", "fine-tuning")
    return {kind: {"Records": [record]} for kind, record in zip(kinds, records, strict=True)}


def test_the_end_of_prepare_starts_tuning(deployed: Deployed, prepared: MemoryJobs, states: dict[str, Event]) -> None:
    assert failed(deployed.invoke("AdvanceRun", states["prepare"])) == []

    assert deployed.runs.get(RUN_ID).state is RunState.TUNING
    assert prepared.created[1:] == [RUN_ID]


def test_the_end_of_prepare_is_measured_in_the_stacks_namespace(
    deployed: Deployed, prepared: MemoryJobs, states: dict[str, Event], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        deployed.invoke("AdvanceRun", states["prepare"])

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (images,) = (line for line in printed if "ImagesUsed" in line)
    assert images["ImagesUsed"] == [120.0]
    assert [line["Stage"] for line in printed if "StageDuration" in line] == ["Preparing"]
    assert images["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Seedbed/seedbed"


def test_a_trial_is_recorded(deployed: Deployed, prepared: MemoryJobs, states: dict[str, Event], run: Run) -> None:
    prepared.start_tuning(run)
    prepared.add_trial(RUN_ID, Trial(TRIAL, "Completed", {"epochs": "33"}, 0.93, 131))

    assert failed(deployed.invoke("AdvanceRun", states["trial"])) == []

    assert [trial.name for trial in deployed.runs.trials(RUN_ID)] == [TRIAL]


@pytest.fixture
def tuned(prepared: MemoryJobs, run: Run) -> MemoryJobs:
    """The run, whose tuning job has ended too."""
    prepared.start_tuning(run)
    prepared.add_trial(RUN_ID, Trial(TRIAL, "Completed", {"epochs": "33"}, 0.93, 131))
    prepared.end(RUN_ID)
    return prepared


def test_the_end_of_tuning_starts_fine_tuning(deployed: Deployed, tuned: MemoryJobs, states: dict[str, Event]) -> None:
    assert failed(deployed.invoke("AdvanceRun", states["tuning"])) == []

    assert deployed.runs.get(RUN_ID).state is RunState.FINE_TUNING
    assert tuned.created[2:] == [f"{RUN_ID}-fine"]


def test_the_end_of_fine_tuning_starts_evaluate(
    deployed: Deployed, tuned: MemoryJobs, states: dict[str, Event]
) -> None:
    deployed.invoke("AdvanceRun", states["tuning"])
    trial = Trial(FINE_TUNED, "Completed", {"epochs": "30"}, 0.96, 2851, stage="fine-tune")
    tuned.add_trial(f"{RUN_ID}-fine", trial)
    tuned.end(f"{RUN_ID}-fine")

    for kind in ("fine-tuning trial", "fine-tuning"):
        assert failed(deployed.invoke("AdvanceRun", states[kind])) == []

    assert deployed.runs.get(RUN_ID).state is RunState.EVALUATING
    assert deployed.runs.trials(RUN_ID)[-1] == tuned.trial(FINE_TUNED)
    assert tuned.created[3:] == [f"{RUN_ID}-evaluate"]
    assert tuned.evaluated[RUN_ID]["model"] == tuned.trial(FINE_TUNED).model_uri


def test_the_end_of_the_training_on_all_images_is_recorded_and_continues_the_run(
    deployed: Deployed, prepared: MemoryJobs, states: dict[str, Event], run: Run
) -> None:
    name = layout.refit_job(RUN_ID)
    head = Trial(TRIAL, "Completed", {"epochs": "33"}, 0.93, 131, model_uri="s3://b/m")
    refitting = replace(run, plan=replace(run.plan, head_sample=9), best_head=head, best_trial=head)
    deployed.runs.move(replace(refitting, state=RunState.REFITTING), came_from=run.state)
    prepared.start_refit(refitting)
    prepared.add_trial(name, Trial(name, "Completed", {"epochs": "33"}, 0.94, 400, stage="refit"))
    prepared.end(name)
    (record,) = states["trial"]["Records"]
    told = {"Records": [{**record, "body": record["body"].replace(TRIAL, name)}]}

    assert failed(deployed.invoke("AdvanceRun", told)) == []

    advanced = deployed.runs.get(RUN_ID)
    assert advanced.state is RunState.FINE_TUNING
    assert advanced.best_head == deployed.runs.trials(RUN_ID)[-1] == prepared.trial(name)


def test_advance_run_skips_jobs_of_unknown_runs(deployed: Deployed, event: Events) -> None:
    assert failed(deployed.invoke("AdvanceRun", event("job_states"))) == []


@pytest.mark.parametrize("body", ["{not JSON", '{"detail": {"ProcessingJobName": 7}}', '{"detail": {}}'])
def test_advance_run_returns_a_malformed_message_alone(deployed: Deployed, event: Events, body: str) -> None:
    batch = event("job_states")
    malformed = spoil(batch, 1, body)

    assert failed(deployed.invoke("AdvanceRun", batch)) == [malformed]


def test_advance_run_returns_a_batch_of_malformed_messages_whole(deployed: Deployed, event: Events) -> None:
    batch = event("job_states")
    for index in range(len(batch["Records"])):
        spoil(batch, index)

    with pytest.raises(BatchProcessingError):
        deployed.invoke("AdvanceRun", batch)
