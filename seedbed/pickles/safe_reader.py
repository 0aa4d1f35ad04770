"""Reads a pickle as plain values and `Call`s: nothing that it names is imported, created or called.

A pickle is a program for a stack machine. This one takes the steps that make values, in all protocols of pickle, and
writes down what the others would call.
"""

import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

MAX_STEPS = 2_000_000
"""An array takes about fifty, a label in a list one to ten."""
MAX_PLACE = 2**32
"""Places in the memory are numbered from 0."""
IGNORED = {"PROTO", "FRAME"}
VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
CODES = {step.code.encode("latin-1"): step for step in pickletools.opcodes}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}


class Refused(ValueError):
    """What a file holds is not taken; the text says what it is and, after a colon, what to do."""


@dataclass(frozen=True, slots=True)
class Function:
    """A class or function that a pickle names; never looked up."""

    name: str


@dataclass(slots=True, eq=False)
class Dictionary:
    """A dict, as pairs: looking keys up could take a hostile pickle's time."""

    pairs: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Call:
    """A call in a pickle, the state that its result would get, and what would be put into it."""

    function: str
    arguments: Any
    state: Any = None
    elements: list[Any] | None = None
    pairs: list[tuple[Any, Any]] | None = None


def read_pickle(file: BinaryIO) -> Any:
    """The value of the pickle that starts here: constants, lists, tuples, `Dictionary`s and `Call`s, nested as there.

    They may hold themselves. The file is left behind the pickle's end. Raises Refused for what can't be a value, and
    ValueError or LookupError if the pickle is damaged.
    """
    machine = Machine()
    for number, (step, argument) in enumerate(_steps(file)):
        if step == "STOP":
            return machine.stack[-1]
        if number == MAX_STEPS:
            raise Refused(
                "more objects than any labelled images have: save the images and the labels as arrays, with numpy.save"
            )
        machine.take(step, argument)
    raise ValueError("it has no end")


def _steps(file: BinaryIO) -> Iterator[tuple[str, Any]]:
    while code := file.read(1):
        step = CODES.get(code)
        if step is None:
            raise ValueError("it has an unknown step")
        if step.name == "STRING":  # bytes as Python 2 shows them in quotes; pickletools takes ASCII alone
            yield step.name, file.readline().strip()[1:-1].decode("unicode_escape")
        else:
            yield step.name, step.arg and step.arg.reader(file)


class Machine:
    """The stack, what lies below each mark, and the memory."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memory: dict[int, Any] = {}

    def take(self, step: str, argument: Any) -> None:
        """Take one step. Raises Refused, ValueError or LookupError if it can't be taken."""
        if step in VALUES:
            self.push(argument)
        elif step in CONSTANTS:
            self.push(CONSTANTS[step])
        elif step in STEPS:
            STEPS[step](self, argument)
        elif step not in IGNORED:
            raise ValueError("it has a step that no pickle of values has")

    def since_mark(self) -> list[Any]:
        """Take what was put on the stack since the last mark."""
        found, self.stack = self.stack, self.below.pop()
        return found

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        return self.stack.pop()

    def mark(self, _: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def keep(self, place: int | None) -> None:
        place = len(self.memory) if place is None else place
        if not 0 <= place < MAX_PLACE:
            raise ValueError("it keeps a value too far away")
        self.memory[place] = self.stack[-1]

    def fetch(self, place: int) -> None:
        self.push(self.memory[place])

    def name(self, argument: str | None) -> None:
        module, name = argument.split(" ", 1) if argument else (self.stack.pop(-2), self.stack.pop())
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("it would call something without a name")
        if "joblib" in module.split("."):
            raise Refused("what joblib wrote: load it with joblib.load, and save each array with numpy.save")
        self.push(Function(f"{module}.{name}"))

    def call(self, function: Any, arguments: Any) -> None:
        if not isinstance(function, Function | Call):
            raise ValueError("it would call something that is not a function")
        self.push(Call(function.name if isinstance(function, Function) else function.function, arguments))

    def build(self, _: Any) -> None:
        state = self.pop()
        made = self.stack[-1]
        if not isinstance(made, Call) or made.state is not None:
            raise ValueError("it sets the state of something that has none")
        made.state = state

    def extend(self, found: list[Any]) -> None:
        into = self.stack[-1]
        if isinstance(into, Call):
            into.elements = into.elements or []
            into = into.elements
        if not isinstance(into, list):
            raise ValueError("it puts something into what is not a list")
        into.extend(found)

    def update(self, found: list[Any]) -> None:
        into = self.stack[-1]
        if isinstance(into, Call):
            into.pairs = into.pairs or []
        elif not isinstance(into, Dictionary):
            raise ValueError("it puts something into what is not a dict")
        into.pairs.extend(_pairs(found))

    def instance(self, argument: str) -> None:
        found = self.since_mark()
        self.name(argument)
        self.call(self.pop(), tuple(found))

    def object(self, _: Any) -> None:
        function, *arguments = self.since_mark()
        self.call(function, tuple(arguments))

    def reduce(self, _: Any) -> None:
        arguments = self.pop()
        self.call(self.pop(), arguments)

    def new_with_keywords(self, _: Any) -> None:
        self.pop()
        self.reduce(_)


def _pairs(found: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(found[::2], found[1::2], strict=True))


def _tuple_of(length: int) -> Callable[[Machine, Any], None]:
    def join(machine: Machine, _: Any) -> None:
        if len(machine.stack) < length:
            raise ValueError("its tuple has too few values")
        machine.stack[-length:] = [tuple(machine.stack[-length:])]

    return join


def _out_of_band(*_: Any) -> None:
    raise Refused("an array whose numbers are in another file: pickle it without buffer_callback, or use numpy.save")


STEPS: dict[str, Callable[[Machine, Any], Any]] = {
    "MARK": Machine.mark,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), Machine.keep),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine.fetch),
    **dict.fromkeys(("GLOBAL", "STACK_GLOBAL"), Machine.name),
    "POP": lambda machine, _: machine.pop() if machine.stack else machine.since_mark(),
    "POP_MARK": lambda machine, _: machine.since_mark(),
    "DUP": lambda machine, _: machine.push(machine.stack[-1]),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "LIST": lambda machine, _: machine.push(machine.since_mark()),
    "APPEND": lambda machine, _: machine.extend([machine.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.since_mark()),
    "EMPTY_DICT": lambda machine, _: machine.push(Dictionary()),
    "DICT": lambda machine, _: machine.push(Dictionary(_pairs(machine.since_mark()))),
    "SETITEM": lambda machine, _: machine.update([machine.stack.pop(-2), machine.pop()]),
    "SETITEMS": lambda machine, _: machine.update(machine.since_mark()),
    "EMPTY_SET": lambda machine, _: machine.push(Call("builtins.set", ())),
    "ADDITEMS": lambda machine, _: machine.extend(machine.since_mark()),
    "FROZENSET": lambda machine, _: machine.push(Call("builtins.frozenset", (machine.since_mark(),))),
    "REDUCE": Machine.reduce,
    "NEWOBJ": Machine.reduce,
    "NEWOBJ_EX": Machine.new_with_keywords,
    "INST": Machine.instance,
    "OBJ": Machine.object,
    "BUILD": Machine.build,
    "PERSID": lambda machine, _: machine.push(Call("persistent id", ())),
    "BINPERSID": lambda machine, _: machine.push(Call("persistent id", (machine.pop(),))),
    "NEXT_BUFFER": _out_of_band,
}
