"""Networks exported to OpenVINO's format, each once: kept in the user's cache folder under what they are made of."""

import hashlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer.openvino_engine import load_openvino
from trainer.quiet import keras


@contextmanager
def exported(network: keras.Model) -> Iterator[Path]:
    """The network's OpenVINO file; where nothing can be kept, a temporary one. Names beside it belong to it too."""
    name = f"{_digest(network)}.xml"
    try:
        folder = _cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / name).exists():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                file = _export(network, Path(scratch, name))
                for part in (file.with_suffix(".bin"), file):  # whoever sees the .xml has its .bin
                    part.replace(folder / part.name)
    except (OSError, RuntimeError):
        with tempfile.TemporaryDirectory() as scratch:
            yield _export(network, Path(scratch, name))
    else:
        yield folder / name
