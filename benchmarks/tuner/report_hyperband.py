"""The page's section on Hyperband."""

import math

import numpy as np

from . import learning_curves
from .campaign import Plan, Results, Task
from .learning_curves import BASELINE, HYPERBANDS, JOBS, OURS, Regrets
from .markdown import met, table
from .record_curves import CONFIGURATIONS, EPOCHS, TUNED_ON
from .statistics import whole_seeds

EPOCHS_BAR = 1 / 3

INTRODUCTION = f"""## Hyperband
{CONFIGURATIONS} learning curves of {EPOCHS} epochs for each of six data sets of scikit-learn, recorded by
`benchmarks/tuner/record_curves.py` (the package above has none). Random runs {JOBS} jobs to their end; the others have
as many epochs. Regrets are means over the seeds, by the final losses; the share of the epochs is where the mean first
is as low as Random's final one with the same seeds. MinResource 1, MaxResource {EPOCHS}, one job at a time. Seedbed,
Optuna and Random get the configurations in the same order, and Optuna's HyperbandPruner reduces by 3, as by default.
SMAC3's MultiFidelityFacade chooses its own, and resumes jobs: epochs that a job ran before aren't counted again.
The bar, for Seedbed, is a share of ≤ 1/3. How many jobs continue at a rung was tuned on {", ".join(TUNED_ON)};
the others were added later.
"""


def hyperband(results: Results, plan: Plan) -> str:
    """The section: a row for each data set and contestant."""
    rivals = [name for name in HYPERBANDS if name != BASELINE]
    pairs = [(data, name, _means(results, plan, name, data)) for data in plan.curves for name in rivals]
    rows = [[data, name, *_race(name, *pair)] for data, name, pair in pairs if pair]
    heads = ["data set", "contestant", "seeds", "Random's final regret", "its own after 1/3", "after all"]
    return INTRODUCTION + table([*heads, "share of the epochs", "met"], rows)


def worst_share(results: Results, plan: Plan) -> tuple[float, str]:
    """Seedbed's largest share of the epochs, and of which data set."""
    pairs = [(data, _means(results, plan, OURS, data)) for data in plan.curves]
    return max(((_share(*pair[1:]), data) for data, pair in pairs if pair), default=(math.inf, "none"))


def _means(results: Results, plan: Plan, name: str, data: str) -> tuple[int, Regrets, Regrets] | None:
    """The seeds, and the mean regrets after each epoch of the contestant and of Random; None if there are no seeds."""
    problem = f"curves/{data}"
    seeds = min(whole_seeds(results, one, [problem], plan.seeds) for one in (name, BASELINE))
    if not seeds:
        return None
    curves = learning_curves.load()[data]
    own, random = (
        np.mean([learning_curves.progress(results[Task(one, problem, seed)], curves) for seed in range(seeds)], axis=0)
        for one in (name, BASELINE)
    )
    return seeds, own, random


def _share(own: Regrets, random: Regrets) -> float:
    reached = np.flatnonzero(own <= random[-1])
    return float((reached[0] + 1) / len(own)) if len(reached) else math.inf


def _race(name: str, seeds: int, own: Regrets, random: Regrets) -> list[str]:
    third = own[round(len(own) * EPOCHS_BAR) - 1]
    share = _share(own, random)
    judged = met(share <= EPOCHS_BAR) if name == OURS else ""
    return [str(seeds), f"{random[-1]:.3f}", f"{third:.3f}", f"{own[-1]:.3f}", text_of(share), judged]


def text_of(share: float) -> str:
    return f"{share:.2f}" if math.isfinite(share) else "never reached"
