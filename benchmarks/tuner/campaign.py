"""Runs all searches in several processes, and records each finished one as a line of JSON."""

import contextlib
import gzip
import json
import logging
import multiprocessing
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from . import learning_curves
from .contestants import COLD, Contestant, Ours, missing, play
from .elsewhere import SMAC_HYPERBAND, PeerLost
from .functions import FUNCTIONS
from .learning_curves import HYPERBANDS
from .problems import KINDS, LONG, Problem, Trial, named
from .tables import NAMES, siblings

log = logging.getLogger(__name__)

PARENT_TRIALS = 30
# The searches of slow contestants that were finished once: only the others' are played again.
KEPT = Path(__file__).with_name("slow_peers.jsonl.gz")
# A search by these takes many seconds or minutes, by the others at most a few seconds.
FEWER_SEEDS = {"Optuna GP": 10, "SMAC3": 5, "KerasTuner Bayesian": 1, "Ax": 1, "HEBO": 1, "SMAC3 Hyperband": 5}
WARM = {"Seedbed Bayesian, 1 parent": 1, "Seedbed Bayesian, up to 5 parents": 5}
WARM_TRIALS = 16
# The other kinds of searches are played on some tables of each family, with fewer seeds.
HARDER = [kind for kind in KINDS if kind not in ("", LONG)]
KIND_TABLES = [NAMES[index] for index in (1, 3, 4, 9, 11, 13)]
KIND_SEEDS = 10
LONG_PROBLEM = named(LONG, "functions/ackley, 20 ranges")
# The contestants with fewer seeds than these don't play it: it would take them hours.
LONG_SEEDS = 5


class Task(NamedTuple):
    """problem: its name, or `curves/` and a data set."""

    contestant: str
    problem: str
    seed: int


Results = dict[Task, list[Trial]]


class Plan(NamedTuple):
    """What is searched. tables: one trial at a time; kind_tables: in each of the harder ways."""

    tables: list[str]
    kind_tables: list[str]
    functions: list[str]
    curves: list[str]
    seeds: int
    kind_seeds: int
    long: bool


FULL = Plan(NAMES, KIND_TABLES, list(FUNCTIONS), list(learning_curves.load()), 20, KIND_SEEDS, long=True)
QUICK = Plan(["hpobench/car", "hpobench/kc1"], ["hpobench/kc1"], list(FUNCTIONS)[:1], ["digits"], 2, 1, long=False)


def seeds_of(contestant: str, seeds: int) -> int:
    return min(seeds, FEWER_SEEDS.get(contestant, seeds))


def cold_tasks(plan: Plan) -> list[Task]:
    """Ordered so that an interrupted campaign has the tables first, and of them the cheaper contestants whole."""
    harder = [named(kind, table) for kind in HARDER for table in plan.kind_tables] + plan.functions
    cheap, slow = ([name for name in COLD if (name in FEWER_SEEDS) == fewer] for fewer in (False, True))
    tasks = _tasks(cheap, plan.tables, range(plan.seeds)) + _tasks(cheap, harder, range(plan.kind_seeds))
    for problems, seeds in ((plan.tables, plan.seeds), (harder, plan.kind_seeds)):
        for name in slow:
            tasks += _tasks([name], problems, range(seeds_of(name, seeds)))
    timed = [name for name in COLD if FEWER_SEEDS.get(name, LONG_SEEDS) >= LONG_SEEDS]
    return tasks + _tasks(timed, [LONG_PROBLEM] * plan.long, range(1))


def _tasks(contestants: list[str], problems: list[str], seeds: range) -> list[Task]:
    return [Task(name, problem, seed) for name in contestants for seed in seeds for problem in problems]


def hyperband_tasks(plan: Plan) -> list[Task]:
    return [
        Task(name, f"curves/{data}", seed)
        for name in HYPERBANDS
        for seed in range(seeds_of(name, plan.seeds))
        for data in plan.curves
    ]


def warm_tasks(plan: Plan) -> list[Task]:
    return _tasks(list(WARM), plan.tables, range(plan.seeds))


