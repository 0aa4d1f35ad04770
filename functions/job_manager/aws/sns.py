"""The announcer: an SNS topic for e-mails, and one for programs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from ..domain.notifications.notification import Notification
from ..domain.notifications.plain_text import message_of

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

LIMIT = 256 * 1024
ATTRIBUTES = 1024
"""What SNS takes in bytes, and what of it is kept free for the attributes."""


class SNSAnnouncer:
    """Implements `ports.Announcer`."""

    def __init__(self, client: "SNSClient", topic_arn: str, event_topic_arn: str, stack: str) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._event_topic_arn = event_topic_arn
        self._stack = stack

    @property
    def stack(self) -> str:
        return self._stack

    def mail(self, notification: Notification) -> None:
        """Each e-mail address gets the text; one that subscribes by `email-json` gets the notification as JSON."""
        message = message_of(notification)
        both = msgspec.json.encode({"default": message.body, "email-json": json_of(notification)}).decode()
        structured = len(both.encode()) <= LIMIT - ATTRIBUTES
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=message.subject,
            Message=both if structured else message.body,
            MessageAttributes=attributes(notification.attributes),
            **({"MessageStructure": "json"} if structured else {}),
        )

    def announce(self, notification: Notification) -> None:
        """All of the notification as JSON; without its sections if that is more than SNS takes."""
        content = json_of(notification)
        if len(content.encode()) > LIMIT - ATTRIBUTES:
            content = json_of(replace(notification, sections=()))
        self._client.publish(
            TopicArn=self._event_topic_arn,
            Message=content,
            MessageAttributes=attributes(notification.attributes),
        )

    def is_heard(self) -> bool:
        attributes = self._client.get_topic_attributes(TopicArn=self._topic_arn)["Attributes"]
        return int(attributes["SubscriptionsConfirmed"]) > 0


def json_of(notification: Notification) -> str:
    """The notification as docs/notification.schema.json describes it."""
    return msgspec.json.encode(notification).decode()


def attributes(values: Mapping[str, str]) -> dict[str, "MessageAttributeValueTypeDef"]:
    """Message attributes, which a subscription's filter policy can name."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}
