"""Keras, loaded in half the time, and without the lines that TensorFlow's native code prints about processors."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["keras", "native_messages_held_back"]

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow uses oneDNN unasked only on processors with AVX-512 VNNI; those with AVX2 gain by it too.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
BACKEND = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Keras and TensorFlow load these if they are installed, for plots, data frames and wrappers that no job uses.
UNUSED = {"jax", "matplotlib", "pandas", "sklearn"} - {BACKEND}


@contextmanager
def native_messages_held_back() -> Iterator[None]:
    """Holds back what native code writes to file descriptor 2, past sys.stderr; shown only if the block fails."""
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
    """Imports skip the `UNUSED` packages, and run without garbage collection, as they leave no garbage."""
    hidden = UNUSED - sys.modules.keys()
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it raises ImportError
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

    keras.ops.zeros(())  # the first operation starts the devices, which prints as much
