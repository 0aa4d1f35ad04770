"""Files of NumPy and pickle are read however they are packed; others are named, with what to save instead."""

import bz2
import gzip
import io
import itertools
import lzma
import pickle
import pickletools
import re
import tarfile
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from seedbed.errors import SeedbedError
from seedbed.pickles.images import LabelledImages, read_pickles

PIXELS = np.random.default_rng(7).integers(0, 256, (6, 4, 5, 3), np.uint8)
NUMBERS = np.array([1, 0, 1, 1, 2, 0])
NAMES = np.array(["maize", "wheat", "rye"])[NUMBERS]

INNER_NAMES = {step.name for step in pickletools.opcodes} | {
    "latin1",
    "codec",
    "multiarray",
    "numeric",
    "_utils",
    "_csr",
}

Read = Callable[..., LabelledImages]


def npy(array: Any, version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version)
    return file.getvalue()


def npz(save: Any = np.savez_compressed, *unnamed: Any, **arrays: Any) -> bytes:
    file = io.BytesIO()
    save(file, *unnamed, **arrays)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("x.npy"))
    return file.getvalue()


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """A function that reads images and labels from files with this content."""

    def write(name: str, content: Any) -> Path:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else pickle.dumps(content))
        return tmp_path / name

    def read(images: Any, labels: Any = None, arrays: Sequence[str] = ()) -> LabelledImages:
        return read_pickles(write("X.data", images), None if labels is None else write("Y.data", labels), arrays=arrays)

    return read


@pytest.mark.parametrize(
    "content",
    [
        npy(PIXELS),
        npy(PIXELS, (1, 0)),
        npy(PIXELS, (2, 0)),
        npy(PIXELS, (3, 0)),
        npy(np.asfortranarray(PIXELS)),
        npy(PIXELS.astype(">u2")),
        npz(np.savez, PIXELS),
        npz(anything=PIXELS),
        npz(np.savez, notes="taken in May", x=PIXELS),
        zipped(**{"folder/x.pkl": pickle.dumps(PIXELS), "__MACOSX/._x.pkl": b"\0\5\x16\7", "README.txt": b"text"}),
        gzip.compress(npy(PIXELS)),
        gzip.compress(pickle.dumps(PIXELS)),
        gzip.compress(npz(x=PIXELS)),
        bz2.compress(pickle.dumps(PIXELS, 0)),
        lzma.compress(npy(PIXELS)),
        lzma.compress(npy(PIXELS), lzma.FORMAT_ALONE),
        npy(PIXELS) + b"\n",
    ],
)
def test_images_are_read_however_they_are_packed(content: bytes, read: Read) -> None:
    found = read(content, npy(NUMBERS))
    assert np.array_equal(np.asarray(found.images), PIXELS)
    assert np.array_equal(np.asarray(found.names)[found.numbers], [f"class_0{number}" for number in NUMBERS])


@pytest.mark.parametrize("names", ["x y", "X Y", "images labels", "x_train y_train", "arr_0 arr_1", "data target"])
@pytest.mark.parametrize("labels", [NUMBERS, NAMES, np.eye(3)[NUMBERS]], ids=["numbers", "names", "rows"])
def test_one_archive_may_hold_images_and_labels_under_any_names(names: str, labels: np.ndarray, read: Read) -> None:
    images, other = names.split()
    for content in (npz(**{other: labels, images: PIXELS}), {images: PIXELS, other: labels}):
        found = read(content)
        assert np.array_equal(found.images, PIXELS)
        assert len(found.numbers) == 6


