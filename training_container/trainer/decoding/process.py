"""One decoder as its owner sees it: a process that is asked for pictures, and replaced where one of them ends it."""

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

from trainer.decoding.limits import TOO_LONG, Limits
from trainer.decoding.messages import Channel, Message
from trainer.errors import DecoderFailed, DecodersClosed, ImageRefused

PACKAGES = Path(__file__).parents[2]
WORK = "from trainer.decoding.worker import main; main(int(sys.argv[2]), sys.argv[3])"
START_SECONDS = 120
END_SECONDS = 5
TRIES = 2


class _Ended(Exception):
    """The process ended before it answered."""


class _Running(NamedTuple):
    process: "subprocess.Popen[bytes]"
    channel: Channel


class DecoderProcess:
    """Starts at its first picture. One thread at a time uses it; any may `kill` it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running: _Running | None = None
        self._killed = False
        self._starting = Lock()

    def ask(self, request: Message) -> Message:
        """The worker's answer. ImageRefused where it refuses the picture, or was ended by what the picture costs.

        A process that something else ended, such as the kernel for want of memory, is replaced and asked again, once.
        """
        for _ in range(TRIES):
            try:
                return self._ask(request)
            except _Ended as end:
                ended_by = -int(str(end))
                if ended_by == signal.SIGPROF:
                    raise ImageRefused(TOO_LONG) from None
        if ended_by == signal.SIGKILL:
            raise ImageRefused("too costly to decode: its decoder was killed, probably because memory ran out")
        raise ImageRefused("damaged: it makes its decoder crash")

    @property
    def pid(self) -> int | None:
        """The process it has now, if it has one."""
        return self._running.process.pid if self._running else None

    def start(self) -> None:
        """Returns once it can be asked; DecoderFailed where it can't be started."""
        if self._running:
            return
        with self._starting:
            if self._killed:
                raise DecodersClosed("No more images are decoded.")
            self._running = _launched(self._limits)
        try:
            self._running.channel.receive(START_SECONDS)
        except (OSError, EOFError, ValueError) as error:
            self.end(at_once=True)
            raise DecoderFailed("The process that decodes images could not be started.") from error

    def kill(self) -> None:
        """Ends it for good, whatever it is at: who waits for an answer meets DecodersClosed."""
        with self._starting:
            self._killed = True
            if self._running:
                self._running.process.kill()

    def end(self, *, at_once: bool) -> int:
        """Its exit status: minus the signal that ended it."""
        if not self._running:
            return 0
        (process, channel), self._running = self._running, None
        channel.close()
        with process:
            if at_once:
                process.kill()
            try:
                return process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()

    def _ask(self, request: Message) -> Message:
        self.start()
        assert self._running
        try:
            self._running.channel.send(request, self._limits.patience)
            answer = self._running.channel.receive(self._limits.patience)
        except TimeoutError:
            self.end(at_once=True)
            raise ImageRefused(f"not decoded within {self._limits.patience:g} seconds") from None
        except (OSError, EOFError, ValueError):
            status = self.end(at_once=False)
            if self._killed:
                raise DecodersClosed("No more images are decoded.") from None
            raise _Ended(status) from None
        if "refused" in answer.says:
            raise ImageRefused(str(answer.says["refused"]))
        return answer


def _launched(limits: Limits) -> _Running:
    """Python runs with this package on its path, and neither the present folder nor what a person's settings add."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-P", "-W", "ignore", "-c", f"import sys; sys.path.insert(0, sys.argv[1]); {WORK}"]
    with theirs:
        try:
            process = subprocess.Popen(
                [*command, str(PACKAGES), str(theirs.fileno()), json.dumps(asdict(limits))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
            )
        except OSError as error:
            ours.close()
            raise DecoderFailed(f"The process that decodes images could not be started: {error}.") from error
    return _Running(process, Channel(ours))
