"""Joins the best head and the backbone to one model; scores it and the champion on the same untouched test images."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from trainer import pack
from trainer.archive import FACTS, HEAD, WHOLE, Model, read_model, write_archive
from trainer.backbone import build_backbone
from trainer.errors import BadInput, UnreadableModel
from trainer.metrics import UNKNOWN, Scores, score
from trainer.photos import Photos
from trainer.quiet import keras

BATCH = 32
ARCHIVE = "model.tar.gz"


def evaluate(test: Path, trial: Path, champion: Path, output: Path) -> None:
    """From the test pack, the best trial's archive and, where there is one, the champion's: scores and the whole model.

    Writes `evaluation.json` and `model.tar.gz` into `output`. Only the trial must be readable.
    """
    output.mkdir(parents=True, exist_ok=True)
    split, labels = pack.read_photos(test), pack.read_description(test).labels
    with tempfile.TemporaryDirectory() as scratch:
        whole = join(read_model(trial, HEAD, Path(scratch, "trial")))
        if whole.labels != labels:
            raise BadInput("The best trial's labels differ from the test split's: the two are of different runs.")
        _export(whole, output / ARCHIVE)
        scores = _score(whole, split, labels)
        rival = _score_champion(champion, Path(scratch, "champion"), split, labels)
    evaluation = {**scores.summary(), **scores.details(), "champion": rival}
    text = json.dumps(evaluation, ensure_ascii=False, indent=1)
    (output / "evaluation.json").write_text(text, encoding="utf-8")


def join(head: Model) -> Model:
    """The backbone with the head on top: images 0 to 255 → probabilities, of stock Keras layers alone."""
    backbone = build_backbone(head.image_size)
    if head.network.input_shape != backbone.output_shape:
        raise UnreadableModel("The best trial's model takes other features than the backbone gives.")
    network = keras.Model(backbone.input, head.network(backbone.output), name="images_to_probabilities")
    return Model(network, head.facts, head.labels, head.image_size)


def _export(model: Model, archive: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        network, facts = Path(folder, WHOLE), Path(folder, FACTS)
        model.network.save(network)
        facts.write_text(json.dumps(model.facts, ensure_ascii=False, indent=1), encoding="utf-8")
        write_archive(archive, (network, facts))


def _score_champion(archive: Path, scratch: Path, split: Photos, labels: list[str]) -> dict[str, Any] | None:
    if not archive.exists():
        return None
    try:
        return _score(read_model(archive, WHOLE, scratch), split, labels).summary()
    except UnreadableModel as error:
        return {"error": str(error)}


def _score(model: Model, split: Photos, labels: list[str]) -> Scores:
    number_of_output = np.array([labels.index(label) if label in labels else UNKNOWN for label in model.labels])
    images = len(split.names)
    outputs = [
        model.network.predict_on_batch(split.load(rows, model.image_size)).argmax(axis=1)
        for rows in (range(start, min(start + BATCH, images)) for start in range(0, images, BATCH))
    ]
    return score(labels, split.labels, number_of_output[np.concatenate(outputs)])
