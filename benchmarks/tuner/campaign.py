"""Runs all searches in several processes, and records each finished one as a line of JSON."""

import contextlib
import json
import logging
import multiprocessing
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .contestants import COLD, Contestant, Ours, Trial, play
from .tables import load, siblings

log = logging.getLogger(__name__)

TRIALS = 40
PARENT_TRIALS = 30
# A search by KerasTuner takes half a minute, by the others at most a second.
FEWER_SEEDS = {"KerasTuner Bayesian": 3}
WARM = {"Seedbed Bayesian, 1 parent": 1, "Seedbed Bayesian, up to 5 parents": 5}
WARM_TRIALS = 16


class Task(NamedTuple):
    contestant: str
    table: str
    seed: int


Results = dict[Task, list[Trial]]


def cold_tasks(tables: list[str], seeds: int) -> list[Task]:
    """Ordered by seed, so that an interrupted campaign has the same seeds for all tables."""
    return [
        Task(name, table, seed)
        for name in COLD
        for seed in range(min(seeds, FEWER_SEEDS.get(name, seeds)))
        for table in tables
    ]


def warm_tasks(tables: list[str], seeds: int) -> list[Task]:
    return [Task(name, table, seed) for name in WARM for seed in range(seeds) for table in tables]


def parents(task: Task, seeds: int) -> list[Task]:
    """Searches of sibling tables with another seed; the choice of siblings depends on the seed."""
    others = siblings(task.table)
    chosen = [others[(task.seed + step) % len(others)] for step in range(min(WARM[task.contestant], len(others)))]
    return [Task("Seedbed Bayesian", table, (task.seed + 1) % seeds) for table in chosen]


def run(record: Path, tables: list[str], seeds: int, processes: int) -> Results:
    """Runs the searches that the record lacks, and returns the results of all."""
    results = dict(_read(record))
    _complete(record, results, [(task, []) for task in cold_tasks(tables, seeds)], processes)
    warm = []
    for task in warm_tasks(tables, seeds):
        found = [(parent.table, results.get(parent, [])[:PARENT_TRIALS]) for parent in parents(task, seeds)]
        warm.append((task, [(table, trials) for table, trials in found if trials]))
    _complete(record, results, warm, processes)
    return results


def _read(record: Path) -> Iterator[tuple[Task, list[Trial]]]:
    if record.exists():
        for line in record.read_text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):  # the last line of an interrupted campaign
                task, trials = json.loads(line)
                yield Task(*task), [(values, score) for values, score in trials]


SearchJob = tuple[Task, list[tuple[str, list[Trial]]]]


def _complete(record: Path, results: Results, jobs: list[SearchJob], processes: int) -> None:
    missing = [job for job in jobs if job[0] not in results]
    log.info("%d searches to run, %d done before", len(missing), len(jobs) - len(missing))
    os.environ["OMP_NUM_THREADS"] = "1"
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes, _quiet) as pool, record.open("a") as lines:
        for done, (task, trials) in enumerate(pool.imap_unordered(_search, missing), 1):
            results[task] = trials
            lines.write(json.dumps([task, trials]) + "\n")
            lines.flush()
            if done % 100 == 0 or done == len(missing):
                log.info("%d of %d after %.0f s", done, len(missing), time.monotonic() - began)


def _quiet() -> None:
    warnings.simplefilter("ignore")


def _search(job: SearchJob) -> tuple[Task, list[Trial]]:
    task, found = job
    table = load(task.table)
    if task.contestant in WARM:
        contestant: Contestant = Ours(table, task.seed, "Bayesian", found)
        return task, play(contestant, table, WARM_TRIALS)
    return task, play(COLD[task.contestant](table, task.seed), table, TRIALS)
