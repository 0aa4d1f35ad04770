"""Joins the best head and the backbone to one model, and scores it and the champion on the same untouched test images."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer import pack
from trainer.archive import FACTS, HEAD, WHOLE, Model, read_model, write_archive
from trainer.backbone import build_backbone
from trainer.errors import BadInput, UnreadableModel
from trainer.images import Pixels, resize
from trainer.metrics import UNKNOWN, Scores, score
from trainer.quiet import keras

BATCH = 32
ARCHIVE = "model.tar.gz"


def evaluate(test: Path, trial: Path, champion: Path, output: Path) -> None:
    """Reads the trial's archive and, where there is one, the champion's; writes `evaluation.json` and the whole model's archive."""
    output.mkdir(parents=True, exist_ok=True)
    split, labels = pack.read_test(test), pack.read_description(test).labels
    with tempfile.TemporaryDirectory() as scratch:
        whole = join(_read(trial, HEAD, Path(scratch, "trial")))
        if whole.labels != labels:
            raise BadInput("The best trial's labels differ from the test split's: they are of different runs.")
        _export(whole, output, Path(scratch, "whole"))
        scores = _score(whole, split, labels)
        evaluation = {
            **scores.summary(),
            **scores.details(),
            "champion": _champion(champion, Path(scratch, "champion"), split, labels),
        }
    (output / "evaluation.json").write_text(json.dumps(evaluation, ensure_ascii=False, indent=1), encoding="utf-8")


def join(head: Model) -> Model:
    """The backbone with the head on top: images 0–255 → probabilities, of stock Keras layers alone."""
    backbone = build_backbone(head.image_size)
    network = keras.Model(backbone.input, head.network(backbone.output), name="seedlings")
    return Model(network, head.facts)


def _read(archive: Path, network: str, scratch: Path) -> Model:
    scratch.mkdir()
    return read_model(archive, network, scratch)


def _export(model: Model, output: Path, scratch: Path) -> None:
    scratch.mkdir()
    model.network.save(scratch / WHOLE)
    (scratch / FACTS).write_text(json.dumps(model.facts, ensure_ascii=False, indent=1), encoding="utf-8")
    write_archive(output / ARCHIVE, (scratch / WHOLE, scratch / FACTS))


def _champion(archive: Path, scratch: Path, split: pack.TestSplit, labels: list[str]) -> dict[str, Any] | None:
    if not archive.exists():
        return None
    try:
        return _score(_read(archive, WHOLE, scratch), split, labels).summary()
    except UnreadableModel as error:
        return {"error": str(error)}


def _score(model: Model, split: pack.TestSplit, labels: list[str]) -> Scores:
    number = np.array([labels.index(label) if label in labels else UNKNOWN for label in model.labels])
    predicted = [
        number[
            model.network.predict_on_batch(_sized(split.images[start : start + BATCH], model.image_size)).argmax(axis=1)
        ]
        for start in range(0, len(split.images), BATCH)
    ]
    return score(labels, np.asarray(split.labels), np.concatenate(predicted))


def _sized(images: Pixels, image_size: int) -> npt.NDArray[np.uint8]:
    if images.shape[1] == image_size:
        return np.asarray(images)
    return np.stack([resize(Image.fromarray(image), image_size) for image in images])
