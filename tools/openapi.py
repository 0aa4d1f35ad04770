"""Writes functions/openapi.json, the API in OpenAPI 3.1, from the types of its answers and the routes listed here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec

from api import FILES_SHOWN, MODELS_SHOWN, MOST_SHOWN
from job_manager.aws.http import KEY as IDEMPOTENCY_KEY
from job_manager.aws.http import NewRun
from job_manager.domain.dataset import UPLOADS
from job_manager.domain.run import RUN_ID
from job_manager.steps.answers.files import Dataset, FileKind, FileList
from job_manager.steps.answers.models import Model, ModelList
from job_manager.steps.answers.notices import Accepted, Health, Problem, RunRequested
from job_manager.steps.answers.predictions import Comparison, PredictionList, Predictions
from job_manager.steps.answers.runs import RunInFull, RunList
from job_manager.steps.answers.trials import TrialList
from job_manager.steps.api import RUNS_SHOWN, TRIALS_SHOWN
from trainer.answering.request_images import MAX_IMAGES
from trainer.views import MAX_VIEWS

FILE = Path(__file__).parents[1] / "functions" / "openapi.json"
WRONG = (HTTPStatus.BAD_REQUEST,)
DIGITS = "^[0-9a-f]{12,64}$"
REFERENCE = "#/components/schemas/{name}"
ABOUT = (
    "What Seedbed knows of its models and runs. Every request is signed (SigV4, service execute-api) by somebody with "
    "the stack's AskersPolicy, or has a token (JWT) of the issuer that the stack trusts. Times are ISO 8601. GET "
    "answers have an ETag, and an If-None-Match that names it is answered with 304. HEAD answers like GET, without the "
    "body. API Gateway's own 401, 403, 413, 429, 500 and 503 have a `message` alone, as application/json."
)

Schema = dict[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A part of the path, of the query or of the headers, and what it may be."""

    name: str
    about: str
    schema: Mapping[str, Any]
    place: str = "query"


CURSOR = Parameter("cursor", "Where to continue: the `next` of another answer.", {"type": "string"})
KIND = Parameter("kind", "The only kind of images wanted.", {"type": "string", "enum": list(FileKind)})
VERSION = Parameter("version", "From 12 digits of a version on.", {"type": "string", "pattern": DIGITS}, "path")
CURVES = Parameter("curves", "The names of up to 20 trials whose learning curves are wanted.", {"type": "string"})
LABEL = Parameter("label", "The only label whose images are wanted.", {"type": "string"})
PREDICTED = Parameter("predicted", "The only label that wanted images are predicted as.", {"type": "string"})
VIEWS = Parameter(
    "views",
    "How many flips and rotations of an image to average over: 1 is quickest. By default as many as the model chose.",
    {"type": "integer", "minimum": 1, "maximum": MAX_VIEWS},
)
SAME = Parameter(
    "Idempotency-Key",
    "A name for this request: if it is sent again by the same name, it is not done again.",
    {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY.pattern}$"},
    "header",
)
RUN = Parameter("id", "A run's name.", {"type": "string", "pattern": f"^{RUN_ID.pattern}$"}, "path")
OTHER = Parameter("other", "Another run's name.", {"type": "string", "pattern": f"^{RUN_ID.pattern}$"}, "path")


@dataclass(frozen=True)
class Route:
    """A request and its answer; `refusals` are the statuses of the problems that it is answered with."""

    method: str
    path: str
    operation: str
    about: str
    answer: Any
    parameters: tuple[Parameter, ...] = ()
    refusals: tuple[HTTPStatus, ...] = ()
    status: HTTPStatus = HTTPStatus.OK
    body: Mapping[str, Any] | None = None
    """The request's body by media type, each with its schema."""
    json_body: Any = None
    """The type of a body of JSON that may be left out."""


