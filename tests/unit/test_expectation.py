"""What a run is expected to cost and to take, by stage."""

import re
from dataclasses import replace

import pytest

from job_manager.domain.cost import upper_bound
from job_manager.domain.costs.assumptions import START_BILLED, START_WAITED
from job_manager.domain.costs.expectation import Expectation, expectation, expected_usd, fitting_work, stages_of
from job_manager.domain.costs.prices import vcpus
from job_manager.domain.plan import FineTuning, Machine, Plan
from tests.contract.template import ROOT
from tests.fakes.world import PLAN, World

DEFAULTS = replace(
    PLAN,
    trials=20,
    parallel_trials=4,
    image_size=288,
    views=8,
    training=Machine("ml.m5.large", 0.115),
    processing=Machine("ml.m5.xlarge", 0.23),
    fine_tuning=FineTuning(2, 2, 16, 224, Machine("ml.c5.2xlarge", 0.408), 3600),
    evaluation_views=8,
    exports=("saved_model", "litert", "litert_int8", "onnx"),
)
ONE_VIEW = replace(DEFAULTS, image_size=224, views=1, evaluation_views=1, fine_tuning=None, exports=())
IMAGES = 4027
TINY = 1e-9
BENCHMARK = (ROOT / "docs/bench-training.md").read_text(encoding="utf-8")


def measured(way: str, verb: str) -> float:
    """The seconds of the benchmark's table of verbs."""
    row = re.search(rf"^\| {way} \| `{verb}.*\| ([0-9.]+) \|$", BENCHMARK, re.MULTILINE)
    assert row
    return float(row[1])


def work(plan: Plan, stage: str) -> float:
    """The seconds on the benchmark's machine of a stage's job, at the lower end."""
    return next(jobs.work.low for name, jobs, _ in stages_of(plan, IMAGES) if name == stage)


@pytest.mark.parametrize(
    ("plan", "stage", "way", "verb"),
    [
        (DEFAULTS, "prepare", "The template's defaults", "prepare"),
        (ONE_VIEW, "prepare", "One view at 224 px", "prepare"),
        (DEFAULTS, "heads", "The template's defaults", "train, kind head"),
        (replace(DEFAULTS, fine_tuning=None, exports=()), "evaluate", "The template's defaults", "evaluate --views 8"),
        (ONE_VIEW, "evaluate", "One view at 224 px", "evaluate --exports="),
    ],
)
def test_the_work_of_a_stage_is_as_the_benchmark_measured_it(plan: Plan, stage: str, way: str, verb: str) -> None:
    """Of evaluate without fitting the confidence, as the benchmark's page was measured before it did that.

    Nor is fine-tuning compared, which is faster since decision 57.
    """
    since = fitting_work(plan, IMAGES).low if stage == "evaluate" else 0.0
    assert work(plan, stage) - since == pytest.approx(measured(way, verb), rel=0.2)


def of_stage(expected: Expectation, name: str) -> tuple[float, float]:
    stage = next(stage for stage in expected.stages if stage.stage == name)
    return stage.usd.low, stage.seconds.low


def test_all_stages_together_are_the_run() -> None:
    expected = expectation(DEFAULTS, IMAGES)

    assert [stage.stage for stage in expected.stages] == ["prepare", "heads", "fine-tune", "evaluate"]
    assert expected.usd.low == pytest.approx(sum(stage.usd.low for stage in expected.stages))
    assert expected.seconds.high == pytest.approx(sum(stage.seconds.high for stage in expected.stages))
    assert sum(stage.bound_usd for stage in expected.stages) == pytest.approx(upper_bound(DEFAULTS))


@pytest.mark.parametrize("images", [60, IMAGES, 100_000, 1_000_000])
def test_a_run_is_never_expected_to_cost_more_than_its_bound(images: int) -> None:
    expected = expectation(DEFAULTS, images)

    assert expected.usd.low <= expected.usd.high <= upper_bound(DEFAULTS) + TINY
    assert all(stage.usd.high <= stage.bound_usd + TINY for stage in expected.stages)


