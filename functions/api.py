"""HTTP → the best model, runs and trials; stops a run, or asks for its next attempt."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.logging import correlation_paths

from job_manager.domain.errors import Conflict, NotFound
from job_manager.settings import settings
from job_manager.steps.api import best_model, one_run, recent_runs
from job_manager.steps.retry_run import retry_run
from job_manager.steps.stop_run import stop_run
from job_manager.wiring import aws

logger = Logger()
app = APIGatewayHttpResolver()


@app.get("/models/best")
def get_best_model() -> dict[str, Any]:
    return best_model(aws())


@app.get("/runs")
def get_runs() -> dict[str, Any]:
    return recent_runs(aws())


@app.get("/runs/<run_id>")
def get_run(run_id: str) -> dict[str, Any]:
    return one_run(run_id, aws())


@app.post("/runs/<run_id>/stop")
def post_stop(run_id: str) -> Response[Any]:
    run = stop_run(run_id, aws())
    message = f"The run {run.run_id} is being stopped: its job may take a few seconds to end."
    return Response(202, content_types.APPLICATION_JSON, {"message": message})


@app.post("/runs/<run_id>/retry")
def post_retry(run_id: str) -> Response[Any]:
    rule = settings().settle_rule
    run = retry_run(run_id, aws(), rule)
    quiet = f"{rule.quiet.total_seconds():.0f} seconds"
    message = f"The images of the run {run.run_id} get another attempt once nothing has been uploaded for {quiet}."
    return Response(202, content_types.APPLICATION_JSON, {"message": message})


@app.exception_handler(Conflict)  # type: ignore[untyped-decorator]
def conflict(error: Conflict) -> Response[Any]:
    return Response(409, content_types.APPLICATION_JSON, {"message": str(error)})


@app.exception_handler(NotFound)  # type: ignore[untyped-decorator]
def not_found(error: NotFound) -> Response[Any]:
    return Response(404, content_types.APPLICATION_JSON, {"message": str(error)})


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request; API Gateway has checked its signature."""
    return app.resolve(event, context)
