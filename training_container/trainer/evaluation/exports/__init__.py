"""Exports the model in formats of other runtimes, runs each in its own runtime, and compares it with Keras."""

import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from trainer.archive import Model, sha256_of
from trainer.errors import TrainerError
from trainer.evaluation.exports import litert, onnx, saved_model
from trainer.keras_loader import keras, native_messages_held_back
from trainer.types import Floats, Pixels

BATCH = 32


class Format(NamedTuple):
    """How a format is written and run."""

    name: str
    """Name of the file or folder."""
    write: Callable[[keras.Model, Path, Pixels], None]
    run: Callable[[Path, Pixels], Floats]
    """Images (n, size, size, 3), RGB 0 to 255 → probabilities (n, labels)."""
    backends: tuple[str, ...] = ("tensorflow",)
    with_distance: bool = False
    """Whether its second output is the distance, if the model has one."""


FORMATS: Mapping[str, Format] = {
    "saved_model": Format("saved_model", saved_model.write, saved_model.run, ("tensorflow", "jax")),
    "litert": Format("model.tflite", litert.write, litert.run),
    "litert_int8": Format("model_int8.tflite", litert.write_int8, litert.run),
    "onnx": Format("model.onnx", onnx.write, onnx.run, with_distance=True),
}


def export(model: Model, sample: Pixels, folder: Path, formats: Sequence[str]) -> list[dict[str, Any]]:
    """Writes a whole model into `folder` in each format, and returns the entries of evaluation.json's `exports`.

    The photographs of `sample` calibrate int8, and every format is run on them. `largest_difference` is the largest of
    any probability from Keras's, and `agreement` the share of photographs with the same predicted label. `files` has
    the SHA-256 of each file. A format that fails gives an entry with the `error`.
    """
    if not formats:
        return []
    folder.mkdir(parents=True)
    batches = np.array_split(sample, -(-len(sample) // BATCH))
    expected = np.concatenate([np.asarray(model.network.predict_on_batch(batch)) for batch in batches])
    return [_export_one(name, model, sample, expected, folder) for name in formats]


def _export_one(name: str, model: Model, sample: Pixels, expected: Floats, folder: Path) -> dict[str, Any]:
    try:
        format_ = _usable(name)
        path = folder / format_.name
        network = model.with_distance if format_.with_distance else model.network
        answers = _write_and_run(format_, network, sample, path)
        agreement = (answers.argmax(axis=1) == expected.argmax(axis=1)).mean()
        files = sorted(file for file in (path, *path.rglob("*")) if file.is_file())
        return {
            "format": name,
            "file": f"{folder.name}/{format_.name}",
            "bytes": sum(file.stat().st_size for file in files),
            "files": {file.relative_to(folder.parent).as_posix(): sha256_of(file) for file in files},
            "largest_difference": float(np.abs(answers - expected).max()),
            "agreement": round(float(agreement), 4),
        }
    except TrainerError as error:
        return {"format": name, "error": str(error)}


def _usable(name: str) -> Format:
    if name not in FORMATS:
        raise TrainerError(f"The format is unknown: choose from {', '.join(FORMATS)}.")
    backends = FORMATS[name].backends
    if keras.backend.backend() not in backends:
        raise TrainerError(f"This format needs another Keras backend: set KERAS_BACKEND={backends[0]}.")
    return FORMATS[name]


def _write_and_run(format_: Format, network: keras.Model, sample: Pixels, path: Path) -> Floats:
    """Exports the network, and returns the export's probabilities (n, labels); TrainerError says why it failed."""
    try:
        with native_messages_held_back(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            format_.write(network, path, sample)
            answers = format_.run(path, sample)
        if not np.isfinite(answers).all():
            raise ValueError("its outputs are not numbers")
    except Exception as error:  # converters and runtimes raise anything
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        reason = str(error).strip().split("\n")[0][:200].rstrip(" .") or type(error).__name__
        raise TrainerError(f"It could not be made: {reason}.") from error
    return answers
