"""Jobs' output and metrics on their way to CloudWatch: sent about once a second, best effort."""

import contextlib
import logging
import threading
import time
from collections import defaultdict, deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

log = logging.getLogger(__name__)

INTERVAL = 1.0
# The SageMaker SDK's TrainingJobAnalytics reads metrics from this namespace.
NAMESPACE = "/aws/sagemaker/TrainingJobs"
BATCH_METRICS = 500
WAITING_METRICS = 20_000
BATCH_LINES = 1000
WAITING_LINES = 20_000
LINE_LENGTH = 4000

Stream = tuple[str, str]


class CloudWatch:
    """Collects lines for each log stream and metrics of each training job; a thread of its own sends them.

    When CloudWatch falls behind, the oldest are dropped.
    """

    def __init__(self, clients: Clients) -> None:
        self._logs = clients.logs
        self._cloudwatch = clients.cloudwatch
        self._lock = threading.Lock()
        self._lines: dict[Stream, deque[InputLogEventTypeDef]] = _no_lines()
        self._metrics: deque[MetricDatumTypeDef] = deque(maxlen=WAITING_METRICS)
        self._streams: set[Stream] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sagemaker-cloudwatch", daemon=True)

    def line(self, stream: Stream, line: str) -> None:
        """Adds a line to a (group, stream); an empty one is left out, since CloudWatch Logs refuses it."""
        if line:
            with self._lock:
                self._lines[stream].append({"timestamp": int(time.time() * 1000), "message": line[:LINE_LENGTH]})

    def metric(self, job: str, metric: str, value: float, when: float) -> None:
        """Adds one value of a training job's metric. when: epoch seconds."""
        datum: MetricDatumTypeDef = {
            "MetricName": metric,
            "Dimensions": [{"Name": "TrainingJobName", "Value": job}],
            "Timestamp": datetime.fromtimestamp(when, UTC),
            "Value": value,
        }
        with self._lock:
            self._metrics.append(datum)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Sends what has been collected, and waits for that at most `timeout` seconds."""
        self._closing.set()
        self._thread.join(timeout)

    def _work(self) -> None:
        over = False
        while not over:
            over = self._closing.wait(INTERVAL)
            for send in (self._send_lines, self._send_metrics):
                try:
                    send()
                except Exception:
                    log.exception("Something did not reach CloudWatch")

    def _send_metrics(self) -> None:
        with self._lock:
            points = list(self._metrics)
            self._metrics.clear()
        for start in range(0, len(points), BATCH_METRICS):
            try:
                batch = points[start : start + BATCH_METRICS]
                self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=batch)
            except (BotoCoreError, ClientError) as error:
                log.debug("Metrics did not reach CloudWatch: %s", error)

    def _send_lines(self) -> None:
        with self._lock:
            waiting, self._lines = self._lines, _no_lines()
        for stream, lines in waiting.items():
            try:
                self._put_lines(stream, list(lines))
            except (BotoCoreError, ClientError) as error:
                log.debug("Lines of %s did not reach CloudWatch Logs: %s", stream[1], error)

    def _put_lines(self, stream: Stream, lines: "list[InputLogEventTypeDef]") -> None:
        group, name = stream
        self._create(stream)
        for start in range(0, len(lines), BATCH_LINES):
            batch = lines[start : start + BATCH_LINES]
            self._logs.put_log_events(logGroupName=group, logStreamName=name, logEvents=batch)

    def _create(self, stream: Stream) -> None:
        """The log stream and its group, unless they were created earlier."""
        if stream in self._streams:
            return
        group, name = stream
        exists = self._logs.exceptions.ResourceAlreadyExistsException
        if not any(group == known for known, _ in self._streams):
            with contextlib.suppress(exists):
                self._logs.create_log_group(logGroupName=group)
        with contextlib.suppress(exists):
            self._logs.create_log_stream(logGroupName=group, logStreamName=name)
        self._streams.add(stream)


def _no_lines() -> "dict[Stream, deque[InputLogEventTypeDef]]":
    return defaultdict(lambda: deque(maxlen=WAITING_LINES))
