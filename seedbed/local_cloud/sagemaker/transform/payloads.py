"""An object in S3 as what is sent of it: whole, record by record, or as many records as fit."""

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from ..errors import JobFailure
from ..kinds import Body
from ..s3.cache import S3Object
from ..s3.object_reader import ObjectReader
from .parameters import MB, Parameters


def payloads(item: S3Object, source: Body, parameters: Parameters, reader: ObjectReader) -> Iterator[bytes]:
    """The payloads of an object, in its order. source: the job's TransformInput. Raises JobFailure.

    A record is a line. One that is sent alone has no line end; an empty line is no record.
    """
    with reader.open(item) as raw:
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw) if source["CompressionType"] == "Gzip" else raw)
        try:
            if source["SplitType"] == "None":
                yield _limited(stream.read(parameters.payload + 1), item, parameters)
            elif parameters.single:
                yield from (line.rstrip(b"\r\n") for line in _lines(stream, item, parameters))
            else:
                yield from _batches(_lines(stream, item, parameters), parameters.payload)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise JobFailure(f"ClientError: {uri_of(item)} can't be read as gzip: {error}") from error


def uri_of(item: S3Object) -> str:
    return f"s3://{item.bucket}/{item.key}"


def _lines(stream: BinaryIO, item: S3Object, parameters: Parameters) -> Iterator[bytes]:
    while line := _limited(stream.readline(parameters.payload + 1), item, parameters):
        if line.strip(b"\r\n"):
            yield line


def _batches(lines: Iterator[bytes], most: int) -> Iterator[bytes]:
    """As many lines together as `most` bytes hold."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and size + len(line) > most:
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield b"".join(batch)


def _limited(content: bytes, item: S3Object, parameters: Parameters) -> bytes:
    if len(content) > parameters.payload:
        raise JobFailure(
            f"ClientError: {uri_of(item)}: Too much data for max payload size: a record has more than"
            f" {parameters.payload // MB} MB. Give a larger MaxPayloadInMB, or split the object by its lines."
        )
    return content
