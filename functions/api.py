"""HTTP → the best model, runs and trials; stops a run, or asks for its next attempt."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging import correlation_paths

from job_manager.aws.http import PROBLEM, as_asked, as_get, json_of
from job_manager.domain.errors import Conflict, NotFound
from job_manager.settings import settings
from job_manager.steps.answers import Accepted, Model, Problem, RunList
from job_manager.steps.api import best_model, one_run, recent_runs
from job_manager.steps.retry_run import retry_run
from job_manager.steps.stop_run import stop_run
from job_manager.wiring import aws

OPENAPI = Path(__file__).with_name("openapi.json")

logger = Logger()
app = APIGatewayHttpResolver(serializer=json_of)


@app.get("/models/best")
def get_best_model() -> Model:
    return best_model(aws())


@app.get("/runs")
def get_runs() -> RunList:
    return recent_runs(aws())


@app.get("/runs/<run_id>")
def get_run(run_id: str) -> Any:
    return one_run(run_id, aws())


@app.post("/runs/<run_id>/stop")
def post_stop(run_id: str) -> Response[Any]:
    run = stop_run(run_id, aws())
    return accepted(f"The run {run.run_id} is being stopped: its job may take a few seconds to end.")


@app.post("/runs/<run_id>/retry")
def post_retry(run_id: str) -> Response[Any]:
    rule = settings().settle_rule
    run = retry_run(run_id, aws(), rule)
    quiet = f"once nothing has been uploaded for {rule.quiet.total_seconds():.0f} seconds"
    return accepted(f"The images of the run {run.run_id} get another attempt {quiet}.")


@app.get("/openapi.json")
def get_openapi() -> Response[Any]:
    return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, OPENAPI.read_text(encoding="utf-8"))


@app.exception_handler(Conflict)  # type: ignore[untyped-decorator]
def conflict(error: Conflict) -> Response[Any]:
    return problem(HTTPStatus.CONFLICT, str(error))


@app.exception_handler(NotFound)  # type: ignore[untyped-decorator]
def not_found(error: NotFound) -> Response[Any]:
    return problem(HTTPStatus.NOT_FOUND, str(error))


@app.not_found
def no_route(error: NotFoundError) -> Response[Any]:
    return problem(HTTPStatus.NOT_FOUND, "There is nothing here. GET /openapi.json lists what can be asked for.")


def accepted(message: str) -> Response[Any]:
    return Response(HTTPStatus.ACCEPTED, content_types.APPLICATION_JSON, Accepted(message))


def problem(status: HTTPStatus, detail: str) -> Response[Any]:
    """What says to a client why there is no answer, and what to do."""
    content = Problem("about:blank", status.phrase, int(status), detail, message=detail)
    return Response(status, PROBLEM, json_of(content))


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request; API Gateway has checked its signature."""
    return as_asked(event, app.resolve(as_get(event), context))
