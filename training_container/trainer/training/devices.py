"""Every accelerator of the machine shares the work of a network's batches."""

from trainer.keras_loader import BACKEND, keras
from trainer.types import Say


def share_batches(say: Say) -> int:
    """Has Keras spread each batch over all devices, and returns how many there are; before any variable is made.

    Keras does so on JAX alone. With another backend a single device is used, and `say` gets the reason.
    """
    devices = keras.distribution.list_devices()
    if len(devices) > 1 and BACKEND != "jax":
        say(f"One of {len(devices)} accelerators is used: with KERAS_BACKEND=jax all would be.")
        return 1
    if len(devices) > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
        say(f"Each batch is shared by {len(devices)} devices.")
    return len(devices)
