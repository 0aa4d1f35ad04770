"""Reads the values in a file of NumPy or pickle, packed or not, with bounded memory."""

import bz2
import gzip
import io
import lzma
import math
import mmap
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np
import psutil

from ..errors import SeedbedError
from .array import checked_kind, checked_shape, checked_texts, plain
from .formats import HEAD, check_format, check_text
from .safe_reader import Dictionary, Refused, read_pickle

NUMPY = b"\x93NUMPY"
PICKLE = b"\x80"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
CHUNK = 2**20
COPIES = 2
"""How many copies of a pickle's content are in memory at most, depending on the protocol."""
ALWAYS_TAKEN = 2**28
MOST_MEMBERS = 1000
MOST_PACKED = 100
"""Of more than 256 MiB, images and labels pack to more than a hundredth."""
DAMAGED = (
    *(ValueError, LookupError, EOFError, TypeError, OverflowError, SyntaxError, RecursionError, tokenize.TokenError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError),
)
"""What libraries raise for content that is not what it should be; RuntimeError for a zip archive with a password."""

Content = bytes | mmap.mmap


@dataclass(frozen=True)
class Values:
    """What a file holds, as a rule one value, several if they were written one after the other; and its size."""

    values: list[Any]
    size: int
    """In bytes, once unpacked."""


def read_values(path: Path, wanted: Collection[str] = ()) -> Values:
    """The values in a file, as `plain` gives them.

    An archive is one `Dictionary`; where names are `wanted`, its other members are None. Raises SeedbedError for
    anything else; it says what the file holds, and what to do.
    """
    if path.is_dir():
        raise SeedbedError(f"{path} is a folder: give the files with the images and the labels.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = _content(path)
            return Values(list(_values(path, content, wanted)), len(content))
    except Refused as error:
        raise SeedbedError(f"{path} can't be read: it holds {error}.") from error
    except OSError as error:
        raise SeedbedError(f"{path} can't be read: {error.strerror or 'it is damaged'}.") from error
    except MemoryError as error:
        raise SeedbedError(f"{path} can't be read: it needs more memory than there is.") from error
    except DAMAGED as error:
        raise SeedbedError(f"{path} can't be read: {_reason(path)}.") from error


def _reason(path: Path) -> str:
    with path.open("rb") as file:
        try:
            check_text(file.read(HEAD))
        except Refused as refused:
            return f"it holds {refused}"
    return "it is not a file of NumPy or pickle, or it is damaged. Save it again with numpy.save"


def _content(path: Path) -> Content:
    if not path.is_file() and path.exists():
        raise Refused("no file, but a stream: save it as a file first")
    with path.open("rb") as file:
        head = file.read(HEAD)
        if not head:
            raise Refused("nothing: write or copy it again")
        check_format(head)
        file.seek(0)
        stream = _unpacker(head, file)
        if stream:
            return _unpack(stream, _most(path.stat().st_size))
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _unpacker(head: bytes, file: BinaryIO) -> IO[bytes] | None:
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(file))
    if head.startswith(b"BZh"):
        return bz2.open(file)
    if head.startswith((b"\xfd7zXZ\0", b"\x5d\0\0")):
        return lzma.open(file)
    return None


def _most(size: int) -> int:
    """How many bytes may come of this many packed ones."""
    return min(psutil.virtual_memory().available // COPIES, max(ALWAYS_TAKEN, MOST_PACKED * size))


def _unpack(stream: IO[bytes], most: int) -> bytes:
    content = io.BytesIO()
    while chunk := stream.read(CHUNK):
        if content.tell() + len(chunk) > most:
            raise Refused(
                f"more than {most:,} bytes once it is unpacked, too much for its size or for the memory of this "
                "machine: save it without compression, with numpy.save"
            )
        content.write(chunk)
    return content.getvalue()


def _values(path: Path, content: Content, wanted: Collection[str]) -> Iterator[Any]:
    """The values one after the other; what follows the first and is neither NumPy's nor pickle's is left out."""
    check_format(content[:HEAD])
    if content[:4] in ZIP:
        with zipfile.ZipFile(io.BytesIO(content) if isinstance(content, bytes) else path) as archive:
            yield _archive(archive, _most(len(content)), wanted)
        return
    file = cast("BinaryIO", content) if isinstance(content, mmap.mmap) else io.BytesIO(content)
    yield _value(file, content)
    while content[file.tell() : file.tell() + len(NUMPY)].startswith((NUMPY, PICKLE)):
        yield _value(file, content)


def _value(file: BinaryIO, content: Content) -> Any:
    if content[file.tell() : file.tell() + len(NUMPY)] == NUMPY:
        return _numpy(file, content)
    if isinstance(content, mmap.mmap) and len(content) * COPIES > psutil.virtual_memory().available:
        raise Refused(
            f"{len(content):,} bytes, too many for the free memory of this machine: save it with numpy.save, "
            "which needs less memory"
        )
    return plain(read_pickle(file))


def _numpy(file: BinaryIO, content: Content) -> Any:
    version = np.lib.format.read_magic(file)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, kind = reader(file)
    if kind == np.dtype(object):
        return plain(read_pickle(file))
    start, length = file.tell(), math.prod(shape) * checked_kind(kind).itemsize
    checked_shape(shape, kind.itemsize, min(length, len(content) - start))
    file.seek(start + length)
    numbers = checked_texts(np.frombuffer(content, kind, length // kind.itemsize, start))
    return numbers.reshape(shape, order="F" if by_columns else "C")


def _archive(archive: zipfile.ZipFile, most: int, wanted: Collection[str]) -> Dictionary:
    found, members = Dictionary(), archive.infolist()
    if any(member.filename.endswith("/data.pkl") for member in members):
        raise Refused("what PyTorch wrote: load it with torch.load, and save each tensor's .numpy() with numpy.save")
    for member in members[:MOST_MEMBERS]:
        name = member.filename.removesuffix(".npy")
        with archive.open(member) as stream:
            if not stream.read(len(NUMPY)).startswith((NUMPY, PICKLE)):
                continue
            stream.seek(0)
            part = _unpack(stream, most) if not wanted or name in wanted else b""
        most -= len(part)
        found.pairs.append((name, _member(part) if part else None))
    if {"shape", "format", "data"} <= {name for name, _ in found.pairs}:
        raise Refused("a sparse matrix of SciPy: save scipy.sparse.load_npz(...).toarray() with numpy.save")
    if not found.pairs:
        raise Refused(
            f"{len(members):,} files, none of them an array: unpack it, and give the files with the images and labels"
        )
    return found


def _member(content: bytes) -> Any:
    """The member's value, or the Refused that it would be: another may be wanted."""
    try:
        return _value(io.BytesIO(content), content)
    except Refused as error:
        return error
