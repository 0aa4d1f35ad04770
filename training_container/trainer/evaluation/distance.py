"""How far a photograph is from those that a model learnt from, by the features that it computes anyway.

Mahalanobis distance to the nearest label's mean, with a covariance that all labels share (Lee et al. 2018, arXiv
1807.03888), on the features' principal components. docs/confidence.md compares it with others.
"""

from dataclasses import dataclass

import numpy as np

from trainer.keras_loader import keras
from trainer.types import Doubles, Floats, Labels

COMPONENTS = 128
FEWEST = 50
"""Photographs below which no distance is fitted."""
SHRINKAGE = 0.1
"""Share of the covariance that is made equal in all directions, as few photographs say little of each."""
FOLDS = 5
FLOOR = 1e-2
"""Least variance of a feature, relative to a feature in 0 to 6: one that never varies must not decide alone."""


@dataclass(frozen=True)
class Distance:
    """Features (n, d) → distances (n,): of `(features - mean) @ projection` to the nearest of the centres."""

    mean: Doubles
    """(d,)"""
    projection: Doubles
    """(d, k): to coordinates in which photographs of a label vary by 1 in each direction."""
    centres: Doubles
    """(labels, k)"""

    def of(self, features: Floats) -> Doubles:
        """Distances (n,)."""
        projected = (features - self.mean) @ self.projection
        squares: Doubles = ((projected[:, None] - self.centres) ** 2).sum(axis=2).min(axis=1)
        return np.sqrt(squares)


def fit_distance(features: Floats, labels: Labels) -> Distance:
    """The distance by features (n, d) of photographs and their label numbers (n,)."""
    mean, scale = features.mean(axis=0, dtype=float), 1 / np.sqrt(features.var(axis=0, dtype=float) + FLOOR)
    axes = scale[:, None] * principal_axes((features - mean) * scale)
    projected = (features - mean) @ axes
    present = np.unique(labels)
    centres = np.stack([projected[labels == label].mean(axis=0) for label in present])
    within = projected - centres[np.searchsorted(present, labels)]
    covariance = within.T @ within / len(within)
    size = len(covariance)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.trace(covariance) / size * np.eye(size)
    whitened = np.linalg.cholesky(np.linalg.inv(covariance))
    return Distance(mean, axes @ whitened, centres @ whitened)


def principal_axes(standardised: Doubles) -> Doubles:
    """Up to 128 orthonormal axes (d, k) along which centred values (n, d) vary most."""
    values, vectors = np.linalg.eigh(standardised @ standardised.T)
    kept = np.argsort(-values)[: min(COMPONENTS, len(values) // 4)]
    axes: Doubles = standardised.T @ (vectors[:, kept] / np.sqrt(np.maximum(values[kept], np.finfo(float).tiny)))
    return axes


def held_out_distances(features: Floats, labels: Labels, photographs: int) -> Doubles:
    """Distances (n,) of rows that were not used for fitting them.

    The rows are versions of `photographs` photographs, in the same order in each version: a photograph is left out in
    all of them.
    """
    fold = np.tile(np.random.default_rng(0).permutation(photographs) % FOLDS, len(labels) // photographs)
    distances = np.empty(len(labels))
    for number in range(FOLDS):
        out = fold == number
        distances[out] = fit_distance(features[~out], labels[~out]).of(features[out])
    return distances


def distance_network(distance: Distance, limit: float) -> keras.Model:
    """Features (n, d) → distances (n, 1) in units of `limit`, by Keras's own layers."""
    layers, ops = keras.layers, keras.ops
    features = keras.Input((len(distance.mean),), name="features")
    project = layers.Dense(distance.projection.shape[1], name="projected")
    to_centres = layers.Dense(len(distance.centres), name="centres")
    projected = project(features)
    length = ops.sum(ops.square(projected), axis=1, keepdims=True)
    squares = layers.Add(name="squares")([length, to_centres(projected)])
    nearest = ops.sqrt(ops.maximum(ops.min(squares, axis=1, keepdims=True), 0.0))
    network = keras.Model(features, layers.Rescaling(1 / limit, name="distance")(nearest), name="distance")
    project.set_weights([distance.projection, -distance.mean @ distance.projection])
    to_centres.set_weights([-2 * distance.centres.T, (distance.centres**2).sum(axis=1)])
    return network
