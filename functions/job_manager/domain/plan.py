"""What a run will do, fixed before it starts; part of the dataset version, so another plan is another run."""

import json
from dataclasses import asdict, dataclass

from .search_space import FIXED_HYPERPARAMETERS, SEARCH_SPACE


@dataclass(frozen=True)
class Machine:
    """An instance type and its price in US dollars an hour."""

    instance_type: str
    price_per_hour: float


@dataclass(frozen=True)
class Plan:
    """Everything that decides a run's outcome beside the images; times in seconds, `image_size` in pixels a side."""

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

    @property
    def search_space(self) -> str:
        """What may vary and what is fixed: only runs that agree on it can warm-start one another."""
        ranges = {name: asdict(values) for name, values in SEARCH_SPACE.items()}
        return json.dumps([ranges, FIXED_HYPERPARAMETERS], sort_keys=True)

    def fingerprint(self) -> str:
        """The plan and the search space as one line of text: equal text, equal outcome (but for chance)."""
        outcome = {
            "image": self.training_image,
            "trials": self.trials,
            "strategy": self.strategy,
            "image_size": self.image_size,
            "views": self.views,
            "minimum_per_label": self.minimum_per_label,
            "search_space": {name: asdict(values) for name, values in SEARCH_SPACE.items()},
            "fixed": FIXED_HYPERPARAMETERS,
        }
        return json.dumps(outcome, sort_keys=True)
