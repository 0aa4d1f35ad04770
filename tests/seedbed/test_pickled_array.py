"""Pickled arrays of all NumPy versions are read, hostile pickles are not run."""

import os
import pickle
import struct
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.errors import SeedbedError
from seedbed.pickles.files import read_values
from seedbed.pickles.images import read_pickles

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
RNG = np.random.default_rng(5)
ARRAYS = {
    "bytes": RNG.integers(0, 256, (4, 3, 2, 3), np.uint8),
    "floats": RNG.random((5, 7)),
    "half floats": RNG.random((5, 7)).astype(np.float16),
    "columns first": np.asfortranarray(RNG.random((3, 4, 5), np.float32)),
    "big-endian": RNG.integers(-9, 9, (4, 3)).astype(">i4"),
    "every second": np.arange(40, dtype=np.int64)[::2],
    "truths": np.eye(3, dtype=bool),
    "large": np.arange(70_000, dtype=np.uint16),
    "channels first": RNG.integers(0, 256, (4, 3, 2, 3), np.uint8).transpose(0, 3, 1, 2),
    "a view of a view": RNG.random((6, 4, 3))[::2, :, ::-1].transpose(2, 0, 1),
    "a subclass": np.arange(4).view(np.memmap),
    "texts": np.array(["maize", "Weiß"]),
    "bytes of texts": np.array([b"maize", b"wheat"]),
}
NAMES = (
    (b"numpy._core.multiarray\n", b"numpy.core.multiarray\n"),
    (b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray"),
    (b"\x8c\x13numpy._core.numeric", b"\x8c\x12numpy.core.numeric"),
)
"""Of NumPy 2 and of NumPy 1."""
BY_PYTHON_2 = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03"
    b"(K\x01K\x02K\x02\x86cnumpy\ndtype\nq\x04U\x02u1K\x00K\x01\x87Rq\x05"
    b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x04\x00\x7f\x80\xfftb."
)
BY_PYTHON_2_AS_TEXT = (
    b"cnumpy.core.multiarray\n_reconstruct\np0\n(cnumpy\nndarray\np1\n(I0\ntp2\nS'b'\np3\ntp4\nRp5\n"
    b"(I1\n(I2\nI2\ntp6\ncnumpy\ndtype\np7\n(S'u1'\np8\nI0\nI1\ntp9\nRp10\n"
    b"(I3\nS'|'\np11\nNNNI-1\nI-1\nI0\ntp12\nbI00\nS'\\x00\\x7f\\x80\\xff'\np13\ntp14\nb."
)

Read = Callable[[bytes], Any]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """A function that reads a file with this content."""

    def read(content: bytes) -> Any:
        (tmp_path / "array.pkl").write_bytes(content)
        (value,) = read_values(tmp_path / "array.pkl").values
        return value

    return read


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_an_array_is_read_unchanged(array: np.ndarray, protocol: int, read: Read) -> None:
    found = read(pickle.dumps(array, protocol))
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("numpy", [1, 2])
def test_an_array_from_each_numpy_is_read(numpy: int, protocol: int, read: Read) -> None:
    content = pickle.dumps(ARRAYS["floats"], protocol)
    for new, old in NAMES:
        content = content.replace(new, old) if numpy == 1 else content.replace(old, new)
    assert (b"_core" in content) == (numpy == 2)
    assert np.array_equal(read(content), ARRAYS["floats"])


def test_an_array_from_python_2_is_read(read: Read) -> None:
    assert read(BY_PYTHON_2).tolist() == [[0, 127], [128, 255]]
    assert read(BY_PYTHON_2_AS_TEXT).tolist() == [[0, 127], [128, 255]]


