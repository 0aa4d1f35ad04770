"""Quiet bucket → snapshot, run, prepare job."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from job_manager.aws.events import settle_message
from job_manager.settings import settings
from job_manager.steps.start_run import start_run
from job_manager.wiring import aws

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> Any:
    """Start a run if the wake-up is for the last change and no run is open."""
    return process_partial_response(event, record_handler=start, processor=processor, context=context)


def start(record: SQSRecord) -> None:
    run = start_run(settle_message(record.body).last_at, aws(), settings().plan, settings().settle_rule)
    if run:
        logger.info("Started", extra={"run": run.run_id, "state": run.state, "reason": run.reason})
