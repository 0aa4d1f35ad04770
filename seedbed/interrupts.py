"""Ctrl-C, SIGTERM and a closed terminal end a command once, with one line; its cleaning up is not disturbed.

This is the first module that a command loads, so it loads little itself.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LINE = "Stopped.\n"

heeded: int | None = None
"""The signal that ends this command, if one does."""

_waiting: list[int | None] = []


def leave_at_once() -> None:
    """From now on a signal ends this process on the spot: nothing that it would leave has been started yet."""

    def leave_now(number: int, _: FrameType | None) -> None:
        leave(number)

    _install(leave_now)


def heed() -> None:
    """From now on a signal raises KeyboardInterrupt; further ones change nothing while that is on its way."""
    _install(_interrupt)


def ignore() -> None:
    """From now on signals change nothing: the command ends anyway."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """A signal that comes while the block runs is heeded after it."""
    _waiting.append(None)
    try:
        yield
    finally:
        number = _waiting.pop()
        if number is not None:
            _interrupt(number, None)


def leave(number: int) -> NoReturn:
    """End this process with one line and without its threads: 130 for Ctrl-C, 143 for SIGTERM, as shells have it."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), LINE.encode())
    os._exit(128 + number)


def _install(handler: "signal._HANDLER") -> None:
    """For the signals that whoever started this process did not have it ignore, as nohup does."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _interrupt(number: int, _: FrameType | None) -> None:
    global heeded  # noqa: PLW0603  there is one command in a process
    if _waiting:
        _waiting[-1] = number
    elif not _came_of_an_interruption(sys.exception()):
        heeded = number
        raise KeyboardInterrupt


def _came_of_an_interruption(error: BaseException | None) -> bool:
    """Whether what is being handled now is an interruption, or what somebody made of one."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
