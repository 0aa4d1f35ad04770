"""One training job of a tuning job, as the tuning job's loop knows it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..containers.process import Stop
from ..kinds import TRAINING, Body
from ..records.store import Store
from ..search.hyperband import Hyperband, resource_bounds
from ..search.median_rule import MedianRule
from ..search.strategies import Search
from ..training.run import Watcher
from .definitions import Definition


@dataclass
class Branch:
    """One definition's part of a tuning job: its search, the rule that ends jobs early, and how many jobs it had."""

    definition: Definition
    search: Search
    rule: Hyperband | MedianRule | None
    jobs: int = 0


@dataclass
class Trial(Watcher):
    """Follows one training job. The job's threads call `reported` and `ended`.

    number: its place in the tuning job, place: in its branch, both from 1. threads: how many its process may use.
    tuning_job: its name.
    stop: ends it early. done: hands its last state to the loop.
    """

    branch: Branch
    number: int
    place: int
    name: str
    store: Store
    stop: Callable[[str], None]
    done: "Callable[[Trial, Body, list[float]], None]"
    threads: int = 1
    tuning_job: str = ""
    objective: str = field(init=False)

    def __post_init__(self) -> None:
        self.objective = self.branch.definition.metric

    def reported(self, series: list[float], stop: Stop) -> None:
        rule = self.branch.rule
        if rule is not None and stop.reason is None and rule.should_stop(self.place, series):
            self.store.remember(TRAINING, self.name, series=series)  # should the endpoint die before the job has ended
            self.stop(self.name)

    def ended(self, body: Body, series: list[float]) -> None:
        self.done(self, body, series)

    def record(self, body: Body, series: list[float]) -> None:
        value = objective_of(body, series)
        self.store.set_objective(TRAINING, self.name, "Failed" if value is None else "Succeeded", value)
        self.store.remember(TRAINING, self.name, series=series)


def branches(definitions: Sequence[Definition], config: Body, seed: int) -> list[Branch]:
    """A tuning job's branches as they are before its first training job."""
    return [
        Branch(
            definition,
            Search(definition.ranges, config["Strategy"], definition.maximize, seed + (index << 32)),
            _rule(definition, config),
        )
        for index, definition in enumerate(definitions)
    ]


def _rule(definition: Definition, config: Body) -> Hyperband | MedianRule | None:
    if config["Strategy"] == "Hyperband":
        return Hyperband(*resource_bounds(config, definition.static), definition.maximize)
    return MedianRule(definition.maximize) if config.get("TrainingJobEarlyStoppingType") == "Auto" else None


def child_name(tuning_job: Body, number: int) -> str:
    """The name of a tuning job's n-th training job; another job of the same name gives its own others."""
    name = tuning_job["HyperParameterTuningJobName"]
    digest = hashlib.sha256(f"{name}/{tuning_job['CreationTime']}/{number}".encode()).hexdigest()[:8]
    return f"{name}-{number:03d}-{digest}"


def objective_of(body: Body, series: Sequence[float]) -> float | None:
    """A training job's last value of its objective; None for one that failed or reported none."""
    return series[-1] if series and body["TrainingJobStatus"] != "Failed" else None
