"""SNS in memory: what went out, and when."""

# ruff: noqa: N803 (AWS names its parameters)
import json
from collections.abc import Callable
from types import SimpleNamespace

from botocore.exceptions import ClientError


class MemoryTopic:
    """An SNS client of the topic of e-mails, and of that of events, which programs hear."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.events: list[str] = []
        self.down = False
        self.published: Callable[[str], None] = self.sent.append

    def publish(self, TopicArn: str, Message: str, Subject: str = "", **_: object) -> dict[str, str]:
        """Send to all who subscribed."""
        if self.down:
            raise ClientError({"Error": {"Code": "InternalError", "Message": "Later"}}, "Publish")
        if TopicArn == "events":
            self.events.append(Message)
        else:
            self.published(f"{Subject}\n{json.loads(Message)['default']}")
        return {"MessageId": str(len(self.sent))}

    def get_topic_attributes(self, **_: str) -> dict[str, dict[str, str]]:
        """One person has confirmed."""
        return {"Attributes": {"SubscriptionsConfirmed": "1"}}
