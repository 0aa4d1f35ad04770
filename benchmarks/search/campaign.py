"""Plays all searches, and records each finished one as a line of JSON."""

import contextlib
import json
import logging
import multiprocessing
import zlib
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from job_manager.aws.tuning_stage import parameter_ranges
from seedbed.local_cloud.sagemaker.search.ranges import read_ranges
from seedbed.local_cloud.sagemaker.search.strategies import Search

from . import trial
from .data_sets import WHOLE_NAME, WITHOUT_PHOTOGRAPHS
from .spaces import SPACES, fixed, identity, middle
from .trial import Outcome

log = logging.getLogger(__name__)

LARGE = (WHOLE_NAME,)
"""Data sets whose searches have fewer trials, as a head takes several seconds."""
MIDDLE, QUICK = "none", "Bayesian, quick plan"
RANDOM, BAYESIAN, WARM = "Random", "Bayesian", "Bayesian, warm start"
QUICK_HEADS, QUICK_JOBS, FEW_TRIALS, TRIALS = 4, 2, 8, 20
KINDS = (
    (MIDDLE, "narrow"),
    (QUICK, "narrow"),
    (QUICK, "usual"),
    (BAYESIAN, "usual"),
    (BAYESIAN, "narrow"),
    (RANDOM, "usual"),
    (WARM, "usual"),
)
OF_LARGE = KINDS[:5]


class Task(NamedTuple):
    """A search of a data set's heads. `ranges` names them, `identity` is of their values."""

    data: str
    contestant: str
    ranges: str
    seed: int
    identity: int

    @property
    def trials(self) -> int:
        """How many training jobs the search has in the end."""
        if self.contestant in (MIDDLE, QUICK):
            return 1 if self.contestant == MIDDLE else QUICK_JOBS
        return FEW_TRIALS if self.data in LARGE or self.contestant == WARM else TRIALS

    @property
    def heads(self) -> int:
        """How many heads a job trains."""
        return QUICK_HEADS if self.contestant == QUICK else 1


class Tried(NamedTuple):
    """The hyperparameters of a trial, without the fixed ones, and what it scored."""

    values: dict[str, str]
    outcome: Outcome


Results = dict[Task, list[Tried]]


class Job(NamedTuple):
    """A search to be played up to so many trials: those `before` are done. `of_parent` are for a warm start."""

    task: Task
    trials: int
    folder: Path
    before: list[Tried]
    of_parent: list[Tried]


def tasks(data_sets: Sequence[str], seeds: int) -> list[Task]:
    """All searches, the first seed's first: an interrupted campaign has something of everything."""
    numbers = {ranges: zlib.crc32(identity(ranges).encode()) for ranges in SPACES}
    return [
        Task(data, contestant, ranges, seed, numbers[ranges])
        for seed in range(seeds)
        for contestant, ranges in KINDS
        for data in data_sets
        if data not in LARGE or (contestant, ranges) in OF_LARGE
    ]


def run(record: Path, folder: Path, data_sets: Sequence[str], seeds: int, processes: int) -> Results:
    """Plays the searches that the record lacks, and returns all of them. All get to 8 trials before any gets to 20."""
    wanted = tasks(data_sets, seeds)
    results = {task: tried for task, tried in read(record) if task in wanted}
    for trials, seed, warm in product((FEW_TRIALS, TRIALS), range(seeds), (False, True)):
        phase = [task for task in wanted if task.seed == seed and (task.contestant == WARM) == warm]
        missing = [
            Job(task, min(trials, task.trials), folder / task.data, results.get(task, []), parent(task, results))
            for task in phase
            if len(results.get(task, [])) < min(trials, task.trials)
        ]
        _complete(record, results, missing, processes)
    return results


def _complete(record: Path, results: Results, jobs: Sequence[Job], processes: int) -> None:
    with multiprocessing.get_context("spawn").Pool(processes) as pool, record.open("a") as lines:
        for task, tried in pool.imap_unordered(_play, jobs):
            results[task] = tried
            lines.write(json.dumps([task, tried]) + "\n")
            lines.flush()
            log.info("%s", " / ".join(map(str, task[:4])))


def read(record: Path) -> Iterator[tuple[Task, list[Tried]]]:
    """The finished searches of a record."""
    if record.exists():
        for line in record.read_text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):  # the last line of an interrupted campaign
                task, tried = json.loads(line)
                yield Task(*task), [Tried(values, Outcome(*outcome)) for values, outcome in tried]


def parent(task: Task, results: Results) -> list[Tried]:
    """For a warm start: 8 trials of the same ranges and seed, on the data set that is the next in the alphabet."""
    others = sorted(other for other in results if (other.contestant, *other[2:]) == (BAYESIAN, *task[2:]))
    usable = [other for other in others if other.data != task.data and other.data not in LARGE]
    if task.contestant != WARM or not usable:
        return []
    return results[next((other for other in usable if other.data > task.data), usable[0])][:FEW_TRIALS]


def _play(job: Job) -> tuple[Task, list[Tried]]:
    """The search with all its trials up to now, one after the other."""
    task, beside = job.task, fixed(job.task.ranges, job.task.heads)
    own = {"seed": str(task.seed + 1)}
    if task.contestant == MIDDLE:
        values = middle(task.ranges)
        return task, [Tried(values, trial.run(job.folder, {**beside, **values, **own}))]
    ranges = read_ranges(parameter_ranges(SPACES[task.ranges]))
    strategy = RANDOM if task.contestant == RANDOM else BAYESIAN
    search = Search(ranges, strategy, maximize=True, seed=zlib.crc32(f"{task.data} {task.seed}".encode()))
    for one in job.of_parent:
        search.add_prior(one.values, one.outcome.validation_accuracy, parent="another data set")
    tried = list(job.before)
    for number, one in enumerate(tried, start=1):
        search.resume(number, one.values)
        search.tell(number, one.outcome.validation_accuracy)
    for number in range(len(tried) + 1, job.trials + 1):
        values = search.ask(number)
        tried.append(Tried(values, trial.run(job.folder, {**beside, **values, **own})))
        search.tell(number, tried[-1].outcome.validation_accuracy)
    return task, tried


def available(photographs: Path | None, data_sets: Sequence[str]) -> list[str]:
    """The data sets that can be made: those without photographs if there are none."""
    return [name for name in data_sets if photographs or name in WITHOUT_PHOTOGRAPHS]