class Hostile(NamedTuple):
    """An object that is pickled as a call."""

    function: Any
    arguments: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.arguments


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "around", [lambda call: call, lambda call: np.array([call, 1], object), lambda call: {"x": [call]}]
)
def test_a_command_in_a_pickle_is_not_run(
    around: Callable[[Any], Any], protocol: int, read: Read, tmp_path: Path
) -> None:
    call = Hostile(os.system, (f"touch {tmp_path}/was_run",))
    content = pickle.dumps(around(call), protocol)
    assert not isinstance(read(content), np.ndarray)
    assert not (tmp_path / "was_run").exists()
    pickle.loads(content)
    assert (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (np.zeros((2, 2), object), "an array of Python objects"),
        (np.zeros(3, [("a", "u1"), ("b", "f4")]), "an array of records"),
        (np.zeros(3, "M8[s]"), "an array of dates"),
        (np.zeros(3, "m8[s]"), "an array of durations"),
        (np.zeros(3, complex), "an array of complex numbers"),
        (np.zeros((0, 4)), "an empty array"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_array_of_other_things_than_numbers_and_texts_is_refused(
    content: Any, reason: str, protocol: int, read: Read
) -> None:
    with pytest.raises(SeedbedError, match=f"holds {reason}"):
        read(pickle.dumps(content, protocol))


def array_of(
    shape: bytes = b"K\x02\x85", kind: bytes = b"U\x02u1", data: bytes = b"C\x02ab", order: bytes = b"\x89"
) -> bytes:
    """A pickled array with parts of its own."""
    start = b"\x80\x04cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    numbers = b"cnumpy\ndtype\n" + kind + b"\x89\x88\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return start + b"(K\x01" + shape + numbers + order + data + b"tb."


def test_the_base_of_the_hostile_pickles_is_read(read: Read) -> None:
    assert read(array_of()).tolist() == [97, 98]


DOUBLED = b"".join(b"2\x86" for _ in range(45))
HUGE = struct.pack("<Q", 2**62)
BOMBS = {
    "a huge shape": array_of(shape=b"\x8a\x09" + (2**64).to_bytes(9, "little") + b"\x85"),
    "a huge shape whose product overflows to what is there": array_of(
        shape=b"\x8a\x09" + (2**64).to_bytes(9, "little") + b"K\x02\x86"
    ),
    "a negative shape": array_of(shape=b"J\xff\xff\xff\xffJ\xfe\xff\xff\xff\x86"),
    "a shape of truths": array_of(shape=b"\x88\x88\x86", data=b"C\x01a"),
    "a shape of texts": array_of(shape=b"U\x01a\x85"),
    "more dimensions than there can be": array_of(shape=b"(" + b"K\x01" * 70 + b"K\x02t"),
    "less data than the shape needs": array_of(data=b"C\x01a"),
    "more data than the shape needs": array_of(data=b"C\x03abc"),
    "objects instead of data": array_of(kind=b"U\x02O8", data=b"]"),
    "objects as the kind alone": array_of(kind=b"U\x02O8"),
    "an unknown kind": array_of(kind=b"U\x0110000000000"),
    "a list instead of a kind": array_of(kind=b"N"),
    "a text outside latin-1 as data": array_of(data=b"X\x03\x00\x00\x00\xe2\x82\xac"),
    "data from another encoding": array_of(data=b"c_codecs\nencode\nU\x02abU\x05utf-8\x86R"),
    "bytes that are not there": b"\x80\x04\x8e" + HUGE,
    "a bytearray that is not there": b"\x80\x05\x96" + HUGE,
    "a text that is not there": b"\x80\x04\x8d" + HUGE,
    "a number of many digits": b"I" + b"9" * 100_000 + b"\n.",
    "a far place in the memory": b"\x80\x04K\x01r\xff\xff\xff\x7f.",
    "a place in the memory that holds nothing": b"\x80\x04j\xff\xff\xff\x7f.",
    "tuples of tuples in place of a name": b"\x80\x04K\x01" + b"q\x00h\x00\x86" * 24 + b"U\x01a\x93.",
    "tuples of tuples in place of an array": b"\x80\x04K\x01" + b"q\x00h\x00\x86" * 24 + b".",
    "steps without an end": b"\x80\x04" + b"N" * 1_000_000,
    "a call of a call": b"\x80\x04cnumpy\ndtype\n)R)R.",
    "a state for a constant": b"\x80\x04NNb.",
    "a second state": array_of()[:-1] + b"Nb.",
    "a tuple without a start": b"\x80\x04t.",
    "nothing on the stack": b"\x80\x04.",
    "a class of the extension registry": b"\x80\x04\x82\x01.",
    "a reference to something outside": b"\x80\x04Pid\n.",
    "an instance": b"(iposix\nsystem\n.",
    "an object": b"\x80\x04(cposix\nsystem\nU\x02idoN.",
    "a class by its name and __new__": b"\x80\x04csubprocess\nPopen\n)\x81.",
    "a dotted way to a function": b"\x80\x04\x8c\x05numpy\x8c\x14ndarray.__class__.mro\x93.",
    "a name with the module in it": b"\x80\x04\x8c\x00\x8c\x0dnumpy.ndarray\x93.",
    "text": b"weed the third row",
    "nothing": b"",
    "lists in lists": b"\x80\x04" + b"]" * 50_000 + b"a" * 49_999 + b".",
    "a list that holds itself": b"\x80\x04]\x94h\x00a.",
    "a dict that holds itself": b"\x80\x04}\x94h\x00h\x00s.",
    "a key that takes long to hash": b"\x80\x04}" + b"K\x01" + DOUBLED + b"K\x01s.",
    "a long name": b"\x80\x04cposix\n" + b"s" * 100_000 + b"\n)R.",
    "numbers of many digits in a list": b"\x80\x04]\x8a\xff" + b"\x7f" * 255 + b"a.",
    "an array many times over": b"\x80\x04](" + array_of()[2:-1] + b"\x94" + b"h\x00" * 1000 + b"e.",
    "an array in an array in an array": b"\x80\x04"
    + b"cnumpy.core.multiarray\nscalar\nN" * 5000
    + b"N\x86R" * 5000
    + b".",
    "a text outside Unicode": b"\x80\x04cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02U1\x85R"
    b"(K\x03U\x01<NNNK\x04K\x04K\x00tbC\x04\xff\xff\xff\x7f\x86R.",
    "a list with a text outside latin-1 as data": b"\x80\x04]"
    + array_of(data=b"X\x03\x00\x00\x00\xe2\x82\xac")[2:-1]
    + b"a.",
    "a name with control characters": b"\x80\x04}X\x05\x00\x00\x00\x1b[31mK\x01s.",
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_a_hostile_or_damaged_pickle_is_refused_and_takes_no_memory(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "array.pkl").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(SeedbedError, match=r"array\.pkl (can't be read|holds)"):
            read_pickles(tmp_path / "array.pkl")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * len(content) + 300_000


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_truncated_array_is_refused_wherever_it_ends(protocol: int, read: Read) -> None:
    whole = pickle.dumps(ARRAYS["bytes"], protocol)
    for length in range(len(whole)):
        with pytest.raises(SeedbedError):
            read(whole[:length])


@given(
    protocol=st.sampled_from(PROTOCOLS),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1),
)
def test_a_changed_pickle_is_read_or_refused(
    protocol: int, changes: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(pickle.dumps(ARRAYS["floats"], protocol))
    for place, value in changes:
        content[place % len(content)] = value
    file = tmp_path_factory.getbasetemp() / "changed.pkl"
    file.write_bytes(content)
    with suppress(SeedbedError):
        read_pickles(file, file)


def test_a_pickle_larger_than_the_free_memory_is_refused(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory(NamedTuple):
        available: int = 1000

    monkeypatch.setattr("seedbed.pickles.files.psutil.virtual_memory", Memory)
    assert read(pickle.dumps(np.arange(30))).shape == (30,)
    with pytest.raises(SeedbedError, match="too many for the free memory"):
        read(pickle.dumps(np.arange(60)))


def test_a_text_file_is_refused_in_plain_words(read: Read) -> None:
    with pytest.raises(SeedbedError, match="it holds text"):
        read(b"text\n")


@pytest.mark.parametrize(("name", "reason"), [("nowhere.pkl", "No such file"), (".", "is a folder")])
def test_a_missing_file_is_reported(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SeedbedError, match=reason):
        read_values(tmp_path / name)
