"""Table stream → e-mail and events for programs, through SNS."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from job_manager.aws.events import changed_run
from job_manager.settings import settings
from job_manager.steps.notify import notify, notify_of_start
from job_manager.wiring import aws

logger = Logger()
processor = BatchProcessor(event_type=EventType.DynamoDBStreams)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> Any:
    """Tell of runs that started or ended; the stream's filter passes only those."""
    return process_partial_response(event, record_handler=notify_about, processor=processor, context=context)


def notify_about(record: DynamoDBRecord) -> None:
    image = record.dynamodb.new_image if record.dynamodb else None
    if not image:
        return
    run = changed_run(image)
    told = notify(run, aws()) if run.state.ended else notify_of_start(run, aws(), mailed=settings().notify_start)
    if told:
        logger.info("Notified", extra={"run": run.run_id, "subject": told.subject})
