"""One training job of a tuning job, and the state of the definition that it belongs to."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..containers.process import Stop
from ..kinds import TRAINING, Body
from ..records.store import Store
from ..search.hyperband import Hyperband, resource_bounds
from ..search.median_rule import MedianRule
from ..search.strategies import Search
from ..training.run import TrainingListener
from .definitions import Definition


@dataclass
class DefinitionState:
    """One definition of a tuning job: its search, the rule that stops jobs early, and how many jobs it has had."""

    definition: Definition
    search: Search
    rule: Hyperband | MedianRule | None
    jobs: int = 0


@dataclass
class Trial(TrainingListener):
    """One training job of a tuning job; its threads call `reported`, `record` and `ended`.

    number: its number in the tuning job. index: its number in its definition. Both begin at 1.
    name, tuning_job: the jobs' names. threads: how many its process may use.
    stop: stops it early. on_end: gives its last state to the tuning job's loop.
    """

    state: DefinitionState
    number: int
    index: int
    name: str
    store: Store
    stop: Callable[[str], None]
    on_end: "Callable[[Trial, Body, list[float]], None]"
    threads: int = 1
    tuning_job: str = ""
    objective: str = field(init=False)

    def __post_init__(self) -> None:
        self.objective = self.state.definition.metric

    def reported(self, series: list[float], stop: Stop) -> None:
        rule = self.state.rule
        if rule is not None and stop.reason is None and rule.should_stop(self.index, series):
            self.store.remember(TRAINING, self.name, series=series)  # in case the endpoint crashes before its end
            self.stop(self.name)

    def ended(self, body: Body, series: list[float]) -> None:
        self.on_end(self, body, series)

    def record(self, body: Body, series: list[float]) -> None:
        value = objective_of(body, series)
        self.store.set_objective(TRAINING, self.name, "Failed" if value is None else "Succeeded", value)
        self.store.remember(TRAINING, self.name, series=series)


def definition_states(definitions: Sequence[Definition], config: Body, seed: int) -> list[DefinitionState]:
    """The states of a tuning job's definitions before its first training job."""
    return [
        DefinitionState(
            definition,
            Search(definition.ranges, config["Strategy"], definition.maximize, seed + (position << 32)),
            _rule(definition, config),
        )
        for position, definition in enumerate(definitions)
    ]


def _rule(definition: Definition, config: Body) -> Hyperband | MedianRule | None:
    if config["Strategy"] == "Hyperband":
        return Hyperband(*resource_bounds(config, definition.static), definition.maximize)
    return MedianRule(definition.maximize) if config.get("TrainingJobEarlyStoppingType") == "Auto" else None


def child_name(tuning_job: Body, number: int) -> str:
    """The name of a tuning job's n-th training job, unique even if a deleted tuning job had the same name."""
    name = tuning_job["HyperParameterTuningJobName"]
    digest = hashlib.sha256(f"{name}/{tuning_job['CreationTime']}/{number}".encode()).hexdigest()[:8]
    return f"{name}-{number:03d}-{digest}"


def objective_of(body: Body, series: Sequence[float]) -> float | None:
    """A training job's last objective value; None if it failed or reported none."""
    return series[-1] if series and body["TrainingJobStatus"] != "Failed" else None
