"""What the stack's plan needs of SageMaker's quotas, from the template's parameters."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..bundle import TEMPLATE

PARAMETER = re.compile(r"^  (\w+):\n((?:    .*\n)+)", re.MULTILINE)
DEFAULT = re.compile(r"^    Default: (.*)$", re.MULTILINE)
ACROSS = "Number of instances across all {}s"
PARALLEL = "Maximum number of parallel training jobs per HPO tuning job"
PARALLEL_BY_DEFAULT = 10
HEADS, NETWORKS, PREPARE = "ParallelTrials", "FineTuneParallelTrials", "PrepareInstances"


@dataclass(frozen=True)
class Need:
    """How much of a quota a run needs at a time, and the parameters that lower it.

    `others` are the quotas of other instance types, one of which is enough. `usual` is AWS's documented default. Where
    AWS lists no quota of this name, and `usual` is not known, one that is not `certain` to be there limits nothing.
    """

    quota: str
    wanted: int
    lowered_by: str = ""
    others: tuple[str, ...] = ()
    usual: int | None = None
    certain: bool = True


def needs(parameters: Mapping[str, str]) -> list[Need]:
    """What a run needs with these parameters; its stages run one after the other."""
    job = "spot training job" if parameters.get("UseSpot") == "true" else "training job"
    stages = list(training_stages(parameters))
    most = max(jobs for _, jobs, _ in stages)
    both = " or ".join(name for _, jobs, name in stages if jobs == most)
    largest: dict[str, Need] = {}
    for types, jobs, name in stages:
        if types not in largest or largest[types].wanted < jobs:
            largest[types] = of_types(types, job, jobs, name)
    return [
        *largest.values(),
        of_types(parameters["ProcessingInstanceType"], "processing job", int(parameters.get(PREPARE, "1")), PREPARE),
        Need(ACROSS.format(job), most, both if most > 1 else "", certain=False),
        Need(PARALLEL, most, both if most > 1 else "", usual=PARALLEL_BY_DEFAULT),
    ]


def training_stages(parameters: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    """Each tuning job's instance types, how many training jobs it runs at a time, and the parameter for that."""
    yield parameters["TrainingInstanceType"], parallel_heads(parameters), HEADS
    trials = int(parameters["FineTuneTrials"])
    if trials:
        yield parameters["FineTuneInstanceType"], min(trials, int(parameters[NETWORKS])), NETWORKS


def parallel_heads(parameters: Mapping[str, str]) -> int:
    """How many training jobs of heads run at a time."""
    jobs = math.ceil(int(parameters["TrialCount"]) / int(parameters.get("HeadsPerJob", "1")))
    return min(jobs, int(parameters[HEADS]))


def of_types(types: str, job: str, wanted: int, lowered_by: str = "") -> Need:
    """The need of a stage whose instance types are separated by commas."""
    first, *others = (f"{one.strip()} for {job} usage" for one in types.split(","))
    return Need(first, wanted, lowered_by if wanted > 1 else "", tuple(others))


def defaults() -> dict[str, str]:
    """The template's parameters at their defaults."""
    section = TEMPLATE.read_text(encoding="utf-8").partition("\nParameters:\n")[2].partition("\nConditions:")[0]
    found = {name: DEFAULT.search(text) for name, text in PARAMETER.findall(f"{section}\n")}
    return {name: value[1].strip().strip('"') for name, value in found.items() if value}
