"""Jobs' output and metrics on their way to CloudWatch: sent about once a second, best effort."""

import contextlib
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .clients import Clients
from .settings import EndpointSettings

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

log = logging.getLogger(__name__)

INTERVAL = 1.0
# The SageMaker SDK's TrainingJobAnalytics reads metrics from this namespace.
NAMESPACE = "/aws/sagemaker/TrainingJobs"
BATCH_METRICS = 500
WAITING_METRICS = 20_000
# PutLogEvents takes 256 KiB in an event and 1 MiB at once, with 26 bytes for each event.
EVENT_OVERHEAD = 26
EVENT_BYTES = 2**18 - EVENT_OVERHEAD
BATCH_BYTES = 2**20
BATCH_LINES = 1000
WAITING_LINES = 20_000
WAITING_BYTES = 8 * 2**20
DROPPED = "[{:,} lines are missing here: they came faster than CloudWatch Logs took them.]"

Stream = tuple[str, str]


@dataclass
class WaitingLines:
    """A log stream's lines that have not been sent; the oldest are dropped when there are too many."""

    lines: "deque[InputLogEventTypeDef]" = field(default_factory=deque)
    bytes: int = 0
    dropped: int = 0

    def add(self, stamp: int, message: str) -> None:
        self.lines.append({"timestamp": stamp, "message": message})
        self.bytes += len(message)
        while len(self.lines) > WAITING_LINES or self.bytes > WAITING_BYTES:
            self.bytes -= len(self.lines.popleft()["message"])
            self.dropped += 1

    def taken(self) -> "deque[InputLogEventTypeDef]":
        """The lines, after one that says how many were dropped, if any were."""
        if self.dropped:
            self.lines.appendleft({**self.lines[0], "message": DROPPED.format(self.dropped)})
        return self.lines


class CloudWatch:
    """Collects lines for each log stream and metrics of each training job; a thread of its own sends them.

    When CloudWatch falls behind, the oldest are dropped, and the log says how many.
    """

    def __init__(self, clients: Clients) -> None:
        self._logs = clients.logs
        self._cloudwatch = clients.cloudwatch
        self._lock = threading.Lock()
        self._lines: dict[Stream, WaitingLines] = defaultdict(WaitingLines)
        self._metrics: deque[MetricDatumTypeDef] = deque(maxlen=WAITING_METRICS)
        self._streams: set[Stream] = set()
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="sagemaker-cloudwatch", daemon=True)

    def line(self, stream: Stream, line: str) -> None:
        """Adds a line to a (group, stream); an empty one is left out, since CloudWatch Logs refuses it."""
        stamp = int(time.time() * 1000)
        events = [line] if 4 * len(line) <= EVENT_BYTES else _events(line)
        with self._lock:
            waiting = self._lines[stream]
            for message in filter(None, events):
                waiting.add(stamp, message)
            if len(waiting.lines) >= WAITING_LINES // 2:
                self._wake.set()

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
        self._closing = True
        self._wake.set()
        self._thread.join(timeout)

    def _work(self) -> None:
        over = False
        while not over:
            self._wake.wait(INTERVAL)
            self._wake.clear()
            over = self._closing
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
            collected, self._lines = self._lines, defaultdict(WaitingLines)
        for stream, waiting in collected.items():
            try:
                self._create(stream)
                for batch in _batches(waiting.taken()):
                    self._logs.put_log_events(logGroupName=stream[0], logStreamName=stream[1], logEvents=batch)
            except (BotoCoreError, ClientError) as error:
                log.debug("Lines of %s did not reach CloudWatch Logs: %s", stream[1], error)

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


class RegionalCloudWatch:
    """CloudWatch in the region of each job; a region's is made for its first job."""

    def __init__(self, clients: Clients, settings: EndpointSettings) -> None:
        self._settings = settings
        self._regions = {settings.region: CloudWatch(clients)}
        self._lock = threading.Lock()

    def of(self, region: str) -> CloudWatch:
        with self._lock:
            if region not in self._regions:
                self._regions[region] = CloudWatch(Clients(replace(self._settings, region=region)))
                self._regions[region].start()
            return self._regions[region]

    def start(self) -> None:
        self._regions[self._settings.region].start()

    def stop(self, timeout: float) -> None:
        for cloudwatch in list(self._regions.values()):
            cloudwatch.stop(timeout)


def _events(line: str) -> Iterator[str]:
    """A long line in as many parts as it takes events."""
    content, start = line.encode(), 0
    while start < len(content):
        end = start + EVENT_BYTES
        while end < len(content) and content[end] & 0xC0 == 0x80:  # within a letter
            end -= 1
        yield content[start:end].decode()
        start = end


def _batches(lines: "Iterable[InputLogEventTypeDef]") -> "Iterator[list[InputLogEventTypeDef]]":
    """The lines in as many parts as they take calls of PutLogEvents."""
    batch: list[InputLogEventTypeDef] = []
    left = BATCH_BYTES
    for line in lines:
        size = len(line["message"].encode()) + EVENT_OVERHEAD
        if size > left or len(batch) == BATCH_LINES:
            yield batch
            batch, left = [], BATCH_BYTES
        batch.append(line)
        left -= size
    if batch:
        yield batch
