"""Reads a NumPy array from an untrusted pickle."""

import math
import mmap
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
import numpy.typing as npt
import psutil

from ..errors import SeedbedError
from .safe_reader import Call, Refused, read_pickle

Array = npt.NDArray[Any]

FUNCTIONS = {
    "numpy._core.multiarray._reconstruct": "_reconstruct",
    "numpy.core.multiarray._reconstruct": "_reconstruct",
    "numpy._core.numeric._frombuffer": "_frombuffer",
    "numpy.core.numeric._frombuffer": "_frombuffer",
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
    "_codecs.encode": "encode",
}
NUMBERS = {"b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"}
COPIES = 2
"""How many copies of the file's content are in memory at most, depending on the protocol."""


def read_array(path: Path) -> Array:
    """The array of numbers pickled in a file. Raises SeedbedError if the file holds anything else."""
    try:
        size = path.stat().st_size
        if size * COPIES > psutil.virtual_memory().available:
            raise Refused(f"its {size:,} bytes are too many for the free memory of this machine")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _array(read_pickle(cast("BinaryIO", content), FUNCTIONS))
    except Refused as error:
        raise SeedbedError(f"{path} can't be read as a pickled array: {error}.") from error
    except (LookupError, ValueError) as error:
        raise SeedbedError(f"{path} can't be read: it is not a pickle, or it is damaged.") from error
    except (OSError, MemoryError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it needs more memory than there is"
        raise SeedbedError(f"{path} can't be read: {reason}.") from error


def _array(value: Any) -> Array:
    order: Literal["C", "F"]
    match value:
        case Call(function="_reconstruct", state=(int(), tuple() as shape, dtype, int() as fortran, data)):
            order = "F" if fortran else "C"
        case Call(function="_frombuffer", arguments=(data, dtype, tuple() as shape, "C" | "F" as order)):
            pass
        case _:
            raise Refused("it holds something other than an array of numbers")
    numbers, content = _dtype(dtype), _content(data)
    if not all(type(side) is int and side > 0 for side in shape):
        raise Refused("its array is empty, or its shape makes no sense")
    if math.prod(shape) * numbers.itemsize != len(content):
        raise Refused(f"its {len(content):,} bytes of numbers do not fit its shape")
    array: Array = np.frombuffer(content, numbers)
    return cast("Array", array.reshape(tuple(shape), order=order))


def _dtype(value: Any) -> np.dtype[Any]:
    match value:
        case Call(function="dtype", arguments=(str() as code, *_), state=(int(), "<" | ">" | "|" as order, *_)):
            if code not in NUMBERS:
                raise Refused(f"its array has the type {code[:20]}, and only numbers are read")
            numbers: np.dtype[Any] = np.dtype(order + code)
            return numbers
    raise Refused("its array does not hold plain numbers")


def _content(value: Any) -> bytes | bytearray:
    match value:
        case bytes() | bytearray():
            return value
        case str() as text:
            return text.encode("latin1")
        case Call(function="encode", arguments=(str() as text, "latin1")):
            return text.encode("latin1")
    raise Refused("its array holds Python objects, and only numbers are read")
