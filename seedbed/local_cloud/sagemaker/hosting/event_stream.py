"""AWS's event stream, `application/vnd.amazon.eventstream`: the messages in which a response is streamed."""

import json
import struct
import zlib
from collections.abc import Mapping

MEDIA_TYPE = "application/vnd.amazon.eventstream"
TEXT = 7
"""The type of a header's value that is a text."""
CHECKSUM_BYTES, PRELUDE_BYTES = 4, 12


def event(kind: str, payload: bytes) -> bytes:
    """An event, such as a PayloadPart."""
    headers = {":message-type": "event", ":event-type": kind, ":content-type": "application/octet-stream"}
    return message(headers, payload)


def exception(kind: str, fields: Mapping[str, str]) -> bytes:
    """An error that ends a stream, such as a ModelStreamError."""
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
    return message(headers, json.dumps(fields).encode())


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """A message: its prelude of both lengths, its headers and payload, and a checksum after each of these halves."""
    packed = b"".join(map(_header, headers, headers.values()))
    length = PRELUDE_BYTES + len(packed) + len(payload) + CHECKSUM_BYTES
    prelude = _with_checksum(struct.pack("!II", length, len(packed)))
    return _with_checksum(prelude + packed + payload)


def _header(name: str, value: str) -> bytes:
    encoded = value.encode()
    return bytes([len(name)]) + name.encode() + struct.pack("!BH", TEXT, len(encoded)) + encoded


def _with_checksum(content: bytes) -> bytes:
    return content + struct.pack("!I", zlib.crc32(content))
