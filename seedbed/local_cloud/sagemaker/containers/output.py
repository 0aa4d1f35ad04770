"""A container's output as it arrives: kept in a file as it is, and given on line by line."""

import contextlib
import logging
import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

log = logging.getLogger(__name__)

CHUNK_BYTES = 65_536
LINE_BYTES = 4 * 2**20
LOG_BYTES = 64 * 2**20
# More than any pipe holds.
PIPE_BYTES = 2**20
CHECK_SECONDS = 0.5
DRAIN_SECONDS = 5.0
HANDLING_SECONDS = 60.0
LOG_END = b"\n[The file ends here, at 64 MiB. The output continues in CloudWatch Logs.]\n"
CUT = "[The line above is longer than 4 MiB. It is cut there, and a metric across the cut is not found.]"


class Listener(Protocol):
    """Receives a container's output."""

    def on_line(self, line: str, ended: bool) -> None:
        """Called with a line without its end; ended: False if it ends in a carriage return, as progress bars do."""

    def note(self, text: str) -> None:
        """Called with a sentence of the endpoint about the output."""


class Lines:
    """Cuts bytes into lines: a line feed ends one, with or without a carriage return before it.

    A carriage return alone ends a line that the next one overwrites. A line of more than LINE_BYTES is cut.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._open = False
        self.cut = False

    def add(self, chunk: bytes) -> Iterator[tuple[bytes, bool]]:
        """The lines that the chunk completes, each with whether a line feed has ended it."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from self._overwritten(line)
        if b"\r" in self._rest:
            *states, self._rest = self._rest.split(b"\r")
            self._open = True
            yield from ((state, False) for state in states)
        if len(self._rest) >= LINE_BYTES:
            self.cut, rest, self._rest = True, self._rest, b""
            yield rest, True

    def end(self) -> Iterator[tuple[bytes, bool]]:
        """The last line, if no line feed has ended it."""
        if self._rest or self._open:
            yield self._rest, True

    def _overwritten(self, line: bytes) -> Iterator[tuple[bytes, bool]]:
        *states, last = line.rstrip(b"\r").split(b"\r")
        yield from ((state, False) for state in states)
        self._open = False
        yield last, True


class OutputReader:
    """A thread that reads all of a container's output, even if its file can't be written: the job must not wait."""

    def __init__(self, pipe: IO[bytes], log_path: Path, listener: Listener) -> None:
        self._pipe = pipe
        self._log_path = log_path
        self._listener = listener
        self._lines = Lines()
        self._kept = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Waits for the rest of the output, once the container's processes are gone.

        A process that has left their group may hold the pipe open: it is not waited for longer than DRAIN_SECONDS.
        """
        self._over.set()
        self._thread.join(HANDLING_SECONDS)

    def _work(self) -> None:
        with self._pipe:
            for chunk in self._chunks():
                self._keep(chunk)
                for line, ended in self._lines.add(chunk):
                    self._give(line, ended)
        for line, ended in self._lines.end():
            self._give(line, ended)

    def _chunks(self) -> Iterator[bytes]:
        number = self._pipe.fileno()
        readable = select.poll()
        readable.register(number, select.POLLIN)
        left = PIPE_BYTES
        while left > 0:
            over = self._over.is_set()
            if readable.poll(1000 * (DRAIN_SECONDS if over else CHECK_SECONDS)):
                chunk = os.read(number, CHUNK_BYTES)
                if not chunk:
                    return
                left -= len(chunk) if over else 0
                yield chunk
            elif over:
                return

    def _keep(self, chunk: bytes) -> None:
        if self._kept >= LOG_BYTES:
            return
        part = chunk[: LOG_BYTES - self._kept]
        self._kept += len(part)
        with contextlib.suppress(OSError), self._log_path.open("ab", buffering=0) as file:  # the disk may be full
            file.write(part + LOG_END if self._kept >= LOG_BYTES else part)

    def _give(self, line: bytes, ended: bool) -> None:
        try:
            self._listener.on_line(line.decode(errors="replace"), ended)
            if self._lines.cut:
                self._lines.cut = False
                self._listener.note(CUT)
        except Exception:
            log.exception("A line of a job's output could not be handled")
