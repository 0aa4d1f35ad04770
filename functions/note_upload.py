"""S3 event batch → a pending change and a delayed wake-up."""

from typing import Any

from aws_lambda_powertools import Logger

from job_manager.aws.events import uploaded_key
from job_manager.domain.dataset import SEARCH_SPACE_FILE
from job_manager.domain.errors import MalformedEvent
from job_manager.settings import settings
from job_manager.steps.note_upload import note_upload
from job_manager.wiring import aws

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Note one change for the whole batch; messages that can't be read go back to the queue.

    The ranges of the search are no image: what is made of them is a later run's.
    """
    keys, failures = [], []
    for record in event["Records"]:
        try:
            keys.append(uploaded_key(record["body"]))
        except MalformedEvent as error:
            logger.error("Refused a message", extra={"reason": str(error), "message_id": record["messageId"]})
            failures.append({"itemIdentifier": record["messageId"]})
    if set(keys) - {SEARCH_SPACE_FILE}:
        change = note_upload(aws(), settings().settle_rule)
        logger.info("The dataset changed", extra={"objects": len(keys), "since": change.first_at.isoformat()})
    return {"batchItemFailures": failures}
