"""SageMaker state → next stage, or the recorded result."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from job_manager.aws.events import job_state
from job_manager.domain.errors import NotFound
from job_manager.domain.layout import is_refit
from job_manager.domain.run import run_id_in
from job_manager.settings import settings
from job_manager.steps.advance_run import advance_run, record_trial
from job_manager.wiring import aws

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> Any:
    """Record a trial, or advance the run; jobs that do not belong to a run are skipped."""
    return process_partial_response(event, record_handler=advance, processor=processor, context=context)


def advance(record: SQSRecord) -> None:
    job = job_state(record.body)
    trial = job.training_job_name
    try:
        if trial:
            record_trial(trial, aws())
            if not is_refit(trial):
                return
        name = trial or job.processing_job_name or job.hyper_parameter_tuning_job_name or ""
        run = advance_run(run_id_in(name) or name, aws(), settings().settle_rule)
    except NotFound as error:
        logger.info("Skipped", extra={"reason": str(error)})
    else:
        logger.info("Advanced", extra={"run": run.run_id, "state": run.state, "reason": run.reason})
