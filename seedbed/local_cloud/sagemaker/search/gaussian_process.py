"""A Gaussian process over the trials so far and those of related jobs, and what it expects of new ones."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .spaces import Array, Space

Jobs = NDArray[np.int64]

# So many hyperparameters of the process are drawn, and the likeliest are averaged over.
DRAWN = 32
KEPT = 8
# The prior of the noise's variance: mean and deviation of its logarithm.
NOISE = (-4.0, 1.0)
# The variance of what a job's scores have in common: it says little how good a job's places are beside another's.
OFFSET = 1.0
# Added to the diagonal, for inversion's sake.
JITTER = 1e-6


@dataclass(frozen=True)
class Evidence:
    """What is known: features (n, columns), their scores (n,), and the job of each (n,), 0 being the own."""

    features: Array
    scores: Array
    jobs: Jobs


@dataclass(frozen=True)
class Process:
    """One draw of the hyperparameters: Matérn-5/2, each dimension with its own length; jobs are correlated functions.

    scales (columns,): the reciprocals of the lengths. noise: a variance. kinship: the correlation of any two jobs.
    """

    scales: Array
    noise: float
    kinship: float

    @classmethod
    def drawn(cls, space: Space, rng: np.random.Generator) -> "Process":
        """Lengths grow with the root of the number of dimensions, as distances do; they have a factor in common."""
        lengths = math.sqrt(space.dimensions) * np.exp(rng.normal() + rng.normal(size=space.dimensions))
        return cls(1 / lengths[space.owners], math.exp(rng.normal(*NOISE)), rng.random())

    def kernel(self, left: Array, left_jobs: Jobs, right: Array, right_jobs: Jobs) -> Array:
        """The covariance (left, right), without noise."""
        r = np.sqrt(5 * squared_distances(left * self.scales, right * self.scales))
        same = left_jobs[:, None] == right_jobs
        return np.asarray((1 + r + r * r / 3) * np.exp(-r) * np.where(same, 1.0, self.kinship) + OFFSET * same)

    def covariance(self, features: Array, jobs: Jobs) -> Array:
        """That of noisy observations."""
        return self.kernel(features, jobs, features, jobs) + (self.noise + JITTER) * np.eye(len(features))

    def fit(self, known: Evidence) -> tuple[float, Array]:
        """The logarithm of the marginal likelihood, up to a constant, and the weights (n,) of the posterior mean."""
        covariance = self.covariance(known.features, known.jobs)
        weights: Array = np.linalg.solve(covariance, known.scores).astype(np.float64)
        return float(-0.5 * known.scores @ weights - 0.5 * np.linalg.slogdet(covariance)[1]), weights


def expected_improvement(
    space: Space, known: Evidence, pending: Array, candidates: Array, rng: np.random.Generator
) -> Array:
    """(candidates,) for the own job. Pending ones count as if they came out as predicted.

    known, pending and candidates hold features. The incumbent is the best own score; without any, the best prediction.
    """
    processes = [Process.drawn(space, rng) for _ in range(DRAWN)]
    fits = [process.fit(known) for process in processes]
    likelihoods = np.array([likelihood for likelihood, _ in fits])
    own = known.scores[known.jobs == 0]
    total = np.zeros(len(candidates))
    for index in np.argsort(-likelihoods, kind="stable")[:KEPT]:
        mean, deviation = _predicted(processes[index], fits[index][1], known, pending, candidates)
        z = (mean - (own if len(own) else mean).max()) / deviation
        share = math.exp(likelihoods[index] - likelihoods.max())
        total += share * deviation * (z * _cumulative(z) + np.exp(-z * z / 2) / math.sqrt(2 * math.pi))
    return total


def _predicted(
    process: Process, weights: Array, known: Evidence, pending: Array, candidates: Array
) -> tuple[Array, Array]:
    """Mean and deviation. Pending places take away deviation, and leave the mean as it is."""
    busy = np.concatenate([known.features, pending])
    jobs = np.concatenate([known.jobs, np.zeros(len(pending), np.int64)])
    cross = process.kernel(candidates, np.zeros(len(candidates), np.int64), busy, jobs)
    explained = (cross @ np.linalg.inv(process.covariance(busy, jobs)) * cross).sum(1)
    return cross[:, : len(weights)] @ weights, np.sqrt(np.maximum(1 + OFFSET - explained, 1e-10))


def squared_distances(left: Array, right: Array) -> Array:
    """(left, right) of rows."""
    return np.asarray(np.maximum((left**2).sum(1)[:, None] + (right**2).sum(1) - 2 * left @ right.T, 0.0))


_error_function = np.vectorize(math.erf, otypes=[float])


def _cumulative(z: Array) -> Array:
    """The standard normal distribution's."""
    return np.asarray(0.5 + 0.5 * _error_function(z / math.sqrt(2)))
