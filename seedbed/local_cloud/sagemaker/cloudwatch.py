"""What jobs say and measure on its way to CloudWatch: sent about once a second, best effort."""

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

log = logging.getLogger(__name__)

INTERVAL = 1.0


class Sender(Protocol):
    """Something that has collected what it now sends."""

    def send(self) -> None: ...


class Telemetry:
    """The thread that has the senders send, and once more at the end."""

    def __init__(self, senders: Sequence[Sender]) -> None:
        self._senders = senders
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sagemaker-telemetry", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        self._closing.set()
        self._thread.join(timeout)

    def _work(self) -> None:
        over = False
        while not over:
            over = self._closing.wait(INTERVAL)
            for sender in self._senders:
                try:
                    sender.send()
                except Exception:
                    log.exception("Something did not reach CloudWatch")
