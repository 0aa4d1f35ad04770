"""HTTP → the best model, runs and trials; asks for a run now, stops one, or asks for its next attempt."""

import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging import correlation_paths

from job_manager.aws.http import (
    PROBLEM,
    TooLarge,
    WrongMediaType,
    as_asked,
    as_get,
    json_of,
    new_run_of,
    number_of,
    request_id_of,
    tag_without_signatures,
)
from job_manager.domain.errors import Conflict, MalformedOutput, NotFound, WrongRequest
from job_manager.domain.run_request import RunRequest
from job_manager.settings import settings
from job_manager.steps.answers.models import Model, ModelList
from job_manager.steps.answers.notices import Accepted, Health, Problem, RunRequested
from job_manager.steps.answers.runs import RunList
from job_manager.steps.answers.trials import TrialList
from job_manager.steps.api import RUNS_SHOWN, TRIALS_SHOWN, best_model, health, models, one_run, recent_runs, trials
from job_manager.steps.files import dataset, files
from job_manager.steps.predictions import Cell, comparison, predictions
from job_manager.steps.request_run import request_run
from job_manager.steps.retry_run import retry_run
from job_manager.steps.stop_run import stop_run
from job_manager.wiring import aws

MODELS_SHOWN = 20
FILES_SHOWN = 100
MOST_SHOWN = 200
OPENAPI = Path(__file__).with_name("openapi.json")
STARTS = (
    "A run of what is in the bucket starts within seconds, unless a run with this plan had the same images. "
    "See: seedbed runs"
)
STARTED = "The run {} was started for this request."

logger = Logger()
app = APIGatewayHttpResolver(serializer=json_of)


@app.get("/models/best")
def get_best_model() -> Model:
    return best_model(aws())


@app.get("/models")
def get_models() -> ModelList:
    return models(aws(), asked_number("limit", MODELS_SHOWN), asked("cursor"))


@app.get("/runs")
def get_runs() -> RunList:
    return recent_runs(aws(), asked_number("limit", RUNS_SHOWN), asked("cursor"))


@app.get("/runs/<run_id>")
def get_run(run_id: str) -> Any:
    return one_run(run_id, aws())


@app.get("/runs/<run_id>/trials")
def get_trials(run_id: str) -> TrialList:
    curves, limit = set(filter(None, asked("curves").split(","))), asked_number("limit", TRIALS_SHOWN, TRIALS_SHOWN)
    return trials(run_id, aws(), curves, limit, asked("cursor"))


@app.get("/runs/<run_id>/files")
def get_files(run_id: str) -> Response[Any]:
    limit = asked_number("limit", FILES_SHOWN)
    return with_links(files(run_id, aws(), asked("kind", None), limit, asked("cursor")))


@app.get("/runs/<run_id>/predictions")
def get_predictions(run_id: str) -> Response[Any]:
    limit = asked_number("limit", FILES_SHOWN)
    cell = Cell(asked("label"), asked("predicted"))
    return with_links(predictions(run_id, aws(), cell, limit, asked("cursor")))


@app.get("/runs/<run_id>/comparison/<other>")
def get_comparison(run_id: str, other: str) -> Response[Any]:
    return with_links(comparison(run_id, other, aws()))


@app.get("/datasets/<version>")
def get_dataset(version: str) -> Response[Any]:
    return with_links(dataset(version, aws(), settings().job_prefix))


@app.post("/runs")
def post_run() -> Response[Any]:
    wanted, now = new_run_of(app.current_event.raw_event), aws().clock.now()
    request_id, full = request_id_of(app.current_event.raw_event), settings().full_fine_tuning
    request = RunRequest(request_id, now, wanted.plan, wanted.trials, wanted.again, full)
    kept, run = request_run(request, aws(), settings().plan)
    message = STARTED.format(run.run_id) if run else STARTS
    answer = RunRequested(message, kept.request_id, run.run_id if run else None)
    return Response(HTTPStatus.ACCEPTED, content_types.APPLICATION_JSON, answer)


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


@app.get("/health")
def get_health() -> Health:
    return health(aws())


@app.get("/openapi.json")
def get_openapi() -> Response[Any]:
    return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, OPENAPI.read_text(encoding="utf-8"))


@app.exception_handler(Conflict)  # type: ignore[untyped-decorator]
def conflict(error: Conflict) -> Response[Any]:
    return problem(HTTPStatus.CONFLICT, str(error))


@app.exception_handler(NotFound)  # type: ignore[untyped-decorator]
def not_found(error: NotFound) -> Response[Any]:
    return problem(HTTPStatus.NOT_FOUND, str(error))


@app.exception_handler(TooLarge)  # type: ignore[untyped-decorator]
def too_large(error: TooLarge) -> Response[Any]:
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))


@app.exception_handler(WrongMediaType)  # type: ignore[untyped-decorator]
def wrong_media_type(error: WrongMediaType) -> Response[Any]:
    return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(error))


@app.exception_handler(WrongRequest)  # type: ignore[untyped-decorator]
def wrong_request(error: WrongRequest) -> Response[Any]:
    return problem(HTTPStatus.BAD_REQUEST, str(error))


@app.exception_handler(MalformedOutput)  # type: ignore[untyped-decorator]
def unreadable(error: MalformedOutput) -> Response[Any]:
    logger.exception("An object of the bucket can't be read")
    return problem(HTTPStatus.BAD_GATEWAY, f"{error} Restore it: the bucket keeps old versions for a while.")


@app.not_found
def no_route(error: NotFoundError) -> Response[Any]:
    http = app.current_event.raw_event["requestContext"]["http"]
    allowed = methods_at(http["path"])
    if not allowed or http["method"] in allowed:
        return problem(HTTPStatus.NOT_FOUND, "There is nothing here. GET /openapi.json lists what can be asked for.")
    wrong = problem(HTTPStatus.METHOD_NOT_ALLOWED, f"This answers {' and '.join(allowed)} alone.")
    wrong.headers["Allow"] = ", ".join(allowed)
    return wrong


def methods_at(path: str) -> list[str]:
    """The methods by which a path can be asked; none if there is nothing."""
    paths = json.loads(OPENAPI.read_bytes())["paths"]
    here = [methods for known, methods in paths.items() if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path)]
    return sorted({method.upper() for methods in here for method in methods})


def asked(name: str, default: Any = "") -> Any:
    """A part of the query, or the default if it is missing."""
    return (app.current_event.query_string_parameters or {}).get(name, default)


def asked_number(name: str, default: int, most: int = MOST_SHOWN) -> int:
    """A number in the query. Raises WrongRequest for one that is too large, or is not a number."""
    return number_of(asked(name, str(default)), name, most)


def with_links(answer: object) -> Response[Any]:
    """An answer with links in it, which differ each time: its ETag stays the same while links given before it last."""
    body = json_of(answer)
    tag = {"ETag": tag_without_signatures(body, aws().clock.now())}
    return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, body, headers=tag)


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