@pytest.mark.parametrize(
    "content",
    [
        (PIXELS, NAMES),
        [PIXELS, NAMES],
        [PIXELS, list(NAMES)],
        (list(PIXELS), NAMES.tolist()),
        [tuple(PIXELS), tuple(NAMES)],
        list(zip(PIXELS, NAMES, strict=True)),
        tuple([image, str(name)] for image, name in zip(PIXELS, NAMES, strict=True)),
        OrderedDict(images=PIXELS, labels=NAMES),
        {b"x": PIXELS, b"y": NAMES},
        {"x": PIXELS, "y": NAMES, "names": ["maize", "rye", "wheat"], "made by": OSError()},
        {"x": PIXELS, "ids": np.arange(6), "label": NAMES},
        pickle.dumps(PIXELS) + pickle.dumps(NAMES),
        npy(PIXELS) + npy(NAMES),
        npy(np.array({"x": PIXELS, "y": NAMES})),
        npz(x=PIXELS, y=NAMES.astype(object), other=np.array([{}, None]), when=np.zeros(3, "M8[s]")),
    ],
)
def test_one_file_may_hold_images_and_labels(content: Any, read: Read) -> None:
    found = read(content)
    assert np.array_equal(np.asarray(found.images), PIXELS)
    assert np.array_equal(np.asarray(found.names)[found.numbers], NAMES)


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (npz(x_train=PIXELS, y_train=NAMES, x_test=PIXELS[:2], y_test=NAMES[:2]), ("x_train", "y_train")),
        (((PIXELS, NAMES), (PIXELS[:2], NAMES[:2])), ("1.1", "1.2")),
        ({"a": PIXELS, "b": NAMES, "c": np.arange(6)}, ("a", "b")),
    ],
)
def test_more_than_two_arrays_are_told_apart_by_name(content: Any, names: tuple[str, str], read: Read) -> None:
    with pytest.raises(SeedbedError, match=f"Choose by name, for example with --arrays (images|{names[0]}),{names[1]}"):
        read(content)
    found = read(content, arrays=names)
    assert np.array_equal(np.asarray(found.names)[found.numbers], NAMES)
    with pytest.raises(SeedbedError, match=r"holds nothing called 'absent'\. It holds '"):
        read(content, arrays=("absent", names[1]))


class Named(NamedTuple):
    """An object that is pickled as a call of a function by this name, which need not be there."""

    module: str
    name: str

    def pickled(self) -> bytes:
        return b"\x80\x02c%b\n%b\n)R." % (self.module.encode(), self.name.encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"a": 1, "b": "c"}, r"X.data holds a dict with the keys 'a', 'b', not images.*: save .*numpy.save\('X.npy'"),
        ({}, "holds an empty dict"),
        ([], "holds a list of no values"),
        (["maize", {}], "holds a list of 2 values, the first of them a text"),
        (7, "holds a number"),
        (None, "holds None"),
        ({1, 2}, "holds a set"),
        (range(3), "holds a range"),
        (getattr, "holds a class or function called 'getattr'"),
        (Fraction(1, 3), "holds a call of 'Fraction' of 'fractions' .nothing was run."),
        (PIXELS.reshape(6, -1), r"holds an array of uint8 of the shape \(6, 60\).*reshape\(-1, height, width, 3\)"),
        ({b"data": np.zeros((6, 3072), np.uint8), b"labels": [0] * 6}, r"'data' in .*, or as \(-1, 3, height, width\)"),
        (
            {"a": PIXELS, "b": PIXELS},
            r"more than one array that the images could be: .*'b' .*\. Save all images as one",
        ),
        ({f"{n}\n": PIXELS if n else NUMBERS for n in range(12)}, r"'7�' \(shape .*\) and 4 more"),
        (np.ma.array(PIXELS), r"a masked array, not images and labels: .*x.filled\(0\)"),
        (Named("pandas.core.frame", "DataFrame").pickled(), r"a pandas DataFrame, .*x.to_numpy\(\)\)"),
        (
            Named("torch._utils", "_rebuild_tensor_v2").pickled(),
            r"PyTorch, .*numpy.save\('X.npy', x.cpu\(\).numpy\(\)\)",
        ),
        (Named("tensorflow.python.framework", "Tensor").pickled(), r"TensorFlow, .*x.numpy\(\)"),
        (Named("PIL.Image", "Image").pickled(), "a picture of Pillow, .*seedbed upload folder"),
        (Named("scipy.sparse._csr", "csr_matrix").pickled(), r"a sparse matrix of SciPy, .*x.toarray\(\)"),
        (Named("joblib.numpy_pickle", "NumpyArrayWrapper").pickled(), "what joblib wrote: load it with joblib.load"),
        (zlib.compress(b"joblib"), "joblib packed"),
        (zipped(**{"model/data.pkl": b"\x80"}), "what PyTorch wrote: load it with torch.load"),
        (zipped(**{"1.png": b"\x89PNG"}), "holds 1 files, none of them an array: unpack it"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "holds HDF5: open it with h5py"),
        (b"MATLAB 5.0 MAT-file" + bytes(600), "open it with scipy.io.loadmat"),
        (b"PAR1" + bytes(600), "a Parquet table: open it with pandas"),
        (b"\x89PNG\r\n\x1a\n" + bytes(600), "one picture: give the folder of pictures"),
        (gzip.compress(b"\x89HDF\r\n\x1a\n" + bytes(600)), "holds HDF5"),
        (tar(), "a tar archive: unpack it"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a placeholder of Git LFS: run git lfs pull"),
        (b"\n<!DOCTYPE html><html>", "a web page or XML: download the file itself again"),
        (b"file,label\n1.png,maize\n", "holds text: if it is a table such as CSV"),
        (b"", "holds nothing: write or copy it again"),
        (bytes(range(255, 0, -1)), "not a file of NumPy or pickle, or it is damaged"),
        (pickle.dumps(pickle.PickleBuffer(b"a"), 5, buffer_callback=lambda _: None), "without buffer_callback"),
        (npy(np.zeros(3, [("a", "u1")])), "an array of records"),
        (npy(np.zeros(3, "M8[s]")), "an array of dates"),
    ],
    ids=itertools.count(),
)
def test_a_file_of_anything_else_is_named_with_what_to_do(content: Any, reason: str, read: Read) -> None:
    with pytest.raises(SeedbedError, match=reason) as refused:
        read(content)
    assert not INNER_NAMES & set(re.findall(r"\w+", str(refused.value)))