def parents(task: Task, seeds: int) -> list[Task]:
    """Searches of sibling tables with another seed; the choice of siblings depends on the seed."""
    others = siblings(task.problem)
    chosen = [others[(task.seed + step) % len(others)] for step in range(min(WARM[task.contestant], len(others)))]
    return [Task("Seedbed Bayesian", table, (task.seed + 1) % seeds) for table in chosen]


def left_out() -> list[str]:
    """The contestants that can't play here."""
    return missing() + ["SMAC3 Hyperband"] * (not SMAC_HYPERBAND.python.exists())


def run(record: Path, plan: Plan, processes: int) -> Results:
    """Runs the searches that neither the record nor KEPT has, and returns the results of all that were finished."""
    results = {**dict(read(KEPT)), **dict(read(record))}
    absent = left_out()
    tasks = [task for task in cold_tasks(plan) if task.contestant not in absent]
    slow = [task for task in tasks if task.contestant in FEWER_SEEDS]
    _complete(record, results, [(task, []) for task in tasks if task.contestant not in FEWER_SEEDS], processes)
    warm = []
    for task in warm_tasks(plan):
        found = [(parent.problem, results.get(parent, [])[:PARENT_TRIALS]) for parent in parents(task, plan.seeds)]
        warm.append((task, [(table, trials) for table, trials in found if trials]))
    _complete(record, results, warm, processes)
    fast = [task for task in hyperband_tasks(plan) if task.contestant not in absent]
    _complete(record, results, [(task, []) for task in [*fast, *slow]], processes)
    return results


def read(record: Path) -> Iterator[tuple[Task, list[Trial]]]:
    """The finished searches of a record."""
    if record.exists():
        content = record.read_bytes()
        text = gzip.decompress(content) if record.suffix == ".gz" else content
        for line in text.decode().splitlines():
            with contextlib.suppress(json.JSONDecodeError):  # the last line of an interrupted campaign
                task, trials = json.loads(line)
                yield Task(*task), [Trial(*trial) for trial in trials]


def keep(results: Results) -> None:
    """Writes the slow contestants' searches to KEPT."""
    kept = sorted(task for task in results if task.contestant in FEWER_SEEDS)
    text = "".join(json.dumps([task, results[task]]) + "\n" for task in kept)
    KEPT.write_bytes(gzip.compress(text.encode(), mtime=0))


SearchJob = tuple[Task, list[tuple[str, list[Trial]]]]


def _complete(record: Path, results: Results, jobs: list[SearchJob], processes: int) -> None:
    missing_ones = [job for job in jobs if job[0] not in results]
    log.info("%d searches to run, %d done before", len(missing_ones), len(jobs) - len(missing_ones))
    os.environ["OMP_NUM_THREADS"] = "1"
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes, _quiet) as pool, record.open("a") as lines:
        for done, (task, trials, trouble) in enumerate(pool.imap_unordered(_search, missing_ones), 1):
            if trouble:
                log.warning("%s on %s with seed %d: %s", *task, trouble)
            else:
                results[task] = trials
                lines.write(json.dumps([task, trials]) + "\n")
                lines.flush()
            if done % 100 == 0 or done == len(missing_ones):
                log.info("%d of %d after %.0f s", done, len(missing_ones), time.monotonic() - began)


def _quiet() -> None:
    warnings.simplefilter("ignore")


def _search(job: SearchJob) -> tuple[Task, list[Trial], str]:
    """The trials, or why a peer elsewhere didn't finish the search."""
    task, found = job
    try:
        if task.contestant in HYPERBANDS:
            return task, learning_curves.play(task.contestant, task.problem.partition("/")[2], task.seed), ""
        problem = Problem(task.problem, task.seed)
        if task.contestant in WARM:
            contestant: Contestant = Ours(problem, "Bayesian", found)
            return task, play(contestant, problem, WARM_TRIALS), ""
        return task, play(COLD[task.contestant](problem), problem, problem.kind.trials), ""
    except PeerLost as error:
        return task, [], str(error)
