"""Objects as a stream of bytes for a named pipe: one after the other, unpacked or wrapped as records if asked for."""

import gzip
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from ..errors import JobFailure
from .cache import S3Object
from .object_reader import fault

CHUNK = 2**20
RECORDIO_MAGIC = 0xCED7230A
# A record's length has 29 bits.
MAX_RECORD = 2**29 - 1


@dataclass(frozen=True)
class Streaming:
    """How objects are streamed. open: opens one. gzipped: whether each is unpacked. records: whether it is wrapped."""

    open: Callable[[S3Object], IO[bytes]]
    gzipped: bool = False
    records: bool = False

    def of(self, items: Iterable[S3Object | bytes]) -> Iterator[bytes]:
        """The stream, in parts of at most 1 MiB. Raises JobFailure for an object that can't be read or wrapped.

        items: objects, and texts that stand between them, which are never packed.
        """
        for item in items:
            if self.records:
                size = self._size(item)
                yield header(size)
                yield from self._content(item)
                yield padding(size)
            else:
                yield from self._content(item)

    def _size(self, item: S3Object | bytes) -> int:
        """The size of a record's content. An object that is packed is read once for that."""
        if isinstance(item, bytes):
            return len(item)
        size = sum(map(len, self._content(item))) if self.gzipped else item.size
        if size > MAX_RECORD:
            raise JobFailure(f"{fault(item)}: it is larger than a RecordIO record can be (512 MiB).")
        return size

    def _content(self, item: S3Object | bytes) -> Iterator[bytes]:
        if isinstance(item, bytes):
            yield item
            return
        with self.open(item) as file:
            try:
                source = gzip.GzipFile(fileobj=file) if self.gzipped else file
                while chunk := source.read(CHUNK):
                    yield chunk
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise JobFailure(f"{fault(item)}: it can't be unpacked with gzip: {error}") from error


def header(size: int) -> bytes:
    """What stands before a record's content of so many bytes."""
    return struct.pack("<II", RECORDIO_MAGIC, size)


def padding(size: int) -> bytes:
    """What stands after it: records begin at multiples of four bytes."""
    return bytes(-size % 4)
