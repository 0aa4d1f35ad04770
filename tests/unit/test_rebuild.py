"""A lost table is filled again from the bucket and SageMaker."""

import pytest

from job_manager.domain import layout
from job_manager.domain.run import Run, RunState
from job_manager.steps.notify import notify
from job_manager.steps.rebuild import rebuild
from job_manager.steps.reconcile import reconcile
from tests.fakes.runs import MemoryRuns
from tests.fakes.world import World


@pytest.fixture
def history(world: World) -> list[Run]:
    """A champion, a challenger that lost, a refused run, a failed one, and one in progress; notified, oldest first."""
    runs = []
    for batch, accuracy, champion in (("first", 0.9, None), ("second", 0.8, 0.9)):
        world.upload_dataset(batch=batch)
        (run,) = world.settle()
        runs.append(world.complete(run.run_id, accuracy, champion))
        world.clock.forward(3600)
    contents, world.bucket.contents = world.bucket.contents, {}
    world.upload("seedlings/Maize/lonely.png")
    runs += world.settle()
    world.bucket.contents |= contents
    world.upload_dataset(batch="third")
    (failing,) = world.settle()
    world.end_prepare(failing.run_id)
    world.fail(failing.run_id, "The disk is full.")
    runs.append(world.advance(failing.run_id))
    world.clock.forward(3600)
    world.upload_dataset(batch="fourth")
    (open_run,) = world.settle()
    runs.append(world.end_prepare(open_run.run_id))
    for run in runs:
        notify(run, world)
    world.announcer.sent.clear()
    return runs


def test_rebuild_restores_the_runs(world: World, history: list[Run]) -> None:
    world.runs = MemoryRuns()

    rebuilt = rebuild(world, world.rule)

    assert [run.run_id for run in rebuilt] == [run.run_id for run in history]
    assert [run.state for run in rebuilt] == [run.state for run in history]
    assert [run.cost_usd for run in rebuilt] == [run.cost_usd for run in history]
    assert [run.reason for run in rebuilt] == [run.reason for run in history]
    assert [run.ended_at for run in rebuilt] == [run.ended_at for run in history]
    assert world.runs.open_run() == history[-1]


def test_rebuild_restores_the_champion_and_the_trials(world: World, history: list[Run]) -> None:
    trials = [world.runs.trials(run.run_id) for run in history]
    world.runs = MemoryRuns()

    rebuild(world, world.rule)

    champion = world.runs.champion()
    assert champion is not None
    assert champion.run_id == history[0].run_id
    assert [world.runs.trials(run.run_id) for run in history] == trials


def test_rebuild_sends_no_message_again_and_starts_no_job(world: World, history: list[Run]) -> None:
    jobs = world.jobs.created.copy()
    world.runs = MemoryRuns()

    for run in rebuild(world, world.rule):
        notify(run, world)

    assert world.announcer.sent == []
    assert world.jobs.created == jobs


def test_rebuild_of_a_complete_table_changes_nothing(world: World, history: list[Run]) -> None:
    before = world.runs.recent(99)

    assert rebuild(world, world.rule) == []
    assert world.runs.recent(99) == before


def test_rebuild_fills_a_table_that_reconcile_found_empty(world: World) -> None:
    first = world.complete(world.start().run_id)
    world.upload_dataset(batch="second")
    (second,) = world.settle()
    world.complete(second.run_id, 0.95, champion=0.9)
    world.runs = MemoryRuns()
    reconcile(world, world.plan, world.rule)
    world.settle()

    rebuild(world, world.rule)

    assert {run.run_id: run.state for run in world.runs.recent(9)} == {
        first.run_id: RunState.COMPLETED,
        second.run_id: RunState.COMPLETED,
    }
    champion = world.runs.champion()
    assert champion is not None
    assert champion.run_id == second.run_id
    assert world.runs.open_run() is None


def test_rebuild_skips_a_snapshot_whose_run_never_began(world: World) -> None:
    run = world.start()
    world.jobs.jobs.clear()
    world.runs = MemoryRuns()
    assert rebuild(world, world.rule) == []
    assert world.jobs.jobs == {}
    assert run.run_id in world.bucket.snapshots


def test_rebuild_restores_ended_runs_while_another_run_is_open(world: World) -> None:
    lost = world.complete(world.start().run_id)
    world.runs = MemoryRuns()
    world.upload_dataset(batch="second")
    (open_run,) = world.settle()

    rebuild(world, world.rule)

    assert world.runs.get(lost.run_id) == lost
    assert world.runs.champion() == lost
    assert world.runs.open_run() == open_run


def test_rebuild_continues_after_an_interruption(world: World, history: list[Run]) -> None:
    world.runs = MemoryRuns()
    world.runs.create(world.bucket.snapshots[history[0].run_id][0])

    rebuild(world, world.rule)

    assert {run.run_id: run.state for run in world.runs.recent(9)} == {run.run_id: run.state for run in history}


def test_rebuild_restores_ended_runs_without_sagemakers_jobs(world: World, history: list[Run]) -> None:
    ended = [run for run in history if run.state.ended]
    trials = [world.runs.trials(run.run_id) for run in ended]
    best = ended[0]
    world.runs = MemoryRuns()
    world.jobs.jobs.clear()
    world.jobs._trials.clear()

    assert rebuild(world, world.rule) == ended
    assert [world.runs.trials(run.run_id) for run in ended] == trials
    assert world.runs.champion() == best
    assert world.runs.open_run() is None, "what had not ended begins from scratch, by reconcile"


def test_rebuild_reads_sagemaker_when_a_record_is_unreadable(world: World, history: list[Run]) -> None:
    world.bucket.put(layout.record(history[0].run_id), b'{"run": {"run_')
    world.runs = MemoryRuns()

    rebuild(world, world.rule)

    assert world.runs.recent(99) == history[::-1]


def test_rebuild_writes_the_record_of_an_older_run(world: World, history: list[Run]) -> None:
    key = layout.record(history[0].run_id)
    record = world.bucket.contents.pop(key)
    world.runs = MemoryRuns()

    rebuild(world, world.rule)

    assert world.bucket.contents[key] == record


def test_a_warm_start_uses_only_tuning_jobs_that_exist(world: World) -> None:
    first = world.complete(world.start().run_id)
    world.upload_dataset(batch="second")
    (second,) = world.settle()
    assert second.warm_start_from == (first.run_id,)
    del world.jobs.jobs[first.run_id]

    world.end_prepare(second.run_id)

    assert world.jobs.tuned[second.run_id].warm_start_from == ()


def test_runs_of_an_earlier_stack_come_back_if_they_ended_and_are_no_parents(world: World) -> None:
    """The bucket was brought into a new stack, which may not ask SageMaker for the jobs of the earlier one."""
    ended = world.complete(world.start().run_id)
    world.upload_dataset(batch="second")
    world.settle()
    world.runs = MemoryRuns()
    world.jobs.prefix = "sb-01234567"

    rebuild(world, world.rule)
    world.upload_dataset(batch="third")
    (run,) = world.settle()

    assert {known.run_id for known in world.runs.recent(9)} == {ended.run_id, run.run_id}
    assert run.run_id.startswith("sb-01234567")
    assert run.warm_start_from == ()
    assert run.champion_before == ended.run_id
