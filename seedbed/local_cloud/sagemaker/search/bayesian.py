"""The Bayesian strategy as a sampler of Optuna's. docs/bench-tuner.md measures it against other libraries'."""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from .gaussian_process import Evidence, expected_improvement, squared_distances
from .spaces import Array, Space

# The user attribute of a trial of a related tuning job: that job's name.
PARENT = "parent"
STARTS = 3
CANDIDATES = 500
VARIED = 5
# The surrogate's cost grows with the cube of the trials it sees. Of more than these it sees the best and some others.
OWN_LIMIT = 90
PARENTS_LIMIT = 60
# Each such trial goes by the own ones alone, lest a related job mislead for long.
ALONE = 4
TINY, HUGE = 1e-12, 1e150


class BayesianSampler(BaseSampler):  # type: ignore[misc]
    """Expected improvement under a Gaussian process; the first trials cover the ranges.

    Objectives enter on a scale of their own job's: outliers and another job's units don't mislead. Trials with the user
    attribute `parent` are another job's, and count as far as its function turns out to resemble this one's. Failed
    trials, and infinite objectives, count as the worst there was. The seed and the study's trials decide the draw.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution], seed: int) -> None:
        self._distributions = {name: item for name, item in distributions.items() if not item.single()}
        self._rng = np.random.default_rng(seed)

    def infer_relative_search_space(
        self,
        study: Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """All but the ranges of one value, for which Optuna asks nobody."""
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The next trial's choices."""
        if not search_space:
            return {}
        space = Space(search_space)
        others = [item for item in study.get_trials(deepcopy=False) if item.number != trial.number]
        own = [item for item in others if PARENT not in item.user_attrs]
        taken = space.places([item.params for item in own])
        heeded = own if len(own) % ALONE == ALONE - 1 else others
        places, known = _known(space, heeded, 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0)
        if not known.scores.size or (len(own) < STARTS and len(own) == len(heeded)):
            return space.params(_covering(space, taken, self._rng))
        best = places[np.argsort(-known.scores, kind="stable")[:VARIED]]
        varied = space.varied(np.resize(best, (CANDIDATES, space.dimensions)), self._rng)
        candidates = _not_taken(np.concatenate([space.drawn(CANDIDATES, self._rng), varied]), taken)
        running = space.places([item.params for item in own if item.state == TrialState.RUNNING])
        gains = expected_improvement(space, known, space.features(running), space.features(candidates), self._rng)
        return space.params(candidates[gains.argmax()])

    def sample_independent(
        self,
        study: Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        param_name: str,
        param_distribution: BaseDistribution,  # noqa: ARG002
    ) -> Any:
        """Never asked: every range is in the relative search space."""
        raise KeyError(param_name)


def scored(values: Array) -> Array:
    """Values (higher is better) on a scale of their own, about 0: the mean of two, as each has a weakness.

    The normal distribution's quantiles at the ranks blow up small differences among the best. The distances from the
    median, in units of the better values', would let a very bad one drown the rest, but for a logarithm below it.
    """
    values = values.clip(-HUGE, HUGE)
    ranks = (values[:, None] > values).sum(1) + 0.5 * (values[:, None] == values).sum(1)
    quantiles = np.array([NormalDist().inv_cdf(rank / len(values)) for rank in ranks])
    middle, good = np.quantile(values, [0.5, 0.75])
    distances = (values - middle) / max(good - middle, TINY)
    distances = np.where(distances < 0, -np.log1p(np.maximum(-distances, 0)), distances)
    return np.asarray((quantiles + (distances - distances.mean()) / max(distances.std(), TINY)) / 2)


def thinned(scores: Array, limit: int) -> NDArray[np.int64]:
    """Indices of at most `limit`: one half are the best, the other is spread evenly over the rest."""
    order = np.argsort(-scores, kind="stable")
    if len(scores) <= limit:
        return order
    half = limit // 2
    return np.concatenate([order[:half], order[np.linspace(half, len(scores) - 1, limit - half).astype(np.int64)]])


def _known(space: Space, trials: Sequence[FrozenTrial], sign: float) -> tuple[Array, Evidence]:
    """The places and evidence of the trials that have ended. sign: 1 where high values are good, -1 where low ones."""
    jobs: dict[str, list[FrozenTrial]] = {"": []}
    for trial in trials:
        if trial.state in (TrialState.COMPLETE, TrialState.FAIL):
            jobs.setdefault(trial.user_attrs.get(PARENT, ""), []).append(trial)
    places, scores, owners = [space.places([])], [np.empty(0)], [np.empty(0, np.int64)]
    for number, (parent, members) in enumerate(jobs.items()):
        values = np.array([math.nan if item.value is None else sign * item.value for item in members])
        if np.isfinite(values).any():
            own_scale = scored(np.where(np.isfinite(values), values, values[np.isfinite(values)].min()))
            chosen = thinned(own_scale, PARENTS_LIMIT // (len(jobs) - 1) if parent else OWN_LIMIT)
            places.append(space.places([members[index].params for index in chosen]))
            scores.append(own_scale[chosen])
            owners.append(np.full(len(chosen), number))
    everywhere = np.concatenate(places)
    return everywhere, Evidence(space.features(everywhere), np.concatenate(scores), np.concatenate(owners))


def _covering(space: Space, taken: Array, rng: np.random.Generator) -> Array:
    """The middle of the ranges, then the one of some random places that is farthest from all taken."""
    if not len(taken):
        return space.middle(rng)
    drawn = space.drawn(CANDIDATES, rng)
    apart = squared_distances(space.features(drawn), space.features(taken)).min(1)
    return np.asarray(drawn[apart.argmax()])


def _not_taken(candidates: Array, taken: Array) -> Array:
    """All of them where all are taken."""
    known = {tuple(place) for place in taken.round(9)}
    free = np.array([tuple(place) not in known for place in candidates.round(9)])
    return candidates[free] if free.any() else candidates
