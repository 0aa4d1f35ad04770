"""Table stream → e-mail, through SNS."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from job_manager.aws.events import changed_run
from job_manager.steps.notify import notify
from job_manager.wiring import aws

logger = Logger()
processor = BatchProcessor(event_type=EventType.DynamoDBStreams)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> Any:
    """Send e-mails about runs that ended; the stream's filter passes only those."""
    return process_partial_response(event, record_handler=notify_about, processor=processor, context=context)


def notify_about(record: DynamoDBRecord) -> None:
    image = record.dynamodb.new_image if record.dynamodb else None
    if not image:
        return
    run = changed_run(image)
    message = notify(run, aws())
    if message:
        logger.info("Notified", extra={"run": run.run_id, "subject": message.subject})
