"""The Bayesian strategy as an Optuna sampler. docs/bench-tuner.md compares it with other libraries."""

import math
from collections.abc import Mapping, Sequence
from itertools import compress
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from .gaussian_process import Observations, expected_improvement, squared_distances
from .spaces import Array, Space

# The user attribute that holds the tuning job's name in trials of a related job.
PARENT = "parent"
INITIAL_TRIALS = 3
CANDIDATES = 500
PERTURBED = 5
# The cost grows with the cube of the number of trials. Of more than these, the best and some others are used.
OWN_LIMIT = 90
PARENTS_LIMIT = 60
# Every such trial ignores related jobs, so that none misleads for long.
WITHOUT_PARENTS_EVERY = 4
TINY, HUGE = 1e-12, 1e150


class BayesianSampler(BaseSampler):  # type: ignore[misc]
    """Maximizes expected improvement under a Gaussian process; the first trials spread over the ranges.

    Each job's objectives are normalized, so that outliers and different units don't matter. Trials with the user
    attribute `parent` belong to another job, and count as far as its objective resembles this one's. Failed trials and
    infinite objectives count as the worst so far. The seed and the study's trials determine every choice.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution], seed: int) -> None:
        self._distributions = {name: item for name, item in distributions.items() if not item.single()}
        self._rng = np.random.default_rng(seed)

    def infer_relative_search_space(
        self,
        study: Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """All ranges but those of a single value, which Optuna handles itself."""
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The next trial's choices."""
        if not search_space:
            return {}
        space = Space(search_space)
        others = [item for item in study.get_trials(deepcopy=False) if item.number != trial.number]
        placed = space.points([item.params for item in others])
        is_own = [PARENT not in item.user_attrs for item in others]
        own, tried = list(compress(others, is_own)), placed[np.array(is_own, bool)]
        used, at = (own, tried) if len(own) % WITHOUT_PARENTS_EVERY == WITHOUT_PARENTS_EVERY - 1 else (others, placed)
        sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
        points, observed = _observations(space, used, at, sign)
        if not observed.scores.size or (len(own) < INITIAL_TRIALS and len(own) == len(used)):
            return space.params(_spread_out(space, tried, self._rng))
        best = points[np.argsort(-observed.scores, kind="stable")[:PERTURBED]]
        perturbed = space.perturb(np.resize(best, (CANDIDATES, space.dimensions)), self._rng)
        candidates = _untried(np.concatenate([space.sample(CANDIDATES, self._rng), perturbed]), tried)
        running = tried[np.array([item.state == TrialState.RUNNING for item in own], bool)]
        gains = expected_improvement(space, observed, space.features(running), space.features(candidates), self._rng)
        return space.params(candidates[gains.argmax()])

    def sample_independent(
        self,
        study: Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        param_name: str,
        param_distribution: BaseDistribution,  # noqa: ARG002
    ) -> Any:
        """Never called: every range is in the relative search space."""
        raise KeyError(param_name)


def normalized(values: Array) -> Array:
    """Scores (n,) around 0 for values (n,) of which higher ones are better: the mean of two scales.

    The first is the normal distribution's quantiles at the ranks, which exaggerates small differences among the best.
    The second is the distance from the median in units of the upper quartile's, logarithmic below the median so that
    one very bad value doesn't flatten the others.
    """
    values = values.clip(-HUGE, HUGE)
    ranks = (values[:, None] > values).sum(1) + 0.5 * (values[:, None] == values).sum(1)
    quantiles = np.array([NormalDist().inv_cdf(rank / len(values)) for rank in ranks])
    middle, good = np.quantile(values, [0.5, 0.75])
    distances = (values - middle) / max(good - middle, TINY)
    distances = np.where(distances < 0, -np.log1p(np.maximum(-distances, 0)), distances)
    return np.asarray((quantiles + (distances - distances.mean()) / max(distances.std(), TINY)) / 2)


def subsample(scores: Array, limit: int) -> NDArray[np.int64]:
    """The indices of at most `limit` scores: half of them the best, the others spread evenly over the rest."""
    order = np.argsort(-scores, kind="stable")
    if len(scores) <= limit:
        return order
    half = limit // 2
    return np.concatenate([order[:half], order[np.linspace(half, len(scores) - 1, limit - half).astype(np.int64)]])


def _observations(
    space: Space, trials: Sequence[FrozenTrial], points: Array, sign: float
) -> tuple[Array, Observations]:
    """The points and observations of the ended trials. sign: 1 if high objectives are better, -1 if low ones."""
    jobs: dict[str, list[int]] = {"": []}
    for row, trial in enumerate(trials):
        if trial.state in (TrialState.COMPLETE, TrialState.FAIL):
            jobs.setdefault(trial.user_attrs.get(PARENT, ""), []).append(row)
    rows, scores, owners = [np.empty(0, np.int64)], [np.empty(0)], [np.empty(0, np.int64)]
    for number, (parent, members) in enumerate(jobs.items()):
        objectives = [trials[row].value for row in members]
        values = np.array([math.nan if value is None else sign * value for value in objectives])
        if np.isfinite(values).any():
            own_scale = normalized(np.where(np.isfinite(values), values, values[np.isfinite(values)].min()))
            chosen = subsample(own_scale, PARENTS_LIMIT // (len(jobs) - 1) if parent else OWN_LIMIT)
            rows.append(np.array(members)[chosen])
            scores.append(own_scale[chosen])
            owners.append(np.full(len(chosen), number))
    used = points[np.concatenate(rows)]
    return used, Observations(space.features(used), np.concatenate(scores), np.concatenate(owners))


def _spread_out(space: Space, tried: Array, rng: np.random.Generator) -> Array:
    """The middle of the ranges first, then the one of some random points that is farthest from those tried."""
    if not len(tried):
        return space.center(rng)
    sampled = space.sample(CANDIDATES, rng)
    apart = squared_distances(space.features(sampled), space.features(tried)).min(1)
    return np.asarray(sampled[apart.argmax()])


def _untried(candidates: Array, tried: Array) -> Array:
    """The candidates that were not tried yet; all of them if there is none."""
    observed = set(map(tuple, tried.round(9).tolist()))
    free = np.array([tuple(point) not in observed for point in candidates.round(9).tolist()])
    return candidates[free] if free.any() else candidates
