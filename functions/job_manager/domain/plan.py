"""What a run will do, fixed before it starts; part of the dataset version, so a changed plan makes another run."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from .errors import RunRefused
from .search_space import (
    EPOCHS_SPREAD,
    FINE_TUNING_SEARCH_SPACE,
    FIXED_FINE_TUNING_HYPERPARAMETERS,
    FIXED_HYPERPARAMETERS,
    SEARCH_SPACE,
    as_text,
    combinations,
    epochs_of,
    from_text,
)

USUAL_ERROR_RATE = 0.05
IMAGES_PER_INSTANCE = 10_000
"""They take an instance minutes, as many as its start takes."""
BACKBONES_IN_THE_IMAGE = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")


@dataclass(frozen=True)
class Machine:
    """An instance type and its price in US dollars per hour, and those to take where AWS has none of this type."""

    instance_type: str
    price_per_hour: float
    alternatives: tuple["Machine", ...] = ()

    def in_order(self, avoided: Collection[str]) -> "list[Machine]":
        """This machine and its alternatives, those of avoided types last."""
        return sorted((self, *self.alternatives), key=lambda machine: machine.instance_type in avoided)

    def of_type(self, instance_type: str | None) -> "Machine":
        """The machine of this type among the alternatives; this one if there is none."""
        return next((other for other in self.alternatives if other.instance_type == instance_type), self)

    def without_price(self) -> "Machine":
        """This machine, as if it and its alternatives cost nothing."""
        return Machine(self.instance_type, 0.0, tuple(other.without_price() for other in self.alternatives))


@dataclass(frozen=True)
class FineTuning:
    """How the whole network is trained after the heads; times in seconds, `image_size` in pixels per side."""

    trials: int
    parallel_trials: int
    epochs: int
    image_size: int
    machine: Machine
    trial_time_limit: int
    search_space: str = field(
        default_factory=lambda: as_text(FINE_TUNING_SEARCH_SPACE, FIXED_FINE_TUNING_HYPERPARAMETERS)
    )

    @property
    def expected_epochs(self) -> float:
        """The epochs of a trial on average."""
        return epochs_of(self.search_space, self.epochs)


@dataclass(frozen=True)
class Plan:
    """Everything but the images that decides a run's outcome; times in seconds, `image_size` in pixels per side.

    `trials` is how many heads are trained, `heads_per_job` of them by each training job; with `spot`, training jobs run
    on spot instances. `views` is how many views of each training image, itself and changed ones, have their features
    kept; `evaluation_views` is how many the model averages over, and `changed_images` how many test photographs it is
    scored on under harmless changes too; `sure_error_rate` is how often it may be wrong when it is sure, from 0 to 1.
    `pretrained` is the bucket's folder with weights for keras.applications; if it is empty, the jobs download them.
    Without `fine_tuning` the best head is the run's model; `fine_tuning_search_space` is then that of a request which
    asks for it. `refusal` is why a run of this plan is refused, whatever its images; empty if it isn't.
    `prepare_instances` is how many instances prepare reads the images on, each at least `images_per_instance` of them
    where there are several; `head_sample` is how many training images a trial trains its heads on, 0 for all.
    `scale.for_images` fits these to a dataset.
    Only runs with the same `search_space`, `backbones` and `heads_per_job` can warm-start each other. The defaults keep
    the plans of older runs readable.
    """

    training_image: str
    trials: int
    parallel_trials: int
    strategy: str
    image_size: int
    views: int
    minimum_images: int
    minimum_per_label: int
    training: Machine
    processing: Machine
    trial_time_limit: int
    tuning_time_limit: int
    processing_time_limit: int
    budget: float
    search_space: str = field(default_factory=lambda: as_text(SEARCH_SPACE, FIXED_HYPERPARAMETERS))
    backbones: tuple[str, ...] = ("efficientnet-lite0",)
    fine_tuning: FineTuning | None = None
    evaluation_views: int = 1
    exports: tuple[str, ...] = ()
    monthly_budget: float | None = None
    pretrained: str = ""
    heads_per_job: int = 1
    spot: bool = False
    changed_images: int = 0
    sure_error_rate: float = USUAL_ERROR_RATE
    fine_tuning_search_space: str = ""
    refusal: str = ""
    prepare_instances: int = 1
    images_per_instance: int = IMAGES_PER_INSTANCE
    head_sample: int = 0

    @property
    def head_jobs(self) -> int:
        """How many training jobs the heads are spread over."""
        return -(-self.trials // self.heads_per_job)

    @property
    def heads_in_each_job(self) -> int:
        """How many heads each of these jobs trains: all the same number, so they may train a few more in all."""
        return -(-self.trials // self.head_jobs)

    @property
    def fine_tune_size(self) -> int:
        """Pixels per side of the images kept for fine-tuning; 0 without fine-tuning."""
        return self.fine_tuning.image_size if self.fine_tuning else 0

    @property
    def downloads_weights(self) -> bool:
        """Whether the jobs that build a backbone have to download its weights."""
        return not self.pretrained and not self.has_backbones_in_the_image

    @property
    def has_backbones_in_the_image(self) -> bool:
        """Whether the image has the weights of all its backbones."""
        return set(self.backbones) <= set(BACKBONES_IN_THE_IMAGE)

    def check(self) -> None:
        """Raise RunRefused, with the reason, if no run of this plan can be started, whatever its images."""
        if self.refusal:
            raise RunRefused(self.refusal)
        heads = combinations(from_text(self.search_space)[0]) * len(self.backbones)
        check_combinations("heads", heads, self.head_jobs)
        if self.fine_tuning:
            space, fixed = from_text(self.fine_tuning.search_space)
            spread = 1 if "epochs" in {**space, **fixed} else self.fine_tuning.epochs // EPOCHS_SPREAD * 2 + 1
            check_combinations("fine_tuning", combinations(space) * spread, self.fine_tuning.trials)

    def does_the_same(self, other: "Plan") -> bool:
        """Whether the other plan would give its jobs the same work, machines and limits; money apart."""
        return self._without_money() == other._without_money()

    def _without_money(self) -> "Plan":
        stage = self.fine_tuning
        return replace(
            self,
            budget=0.0,
            monthly_budget=None,
            spot=False,
            fine_tuning_search_space="",
            training=self.training.without_price(),
            processing=self.processing.without_price(),
            fine_tuning=stage and replace(stage, machine=stage.machine.without_price()),
        )

    def fingerprint(self) -> str:
        """The parts of the plan that decide the outcome, as one line of JSON."""
        stage = self.fine_tuning
        outcome = {
            "image": self.training_image,
            "trials": self.trials,
            "strategy": self.strategy,
            "image_size": self.image_size,
            "views": self.views,
            "minimum_per_label": self.minimum_per_label,
            "search_space": self.search_space,
            "backbones": self.backbones,
            "fine_tuning": stage and [stage.trials, stage.epochs, stage.image_size, stage.search_space],
            "evaluation_views": self.evaluation_views,
            "exports": self.exports,
            **({"pretrained": self.pretrained} if self.pretrained else {}),
            **({"heads_per_job": self.heads_per_job} if self.heads_per_job > 1 else {}),
            **({"changed_images": self.changed_images} if self.changed_images else {}),
            **({"sure_error_rate": self.sure_error_rate} if self.sure_error_rate != USUAL_ERROR_RATE else {}),
            **({"refusal": self.refusal} if self.refusal else {}),
            **({"head_sample": self.head_sample} if self.head_sample else {}),
        }
        return json.dumps(outcome, sort_keys=True)


def check_combinations(stage: str, found: float, jobs: int) -> None:
    """Raise RunRefused if a stage's ranges have fewer combinations of values than training jobs to try them."""
    least = max(jobs, 2)
    if found < least:
        raise RunRefused(
            f"The ranges of {stage} in search-space.json have too few combinations of values to search: {found:.0f} of "
            f"at least {least}. Widen a range, or give fewer fixed values."
        )
