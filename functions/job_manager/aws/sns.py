"""The announcer: an SNS topic."""

from typing import TYPE_CHECKING

from ..domain.message import Message

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class SNSAnnouncer:
    """Implements `ports.Announcer`."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, message: Message) -> None:
        self._client.publish(TopicArn=self._topic_arn, Subject=message.subject, Message=message.body)

    def is_heard(self) -> bool:
        attributes = self._client.get_topic_attributes(TopicArn=self._topic_arn)["Attributes"]
        return int(attributes["SubscriptionsConfirmed"]) > 0
