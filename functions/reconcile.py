"""Schedule → whatever lost events left undone."""

from typing import Any

from aws_lambda_powertools import Logger

from job_manager.settings import settings
from job_manager.steps.rebuild import rebuild
from job_manager.steps.reconcile import reconcile
from job_manager.wiring import aws

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, list[str]]:
    """Make up for lost events; `{"rebuild": true}` first fills an empty table from the bucket and SageMaker.

    The answer lists the runs that were `rebuilt`.
    """
    rebuilt = []
    if event.get("rebuild"):
        rebuilt = [run.run_id for run in rebuild(aws(), settings().settle_rule)]
        logger.info("Rebuilt", extra={"runs": rebuilt})
    run = reconcile(aws(), settings().plan, settings().settle_rule)
    if run:
        logger.info("Reconciled", extra={"run": run.run_id, "state": run.state})
    return {"rebuilt": rebuilt}
