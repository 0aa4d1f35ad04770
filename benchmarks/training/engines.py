"""Features of the first backbone by one engine: python -m benchmarks.training.engines FOLDER ENGINE

Keras, which it is compared with, runs first in the same process, so each engine gets its own process.
"""

import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from trainer.backbones import build_backbone
from trainer.decoding.images import read_image, resize
from trainer.evaluation.exports import onnx
from trainer.inference.engines import fastest_engine
from trainer.keras_loader import keras
from trainer.preparation.write_part import BATCH
from trainer.types import Engine, Pixels

from .template import backbone, default

IMAGES = 320


def openvino(network: keras.Model, _: Pixels) -> Engine:
    """The engine that prepare uses."""

    def refuse(sentence: str) -> None:
        raise SystemExit(sentence)

    return fastest_engine(network, refuse)


def onnxruntime(network: keras.Model, sample: Pixels) -> Engine:
    import onnxruntime  # noqa: PLC0415  its threads would slow the other engines

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onnx.write(network, Path(folder, "network.onnx"), sample)
        session = onnxruntime.InferenceSession(Path(folder, "network.onnx"), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: np.asarray(session.run(None, {name: images.astype(np.float32)})[0])


def keras_itself(network: keras.Model, _: Pixels) -> Engine:
    predict: Engine = network.predict_on_batch
    return predict


ENGINES: dict[str, Callable[[keras.Model, Pixels], Engine]] = {
    "openvino": openvino,
    "onnxruntime": onnxruntime,
    "keras": keras_itself,
}


def measured(name: str, images: Pixels) -> dict[str, Any]:
    """Images per second of the median batch, and the largest difference from Keras relative to the largest feature."""
    network = build_backbone(backbone(), images.shape[1])
    first = images[:BATCH]
    expected = network.predict_on_batch(first)
    engine = ENGINES[name](network, first)
    difference = np.abs(engine(first) - expected).max() / np.abs(expected).max()
    rates = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        began = time.perf_counter()
        engine(batch)
        rates.append(len(batch) / (time.perf_counter() - began))
    return {"name": name, "images_per_second": statistics.median(rates), "difference": float(difference)}


def main(folder: str, name: str) -> None:
    files = sorted(Path(folder).glob("*/*"))
    step = max(1, len(files) // IMAGES)
    size = int(default("ImageSize"))
    images = np.stack([resize(read_image(file), size) for file in files[::step][:IMAGES]])
    sys.stdout.write(json.dumps(measured(name, images)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
