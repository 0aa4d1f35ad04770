"""What a run is expected to cost and to take, by stage, beside the most that it can cost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..cost import price, stage_seconds
from ..plan import FineTuning, Plan
from ..scale import for_images, views_kept
from . import assumptions as given
from .assumptions import NOTHING, Range
from .stage_jobs import ON_DEMAND, START_UNBILLED, Jobs

FITTED_IMAGES, FITTED_PASSES = 1000, 1600
"""The validation images that evaluate fits the model's confidence on, and their passes through it once changed."""


@dataclass(frozen=True)
class StageExpectation:
    """A stage's jobs, its time and cost as expected, and the most that it can cost, in seconds and US dollars.

    If `is_cut`, its time limit may end a job before its work is done.
    """

    stage: str
    jobs: int
    instance_type: str
    seconds: Range
    usd: Range
    bound_usd: float
    is_cut: bool


@dataclass(frozen=True)
class Expectation:
    """The stages of a run of so many images, and what its uploads and requests cost beside them."""

    images: int
    stages: tuple[StageExpectation, ...]
    requests_usd: float

    @property
    def usd(self) -> Range:
        """The cost of all jobs, as `Run.cost_usd` counts it: without uploads and requests."""
        return sum((stage.usd for stage in self.stages), NOTHING)

    @property
    def seconds(self) -> Range:
        """From the first job's creation to the last one's end."""
        return sum((stage.seconds for stage in self.stages), NOTHING)


def expectation(plan: Plan, images: int) -> Expectation:
    """The expectation of a run of this plan with so many images, fitted to them."""
    plan = for_images(plan, images)
    stages = tuple(
        StageExpectation(
            stage=name,
            jobs=jobs.count,
            instance_type=jobs.machine.instance_type,
            seconds=jobs.seconds,
            usd=jobs.billed * jobs.price_share * jobs.count * (jobs.machine.price_per_hour / 3600),
            bound_usd=bound,
            is_cut=jobs.is_cut,
        )
        for name, jobs, bound in stages_of(plan, images)
    )
    per_image = given.UPLOAD_EVENTS.value.low + given.READ_REQUEST.value.low
    return Expectation(images, stages, images * per_image)


def expected_usd(plan: Plan, images: int) -> tuple[float, float] | None:
    """What the jobs of a run are expected to cost, from and to, in US dollars; None if they cost nothing."""
    usd = expectation(plan, images).usd
    return (round(usd.low, 4), round(usd.high, 4)) if usd.high else None


def stages_of(plan: Plan, images: int) -> Iterator[tuple[str, Jobs, float]]:
    """Each stage's name and jobs, and the most that they can cost."""
    processing_bound = price(plan.processing, plan.processing_time_limit)
    yield "prepare", prepare_of(plan, images), plan.prepare_instances * processing_bound
    if plan.prepare_instances > 1:
        yield "merge", processing(plan, given.MERGE_START.value + given.MERGE.value * images), processing_bound
    heads = heads_of(plan, images)
    yield "heads", heads, bound_of(plan, heads)
    if plan.head_sample:
        yield "refit", refit_of(plan, images), price(plan.training, plan.trial_time_limit)
    if plan.fine_tuning:
        fine_tuning = fine_tuning_of(plan, plan.fine_tuning, images)
        yield "fine-tune", fine_tuning, bound_of(plan, fine_tuning)
    yield "evaluate", processing(plan, evaluate_work(plan, images)), processing_bound


def bound_of(plan: Plan, jobs: Jobs) -> float:
    """The most that the jobs of a tuning job can cost."""
    return price(jobs.machine, stage_seconds(plan, jobs.count, jobs.parallel, jobs.time_limit))


def processing(plan: Plan, work: Range) -> Jobs:
    """A stage of one processing job: there is no spot for those."""
    limit = plan.processing_time_limit
    return Jobs(1, 1, plan.processing, work, limit, stage_limit=limit + START_UNBILLED)


def prepare_of(plan: Plan, images: int) -> Jobs:
    """Its instances, as if each were a job: all of them start together and read their share of the images."""
    instances = plan.prepare_instances
    one = processing(plan, prepare_work(plan, images))
    return replace(one, count=instances, parallel=instances)


