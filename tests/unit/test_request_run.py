"""A person asks for a run now: it starts as uploads do, once, and is refused with what to do."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from job_manager.domain.cost import upper_bound
from job_manager.domain.errors import Conflict
from job_manager.domain.job import JobStatus
from job_manager.domain.run import Run, RunState
from job_manager.domain.run_request import PlanName, RunRequest
from job_manager.steps.reconcile import reconcile
from job_manager.steps.request_run import request_run
from job_manager.steps.retry_run import retry_run
from job_manager.steps.start_run import start_run
from tests.fakes.world import FULL_PLAN, World

FULL: dict[str, Any] = {"plan": PlanName.FULL, "fine_tuning": FULL_PLAN.fine_tuning}


def ask(world: World, name: str = "a", **choices: Any) -> RunRequest:
    """A person asks for a run; the request that is kept."""
    kept, _ = request_run(RunRequest(name, world.clock.now(), **choices), world, world.plan)
    return kept


@pytest.fixture
def trained(world: World) -> Run:
    """A run of all images in the bucket that has completed."""
    run = world.start()
    return world.complete(run.run_id)


def test_a_run_is_started_at_once_for_a_request(world: World) -> None:
    world.upload_dataset()
    began = world.clock.now()

    request = ask(world)

    run = world.wake()
    assert run is not None
    assert (run.state, run.request, world.clock.now()) == (RunState.PREPARING, request, began)
    assert world.runs.pending() is None


def test_a_run_has_the_choices_of_its_request(world: World, trained: Run) -> None:
    ask(world, trials=7, **FULL)

    (run,) = world.settle()

    assert (run.plan.trials, run.plan.fine_tuning) == (7, FULL_PLAN.fine_tuning)
    assert run.plan.exports == ("saved_model", "litert", "litert_int8", "onnx")
    assert run.plan.training_image == world.plan.training_image
    assert run.content == trained.content


def test_the_quick_plan_trains_heads_alone(world: World) -> None:
    world.plan = FULL_PLAN
    world.upload_dataset()

    ask(world, plan=PlanName.QUICK)

    (run,) = world.settle()
    assert (run.plan.fine_tuning, run.plan.exports) == (None, ("onnx",))


def test_a_request_that_is_repeated_starts_one_run(world: World, trained: Run) -> None:
    for _ in range(3):
        ask(world, "same", again=True)
    (run,) = world.settle()

    kept, started = request_run(RunRequest("same", world.clock.now(), again=True), world, world.plan)
    world.complete(run.run_id, champion=0.9)
    ask(world, "same", again=True)

    assert (kept, started) == (run.request, run)
    assert world.settle() == []


def test_a_request_that_asks_the_same_is_the_same_until_its_run_has_started(world: World, trained: Run) -> None:
    first = ask(world, "one", again=True)

    assert ask(world, "two", again=True) == first
    with pytest.raises(Conflict, match="Another run has been asked for"):
        ask(world, "three", trials=2)
    assert len(world.settle()) == 1


def test_a_request_is_refused_while_a_run_is_open(world: World) -> None:
    run = world.start()

    with pytest.raises(Conflict, match=f"seedbed stop {run.run_id}"):
        ask(world)


def test_a_request_is_refused_when_nothing_has_changed_unless_again(world: World, trained: Run) -> None:
    with pytest.raises(Conflict, match="seedbed run --again"):
        ask(world)

    ask(world, again=True)

    (run,) = world.settle()
    assert run.run_id == f"{trained.run_id.removesuffix('-1')}-2"


def test_a_request_after_a_run_that_was_stopped_names_retry(world: World) -> None:
    run = world.start()
    world.bucket.ask_to_stop(run.run_id, world.clock.now())
    world.fail(f"{run.run_id}-prepare", status=JobStatus.STOPPED)
    world.advance(run.run_id)

    with pytest.raises(Conflict, match=f"seedbed retry {run.run_id}"):
        ask(world)


def test_a_request_is_refused_for_an_empty_bucket(world: World) -> None:
    with pytest.raises(Conflict, match="seedbed upload"):
        ask(world)


def test_images_whose_events_were_lost_get_the_run_that_is_asked_for(world: World) -> None:
    world.upload_dataset()
    world.runs = type(world.runs)()
    world.timer.wakes.clear()

    ask(world)

    assert len(world.settle()) == 1


@pytest.mark.parametrize("budget", ["RunBudget", "MonthlyBudget"])
def test_a_request_beyond_a_budget_is_refused_before_it_is_kept(world: World, trained: Run, budget: str) -> None:
    bound = upper_bound(world.plan)
    world.plan = replace(world.plan, budget=bound) if budget == "RunBudget" else world.plan
    world.plan = replace(world.plan, monthly_budget=bound + trained.cost_usd)

    with pytest.raises(Conflict, match=budget):
        ask(world, **FULL)

    assert world.runs.pending() is None


def test_a_request_for_images_that_had_this_plan_starts_nothing(world: World, trained: Run) -> None:
    world.upload("seedlings/Maize/plot-1.png")

    ask(world)

    assert world.settle() == []
    assert world.runs.pending() is None


def test_a_lost_wake_up_of_a_request_is_made_up_for(world: World, trained: Run) -> None:
    ask(world, again=True)
    world.timer.wakes.clear()

    reconcile(world, world.plan, world.rule)

    assert len(world.settle()) == 1


def test_an_upload_while_a_requested_run_starts_gets_a_run_as_the_stack_plans_it(world: World, trained: Run) -> None:
    def upload_late() -> None:
        world.clock.forward(1)
        world.upload("seedlings/Maize/late.png")

    ask(world, **FULL)
    world.bucket.while_listing = upload_late

    run = world.wake()

    assert run is not None
    pending = world.runs.pending()
    assert pending is not None
    assert pending.request is None
    while run.state is not RunState.FINE_TUNING:
        run = world.end_prepare(run.run_id) if run.state is RunState.PREPARING else world.end_tuning(run.run_id)
    world.end_fine_tuning(run.run_id, 0.95)
    world.end_evaluation(run.run_id)
    (usual,) = world.settle()
    assert (usual.plan.fine_tuning, usual.request) == (None, None)


def test_the_same_images_again_start_nothing_after_a_requested_run(world: World) -> None:
    world.upload_dataset()
    ask(world, **FULL)
    (run,) = world.settle()
    world.complete(run.run_id)

    world.upload_dataset()
    world.clock.forward(timedelta(days=2).total_seconds())
    reconcile(world, world.plan, world.rule)

    assert world.settle() == []


def test_a_requested_run_is_started_once_even_if_its_function_ends_early(world: World) -> None:
    world.upload_dataset()
    ask(world, **FULL)
    kept = world.runs.pending()
    (run,) = world.settle()
    world.complete(run.run_id)
    assert kept is not None
    assert kept.request is not None
    world.runs.request(kept.request)  # as if the change had not been cleared

    assert start_run(world.clock.now(), world, world.plan, world.rule) is None
    assert world.runs.pending() is None


def test_another_attempt_of_a_requested_run_has_its_choices_and_the_stacks_image(world: World) -> None:
    world.upload_dataset()
    request = ask(world, **FULL)
    (run,) = world.settle()
    world.fail(f"{run.run_id}-prepare", "out of memory")
    world.advance(run.run_id)
    reconcile(world, world.plan, world.rule)
    assert world.settle() == []

    world.plan = replace(world.plan, training_image=f"{world.plan.training_image}-mended")
    retry_run(run.run_id, world, world.rule)
    (next_one,) = world.settle()

    assert (next_one.request, next_one.plan.fine_tuning) == (request, FULL_PLAN.fine_tuning)
    assert next_one.plan.training_image == world.plan.training_image


def test_a_requested_run_that_was_refused_names_what_to_do(world: World) -> None:
    world.upload("seedlings/Maize/1.png")
    ask(world)
    (run,) = world.settle()
    assert run.state is RunState.REFUSED

    with pytest.raises(Conflict, match="Ask for one again once this has changed"):
        retry_run(run.run_id, world, world.rule)
