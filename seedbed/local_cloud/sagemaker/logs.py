"""Lines of jobs' output for CloudWatch Logs."""

import contextlib
import logging
import threading
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

log = logging.getLogger(__name__)

BATCH_LINES = 1000
WAITING_LINES = 20_000
LINE_LENGTH = 4000

Stream = tuple[str, str]


class LogLines:
    """Collects lines for each (group, stream). Where CloudWatch Logs falls behind, the oldest lines are dropped."""

    def __init__(self, clients: Clients) -> None:
        self._client = clients.logs
        self._lock = threading.Lock()
        self._waiting: dict[Stream, deque[InputLogEventTypeDef]] = defaultdict(lambda: deque(maxlen=WAITING_LINES))
        self._known: set[Stream] = set()

    def add(self, stream: Stream, line: str) -> None:
        """An empty line is left out: CloudWatch Logs takes none."""
        if line:
            with self._lock:
                self._waiting[stream].append({"timestamp": int(time.time() * 1000), "message": line[:LINE_LENGTH]})

    def send(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, defaultdict(lambda: deque(maxlen=WAITING_LINES))
        for stream, lines in waiting.items():
            try:
                self._send(stream, list(lines))
            except (BotoCoreError, ClientError) as error:
                log.debug("Lines of %s did not reach CloudWatch Logs: %s", stream[1], error)

    def _send(self, stream: Stream, lines: "list[InputLogEventTypeDef]") -> None:
        group, name = stream
        client = self._client
        if stream not in self._known:
            if not any(group == known for known, _ in self._known):
                with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
                    client.create_log_group(logGroupName=group)
            with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
                client.create_log_stream(logGroupName=group, logStreamName=name)
            self._known.add(stream)
        for start in range(0, len(lines), BATCH_LINES):
            client.put_log_events(logGroupName=group, logStreamName=name, logEvents=lines[start : start + BATCH_LINES])
