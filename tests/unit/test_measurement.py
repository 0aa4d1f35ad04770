"""What is measured of runs: each fact once, however often and by whomever the run is woken."""

from dataclasses import replace
from datetime import timedelta

import pytest

from job_manager.domain import layout
from job_manager.domain.errors import Cause
from job_manager.domain.job import JobStatus
from job_manager.domain.measurement import START, Measurement, Metric, of_open_run
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.steps.notify import notify
from job_manager.steps.rebuild import rebuild
from job_manager.steps.reconcile import reconcile
from job_manager.steps.stop_run import stop_run
from tests.fakes.runs import MemoryRuns
from tests.fakes.world import FULL_PLAN, PLAN, World, a_run

ENDS = [Metric.RUNS_COMPLETED, Metric.RUNS_FAILED, Metric.RUNS_STOPPED, Metric.RUNS_REFUSED]


def of_stages(world: World, metric: Metric) -> dict[RunState | None, float]:
    """A metric's value by stage; each stage must be measured once."""
    found = [(one.stage, one.value) for _, one in world.metrics.recorded if one.metric is metric]
    assert len(dict(found)) == len(found)
    return dict(found)


def reconciled(world: World) -> Run | None:
    return reconcile(world, world.plan, world.rule)


def test_a_completed_run_is_measured_from_start_to_end(world: World) -> None:
    world.plan = FULL_PLAN
    run = world.start()
    for end in (world.end_prepare, world.end_tuning):
        world.clock.forward(100)
        end(run.run_id)
    world.clock.forward(100)
    world.end_fine_tuning(run.run_id, 0.94, None, 0.95)
    world.clock.forward(100)
    completed = world.end_evaluation(run.run_id, 0.93)

    assert of_stages(world, Metric.STAGE_DURATION) == {
        RunState.PREPARING: 100,
        RunState.TUNING: 100,
        RunState.FINE_TUNING: 100,
        RunState.EVALUATING: 100,
    }
    assert of_stages(world, Metric.TRIALS_FINISHED) == {RunState.TUNING: 3, RunState.FINE_TUNING: 2}
    assert of_stages(world, Metric.TRIALS_FAILED) == {RunState.TUNING: 0, RunState.FINE_TUNING: 1}
    measured = {metric: world.metrics.values(metric) for metric in Metric if metric not in ENDS}
    assert measured[Metric.RUNS_STARTED] == [1]
    assert measured[Metric.IMAGES_USED] == [12]
    assert measured[Metric.RUN_COST] == [completed.cost_usd]
    assert measured[Metric.VALIDATION_ACCURACY] == [0.92]
    assert measured[Metric.TEST_ACCURACY] == [0.93]
    assert [world.metrics.values(metric) for metric in ENDS] == [[1], [], [], []]


def test_a_second_event_about_the_same_job_measures_nothing(world: World, run: Run) -> None:
    world.complete(run.run_id)
    once = list(world.metrics.recorded)

    world.advance(run.run_id)

    assert world.metrics.recorded == once


def test_of_two_functions_that_move_a_run_the_second_measures_nothing(world: World, run: Run) -> None:
    def overtaken() -> None:
        world.advance(run.run_id)

    world.runs.before_move = overtaken
    world.end_prepare(run.run_id)

    assert of_stages(world, Metric.STAGE_DURATION).keys() == {RunState.PREPARING}
    assert world.metrics.values(Metric.IMAGES_USED) == [12]


def test_a_failed_run_counts_its_failure_and_cost(world: World, run: Run) -> None:
    world.fail(layout.prepare_job(run.run_id), "out of memory")
    failed = world.advance(run.run_id)

    assert world.metrics.values(Metric.RUNS_FAILED) == [1]
    assert world.metrics.values(Metric.RUN_COST) == [failed.cost_usd]
    assert world.metrics.values(Metric.TEST_ACCURACY) == []


def test_a_stopped_run_counts_as_stopped(world: World, run: Run) -> None:
    stop_run(run.run_id, world)
    world.fail(layout.prepare_job(run.run_id), status=JobStatus.STOPPED)
    world.advance(run.run_id)

    assert world.metrics.values(Metric.RUNS_STOPPED) == [1]


def test_a_refused_run_counts_as_refused_and_not_as_started(world: World) -> None:
    world.plan = replace(PLAN, budget=0.0)
    world.start()

    assert world.metrics.values(Metric.RUNS_REFUSED) == [1]
    assert world.metrics.values(Metric.RUNS_STARTED) == []


