"""What a run will do, fixed before it starts; part of the dataset version, so another plan is another run."""

import json
from dataclasses import dataclass, field

from .search_space import (
    FINE_TUNING_SEARCH_SPACE,
    FIXED_FINE_TUNING_HYPERPARAMETERS,
    FIXED_HYPERPARAMETERS,
    SEARCH_SPACE,
    as_text,
)

BACKBONES_IN_THE_IMAGE = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")


@dataclass(frozen=True)
class Machine:
    """An instance type and its price in US dollars an hour."""

    instance_type: str
    price_per_hour: float


@dataclass(frozen=True)
class FineTuning:
    """How the whole network is trained, after the heads; times in seconds, `image_size` in pixels a side."""

    trials: int
    parallel_trials: int
    epochs: int
    image_size: int
    machine: Machine
    trial_time_limit: int
    search_space: str = field(
        default_factory=lambda: as_text(FINE_TUNING_SEARCH_SPACE, FIXED_FINE_TUNING_HYPERPARAMETERS)
    )


@dataclass(frozen=True)
class Plan:
    """Everything that decides a run's outcome beside the images; times in seconds, `image_size` in pixels a side.

    `views` are the turned views of a training image whose features are kept, `evaluation_views` those that the model
    averages over. `pretrained` is where in the bucket weights for keras.applications lie; where it is empty, the jobs
    download them. Without `fine_tuning` the best head is the run's model. Only runs that agree on `search_space` and
    `backbones` can warm-start one another. The defaults are what runs did before there was a choice.
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

    @property
    def fine_tune_size(self) -> int:
        """Pixels a side of the images kept for fine-tuning, 0 where none are needed."""
        return self.fine_tuning.image_size if self.fine_tuning else 0

    @property
    def downloads_weights(self) -> bool:
        """Whether jobs that build a backbone must download its weights."""
        return not self.pretrained and not set(self.backbones) <= set(BACKBONES_IN_THE_IMAGE)

    def fingerprint(self) -> str:
        """What of the plan decides the outcome, as one line of text: equal text, equal outcome (but for chance)."""
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
        }
        return json.dumps(outcome, sort_keys=True)
