"""What jobs print, on CloudWatch Logs."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..domain.job import Progress
from ..domain.results.trial import Epoch

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

GROUP, PROCESSING = "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs"
LINES_AT_ONCE, LAST_LINES = 10_000, 50
PROGRESS = re.compile(r"progress: (\d{1,9})/(\d{1,9})\b")
HEAD = re.compile(r"head (\d{1,3})/\d{1,3}: ")
EPOCH = re.compile(
    r"epoch (\d{1,4})/\d{1,4} - train_loss: ([0-9.]+); train_accuracy: ([0-9.]+); "
    r"validation_loss: ([0-9.]+); validation_accuracy: ([0-9.]+);"
)


class CloudWatchLogs:
    """Implements `ports.Logs`."""

    def __init__(self, client: "CloudWatchLogsClient") -> None:
        self._client = client

    def epochs(self, trial: str) -> Sequence[Epoch]:
        """An epoch that a job repeated, as it was interrupted, counts as it was last."""
        found: dict[tuple[int, int], Epoch] = {}
        for stream in self._streams(GROUP, f"{trial}/"):
            head = 1
            for line in self._lines(stream):
                named, passed = HEAD.match(line), EPOCH.match(line)
                head = int(named[1]) if named else head
                if passed:
                    number, *figures = passed.groups()
                    found[head, int(number)] = Epoch(head, int(number), *map(float, figures))
        return [found[place] for place in sorted(found)]

    def progress(self, job: str) -> Progress | None:
        """That of the job's latest attempt."""
        streams = self._streams(PROCESSING, f"{job}/")
        if not streams:
            return None
        page = self._client.get_log_events(logGroupName=PROCESSING, logStreamName=streams[-1], limit=LAST_LINES)
        found = [match for event in page["events"] if (match := PROGRESS.match(event["message"]))]
        return Progress(int(found[-1][1]), int(found[-1][2])) if found else None

    def _streams(self, group: str, prefix: str) -> list[str]:
        """The log streams of a job: another for each time that it was started."""
        try:
            pages = list(
                self._client.get_paginator("describe_log_streams").paginate(
                    logGroupName=group, logStreamNamePrefix=prefix
                )
            )
        except self._client.exceptions.ResourceNotFoundException:
            return []
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    def _lines(self, stream: str) -> Iterator[str]:
        """All lines; CloudWatch Logs gives the last page's token again."""
        token = None
        while True:
            more: dict[str, Any] = {"nextToken": token} if token else {}
            page = self._client.get_log_events(
                logGroupName=GROUP, logStreamName=stream, startFromHead=True, limit=LINES_AT_ONCE, **more
            )
            yield from (event["message"] for event in page["events"])
            if page["nextForwardToken"] == token:
                return
            token = page["nextForwardToken"]
