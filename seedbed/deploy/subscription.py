"""Whether somebody has confirmed that e-mails may be sent to an address."""

from enum import StrEnum
from typing import Any

PENDING = "PendingConfirmation"


class Subscription(StrEnum):
    """What SNS says of an address."""

    confirmed = "confirmed"
    pending = "pending"
    missing = "missing"


def state_of(sns: Any, topic: str, address: str) -> Subscription:
    """Whether the address is subscribed to a topic. SNS forgets one that nobody confirms for some days."""
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
        for each in page["Subscriptions"]:
            if (each["Protocol"], each["Endpoint"]) == ("email", address):
                return Subscription.pending if PENDING in each["SubscriptionArn"] else Subscription.confirmed
    return Subscription.missing


def ask_again(sns: Any, topic: str, address: str) -> None:
    """Have SNS send the mail with the link once more."""
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
