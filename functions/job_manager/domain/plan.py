"""What a run will do, fixed before it starts; part of the dataset version, so another plan is another run."""

import json
from dataclasses import asdict, dataclass, field

from .search_space import FIXED_HYPERPARAMETERS, SEARCH_SPACE


@dataclass(frozen=True)
class Machine:
    """An instance type and its price in US dollars an hour."""

    instance_type: str
    price_per_hour: float


def present_search_space() -> str:
    """What may vary and what is fixed, as JSON: it is kept with a run, as a later release may search another space."""
    ranges = {name: asdict(values) for name, values in SEARCH_SPACE.items()}
    return json.dumps([ranges, FIXED_HYPERPARAMETERS], sort_keys=True)


@dataclass(frozen=True)
class Plan:
    """Everything that decides a run's outcome beside the images; times in seconds, `image_size` in pixels a side.

    Only runs that agree on `search_space` can warm-start one another.
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
    search_space: str = field(default_factory=present_search_space)

    def fingerprint(self) -> str:
        """What of the plan decides the outcome, as one line of text: equal text, equal outcome (but for chance)."""
        outcome = {
            "image": self.training_image,
            "trials": self.trials,
            "strategy": self.strategy,
            "image_size": self.image_size,
            "views": self.views,
            "minimum_per_label": self.minimum_per_label,
            "search_space": self.search_space,
        }
        return json.dumps(outcome, sort_keys=True)
