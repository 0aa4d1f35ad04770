"""A Gaussian process over the trials of this job and related ones, and the expected improvement of new trials."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .spaces import Array, Space

Jobs = NDArray[np.int64]

# Of so many sampled hyperparameters of the process, the likeliest are averaged over.
SAMPLES = 32
AVERAGED = 8
# Those less likely than this share of the likeliest one are left out.
NEGLIGIBLE = 1e-6
# The prior of the noise variance: mean and deviation of its logarithm.
NOISE = (-4.0, 1.0)
# The variance of a job's mean score: scores of different jobs are hardly comparable.
OFFSET = 1.0
# Added to the diagonal, so that the covariance can be inverted.
JITTER = 1e-6


@dataclass(frozen=True)
class Observations:
    """Scored trials: features (n, columns), scores (n,), and the job of each (n,), 0 for this one."""

    features: Array
    scores: Array
    jobs: Jobs


@dataclass(frozen=True)
class GaussianProcess:
    """A Gaussian process with a Matérn-5/2 kernel, a length scale for each dimension, and correlated jobs.

    scales (columns,): the reciprocals of the length scales. noise: a variance. job_correlation: of any two jobs.
    """

    scales: Array
    noise: float
    job_correlation: float

    @classmethod
    def sample(cls, space: Space, rng: np.random.Generator) -> "GaussianProcess":
        """Random hyperparameters. Like distances, lengths grow with the square root of the number of dimensions."""
        lengths = math.sqrt(space.dimensions) * np.exp(rng.normal() + rng.normal(size=space.dimensions))
        return cls(1 / lengths[space.column_dimensions], math.exp(rng.normal(*NOISE)), rng.random())

    def kernel(self, left: Array, left_jobs: Jobs, right: Array, right_jobs: Jobs) -> Array:
        """The covariance (left, right) without noise."""
        r = np.sqrt(5 * squared_distances(left * self.scales, right * self.scales))
        covariance = r * r / 3
        covariance += 1 + r
        covariance *= np.exp(np.negative(r, out=r), out=r)
        same = left_jobs[:, None] == right_jobs
        if not same.all():
            covariance *= np.where(same, 1.0, self.job_correlation)
        covariance += OFFSET * same
        return covariance

    def covariance(self, features: Array, jobs: Jobs) -> Array:
        """The covariance (n, n) of noisy observations."""
        return self.kernel(features, jobs, features, jobs) + (self.noise + JITTER) * np.eye(len(features))

    def fit(self, observed: Observations) -> tuple[float, Array]:
        """The log marginal likelihood, up to a constant, and the weights (n,) of the posterior mean."""
        covariance = self.covariance(observed.features, observed.jobs)
        weights: Array = np.linalg.solve(covariance, observed.scores).astype(np.float64)
        return float(-0.5 * observed.scores @ weights - 0.5 * np.linalg.slogdet(covariance)[1]), weights


def expected_improvement(
    space: Space, observed: Observations, pending: Array, candidates: Array, rng: np.random.Generator
) -> Array:
    """The expected improvement (candidates,) for this job. Pending trials count as if they scored as predicted.

    pending, candidates: features. The incumbent is this job's best score or, without one, the best prediction.
    """
    processes = [GaussianProcess.sample(space, rng) for _ in range(SAMPLES)]
    fits = [process.fit(observed) for process in processes]
    likelihoods = np.array([likelihood for likelihood, _ in fits])
    own = observed.scores[observed.jobs == 0]
    total = np.zeros(len(candidates))
    for index in np.argsort(-likelihoods, kind="stable")[:AVERAGED]:
        share = math.exp(likelihoods[index] - likelihoods.max())
        if share < NEGLIGIBLE:
            break
        mean, deviation = _predicted(processes[index], fits[index][1], observed, pending, candidates)
        z = (mean - (own if len(own) else mean).max()) / deviation
        total += share * deviation * (z * _cumulative(z) + np.exp(-z * z / 2) / math.sqrt(2 * math.pi))
    return total


def _predicted(
    process: GaussianProcess, weights: Array, observed: Observations, pending: Array, candidates: Array
) -> tuple[Array, Array]:
    """Mean and standard deviation at the candidates. Pending trials reduce the deviation only."""
    busy = np.concatenate([observed.features, pending])
    jobs = np.concatenate([observed.jobs, np.zeros(len(pending), np.int64)])
    cross = process.kernel(candidates, np.zeros(len(candidates), np.int64), busy, jobs)
    explained = (cross @ np.linalg.inv(process.covariance(busy, jobs)) * cross).sum(1)
    return cross[:, : len(weights)] @ weights, np.sqrt(np.maximum(1 + OFFSET - explained, 1e-10))


def squared_distances(left: Array, right: Array) -> Array:
    """The squared distances (left, right) between rows."""
    distances = (left**2).sum(1)[:, None] + (right**2).sum(1)
    distances -= 2 * left @ right.T
    return np.asarray(np.maximum(distances, 0.0, out=distances))


_error_function = np.vectorize(math.erf, otypes=[float])


def _cumulative(z: Array) -> Array:
    """The standard normal distribution's cumulative distribution function."""
    return np.asarray(0.5 + 0.5 * _error_function(z / math.sqrt(2)))
