"""One decoder process as its owner sees it: it answers requests, and is replaced if an image ends it."""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from trainer.decoding.limits import PIXELS_AT_ONCE, TOO_LONG, DecodingLimits
from trainer.decoding.messages import Connection, DecoderMessage
from trainer.decoding.pixel_budget import PixelBudget
from trainer.errors import DecoderFailed, DecodersClosed, ImageRefused

PACKAGES = Path(__file__).parents[2]
WORK = "from trainer.decoding.worker import main; main(int(sys.argv[2]), sys.argv[3])"
START_SECONDS = 120
END_SECONDS = 5
TRIES = 2


class _Ended(Exception):
    """The process ended before it answered; the argument is its exit status."""


class _Running(NamedTuple):
    process: "subprocess.Popen[bytes]"
    connection: Connection


class DecoderProcess:
    """A process that starts with its first request. One thread at a time may use it; any thread may `kill` it."""

    def __init__(self, limits: DecodingLimits, budget: PixelBudget | None = None) -> None:
        self._limits = limits
        self._budget = budget or PixelBudget(PIXELS_AT_ONCE)
        self._running: _Running | None = None
        self._killed = False
        self._starting = Lock()

    def ask(self, request: DecoderMessage) -> DecoderMessage:
        """The worker's answer; ImageRefused if it refuses the image, or the image exceeds the limits.

        If the process was ended by something else, such as the kernel short of memory, a new one is asked once more.
        """
        for _ in range(TRIES):
            try:
                return self._ask(request)
            except _Ended as end:
                ended_by = -int(str(end))
                if ended_by == signal.SIGPROF:
                    raise ImageRefused(TOO_LONG, is_image=True) from None
        if ended_by == signal.SIGKILL:
            reason = "too costly to decode: its decoder was killed, probably because memory ran out"
            raise ImageRefused(reason, is_image=True)
        raise ImageRefused("damaged: it makes its decoder crash", is_image=True)

    @property
    def pid(self) -> int | None:
        """The process ID; None if no process is running."""
        return self._running.process.pid if self._running else None

    def start(self) -> None:
        """Returns once the process takes requests; DecoderFailed if it can't be started."""
        if self._running:
            return
        with self._starting:
            if self._killed:
                raise DecodersClosed("No more images are decoded.")
            self._running = _launched(self._limits)
        try:
            self._running.connection.receive(START_SECONDS)
        except (OSError, EOFError, ValueError) as error:
            self.end(at_once=True)
            raise DecoderFailed("The process that decodes images could not be started.") from error

    def kill(self) -> None:
        """Ends the process for good, busy or not; a pending request raises DecodersClosed."""
        with self._starting:
            self._killed = True
            if self._running:
                self._running.process.kill()

    def end(self, *, at_once: bool) -> int:
        """Ends the process, or waits for its end, and returns the exit status; minus the signal that ended it."""
        if not self._running:
            return 0
        (process, connection), self._running = self._running, None
        connection.close()
        with process:
            if at_once:
                process.kill()
            try:
                return process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()

    def _ask(self, request: DecoderMessage) -> DecoderMessage:
        self.start()
        try:
            answer = self._answer(request)
            if "pixels" in answer.fields:
                pixels = int(answer.fields["pixels"])
                with self._budget.taken(pixels):
                    answer = self._answer(DecoderMessage({}), pixels / 1e6)
        except TimeoutError:
            self.end(at_once=True)
            raise ImageRefused(f"not decoded within {self._limits.timeout:g} seconds") from None
        except (OSError, EOFError, ValueError):
            status = self.end(at_once=False)
            if self._killed:
                raise DecodersClosed("No more images are decoded.") from None
            raise _Ended(status) from None
        if "refused" in answer.fields:
            raise ImageRefused(str(answer.fields["refused"]), answer.fields["is_image"])
        return answer

    def _answer(self, message: DecoderMessage, more_seconds: float = 0) -> DecoderMessage:
        assert self._running
        self._running.connection.send(message, self._limits.timeout)
        return self._running.connection.receive(self._limits.timeout + more_seconds)


def _environment() -> dict[str, str]:
    """This process's, without keys to AWS: a file that takes over its decoder finds none."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "OPENBLAS_NUM_THREADS": "1"}


def _launched(limits: DecodingLimits) -> _Running:
    """Starts Python with this package first on its path, and without the current folder."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-P", "-W", "ignore", "-c", f"import sys; sys.path.insert(0, sys.argv[1]); {WORK}"]
    with theirs:
        try:
            process = subprocess.Popen(
                [*command, str(PACKAGES), str(theirs.fileno()), json.dumps(asdict(limits))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
                pass_fds=[theirs.fileno()],
            )
        except OSError as error:
            ours.close()
            why = error.strerror or "no reason given"
            raise DecoderFailed(f"The process that decodes images could not be started: {why}.") from error
    return _Running(process, Connection(ours))
