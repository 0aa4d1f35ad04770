"""What makes a model's confidence mean what it says: a temperature, a distance and a threshold.

All three are fitted on validation photographs as they are and changed at random, as many of either.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.answering.verdicts import THRESHOLDS
from trainer.evaluation.calibration import apply_temperature, fit_temperature
from trainer.evaluation.distance import FEWEST, distance_network, fit_distance, held_out_distances
from trainer.evaluation.thresholds import enough, find_thresholds
from trainer.evaluation.validation_outputs import Outputs
from trainer.keras_loader import keras

FALSE_ALARM_RATE = 0.02
"""Share of the validation photographs, plain and changed, that the distance takes for unlike them."""


@dataclass(frozen=True)
class Certainty:
    """How a model's confidence is corrected, and when it is sure."""

    temperature: float
    facts: dict[str, Any]
    """The entry of model.json that holds the thresholds; empty if there were too few photographs to find them."""
    distance: keras.Model | None
    """Features → distances in units of the largest one that is not unlike; None if there are no thresholds."""


def fit_certainty(outputs: Outputs, error_rate: float) -> Certainty:
    """The certainty of a network by its outputs, which have a temperature of 1.

    Distances are fitted on some photographs and measured on others; with the threshold, the model is wrong at most at
    `error_rate`, 0 to 1, on those that it is sure of.
    """
    temperature = fit_temperature(outputs.probabilities, outputs.labels)
    if outputs.photographs < FEWEST or not enough(len(outputs.labels), error_rate):
        return Certainty(temperature, {}, None)
    distances = held_out_distances(outputs.features, outputs.labels, outputs.photographs)
    limit = float(np.quantile(distances, 1 - FALSE_ALARM_RATE))
    probabilities = apply_temperature(outputs.probabilities, temperature)
    alike = distances <= limit
    right = (probabilities.argmax(axis=1) == outputs.labels).astype(float)
    changed = np.repeat([0.0, 1.0], outputs.photographs)
    confidence = probabilities.max(axis=1).astype(float)
    found = find_thresholds(confidence[alike], right[alike], changed[alike], error_rate)
    thresholds = {
        "confidence": found.confidence,
        "error_rate": error_rate,
        "false_alarm_rate": FALSE_ALARM_RATE,
    }
    network = distance_network(fit_distance(outputs.features, outputs.labels), limit)
    return Certainty(temperature, {THRESHOLDS: thresholds}, network)
