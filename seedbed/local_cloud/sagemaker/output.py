"""What a job's container says: kept for its failure, sent to CloudWatch, and read for metrics."""

import time
from collections import deque
from collections.abc import Callable

from .jobs import TAIL_LINES, Workshop
from .records.transitions import now
from .training.metrics import Metrics


class Output:
    """Takes in the lines of one container. `tail` are the last ones."""

    def __init__(self, shop: Workshop, group: str, job: str) -> None:
        self._logs = shop.logs
        self._stream = (group, f"{job}/algo-1-{int(time.time())}")
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)

    def heard(self, line: str) -> None:
        self.tail.append(line)
        self._logs.add(self._stream, line)


class MeasuredOutput(Output):
    """That of a training job, with its metrics. `found` is told the names of those in a line, where there are any."""

    def __init__(
        self, shop: Workshop, group: str, job: str, metrics: Metrics, found: Callable[[set[str]], None]
    ) -> None:
        super().__init__(shop, group, job)
        self._job = job
        self._metrics = metrics
        self._curves = shop.curves
        self._found = found

    def heard(self, line: str) -> None:
        super().heard(line)
        stamp = now()
        values = self._metrics.read(line, stamp)
        for metric, value in values.items():
            self._curves.add(self._job, metric, value, stamp)
        if values:
            self._found(set(values))
