"""A whole model with a single layer: its predictions depend on positions, so that views differ."""

import json
from pathlib import Path

import numpy as np

from trainer.archive import FACTS, WHOLE
from trainer.keras_loader import keras

LABELS = ["Sugar beet", "Größe 100% #1+", "Maize"]
SIZE = 16


def write_small_model(folder: Path, views: int = 8, **more_facts: object) -> Path:
    """Writes the network and its facts into the folder, and returns it."""
    layers = [keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    network = keras.Sequential(layers)
    weights = np.random.default_rng(1).normal(scale=3e-4, size=(SIZE * SIZE * 3, 3))
    network.set_weights([weights, np.zeros(3)])
    folder.mkdir(parents=True)
    network.save(folder / WHOLE)
    facts = {"labels": LABELS, "image_size": SIZE, "views": views, **more_facts}
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")
    return folder
