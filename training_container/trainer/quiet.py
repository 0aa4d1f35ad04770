"""Keras, loaded without the dozen lines which TensorFlow's native code prints about processors and missing GPUs."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["keras", "native_messages_held_back"]


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


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with native_messages_held_back():
    import keras

    keras.ops.zeros(())  # the first operation starts the devices, which is as talkative
