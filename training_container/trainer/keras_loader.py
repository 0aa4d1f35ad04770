"""Keras, loaded in half the time, and without the dozen lines TensorFlow's native code prints about processors."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["keras", "native_messages_held_back"]

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BACKEND = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Keras and TensorFlow load these wherever they are installed, for plots, data frames and wrappers that no job uses.
UNUSED = {"jax", "matplotlib", "pandas", "sklearn"} - {BACKEND}


@contextmanager
def native_messages_held_back() -> Iterator[None]:
    """Native code writes to the file descriptor, past sys.stderr. What it wrote is shown if the block fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(stderr, held_back.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextmanager
def loaded_fast() -> Iterator[None]:
    """Packages are loaded without those that are `UNUSED`, and without a search for garbage, of which there is none."""
    hidden = UNUSED - sys.modules.keys()
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # an import of it is an ImportError
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
        for name in hidden:
            del sys.modules[name]


with native_messages_held_back(), loaded_fast():
    import keras

    keras.ops.zeros(())  # the first operation starts the devices, which is as talkative
