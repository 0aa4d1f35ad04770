"""Model archives: a model.tar.gz with model.json and Keras files, or a folder with these files.

Archives come from outside, so nothing in them is trusted.
"""

import hashlib
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from trainer.errors import UnreadableModel
from trainer.keras_loader import keras
from trainer.views import MAX_VIEWS

FACTS = "model.json"
HEAD = "head.keras"
WHOLE = "model.keras"
DISTANCE = "distance.keras"
MEMBER = "member_"
MAX_BYTES = 1_000_000_000
MAX_IMAGE_SIZE = 1024


class Parts(NamedTuple):
    """A network in two parts: a frozen backbone, images → features, and what is upon its features."""

    backbone: keras.Model
    head: keras.Model


@dataclass(frozen=True)
class Model:
    """A Keras model and its model.json as `facts`; `labels` in the order of the outputs, `image_size` in pixels."""

    network: keras.Model
    """Gives probabilities, (n, labels)."""
    facts: dict[str, Any]
    labels: list[str]
    image_size: int
    distance: keras.Model | None = None
    """Gives how far an image is from those that the model learnt from, (n, 1), by the network's features."""
    parts: Parts | None = None
    """The network once more, if it is a head upon a frozen backbone whose features others may take too."""

    @property
    def views(self) -> int:
        """The number of views of an image that predictions are averaged over, 1 to 8."""
        return int(self.facts.get("views", 1))

    @cached_property
    def with_distance(self) -> keras.Model:
        """The network with the distance as a second output, (n, 1), if it is known."""
        if self.distance is None:
            return self.network
        probabilities, features = probabilities_and_features(self.network)
        return keras.Model(self.network.input, [probabilities, self.distance(features)])

    @cached_property
    def measuring(self) -> keras.Model:
        """The network with one output: the probabilities, (n, labels), and after them the distance if it is known."""
        if self.distance is None:
            return self.network
        outputs = keras.layers.Concatenate(name="measured")(self.with_distance.outputs)
        return keras.Model(self.network.input, outputs)

    @cached_property
    def measuring_parts(self) -> Parts | None:
        """`measuring` in two parts, if the network has such."""
        if self.parts is None or self.distance is None:
            return self.parts
        distance = self.distance
        return upon_features(self.parts, lambda given, features: [given, distance(features)])


def upon_features(parts: Parts, outputs: Callable[[Any, Any], Sequence[Any]]) -> Parts:
    """Parts whose head gives, side by side, `outputs` of what the head gives now and of the features."""
    features = keras.Input(parts.backbone.output_shape[1:], name="features")
    beside = keras.layers.Concatenate(name="outputs")(outputs(parts.head(features), features))
    return Parts(parts.backbone, keras.Model(features, beside))


def probabilities_and_features(network: keras.Model) -> tuple[Any, Any]:
    """The outputs (n, labels) and (n, d) of a combined network, whose members give logits and features.

    The network itself gives probabilities alone, so that anybody can use it; its members are computed once for both.
    """
    members = [layer for layer in network.layers if layer.name.startswith(MEMBER)]
    logits, features = zip(*(member(network.input) for member in members), strict=True)
    return mean_probabilities(logits), joined(features)


def mean_probabilities(logits: Sequence[Any]) -> Any:
    """The softmax of the mean of the members' logits, each (n, labels)."""
    mean = keras.layers.Average(name="mean_logits")(logits) if len(logits) > 1 else logits[0]
    return keras.layers.Softmax(name="probabilities")(mean)


def joined(features: Sequence[Any]) -> Any:
    """The features of all members, (n, d)."""
    return keras.layers.Concatenate(name="all_features")(features) if len(features) > 1 else features[0]


