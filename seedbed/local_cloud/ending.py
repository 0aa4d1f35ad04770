"""The end of the local cloud's process: it is told to, and it ends in a bounded time whatever still hangs in it."""

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
    """Run it, and end the process at once when it is done: no thread that waits for a function is waited for."""
    status = 1
    try:
        asyncio.Runner().run(main)
        status = 0
    except BaseException:  # noqa: BLE001  whatever it is, the interpreter's own way out might hang
        traceback.print_exc()
    with contextlib.suppress(OSError):
        logging.shutdown()
        sys.stdout.flush()
    os._exit(status)


def watch_for_stop(told: asyncio.Event, seconds: float = EXIT_SECONDS) -> None:
    """Set the event on SIGTERM or SIGINT, and when standard input ends: whoever started this is gone then.

    The process is ended so many seconds later if it has not by itself; what each thread was at is written to standard
    error. A thread watches, so that neither a busy event loop nor a busy main thread delays that.
    """
    loop = asyncio.get_running_loop()
    signals, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written)
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: None)

    def tell() -> None:
        faulthandler.dump_traceback_later(seconds, exit=True)
        loop.call_soon_threadsafe(told.set)

    threading.Thread(target=_watch, args=(signals, sys.stdin.fileno(), tell), daemon=True).start()


def _watch(signals: int, parent: int, tell: Callable[[], None]) -> None:
    while True:
        ready, _, _ = select.select([signals, parent], [], [])
        if signals in ready and STOP_SIGNALS.intersection(os.read(signals, 64)):
            break
        if parent in ready and not os.read(parent, 1024):
            break
    tell()
