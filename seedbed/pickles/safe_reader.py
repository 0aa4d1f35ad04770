"""Reads a pickle as plain values and `Call`s: nothing that it names is imported, created or called.

A pickle is a program for a stack machine. This one supports the steps by which NumPy pickles an array of numbers, in
all its versions and all protocols of pickle, and refuses all others.
"""

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

MAX_STEPS = 100
"""An array takes about fifty."""
MARK = object()
IGNORED = {"PROTO", "FRAME"}
KEEP = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
FETCH = {"GET", "BINGET", "LONG_BINGET"}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (), "MARK": MARK}
NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG1"}
TEXTS = {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"}
BYTES = {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
VALUES = NUMBERS | TEXTS | BYTES


class Refused(ValueError):
    """The pickle holds something other than an array of numbers; the text says what."""


@dataclass(frozen=True)
class Function:
    """A function that a pickle names in order to call it."""

    name: str


@dataclass
class Call:
    """A call in a pickle, and the state that its result would get."""

    function: str
    arguments: Any
    state: Any = None


def read_pickle(file: BinaryIO, functions: Mapping[str, str]) -> Any:
    """The pickle's value: constants, tuples and `Call`s, nested as in the pickle.

    `functions` maps the dotted names that are allowed to the names used in `Call`s. Raises Refused for anything else,
    and ValueError or LookupError if the pickle is damaged.
    """
    stack: list[Any] = []
    memo: dict[int | None, Any] = {}
    for number, (step, argument, _) in enumerate(pickletools.genops(file)):
        if step.name == "STOP":
            return stack[-1]
        if number == MAX_STEPS:
            raise Refused("it holds more than one array")
        if step.name in KEEP:
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif step.name in FETCH:
            stack.append(memo[argument])
        elif step.name not in IGNORED:
            _take(step.name, argument, stack, functions)
    raise Refused("it has no end")


def _take(step: str, argument: Any, stack: list[Any], functions: Mapping[str, str]) -> None:
    if step in VALUES:
        stack.append(argument)
    elif step in CONSTANTS:
        stack.append(CONSTANTS[step])
    elif step in ("GLOBAL", "STACK_GLOBAL"):
        module, name = argument.split(" ", 1) if step == "GLOBAL" else (stack.pop(-2), stack.pop())
        stack.append(_function(module, name, functions))
    elif step in JOIN:
        JOIN[step](stack)
    else:
        raise Refused(f"it holds something other than an array of numbers ({step})")


def _function(module: Any, name: Any, functions: Mapping[str, str]) -> Function:
    if not isinstance(module, str) or not isinstance(name, str):
        raise Refused("it would call something without a name")
    known = functions.get(f"{module}.{name}")
    if known is None:
        raise Refused(f"it would call {module[:60]}.{name[:60]}, which no array of numbers does; nothing was run")
    return Function(known)


def _tuple(stack: list[Any]) -> None:
    mark = max(place for place, value in enumerate(stack) if value is MARK)
    stack[mark:] = [tuple(stack[mark + 1 :])]


def _tuple_of(length: int) -> Callable[[list[Any]], None]:
    def join(stack: list[Any]) -> None:
        stack[-length:] = [tuple(stack[-length:])]

    return join


def _call(stack: list[Any]) -> None:
    arguments, function = stack.pop(), stack.pop()
    if not isinstance(function, Function):
        raise Refused("it would call something that is not a function")
    stack.append(Call(function.name, arguments))


def _build(stack: list[Any]) -> None:
    state = stack.pop()
    if not isinstance(stack[-1], Call) or stack[-1].state is not None:
        raise Refused("it sets the state of something that has none")
    stack[-1].state = state


JOIN: dict[str, Callable[[list[Any]], None]] = {
    "TUPLE": _tuple,
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "REDUCE": _call,
    "BUILD": _build,
}