def read_model(archive: Path, network: str, scratch: Path) -> Model:
    """Reads the network with this file name, HEAD or WHOLE; UnreadableModel says what is wrong.

    An archive's files are extracted into the new folder `scratch`; if `archive` is itself a folder, none is made.
    With WHOLE, what measures distances is read too if the archive holds it. Keras's safe mode keeps code in these files
    from running.
    """
    return _read(archive, (network,), scratch)


def read_trial(archive: Path, scratch: Path) -> Model:
    """Reads the model of a trial of either kind, HEAD or fine-tuned WHOLE; otherwise as `read_model`."""
    return _read(archive, (HEAD, WHOLE), scratch)


def _read(archive: Path, networks: tuple[str, ...], scratch: Path) -> Model:
    if not archive.exists():
        raise UnreadableModel(f"There is no model at {archive}.")
    try:
        folder = archive if archive.is_dir() else _extracted(archive, networks, scratch)
        network = _network_in(folder, networks)
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        labels, image_size = [str(label) for label in facts["labels"]], int(facts["image_size"])
        distance = folder / DISTANCE if network.name == WHOLE and (folder / DISTANCE).is_file() else None
        model = Model(_loaded(network), facts, labels, image_size, distance and _loaded(distance))
        _check_shapes(model, images=network.name == WHOLE)
    except Exception as error:  # a damaged archive fails in any of tar, gzip, zip, JSON, HDF5 and Keras
        reason = str(error).strip().split("\n")[0][:200] or type(error).__name__
        raise UnreadableModel(f"The model {archive.name} can't be read: {reason}") from error
    return model


def write_archive(archive: Path, files: Iterable[Path]) -> None:
    """Writes a model.tar.gz with the files, all at the top level."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for file in files:
            tar.add(file, arcname=file.name)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_recorded(archive: Path, sha256: str | None) -> None:
    """Raises UnreadableModel if the archive's SHA-256 is not `sha256`; with None, any archive is accepted."""
    if sha256 and sha256_of(archive) != sha256:
        raise UnreadableModel(f"The model {archive.name} is not the file that was recorded, so it is not used.")


def _extracted(archive: Path, networks: tuple[str, ...], scratch: Path) -> Path:
    """The new folder `scratch`, with the facts and those of the networks that the archive holds."""
    scratch.mkdir()
    wanted, total = {FACTS, DISTANCE, *networks}, 0
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            total += member.size
            if total > MAX_BYTES:
                raise ValueError(f"it holds more than {MAX_BYTES:,} bytes")
            if member.name in wanted and member.isreg():
                tar.extract(member, scratch, filter="data")
                wanted.remove(member.name)
    return scratch


def _network_in(folder: Path, networks: tuple[str, ...]) -> Path:
    found = [folder / network for network in networks if (folder / network).is_file()]
    missing = ([] if found else [" or ".join(networks)]) + ([] if (folder / FACTS).is_file() else [FACTS])
    if missing:
        raise ValueError(f"it holds no {' and no '.join(missing)}")
    return found[0]


def _loaded(network: Path) -> keras.Model:
    with zipfile.ZipFile(network) as parts:
        if sum(part.file_size for part in parts.infolist()) > MAX_BYTES:
            raise ValueError(f"its {network.name} holds more than {MAX_BYTES:,} bytes")
    return keras.saving.load_model(network, compile=False)


def _check_shapes(model: Model, *, images: bool) -> None:
    side = model.image_size
    if not 1 <= side <= MAX_IMAGE_SIZE or model.network.output_shape != (None, len(model.labels)):
        raise ValueError("its model.json does not describe its network")
    if not 1 <= model.views <= MAX_VIEWS:
        raise ValueError(f"its model.json does not name 1 to {MAX_VIEWS} views")
    if images and model.network.input_shape != (None, side, side, 3):
        raise ValueError(f"it does not take images of {side}x{side} pixels")
    if model.measuring.output_shape not in ((None, len(model.labels)), (None, len(model.labels) + 1)):
        raise ValueError(f"its {DISTANCE} does not belong to its network")