def prepare_work(plan: Plan, images: int) -> Range:
    """An instance reads each image of its share once; the features of all views are extracted by each backbone."""
    views = given.TRAIN_SHARE.value.low * views_kept(plan, images) + given.OTHER_SHARE.value.low
    features = views * given.VIEW.value.low * at_size(plan.image_size, given.MEASURED_SIZE) * len(plan.backbones)
    read = images / plan.prepare_instances
    return given.PREPARE_START.value + given.DECODE.value * read + exactly(read * features)


def heads_of(plan: Plan, images: int) -> Jobs:
    """The jobs of the heads, of which each trains several."""
    seen = images * given.TRAIN_SHARE.value.low
    return Jobs(
        count=plan.head_jobs,
        parallel=plan.parallel_trials,
        machine=plan.training,
        work=heads_work(plan, min(seen, plan.head_sample or seen)),
        time_limit=plan.trial_time_limit,
        stage_limit=plan.tuning_time_limit,
        price_share=share_of_price(plan),
    )


def refit_of(plan: Plan, images: int) -> Jobs:
    """The job that trains the best heads, which saw a sample, on all training images."""
    limit = plan.trial_time_limit
    return replace(
        heads_of(plan, images),
        count=1,
        parallel=1,
        work=heads_work(plan, images * given.TRAIN_SHARE.value.low),
        stage_limit=limit + START_UNBILLED,
    )


def heads_work(plan: Plan, seen: float) -> Range:
    """A job trains its heads on so many training images."""
    return given.HEAD_START.value + given.HEAD.value * (seen * plan.heads_in_each_job)


def fine_tuning_of(plan: Plan, stage: FineTuning, images: int) -> Jobs:
    """The jobs that train the whole network."""
    seen = images_fine_tuned_on(stage, images) * at_size(stage.image_size, given.FINE_TUNED_SIZE)
    return Jobs(
        count=stage.trials,
        parallel=stage.parallel_trials,
        machine=stage.machine,
        work=given.FINE_TUNE_START.value + given.EPOCH.value * seen,
        time_limit=stage.trial_time_limit,
        stage_limit=plan.tuning_time_limit,
        price_share=share_of_price(plan),
    )


def images_fine_tuned_on(stage: FineTuning, images: int) -> float:
    """The images that a trial passes through in all its epochs; smaller ones count by their share of the work."""
    saved = given.EARLY_SHARE.value.low * (1 - given.EARLY_SCALE.value.low**2)
    an_epoch = min(images * given.TRAIN_SHARE.value.low, given.EPOCH_IMAGES.value.low)
    return an_epoch * stage.expected_epochs * (1 - saved)


def evaluate_work(plan: Plan, images: int) -> Range:
    """The best model is scored, after fine-tuning its rival too; at the upper end the champion of an earlier run is.

    The best model and the champion are scored under harmless changes, too.
    """
    size = plan.fine_tuning.image_size if plan.fine_tuning else plan.image_size
    view = given.VIEW.value.low * at_size(size, given.MEASURED_SIZE)
    others = images * given.OTHER_SHARE.value.low
    models = 2 if plan.fine_tuning and plan.fine_tuning.trials > 1 else 1
    scored = Range(models, models + 1) * (others * view * plan.evaluation_views)
    changed = given.CHANGES.value * min(plan.changed_images, others / 2) * (view + given.CHANGE.value.low)
    exports = given.EXPORT.value * len(plan.exports)
    return given.EVALUATE_START.value + scored + Range(1, 2) * changed + fitting_work(plan, images) + exports


def fitting_work(plan: Plan, images: int) -> Range:
    """Its confidence is fitted on validation images as they are, in one view, and changed, in all views."""
    size = plan.fine_tuning.image_size if plan.fine_tuning else plan.image_size
    view = given.VIEW.value.low * at_size(size, given.MEASURED_SIZE)
    validated = images * given.OTHER_SHARE.value.low / 2
    fitted = min(validated, FITTED_IMAGES, FITTED_PASSES / plan.evaluation_views)
    return given.CHANGE.value * fitted + exactly(view * fitted * (plan.evaluation_views + 1))


def at_size(pixels: int, measured_at: int) -> float:
    """The work for an image of this size, as a multiple of one of the measured size."""
    return (pixels / measured_at) ** 2


def exactly(value: float) -> Range:
    return Range(value, value)


def share_of_price(plan: Plan) -> Range:
    """What the plan's training jobs cost of their machines' price."""
    return given.SPOT_SHARE.value if plan.spot else ON_DEMAND
