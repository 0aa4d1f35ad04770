"""Records the learning curves that Hyperband is measured on: small networks on scikit-learn's own data sets.

python -m benchmarks.tuner.record_curves
"""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

RECORD = Path(__file__).with_name("curves.npz")
CONFIGURATIONS = 243
EPOCHS = 27
WORST = 10.0
DATASETS: dict[str, Callable[[], Any]] = {
    "digits": lambda: load_digits(return_X_y=True),
    "breast_cancer": lambda: load_breast_cancer(return_X_y=True),
    "synthetic": lambda: make_classification(1200, 30, n_informative=10, n_classes=4, flip_y=0.05, random_state=0),
    "wine": lambda: load_wine(return_X_y=True),
    "two classes": lambda: make_classification(1500, 20, n_informative=8, n_classes=2, flip_y=0.1, random_state=1),
    "ten classes": lambda: make_classification(1500, 40, n_informative=15, n_classes=10, flip_y=0.0, random_state=2),
}
# Hyperband's reduction factor and brackets were tuned on these three; the others were added later.
TUNED_ON = ("digits", "breast_cancer", "synthetic")

log = logging.getLogger(__name__)


def network(rng: np.random.Generator) -> MLPClassifier:
    """A network with hyperparameters drawn at random, on logarithmic scales except for momentum."""
    return MLPClassifier(
        hidden_layer_sizes=(int(2 ** rng.uniform(2, 7)),),
        solver="sgd",
        learning_rate_init=10 ** rng.uniform(-4, 0.5),
        alpha=10 ** rng.uniform(-7, 0),
        batch_size=int(2 ** rng.uniform(4, 8)),
        momentum=rng.uniform(0, 0.98),
        random_state=int(rng.integers(2**31)),
    )


def curve(model: MLPClassifier, data: list[NDArray[np.float64]]) -> list[float]:
    """The validation loss after each epoch; WORST once the training has diverged."""
    train, validation, labels, wanted = data
    classes = np.unique(labels)
    losses = []
    for _ in range(EPOCHS):
        try:
            model.partial_fit(train, labels, classes=classes)
            losses.append(min(WORST, log_loss(wanted, model.predict_proba(validation), labels=classes)))
        except ValueError:
            break
    return losses + [WORST] * (EPOCHS - len(losses))


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", RuntimeWarning)
    warnings.filterwarnings("ignore", "Got `batch_size` less than 1 or larger")
    record = {}
    for name, read in DATASETS.items():
        features, labels = read()
        data = train_test_split(StandardScaler().fit_transform(features), labels, random_state=0)
        rng = np.random.default_rng(0)
        record[name] = np.array([curve(network(rng), data) for _ in range(CONFIGURATIONS)], np.float32)
        log.info("%s: best loss %.4f", name, record[name][:, -1].min())
    np.savez_compressed(RECORD, allow_pickle=False, **record)


if __name__ == "__main__":
    main()
