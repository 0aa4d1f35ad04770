"""SNS in memory: what went out, and when."""

# ruff: noqa: N803 (AWS names its parameters)
from collections.abc import Callable
from types import SimpleNamespace

from botocore.exceptions import ClientError


class MemoryTopic:
    """An SNS client of one topic."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.down = False
        self.published: Callable[[str], None] = self.sent.append

    def publish(self, Subject: str, Message: str, **_: str) -> dict[str, str]:
        """Send to all who subscribed."""
        if self.down:
            raise ClientError({"Error": {"Code": "InternalError", "Message": "Later"}}, "Publish")
        self.published(f"{Subject}\n{Message}")
        return {"MessageId": str(len(self.sent))}

    def get_topic_attributes(self, **_: str) -> dict[str, dict[str, str]]:
        """One person has confirmed."""
        return {"Attributes": {"SubscriptionsConfirmed": "1"}}
