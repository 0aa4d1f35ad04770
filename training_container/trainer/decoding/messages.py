"""Messages between a decoder and its owner: a JSON object, and bytes that follow it. Neither side runs what it gets."""

import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

LENGTH = struct.Struct("!I")
MAX_BYTES = 1 << 28

Piece = bytes | bytearray | memoryview


class Message(NamedTuple):
    """What it says, and the pieces of bytes that go with it."""

    says: dict[str, Any]
    pieces: Sequence[Piece] = ()


class Channel:
    """One end of a connection. Whoever is cut off, or gets no message, meets an OSError, EOFError or ValueError."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, message: Message, within: float | None = None) -> None:
        """TimeoutError where the other side does not take it within so many seconds."""
        self._end.settimeout(within)
        says = json.dumps([message.says, [len(piece) for piece in message.pieces]]).encode()
        self._end.sendall(LENGTH.pack(len(says)) + says)
        for piece in message.pieces:
            self._end.sendall(piece)

    def receive(self, within: float | None = None) -> Message:
        """TimeoutError where a message is not there in full within so many seconds, EOFError at the other's end."""
        until = None if within is None else time.monotonic() + within
        (length,) = LENGTH.unpack(self._read(LENGTH.size, until))
        says, lengths = json.loads(self._read(length, until))
        return Message(says, [self._read(length, until) for length in lengths])

    def close(self) -> None:
        """The other side meets the end."""
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
