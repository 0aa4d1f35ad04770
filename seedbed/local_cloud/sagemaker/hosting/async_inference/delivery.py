"""How the result of an asynchronous invocation gets to S3 and to a topic of SNS."""

import json
import logging
import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ...errors import JobFailure
from ...events.publisher import passes
from ...records.transitions import now
from .attempt import Attempt
from .notification import notification
from .result import Result

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

log = logging.getLogger(__name__)

NOTICES = 4
FIRST_PAUSE = 0.2


def deliver(attempt: Attempt, result: Result, topics: "SNSClient") -> None:
    """Writes a result to S3 and tells its topic. Raises Postponed if it can't now."""
    request = attempt.request
    if not result.reason and result.answer is not None and request.output:
        try:
            attempt.transfer.upload_object(result.answer, request.output, result.content_type)
        except JobFailure as failure:
            result = attempt.failed(str(failure))
    if result.reason and request.failure:
        _write_failure(attempt, result)
    topic = request.topics.get(result.status)
    if topic is not None:
        _publish(attempt, topic, json.dumps(notification(request, result, now())), topics)


def _write_failure(attempt: Attempt, result: Result) -> None:
    """Writes what the container said, or else why there is no answer."""
    said, content_type = result.answer, result.content_type
    if said is None:
        said, content_type = attempt.folder / "reason", "text/plain"
        said.write_text(result.reason, encoding="utf-8")
    try:
        attempt.transfer.upload_object(said, attempt.request.failure, content_type)
    except JobFailure as failure:
        reason = attempt.failed(str(failure)).reason
        log.warning("The failed invocation %s has no object: %s", attempt.request.inference_id, reason)


def _publish(attempt: Attempt, topic: str, text: str, topics: "SNSClient") -> None:
    """Sends a notification; one that the topic does not take is only logged. Raises Postponed."""
    for number in range(NOTICES):
        try:
            topics.publish(TopicArn=topic, Message=text)
        except (BotoCoreError, ClientError) as error:
            fault = attempt.failed(f"{topic} takes no notification: {error}").reason
            if not passes(error) or number == NOTICES - 1:
                log.warning("Nobody is told of the invocation %s: %s", attempt.request.inference_id, fault)
                return
            time.sleep(FIRST_PAUSE * 2**number)
        else:
            return