def limit(default: int, most: int = MOST_SHOWN) -> Parameter:
    """The parameter for the length of a list."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter("limit", "How many are answered at most.", schema)


BASE64 = {"type": "string", "contentEncoding": "base64"}
KEY = {"type": "string", "pattern": f"^{UPLOADS}.+", "description": "An image of the bucket: seedlings/<label>/<file>."}
IMAGES: dict[str, Any] = {
    "image/*": {},
    "multipart/form-data": {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}},
    "application/json": {
        "anyOf": [
            {
                "type": "object",
                "properties": {"images": {"type": "array", "items": BASE64, "minItems": 1, "maxItems": MAX_IMAGES}},
                "required": ["images"],
            },
            {"type": "object", "properties": {"key": KEY}, "required": ["key"]},
            {
                "type": "object",
                "properties": {"keys": {"type": "array", "items": KEY, "minItems": 1, "maxItems": MAX_IMAGES}},
                "required": ["keys"],
            },
        ]
    },
}
"""What Lambda takes is 4.5 MB of images; larger ones are named by their keys."""

ROUTES = (
    Route("GET", "/models/best", "bestModel", "The best model.", Model, refusals=(HTTPStatus.NOT_FOUND,)),
    Route(
        "GET",
        "/models",
        "models",
        "The best model and those before it.",
        ModelList,
        (limit(MODELS_SHOWN), CURSOR),
        WRONG,
    ),
    Route(
        "GET",
        "/runs",
        "runs",
        "The latest runs, and the change that waits for one.",
        RunList,
        (limit(RUNS_SHOWN), CURSOR),
        WRONG,
    ),
    Route(
        "POST",
        "/runs",
        "requestRun",
        "Ask for a run now, of what is in the bucket, with a plan and a number of trials of its own.",
        RunRequested,
        (SAME,),
        (*WRONG, HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        HTTPStatus.ACCEPTED,
        json_body=NewRun,
    ),
    Route("GET", "/runs/{id}", "run", "One run in full.", RunInFull, (RUN,), (HTTPStatus.NOT_FOUND,)),
    Route(
        "GET",
        "/runs/{id}/trials",
        "trials",
        "A run's trials, with learning curves if they are asked for.",
        TrialList,
        (RUN, CURVES, limit(TRIALS_SHOWN, TRIALS_SHOWN), CURSOR),
        (*WRONG, HTTPStatus.NOT_FOUND),
    ),
    Route(
        "GET",
        "/runs/{id}/files",
        "files",
        "Images that a run left out, predicted wrongly, or has under a likely wrong label, and samples.",
        FileList,
        (RUN, KIND, limit(FILES_SHOWN), CURSOR),
        (*WRONG, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
    ),
    Route(
        "GET",
        "/runs/{id}/predictions",
        "predictions",
        "What a run's model predicts for its test images, with links to them.",
        PredictionList,
        (RUN, LABEL, PREDICTED, limit(FILES_SHOWN), CURSOR),
        (*WRONG, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
    ),
    Route(
        "GET",
        "/runs/{id}/comparison/{other}",
        "comparison",
        "Two runs' models on the images that are in both test splits.",
        Comparison,
        (RUN, OTHER),
        (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
    ),
    Route(
        "GET",
        "/datasets/{version}",
        "dataset",
        "A version of the dataset: its runs, its labels and splits, and what is wrong with it.",
        Dataset,
        (VERSION,),
        (HTTPStatus.NOT_FOUND,),
    ),
    Route(
        "POST",
        "/runs/{id}/stop",
        "stopRun",
        "Stop a run: its job is asked to end, and no other is started.",
        Accepted,
        (RUN,),
        (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
        HTTPStatus.ACCEPTED,
    ),
    Route(
        "POST",
        "/runs/{id}/retry",
        "retryRun",
        "Give the images of a run that failed or was stopped another attempt.",
        Accepted,
        (RUN,),
        (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
        HTTPStatus.ACCEPTED,
    ),
    Route(
        "POST",
        "/predictions",
        "predict",
        "What the best model predicts for images: one as the body, several in a form or in JSON, or by their keys.",
        Predictions,
        (VIEWS,),
        (
            *WRONG,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.BAD_GATEWAY,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
        body=IMAGES,
    ),
    Route("GET", "/health", "health", "Whether the API works, and what is going on.", Health),
    Route("GET", "/openapi.json", "openapi", "This document.", dict[str, Any]),
)


def document() -> dict[str, Any]:
    """The whole document."""
    bodies = [route.json_body for route in ROUTES if route.json_body]
    types = list(dict.fromkeys([Problem, *(route.answer for route in ROUTES), *bodies]))
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    schema_of = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        operation = operation_of(route, schema_of)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
        if route.method == "GET":
            paths[route.path]["head"] = head_of(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Seedbed", "version": "1", "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/", "description": "The stack's output ApiUrl."}],
        "security": [{"sigv4": []}, {"jwt": []}],
        "paths": paths,
        "components": {
            "schemas": {
                name: schema if name in {body.__name__ for body in bodies} else complete(schema)
                for name, schema in components.items()
            },
            "securitySchemes": {
                "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "sigv4": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                },
            },
        },
    }


def operation_of(route: Route, schema_of: Mapping[str, Schema]) -> Schema:
    """An operation, with what it answers."""
    schema = schema_of[repr(route.answer)]
    answers: Schema = {str(int(route.status)): answer_of("The answer.", "application/json", schema)}
    if route.method == "GET":
        answers["304"] = {"description": "The answer is the one that If-None-Match names."}
    for status in route.refusals:
        answers[str(int(status))] = answer_of(status.phrase, "application/problem+json", schema_of[repr(Problem)])
    return {
        "operationId": route.operation,
        "summary": route.about,
        "parameters": [
            {
                "name": given.name,
                "in": given.place,
                "description": given.about,
                "required": given.place == "path",
                "schema": dict(given.schema),
            }
            for given in route.parameters
        ],
        **request_body(route, schema_of),
        "responses": answers,
    }


def request_body(route: Route, schema_of: Mapping[str, Schema]) -> Schema:
    """What an operation says about the request's body, if there may be one."""
    if route.json_body:
        return {"requestBody": {"content": {"application/json": {"schema": schema_of[repr(route.json_body)]}}}}
    if not route.body:
        return {}
    content = {media_type: {"schema": schema} for media_type, schema in route.body.items()}
    return {"requestBody": {"required": True, "content": content}}


def answer_of(about: str, media_type: str, schema: Schema) -> Schema:
    return {"description": about, "content": {media_type: {"schema": schema}}}


def head_of(operation: Schema) -> Schema:
    """The same by HEAD: no answer has a body."""
    answers = {status: {"description": answer["description"]} for status, answer in operation["responses"].items()}
    return {**operation, "operationId": f"{operation['operationId']}Head", "responses": answers}


def complete(schema: Schema) -> Schema:
    """The schema of an answer: fields with a default are always there, and those called `_at` or `since` are times."""
    if "properties" not in schema:
        return schema
    fields = {name: field_of(name, field) for name, field in schema["properties"].items()}
    return {**schema, "properties": fields, "required": sorted(fields)}


def field_of(name: str, schema: Schema) -> Schema:
    known = {key: value for key, value in schema.items() if key != "default"}
    return timed(known) if name.endswith(("_at", "since")) else known


def timed(schema: Schema) -> Schema:
    if "anyOf" in schema:
        return {**schema, "anyOf": [timed(one) for one in schema["anyOf"]]}
    return {**schema, "format": "date-time"} if schema.get("type") == "string" else schema


def text() -> str:
    """The document as it is checked in."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
