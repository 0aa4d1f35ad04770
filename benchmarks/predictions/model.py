"""The model that is measured: the first backbone at 224 pixels with a head fitted in closed form."""

import json
import logging
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainer.backbones import build_backbone
from trainer.decoding.images import read_image, resize
from trainer.evaluation.exports import onnx
from trainer.inference.engines import fastest_engine
from trainer.keras_loader import keras
from trainer.types import Floats, Labels, Pixels

SIZE, BACKBONE = 224, "efficientnet-lite0"
TEST_EVERY = 5
RIDGE, SHARPNESS = 1e-2, 12.0
BATCH = 32

log = logging.getLogger(__name__)


class Photographs(NamedTuple):
    """Squares (n, size, size, 3) with their labels' numbers (n,), and the files."""

    pixels: Pixels
    truth: Labels
    files: list[Path]


def make(images: Path, folder: Path, most: int) -> Photographs:
    """Write model.keras, model.onnx and model.json into the folder; the photographs that it was not fitted on."""
    labels = sorted(path.name for path in images.iterdir() if path.is_dir())
    files = sorted(images.glob("*/*"))
    files = files[:: max(1, len(files) // most)]
    log.info("Reading %d photographs", len(files))
    pixels = np.stack([resize(read_image(file), SIZE) for file in files])
    truth = np.array([labels.index(file.parent.name) for file in files], np.int32)
    test = np.arange(len(files)) % TEST_EVERY == 0
    backbone = build_backbone(BACKBONE, SIZE)
    engine = fastest_engine(backbone, log.info)
    features = np.concatenate([engine(pixels[start : start + BATCH]) for start in range(0, len(pixels), BATCH)])
    kernel, bias = fitted(features[~test], truth[~test], len(labels))
    head = keras.layers.Dense(len(labels), activation="softmax")
    network = keras.Model(backbone.input, head(backbone.output))
    head.set_weights([kernel, bias])
    network.save(folder / "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onnx.write(network, folder / "model.onnx", pixels[:1])
    (folder / "model.json").write_text(json.dumps({"labels": labels, "image_size": SIZE, "views": 8}))
    return Photographs(pixels[test], truth[test], [file for file, one in zip(files, test, strict=True) if one])


def fitted(features: Floats, truth: Labels, labels: int) -> tuple[Floats, Floats]:
    """Ridge regression on the labels as numbers, as the weights of a Dense layer."""
    mean, deviation = features.mean(axis=0), features.std(axis=0).mean()  # of each alone, small ones would be noise
    scaled = (features - mean) / deviation
    targets = np.eye(labels)[truth] - 1 / labels
    gram = scaled.T @ scaled + RIDGE * len(scaled) * np.eye(scaled.shape[1])
    weights = np.linalg.solve(gram, scaled.T @ targets) * SHARPNESS
    kernel = weights / deviation
    return np.asarray(kernel, np.float32), np.asarray(-(mean @ kernel), np.float32)
