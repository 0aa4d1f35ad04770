"""Writes the files of a part: rows are appended to a shard until it is full, so memory holds a few of them only."""

import json
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

import cv2
import numpy as np
import numpy.typing as npt

from trainer.decoding.inspection import Inspection
from trainer.pack import ROWS
from trainer.preparation.part import FACTS, PICTURES, THUMBNAILS
from trainer.types import Pixels

PICTURE_SIDE, PICTURE_QUALITY = 144, 90

FileOfShard = Callable[[int], Path]
"""A shard's number → its file."""


class ArrayShards:
    """Rows, each an array of `shape`, in .npy files of `ROWS` rows; it is complete once it is closed."""

    def __init__(self, file_of: FileOfShard, shape: Sequence[int], dtype: type[np.generic]) -> None:
        self._file_of, self._shape, self._dtype = file_of, tuple(shape), np.dtype(dtype)
        self._file: BinaryIO | None = None
        self._shards = self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._end()

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Adds rows (k, …) after the others."""
        while len(rows):
            if self._file is None:
                self._begin()
            assert self._file
            some = np.ascontiguousarray(rows[: ROWS - self._rows], self._dtype)
            self._file.write(some.data)
            self._rows += len(some)
            rows = rows[len(some) :]
            if self._rows == ROWS:
                self._end()

    def _begin(self) -> None:
        path = self._file_of(self._shards)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._rows = 0
        self._write_header(self._file)

    def _end(self) -> None:
        if self._file is None:
            return
        with self._file as file:
            self._file = None
            file.seek(0)
            self._write_header(file)
        self._shards += 1

    def _write_header(self, file: BinaryIO) -> None:
        """NumPy leaves room in it for any number of rows."""
        described = {"descr": self._dtype.str, "fortran_order": False, "shape": (self._rows, *self._shape)}
        np.lib.format.write_array_header_1_0(file, described)


class PhotoShards:
    """Photographs in zip archives of `ROWS` each, in the order in which they are added."""

    def __init__(self, file_of: FileOfShard) -> None:
        self._file_of = file_of
        self._archive: zipfile.ZipFile | None = None
        self._photos = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._end()

    def add(self, file: str, content: bytes) -> None:
        """Adds a photograph by the name of its file; readers identify its format by the first bytes."""
        if self._archive is None:
            path = self._file_of(self._photos // ROWS)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)
        self._archive.writestr(zipfile.ZipInfo(file), content)
        self._photos += 1
        if self._photos % ROWS == 0:
            self._end()

    def _end(self) -> None:
        if self._archive is not None:
            archive, self._archive = self._archive, None
            archive.close()


class Kept(NamedTuple):
    """Where a picture and its features are: exact copies of it share them."""

    row: int
    """Among the rows of its split in this part."""
    picture: tuple[int, int]
    """Of its small JPEG: the first byte and the number of bytes."""


class IndexWriter:
    """Writes the facts of one instance's images below `folder`."""

    def __init__(self, folder: Path, host: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            self._facts, self._thumbnails, self._pictures = (
                stack.enter_context((folder / name.format(host)).open("wb")) for name in (FACTS, THUMBNAILS, PICTURES)
            )
            self._files = stack.pop_all()
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._files.close()

    def refuse(self, file: str, reason: str) -> None:
        """Notes why a file is not used."""
        self._write({"file": file, "refused": reason})

    def add(self, file: str, found: Inspection, kept: Kept) -> None:
        """Notes what was found of an image."""
        facts = {
            "file": file,
            "digest": found.digest,
            "hash": found.perceptual_hash.hex(),
            "side": found.longer_side,
            "kept": [kept.row, *kept.picture],
            "saved_as": found.saved_as,
        }
        self._write(facts | ({"notices": found.notices} if found.notices else {}))
        self._thumbnails.write(found.thumbnail)

    def add_picture(self, pixels: Pixels) -> tuple[int, int]:
        """Keeps a small JPEG of an image; returns its first byte and how many bytes it has."""
        side = min(PICTURE_SIDE, len(pixels))
        small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), (side, side), interpolation=cv2.INTER_AREA)
        _, content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])
        start = self._bytes
        self._bytes += self._pictures.write(content.data)
        return start, self._bytes - start

    def _write(self, facts: dict[str, Any]) -> None:
        self._facts.write(json.dumps(facts).encode() + b"\n")
