"""Settled → run, or refusal."""

from collections.abc import Callable
from datetime import UTC, datetime

from job_manager import wiring
from job_manager.domain.run import RunState
from job_manager.domain.search_space import Integer, from_text
from tests.handlers.deployed import Deployed, Event, failed

Events = Callable[[str], Event]


def test_start_run_starts_a_run_on_the_buckets_images(deployed: Deployed, event: Events) -> None:
    for i in range(60):
        deployed.put(f"seedlings/{('Maize', 'Maïs')[i % 2]}/a+b {i} 100%.png")
    deployed.runs.note_change(datetime(2026, 3, 20, 9, 12, 9, 104233, tzinfo=UTC))

    assert failed(deployed.invoke("StartRun", event("settled"))) == []

    run = deployed.runs.open_run()
    assert run is not None
    assert run.state is RunState.PREPARING
    assert run.plan.trials == 20
    assert deployed.jobs.created == [f"{run.run_id}-prepare"]
    assert list(deployed.bucket.kept_runs()) == [run]


def test_start_run_creates_a_job_that_sagemaker_accepts(deployed: Deployed, event: Events) -> None:
    del vars(wiring.aws())["jobs"]
    test_start = datetime(2026, 3, 20, 9, 12, 9, tzinfo=UTC)
    for i in range(60):
        deployed.put(f"seedlings/{('Maize', 'Maïs')[i % 2]}/{i}.png")
    deployed.runs.note_change(test_start)

    deployed.invoke("StartRun", event("settled"))

    run = deployed.runs.open_run()
    assert run is not None
    assert wiring.aws().jobs.prepare_job(run.run_id) is not None
    assert wiring.aws().jobs.tuning_job(run.run_id) is None


def test_start_run_refuses_a_dataset_that_is_too_small(deployed: Deployed, event: Events) -> None:
    deployed.put("seedlings/Maize/1.png")
    deployed.runs.note_change(datetime(2026, 3, 20, 9, 12, 9, tzinfo=UTC))

    deployed.invoke("StartRun", event("settled"))

    (run,) = deployed.runs.recent(9)
    assert (run.state, run.reason) == (
        RunState.REFUSED,
        "There are too few images: 1 of the 60 that a run needs. Upload 59 more under seedlings/<label>/.",
    )


def test_start_run_searches_the_ranges_in_the_bucket(deployed: Deployed, event: Events) -> None:
    for i in range(60):
        deployed.put(f"seedlings/{('Maize', 'Wheat')[i % 2]}/{i}.png")
    deployed.put("search-space.json", b'{"heads": {"epochs": {"low": 5, "high": 50}}}')
    deployed.runs.note_change(datetime(2026, 3, 20, 9, 12, 9, tzinfo=UTC))

    deployed.invoke("StartRun", event("settled"))

    run = deployed.runs.open_run()
    assert run is not None
    assert from_text(run.plan.search_space)[0]["epochs"] == Integer(5, 50)


def test_start_run_returns_a_malformed_message_alone(deployed: Deployed, event: Events) -> None:
    batch = event("settled")
    batch["Records"].append({**batch["Records"][0], "messageId": "malformed", "body": '{"last_at": "soon"}'})

    assert failed(deployed.invoke("StartRun", batch)) == ["malformed"]
