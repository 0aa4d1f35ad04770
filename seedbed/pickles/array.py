"""What the calls in a pickle stand for: arrays of NumPy, its numbers, lists, dicts."""

import math
import re
import sys
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from .safe_reader import Call, Dictionary, Function, Refused

Array = npt.NDArray[Any]

NUMBERS = re.compile(r"(b1|[ui][1248]|f[248]|[US][1-9][0-9]{0,6})")
KINDS = {
    "c": "complex numbers",
    "f": "numbers of more than 8 bytes",
    "M": "dates",
    "m": "durations",
    "O": "Python objects",
    "S": "empty texts",
    "U": "empty texts",
    "V": "records, or numbers that NumPy has no type for",
}
MOST_DIMENSIONS = 32


class Objects(list[Any]):
    """The values of an array of Python objects."""


def plain(value: Any) -> Any:
    """The array, number, text, bytes, list or `Dictionary` that a value of a pickle stands for, or the value itself.

    What it holds is left as it is. Raises Refused for an array of something else than numbers and texts.
    """
    if not isinstance(value, Call):
        return value
    if value.pairs is not None:
        return Dictionary(value.pairs)
    if value.elements is not None and not value.function.startswith("builtins."):
        return value.elements
    try:
        return _of_numpy(value)
    except Refused:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise Refused("an array that is damaged: save it again") from error


def _of_numpy(call: Call) -> Any:
    made: Any = call
    match function_of(call), call.arguments, call.state:
        case "numpy.core.multiarray._reconstruct", _, (int(), tuple() as shape, kind, int() as fortran, data):
            made = _array(kind, data, shape, order="F" if fortran else "C")
        case "numpy.core.numeric._frombuffer", (data, kind, tuple() as shape, "C" | "F" as order), _:
            made = _array(kind, data, shape, order=order)
        case "numpy.core.numeric._frombuffer", (data, kind, tuple() as shape, "K", tuple() as axes), _:
            made = _array(kind, data, shape, axes=axes)
        case "numpy.core.multiarray.scalar", (kind, data), _:
            made = _array(kind, data, ()).item()
        case "_codecs.encode" | "builtins.bytes" | "__builtin__.bytes", _, _:
            made = _content(call)
    return made


def function_of(call: Call) -> str:
    """The name of what is called, as before NumPy 2; of what is created, where a helper of pickle creates it."""
    first = call.arguments[0] if isinstance(call.arguments, tuple) and call.arguments else None
    created = isinstance(first, Function) and call.function.startswith(("copyreg.", "copy_reg."))
    name = cast("Function", first).name if created else call.function
    return name.replace("numpy._core.", "numpy.core.")


def checked_shape(shape: tuple[Any, ...], itemsize: int, length: int) -> None:
    """Raises Refused if an array of this shape is empty or doesn't take `length` bytes."""
    if len(shape) > MOST_DIMENSIONS or not all(type(side) is int and 0 <= side < 2**62 for side in shape):
        raise Refused("an array whose shape makes no sense: save it again")
    if 0 in shape:
        raise Refused("an empty array: save the one that has the values")
    if math.prod(shape) * itemsize != length:
        raise Refused(f"an array whose {length:,} bytes do not fit its shape: it was cut off, so save or copy it again")


def checked_kind(kind: np.dtype[Any]) -> np.dtype[Any]:
    """Raises Refused for other things than numbers and texts."""
    if not NUMBERS.fullmatch(f"{kind.kind}{kind.itemsize // (4 if kind.kind == 'U' else 1)}"):
        raise _refused(kind.kind)
    return kind


def checked_texts(array: Array) -> Array:
    """Raises Refused if texts have characters outside Unicode, of which NumPy makes texts that Python can't handle."""
    if array.dtype.kind == "U":
        characters = array.view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if characters.max() > sys.maxunicode:
            raise Refused("an array of texts that is damaged: save it again")
    return array


def _refused(kind: str) -> Refused:
    held = KINDS.get(kind, "something other than numbers")
    return Refused(f"an array of {held}: save images with .astype('uint8'), and labels with .astype(str)")


def _array(
    kind: Any, data: Any, shape: tuple[Any, ...], *, order: Literal["C", "F"] = "C", axes: tuple[Any, ...] = ()
) -> Any:
    content = _content(data)
    if isinstance(content, list):
        return _objects(content, shape)
    numbers = _dtype(kind)
    checked_shape(shape, numbers.itemsize, len(content))
    array: Array = checked_texts(np.frombuffer(content, numbers)).reshape(shape, order=order)
    if not axes:
        return array
    if not all(type(axis) is int for axis in axes) or sorted(axes) != list(range(len(shape))):
        raise Refused("an array whose shape makes no sense: save it again")
    return array.transpose(axes)


def _objects(data: list[Any], shape: tuple[Any, ...]) -> Any:
    checked_shape(shape, 1, len(data))
    nested = isinstance(data[0], Call) and function_of(data[0]).endswith("_reconstruct")
    if len(data) != (shape[0] if shape else 1) or (nested and not shape):
        raise _refused("O")
    return Objects(data) if shape else plain(data[0])


def _content(value: Any) -> bytes | bytearray | list[Any]:
    match value:
        case bytes() | bytearray() | list():
            return value
        case str() as text:
            return text.encode("latin1")
        case Call(function="_codecs.encode", arguments=(str() as text, "latin1")):
            return text.encode("latin1")
        case Call(function="builtins.bytes" | "__builtin__.bytes", arguments=()):
            return b""
    raise _refused("O")


def _dtype(value: Any) -> np.dtype[Any]:
    match value:
        case Call(function="numpy.dtype", arguments=(str() as code, *_), state=(int(), "<" | ">" | "|" as order, *_)):
            if not NUMBERS.fullmatch(code):
                raise _refused(code[:1])
            numbers: np.dtype[Any] = np.dtype(order + code)
            return numbers
    raise _refused("V")
