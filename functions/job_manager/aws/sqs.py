"""The settle timer: a delayed message to start_run."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ..domain.settling import PendingChange

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = 900


class SettleMessage(msgspec.Struct):
    """The wake-up of start_run, with the last upload known when the timer was armed."""

    last_at: datetime


class SQSSettleTimer:
    """Implements `ports.SettleTimer`; SQS delays a message by 900 seconds at most, and start_run then arms it again."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def arm(self, change: PendingChange, delay: timedelta) -> None:
        seconds = min(max(-(-delay // timedelta(seconds=1)), 0), LONGEST_DELAY)
        body = msgspec.json.encode(SettleMessage(change.last_at)).decode()
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=seconds)


class SystemClock:
    """Implements `ports.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)