def test_images_without_labels_and_files_in_the_wrong_order_are_told(read: Read) -> None:
    with pytest.raises(SeedbedError, match=r"holds images without labels\. Give the file of the labels after it"):
        read(PIXELS)
    with pytest.raises(SeedbedError, match=r"Give the images first.*seedbed import .*Y.data .*X.data"):
        read(np.eye(3)[NUMBERS], PIXELS)


def with_header(shape: str, kind: str = "|u1", data: bytes = b"abc") -> bytes:
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


HOSTILE = {
    "a huge shape": with_header("(4611686018427387904, 1, 1)"),
    "a shape whose product overflows": with_header("(4294967296, 4294967296, 4294967296)"),
    "a negative shape": with_header("(-3, -1, 1)"),
    "a shape of truths": with_header("(True, 3, 1)"),
    "no values": with_header("(0, 3, 1)"),
    "more dimensions than there can be": with_header(f"({'1, ' * 70})"),
    "fewer values than the shape needs": with_header("(1, 2, 2)"),
    "a long header": b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little") + b"{" * 100_000,
    "a nested header": with_header("(" * 4000 + ")" * 4000),
    "a header of minus signs": with_header("-" * 9000 + "1"),
    "a header that is code": with_header("(__import__('os').abort(),)"),
    "objects that are not there": with_header("(1, 1, 1)", "|O"),
    "objects that call": with_header("(1, 1, 1)", "|O", b"cposix\nabort\n)R."),
    "a text outside Unicode": with_header("(1,)", "<U1", b"\xff\xff\x11\0"),
    "an unknown version": b"\x93NUMPY\x09\x00" + bytes(100),
    "a cut archive": npz(x=PIXELS, y=NUMBERS)[:-30],
    "an archive with a changed member": npz(np.savez, x=PIXELS, y=NUMBERS).replace(PIXELS.tobytes()[:9], b"changed!!"),
    "a cut gzip file": gzip.compress(npy(PIXELS))[:-30],
    "a changed gzip file": gzip.compress(npy(PIXELS))[:-8] + bytes(8),
    "a cut bzip2 file": bz2.compress(npy(PIXELS))[:-30],
    "a cut xz file": lzma.compress(npy(PIXELS))[:-30],
    "gzip in gzip": gzip.compress(gzip.compress(npy(PIXELS))),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_or_damaged_file_is_refused(content: bytes, read: Read) -> None:
    with pytest.raises(SeedbedError, match=r"^[^\n]{20,600}$"):
        read(content, npy(NUMBERS))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda content: zipped(x=content)])
@pytest.mark.parametrize("content", [npy(np.zeros((1000, 1000, 3), np.uint8)), pickle.dumps(bytes(3_000_000))])
def test_a_file_that_unpacks_to_too_much_is_refused(
    content: bytes, pack: Callable[[bytes], bytes], read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedbed.pickles.files.ALWAYS_TAKEN", 1_000_000)
    monkeypatch.setattr("seedbed.pickles.files.MOST_PACKED", 0)
    with pytest.raises(SeedbedError, match="holds more than 1,000,000 bytes once it is unpacked"):
        read(pack(content), NUMBERS)


@pytest.mark.parametrize("place", range(0, 700, 35))
def test_a_cut_archive_is_refused_or_complete(place: int, read: Read) -> None:
    whole = npz(x=PIXELS, y=NUMBERS)
    with pytest.raises(SeedbedError):
        read(whole[: place % len(whole)])
