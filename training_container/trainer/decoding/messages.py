"""Messages between a decoder and its owner: a JSON object followed by raw bytes, never code."""

import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

LENGTH = struct.Struct("!I")
MAX_BYTES = 1 << 28

Payload = bytes | bytearray | memoryview


class DecoderMessage(NamedTuple):
    """A JSON object, and the payloads that follow it."""

    fields: dict[str, Any]
    payloads: Sequence[Payload] = ()


class Connection:
    """One end of a socket pair. A lost connection or a malformed message raises OSError, EOFError or ValueError."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, message: DecoderMessage, within: float | None = None) -> None:
        """Raises TimeoutError if the other side does not take the message within `within` seconds."""
        self._end.settimeout(within)
        header = json.dumps([message.fields, [len(payload) for payload in message.payloads]]).encode()
        self._end.sendall(LENGTH.pack(len(header)) + header)
        for payload in message.payloads:
            self._end.sendall(payload)

    def receive(self, within: float | None = None) -> DecoderMessage:
        """The next message; TimeoutError if it is incomplete after `within` seconds, EOFError if there are no more."""
        until = None if within is None else time.monotonic() + within
        (length,) = LENGTH.unpack(self._read(LENGTH.size, until))
        fields, lengths = json.loads(self._read(length, until))
        return DecoderMessage(fields, [self._read(length, until) for length in lengths])

    def close(self) -> None:
        """Closes this end; the other side then gets EOFError."""
        self._end.close()

    def _read(self, length: int, until: float | None) -> bytearray:
        if not 0 <= length <= MAX_BYTES:
            raise ValueError(f"{length} bytes were announced")
        read, place = bytearray(length), 0
        while place < length:
            if until is not None:
                self._end.settimeout(max(until - time.monotonic(), 0.001))
            got = self._end.recv_into(memoryview(read)[place:])
            if not got:
                raise EOFError
            place += got
        return read
