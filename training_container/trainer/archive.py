"""Model archives: model.tar.gz with model.json and a Keras file. They come from outside, so nothing in them is believed."""

import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import UnreadableModel
from trainer.quiet import keras

FACTS = "model.json"
HEAD = "head.keras"
WHOLE = "model.keras"
MAX_MEMBER_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Model:
    """A Keras model and the facts saved with it."""

    network: keras.Model
    facts: dict[str, Any]

    @property
    def labels(self) -> list[str]:
        """In the order of the network's outputs."""
        return list(self.facts["labels"])

    @property
    def image_size(self) -> int:
        """Side of the square images which the model sees, in pixels."""
        return int(self.facts["image_size"])


def read_model(archive: Path, network: str, scratch: Path) -> Model:
    """The network by its file name (HEAD or WHOLE) and its facts; UnreadableModel says what is wrong.

    `scratch` is an empty folder for the files; Keras's safe mode keeps code in them from running.
    """
    try:
        _extract(archive, (FACTS, network), scratch)
        facts = json.loads((scratch / FACTS).read_text(encoding="utf-8"))
        model = Model(keras.saving.load_model(scratch / network, compile=False, safe_mode=True), facts)
        _check(model)
    except UnreadableModel:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged archive fails in any of tar, gzip, zip, JSON, HDF5 and Keras
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise UnreadableModel(f"The model {archive.name} can't be read: {reason}") from error
    return model


def write_archive(archive: Path, files: Iterable[Path]) -> None:
    """A model.tar.gz of the files, all at its top."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for file in files:
            tar.add(file, arcname=file.name)


def _extract(archive: Path, names: Iterable[str], folder: Path) -> None:
    with tarfile.open(archive, "r:gz") as tar:
        for name in names:
            member = tar.getmember(name)
            if not member.isreg() or member.size > MAX_MEMBER_BYTES:
                raise UnreadableModel(
                    f"The model {archive.name} can't be read: its {name} is no file of a usable size."
                )
            tar.extract(member, folder, filter="data")


def _check(model: Model) -> None:
    labels, outputs = model.labels, model.network.output_shape[-1]
    if not all(isinstance(label, str) for label in labels) or len(labels) != outputs or model.image_size < 1:
        raise UnreadableModel("The model can't be used: its model.json does not describe its network.")
