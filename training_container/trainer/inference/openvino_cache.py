"""Networks exported to OpenVINO's format, cached in the user's cache folder under a digest of what they consist of."""

import hashlib
import os
import shutil
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np

from trainer.inference.openvino_engine import load_openvino
from trainer.keras_loader import keras


def cached_export(network: keras.Model) -> Path | None:
    """The cached .xml of a network with the same layers, weights and versions; None if there is none."""
    file = _place(network)
    return file if file and file.exists() else None


def export(network: keras.Model, scratch: Path, keep: bool) -> Path:
    """Writes an .xml, which it returns, and a .bin into the folder `scratch`; copies both to the cache if `keep`."""
    load_openvino()
    file = scratch / "network.xml"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras and TensorFlow use deprecated parts of NumPy
        network.export(str(file), format="openvino", verbose=False)
    place = _place(network) if keep else None
    if place:
        with suppress(OSError):  # the cache can't be written
            place.parent.mkdir(parents=True, exist_ok=True)
            for suffix in (".bin", ".xml"):  # a process that finds the .xml also finds its .bin
                copy = shutil.copy(file.with_suffix(suffix), place.with_suffix(f"{suffix}.{os.getpid()}"))
                Path(copy).replace(place.with_suffix(suffix))
    return file


def _place(network: keras.Model) -> Path | None:
    digest = hashlib.sha256(network.to_json().encode())
    digest.update(f"{keras.version()} {load_openvino().get_version()}".encode())
    for variable in network.variables:
        digest.update(np.ascontiguousarray(np.asarray(variable)).data)
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # a user without a home
        return None
    return cache / "seedbed" / f"{digest.hexdigest()[:32]}.xml"
