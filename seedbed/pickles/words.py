"""Says what a file holds, and what to save instead."""

from typing import Any

import numpy as np

from .array import Objects, function_of
from .safe_reader import Call, Dictionary, Function

LONGEST = 40
MOST_KEYS = 6
PACKAGES = {
    "array": ("an array of Python, not of NumPy", "numpy.save({file}, numpy.asarray(x))"),
    "torch": ("a tensor or model of PyTorch", "numpy.save({file}, x.cpu().numpy())"),
    "persistent id": ("a tensor or model of PyTorch", "numpy.save({file}, x.cpu().numpy())"),
    "tensorflow": ("a tensor or model of TensorFlow", "numpy.save({file}, x.numpy())"),
    "keras": ("a model or tensor of Keras", "numpy.save({file}, x.numpy())"),
    "jax": ("an array of JAX", "numpy.save({file}, numpy.asarray(x))"),
    "jaxlib": ("an array of JAX", "numpy.save({file}, numpy.asarray(x))"),
    "cupy": ("an array of CuPy", "numpy.save({file}, x.get())"),
    "scipy": ("a sparse matrix of SciPy", "numpy.save({file}, x.toarray())"),
    "datasets": ("a data set of Hugging Face", "numpy.save({file}, numpy.stack(x['image']))"),
    "PIL": ("a picture of Pillow", "x.save('folder/label/1.png') for each, and then seedbed upload folder"),
}
BUILTINS = {"set", "frozenset", "range", "bytearray", "complex"}
PANDAS = {
    "DataFrame": "numpy.save({file}, x.to_numpy())",
    "MultiIndex": "numpy.save({file}, x.get_level_values(0).to_numpy().astype(str))",
}
SINGLE = {type(None): "None", bool: "a number", int: "a number", float: "a number", Dictionary: "a dict"}
SAVE_EACH = "save the images and the labels each by itself: numpy.save('X.npy', images) and numpy.save('Y.npy', labels)"
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
"""The number at the beginning of what older PyTorch wrote."""


def quoted(name: Any) -> str:
    """A name from a file, for a sentence: in quotes, short, and without control characters."""
    text = name.decode("latin-1") if isinstance(name, bytes) else name
    if not isinstance(text, str):
        return quoted(str(text)) if isinstance(text, int | float) and abs(text) < 2**63 else "…"
    text = "".join(letter if letter.isprintable() else "�" for letter in text[: LONGEST + 1])
    return f"'{text}'" if len(text) <= LONGEST else f"'{text[:LONGEST]}…'"


def found(value: Any) -> str:
    """What a value is, for a sentence."""
    match value:
        case np.ndarray():
            return f"an array of {value.dtype.name} of the shape {value.shape}"
        case Objects():
            return f"an array of {_many(value)}"
        case list() | tuple():
            return f"a {'list' if isinstance(value, list) else 'tuple'} of {_many(value)}"
        case Dictionary():
            keys = ", ".join(quoted(key) for key, _ in value.pairs[:MOST_KEYS])
            more = len(value.pairs) - MOST_KEYS
            return (
                f"a dict with the keys {keys}{f' and {more:,} more' if more > 0 else ''}" if keys else "an empty dict"
            )
    return _single(value)


def _many(values: list[Any] | tuple[Any, ...]) -> str:
    if not values:
        return "no values"
    return f"{len(values):,} values, the first of them {_single(values[0])}"


def _single(value: Any) -> str:
    match value:
        case Call():
            return _kind(value)[0]
        case Function():
            return f"a class or function called {quoted(value.name.rpartition('.')[2])}"
        case np.ndarray():
            return f"an array of the shape {value.shape}"
        case str() | bytes() | bytearray():
            return "a text"
    return SINGLE.get(type(value), "a list or tuple")


def instead(value: Any, file: str) -> str:
    """What to save to `file` instead of a value that is not taken."""
    of = value[0] if isinstance(value, list | tuple) and value else value
    if isinstance(of, Call):
        return _kind(of)[1].format(file=repr(file))
    if isinstance(of, int) and of == TORCH_MAGIC:
        return f"load it with torch.load, and save each tensor with numpy.save({file!r}, x.cpu().numpy())"
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "biuf":
        rows = "x.reshape(-1, height, width, 3)), or as (-1, 3, height, width)"
        return f"if each row is an image, save them with numpy.save({file!r}, {rows}"
    return SAVE_EACH


def _kind(call: Call) -> tuple[str, str]:
    """What a call would create, and what to do instead."""
    *modules, name = function_of(call).split(".")
    package = modules[0] if modules else name
    if package in PACKAGES:
        kind, advice = PACKAGES[package]
        return kind, f"save it with {advice}"
    if package == "pandas":
        advice = PANDAS.get(name, "numpy.save({file}, x.to_numpy().astype(str))")
        return f"a pandas {_created(call, name)[:LONGEST]}", f"save it with {advice}"
    if modules[:2] == ["numpy", "ma"]:
        return "a masked array", "save it with numpy.save({file}, x.filled(0))"
    if package == "numpy":
        return "something of NumPy that is not a plain array", "save it with numpy.save({file}, numpy.asarray(x))"
    if package in {"builtins", "__builtin__"} and name in BUILTINS:
        return f"a {name}", "save it with numpy.save({file}, numpy.array(list(x)))"
    return f"a call of {quoted(name)} of {quoted(package)} (nothing was run)", SAVE_EACH


def _created(call: Call, name: str) -> str:
    """The name of the class, where an inner function creates it."""
    first = call.arguments[0] if isinstance(call.arguments, tuple) and call.arguments else None
    return first.name.rpartition(".")[2] if name.startswith("_") and isinstance(first, Function) else name
