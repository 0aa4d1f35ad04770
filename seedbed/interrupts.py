"""Ctrl-C, SIGTERM and a closed terminal end a command with one line, and do not interrupt its cleaning up.

This is the first module that a command loads, so it imports little itself.
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
"""The signal that is ending this command; None if there was none."""

_waiting: list[int | None] = []


def leave_at_once() -> None:
    """From now on a signal ends the process immediately: nothing has been started that would need cleaning up."""

    def leave_now(number: int, _: FrameType | None) -> None:
        leave(number)

    _install(leave_now)


def heed() -> None:
    """From now on a signal raises KeyboardInterrupt; further signals are ignored while it propagates."""
    _install(_interrupt)


def ignore() -> None:
    """Ignore signals from now on: the command is ending anyway."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """Defers signals that arrive while the block runs until it has ended."""
    _waiting.append(None)
    try:
        yield
    finally:
        number = _waiting.pop()
        if number is not None:
            _interrupt(number, None)


def leave(number: int) -> NoReturn:
    """Print one line and exit without waiting for threads. Status: 128 + signal (130 for Ctrl-C), as in shells."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a stream may be closed, and its reader gone
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(2, LINE.encode())
    os._exit(128 + number)


def _install(handler: "signal._HANDLER") -> None:
    """Handle the signals, except those that the parent process had it ignore, as nohup does."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _interrupt(number: int, _: FrameType | None) -> None:
    global heeded  # noqa: PLW0603  there is one command in a process
    if _waiting:
        _waiting[-1] = number
    elif not _is_interruption(sys.exception()):
        heeded = number
        raise KeyboardInterrupt


def _is_interruption(error: BaseException | None) -> bool:
    """Whether the error is a KeyboardInterrupt, or was raised because of one."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