def test_every_job_pays_for_its_start_and_every_round_waits_for_it() -> None:
    one_by_one = replace(DEFAULTS, trials=4, parallel_trials=1)
    at_once = replace(one_by_one, parallel_trials=4)
    alone = expectation(replace(one_by_one, trials=1), IMAGES)
    usd, seconds = of_stage(alone, "heads")

    assert usd > START_BILLED.value.low * 0.115 / 3600
    assert seconds > START_WAITED.value.low
    assert of_stage(expectation(one_by_one, IMAGES), "heads") == pytest.approx((4 * usd, 4 * seconds))
    assert of_stage(expectation(at_once, IMAGES), "heads") == pytest.approx((4 * usd, seconds))


def test_heads_that_share_a_job_share_its_start() -> None:
    alone, together = (
        expectation(replace(DEFAULTS, trials=20, parallel_trials=20, heads_per_job=heads), IMAGES) for heads in (1, 5)
    )
    (usd_alone, seconds_alone), (usd_together, seconds_together) = (of_stage(of, "heads") for of in (alone, together))

    assert usd_together < usd_alone / 2
    assert seconds_together > seconds_alone


def test_spot_instances_lower_the_expectation_of_training_jobs_but_not_the_bound() -> None:
    on_demand, spot = expectation(DEFAULTS, IMAGES), expectation(replace(DEFAULTS, spot=True), IMAGES)
    saved = {of.stage for of, other in zip(on_demand.stages, spot.stages, strict=True) if other.usd.high < of.usd.high}

    assert saved == {"heads", "fine-tune"}
    assert [stage.bound_usd for stage in spot.stages] == [stage.bound_usd for stage in on_demand.stages]


def test_a_larger_machine_is_faster_but_not_in_proportion_to_its_price() -> None:
    small, large = (
        expectation(replace(DEFAULTS, processing=Machine(kind, price)), IMAGES)
        for kind, price in (("ml.m5.large", 0.115), ("ml.m5.2xlarge", 0.461))
    )

    assert of_stage(large, "prepare")[1] < of_stage(small, "prepare")[1]
    assert of_stage(large, "prepare")[0] > of_stage(small, "prepare")[0]


@pytest.mark.parametrize(
    ("instance_type", "count"),
    [("ml.m5.large", 2), ("ml.m5.xlarge", 4), ("ml.c5.2xlarge", 8), ("ml.c5.18xlarge", 72), ("ml.t3.medium", 2)],
)
def test_the_name_of_an_instance_tells_its_processors(instance_type: str, count: int) -> None:
    assert vcpus(instance_type) == count


def test_a_stage_that_needs_more_than_its_time_limit_is_named() -> None:
    assert [stage.stage for stage in expectation(DEFAULTS, IMAGES).stages if stage.is_cut] == []
    assert [stage.stage for stage in expectation(DEFAULTS, 300_000).stages if stage.is_cut] == ["evaluate"]
    short = replace(DEFAULTS, tuning_time_limit=400)
    assert [stage.stage for stage in expectation(short, IMAGES).stages if stage.is_cut] == ["heads", "fine-tune"]


def test_fine_tuning_sees_a_limited_number_of_images_an_epoch() -> None:
    usual, many, more = (
        of_stage(expectation(DEFAULTS, images), "fine-tune") for images in (IMAGES, 100_000, 1_000_000)
    )
    assert usual < many == more


def test_a_run_keeps_what_it_was_expected_to_cost(world: World) -> None:
    run = world.start()

    assert run.expected_usd == expected_usd(PLAN, 12)
    assert world.complete(run.run_id).expected_usd == run.expected_usd


def test_a_run_on_a_laptop_or_a_refused_one_is_expected_to_cost_nothing(world: World) -> None:
    free = replace(PLAN, training=Machine("ml.m5.large", 0.0), processing=Machine("ml.m5.xlarge", 0.0))
    assert expected_usd(free, IMAGES) is None

    world.plan = replace(PLAN, budget=0.01)
    assert world.start().expected_usd is None