def test_an_email_counts_once_it_is_sent(world: World, run: Run) -> None:
    completed = world.complete(run.run_id)
    for _ in range(2):
        notify(completed, world)

    assert world.metrics.values(Metric.EMAILS_SENT) == [1]
    assert world.metrics.values(Metric.EMAILS_UNHEARD) == []


def test_an_email_that_nobody_can_get_is_counted(world: World, run: Run) -> None:
    world.announcer.subscribers = 0
    completed = world.complete(run.run_id)
    notify(completed, world)

    assert world.metrics.values(Metric.EMAILS_UNHEARD) == [1]


def test_a_run_that_reconcile_advances_is_a_finding(world: World, run: Run) -> None:
    reconciled(world)
    assert world.metrics.values(Metric.RECONCILE_FINDINGS) == []

    world.put_report(run.run_id)
    reconciled(world)

    assert world.metrics.values(Metric.RECONCILE_FINDINGS) == [1]


def test_a_missed_upload_is_a_finding(world: World) -> None:
    for number in range(12):
        world.bucket.put(f"seedlings/{'Maize' if number % 2 else 'Cleavers'}/{number}.png", b"%d" % number)
    reconciled(world)

    assert world.metrics.values(Metric.RECONCILE_FINDINGS) == [1]


def test_a_missed_notification_is_a_finding(world: World, run: Run) -> None:
    world.complete(run.run_id)
    reconciled(world)

    assert world.metrics.values(Metric.RECONCILE_FINDINGS) == [1]


def test_reconcile_says_how_much_of_its_stages_time_the_open_run_has_used(world: World, run: Run) -> None:
    allowed = PLAN.processing_time_limit + START.total_seconds()
    world.clock.forward(allowed / 2)
    reconciled(world)
    world.clock.forward(allowed)
    reconciled(world)

    assert world.metrics.values(Metric.STAGE_TIME_USED) == [50, 150]


def test_the_time_of_a_stage_starts_with_the_stage(world: World, run: Run) -> None:
    world.clock.forward(1000)
    tuning = world.end_prepare(run.run_id)

    assert of_open_run(tuning, world.clock.now()) == Measurement(Metric.STAGE_TIME_USED, 0)
    assert of_open_run(a_run(state=RunState.TUNING), world.clock.now()).value > 0


def test_waiting_for_a_quota_does_not_start_a_stage_again(world: World, run: Run) -> None:
    world.jobs.delayed_by = Cause.QUOTA
    tuning = world.end_prepare(run.run_id)
    world.clock.forward(PLAN.tuning_time_limit + START.total_seconds() + 60)

    waiting = world.advance(run.run_id)

    assert waiting.waits_for
    assert waiting.stage_since == tuning.stage_since
    assert of_open_run(waiting, world.clock.now()).value > 100


def test_a_clock_that_was_set_back_gives_no_negative_time(world: World, run: Run) -> None:
    world.clock.forward(-3600)
    world.end_prepare(run.run_id)

    assert of_stages(world, Metric.STAGE_DURATION) == {RunState.PREPARING: 0}


def test_a_rebuild_measures_nothing_of_the_past(world: World, run: Run) -> None:
    world.complete(run.run_id)
    world.metrics.recorded.clear()
    world.runs = MemoryRuns()

    assert rebuild(world, world.rule)
    assert world.metrics.recorded == []


def test_a_rebuilt_open_run_is_not_overdue_at_once(world: World, run: Run) -> None:
    world.end_prepare(run.run_id)
    world.clock.forward(timedelta(days=1).total_seconds())
    world.runs = MemoryRuns()
    (rebuilt,) = rebuild(world, world.rule)

    assert of_open_run(rebuilt, world.clock.now()).value < 100


@pytest.mark.parametrize(("status", "finished"), [("Completed", 1), ("Stopped", 1), ("Failed", 0)])
def test_a_trial_that_early_stopping_ended_has_finished(world: World, run: Run, status: str, finished: int) -> None:
    world.end_prepare(run.run_id)
    world.jobs.add_trial(run.run_id, Trial(f"{run.run_id}-001-0a1b2c3d", status, {}, 0.5))
    world.jobs.end(run.run_id)
    world.advance(run.run_id)

    assert of_stages(world, Metric.TRIALS_FINISHED) == {RunState.TUNING: finished}
    assert of_stages(world, Metric.TRIALS_FAILED) == {RunState.TUNING: 1 - finished}
