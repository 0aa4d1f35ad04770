"""The functions' environment, as template.yaml sets it, with types."""

import os
from datetime import timedelta
from functools import cache
from typing import Annotated, Literal

import msgspec

from .domain.plan import FineTuning, Machine, Plan
from .domain.run_request import FULL_FINE_TUNE_TRIALS
from .domain.scale import MOST_INSTANCES
from .domain.settling import SettleRule

Positive = Annotated[int, msgspec.Meta(ge=1)]
Instances = Annotated[int, msgspec.Meta(ge=1, le=MOST_INSTANCES)]
Natural = Annotated[int, msgspec.Meta(ge=0)]
Names = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*$")]
NamesOrNone = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*)?$")]
Folder = Annotated[str, msgspec.Meta(pattern=r"^(pretrained/([A-Za-z0-9_.-]+/)*)?$")]
JobPrefix = Annotated[str, msgspec.Meta(pattern=r"^sb-([0-9a-f]{8})?$")]
MACHINE = r"ml\.[a-z0-9-]+\.[a-z0-9]+=[0-9]+(\.[0-9]+)?"
Machines = Annotated[str, msgspec.Meta(pattern=rf"^({MACHINE}(,{MACHINE})*)?$")]
Dollars = Annotated[float, msgspec.Meta(ge=0)]
ErrorRate = Annotated[float, msgspec.Meta(ge=0.001, le=0.5)]


class Settings(msgspec.Struct, frozen=True, rename="upper"):
    """One field for each environment variable of the same name in capitals; times in seconds, money in US dollars.

    `topic` is of e-mails, `event_topic` of JSON for programs. `backbones` and `exports` are comma-separated names;
    alternatives are instance types with their prices. With 0 `fine_tune_trials` runs train only heads, and with 0
    `head_sample` on all images.
    """

    bucket: str
    job_prefix: JobPrefix
    table: str
    topic: str
    event_topic: str
    notify_start: bool
    settle_queue: str
    sagemaker_role: str
    training_image: str
    quiet_period_seconds: Positive
    maximum_wait_seconds: Positive
    minimum_images: Positive
    minimum_images_per_label: Positive
    trial_count: Positive
    heads_per_job: Positive
    head_sample: Natural
    parallel_trials: Positive
    strategy: str
    image_size: Positive
    cached_views: Positive
    backbones: Names
    pretrained_weights: Folder
    fine_tune_trials: Natural
    fine_tune_parallel_trials: Positive
    fine_tune_epochs: Positive
    fine_tune_size: Positive
    evaluation_views: Positive
    changed_images: Natural
    sure_error_rate: ErrorRate
    exports: NamesOrNone
    training_instance_type: str
    training_price_per_hour: Dollars
    training_alternatives: Machines
    fine_tune_instance_type: str
    fine_tune_price_per_hour: Dollars
    fine_tune_alternatives: Machines
    processing_instance_type: str
    prepare_instances: Instances
    processing_price_per_hour: Dollars
    processing_alternatives: Machines
    trial_time_limit_seconds: Positive
    fine_tune_time_limit_seconds: Positive
    tuning_time_limit_seconds: Positive
    processing_time_limit_seconds: Positive
    use_spot: bool
    run_budget: Dollars
    monthly_budget: Dollars
    stack: str
    tracing: Literal["Active", "Disabled"]

    @property
    def traces(self) -> bool:
        """Whether calls to AWS are traced."""
        return self.tracing == "Active"

    @property
    def plan(self) -> Plan:
        """The plan of the next run; `scale.for_images` fits it to the run's images."""
        return Plan(
            training_image=self.training_image,
            trials=self.trial_count,
            parallel_trials=self.parallel_trials,
            strategy=self.strategy,
            image_size=self.image_size,
            views=self.cached_views,
            minimum_images=self.minimum_images,
            minimum_per_label=self.minimum_images_per_label,
            training=machine(self.training_instance_type, self.training_price_per_hour, self.training_alternatives),
            processing=machine(
                self.processing_instance_type, self.processing_price_per_hour, self.processing_alternatives
            ),
            trial_time_limit=self.trial_time_limit_seconds,
            tuning_time_limit=self.tuning_time_limit_seconds,
            processing_time_limit=self.processing_time_limit_seconds,
            budget=self.run_budget,
            monthly_budget=self.monthly_budget,
            backbones=tuple(self.backbones.split(",")),
            fine_tuning=self.fine_tuning,
            evaluation_views=self.evaluation_views,
            changed_images=self.changed_images,
            sure_error_rate=self.sure_error_rate,
            exports=tuple(filter(None, self.exports.split(","))),
            pretrained=self.pretrained_weights,
            heads_per_job=self.heads_per_job,
            spot=self.use_spot,
            prepare_instances=self.prepare_instances,
            head_sample=self.head_sample,
        )

    @property
    def fine_tuning(self) -> FineTuning | None:
        """How the next run trains the whole network; None for heads only."""
        return self.full_fine_tuning if self.fine_tune_trials else None

    @property
    def full_fine_tuning(self) -> FineTuning:
        """How a run with the full plan trains the whole network, whatever the stack's own plan does."""
        return FineTuning(
            trials=self.fine_tune_trials or FULL_FINE_TUNE_TRIALS,
            parallel_trials=self.fine_tune_parallel_trials,
            epochs=self.fine_tune_epochs,
            image_size=self.fine_tune_size,
            machine=machine(self.fine_tune_instance_type, self.fine_tune_price_per_hour, self.fine_tune_alternatives),
            trial_time_limit=self.fine_tune_time_limit_seconds,
        )

    @property
    def settle_rule(self) -> SettleRule:
        """When a run starts."""
        return SettleRule(timedelta(seconds=self.quiet_period_seconds), timedelta(seconds=self.maximum_wait_seconds))


def machine(instance_type: str, price: float, alternatives: str) -> Machine:
    """An instance type at its price; `alternatives` is as in the template: `ml.m5.xlarge=0.23,ml.m5.2xlarge=0.461`."""
    pairs = (text.split("=") for text in filter(None, alternatives.split(",")))
    return Machine(instance_type, price, tuple(Machine(name, float(cost)) for name, cost in pairs))


@cache
def settings() -> Settings:
    """The settings of this function. Raises msgspec.ValidationError, which names the wrong or missing variable."""
    return msgspec.convert(dict(os.environ), Settings, strict=False)
