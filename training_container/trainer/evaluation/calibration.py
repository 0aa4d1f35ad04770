"""Calibration: whether a model is right as often as its confidence claims, and the temperature that corrects it.

Temperature scaling and the expected calibration error: Guo et al. 2017 (arXiv 1706.04599).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]
from scipy.special import log_softmax  # type: ignore[import-untyped]

from trainer.answering.averages import SMALLEST, softmax
from trainer.types import Doubles, Floats, Integers, Labels

BINS = 15
LOWEST, HIGHEST = 0.05, 20.0


@dataclass(frozen=True)
class Reliability:
    """Photographs by the model's confidence, in 15 equal bins from 0 to 1: (15,) each."""

    images: Integers
    confidence: Doubles
    """Mean probability of the predicted label; NaN for bins without images."""
    accuracy: Doubles
    """Share of correct predictions; NaN for bins without images."""

    @property
    def error(self) -> float:
        """Expected calibration error: the mean gap of confidence and accuracy over the images, from 0 to 1."""
        gaps = np.abs(self.confidence - self.accuracy)
        return float(np.nansum(gaps * self.images) / self.images.sum())


def reliability(probabilities: Floats, truth: Labels) -> Reliability:
    """The reliability of probabilities (n, labels), n > 0, for the true label numbers (n,)."""
    confidence, right = probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1) == truth
    bin_of_image = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    images = np.bincount(bin_of_image, minlength=BINS)
    counted = np.where(images, images, np.nan)
    means = [np.bincount(bin_of_image, values, minlength=BINS) / counted for values in (confidence, right)]
    return Reliability(images, means[0], means[1])


def reliabilities(probabilities: Floats, truth: Labels, temperature: float) -> tuple[Reliability, Reliability]:
    """Those before and after the temperature, of probabilities (n, labels) that it was applied to."""
    return reliability(apply_temperature(probabilities, 1 / temperature), truth), reliability(probabilities, truth)


def log_loss(probabilities: Floats, truth: Labels) -> float:
    """Mean cross-entropy in nats of probabilities (n, labels) and the true label numbers (n,)."""
    of_truth = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(of_truth, SMALLEST)).mean())


def fit_temperature(probabilities: Floats, truth: Labels) -> float:
    """The temperature that minimises the log-loss of probabilities (n, labels); above 1 if they are overconfident.

    A share of 1 / (n + 2) of each target is spread over the labels, as in Platt 1999: without it, a model without
    mistakes on a few images would become certain of everything.
    """
    logits = np.log(np.maximum(probabilities, SMALLEST)).astype(np.float64)
    spread = 1 / (len(truth) + 2)

    def loss(log_temperature: float) -> float:
        logs = log_softmax(logits / np.exp(log_temperature), axis=1)
        of_truth = logs[np.arange(len(truth)), truth]
        return float(-((1 - spread) * of_truth + spread * logs.mean(axis=1)).mean())

    bounds = (np.log(LOWEST), np.log(HIGHEST))
    return round(float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x)), 4)


def apply_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities (n, labels) after dividing their logits by the temperature."""
    logits: Floats = np.log(np.maximum(probabilities, SMALLEST), dtype=np.float32)
    return softmax(logits / np.float32(temperature))
