"""Ends the local cloud's process in a bounded time, whatever hangs in it."""

import asyncio
import contextlib
import faulthandler
import logging
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

EXIT_SECONDS = 15.0
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def run_and_exit(main: Coroutine[Any, Any, None]) -> None:
    """Run the coroutine, then exit at once, without waiting for threads that still wait for a function."""
    status = 1
    try:
        asyncio.Runner().run(main)
        status = 0
    except BaseException:  # noqa: BLE001  whatever it is, the interpreter's own exit might hang
        traceback.print_exc()
    with contextlib.suppress(OSError):
        logging.shutdown()
        sys.stdout.flush()
    os._exit(status)


def watch_for_stop(stop: asyncio.Event, seconds: float = EXIT_SECONDS) -> None:
    """Set the event on SIGTERM or SIGINT, and when standard input ends, as the parent process has ended then.

    If the process is still running so many seconds later, the stack of each thread is written to standard error, and
    the process is killed. A thread watches, so a busy event loop or main thread delays nothing.
    """
    loop = asyncio.get_running_loop()
    signals, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written)
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: None)

    def request_stop() -> None:
        faulthandler.dump_traceback_later(seconds, exit=True)
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=_watch, args=(signals, sys.stdin.fileno(), request_stop), daemon=True).start()


def _watch(signals: int, parent: int, request_stop: Callable[[], None]) -> None:
    while True:
        ready, _, _ = select.select([signals, parent], [], [])
        if signals in ready and STOP_SIGNALS.intersection(os.read(signals, 64)):
            break
        if parent in ready and not os.read(parent, 1024):
            break
    request_stop()
