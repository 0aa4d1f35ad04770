"""Answers as API Gateway takes them: predictions, and problems (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from job_manager.aws.http import PROBLEM, json_of
from job_manager.steps.answers.notices import Problem
from trainer.answering.answer import Answer

RUN_HEADER = "Seedbed-Run"
LARGEST_ANSWER = 5_500_000
TOO_LONG = "The answer is larger than Lambda gives: send fewer images at a time."


def answered(answer: Answer, run_id: str) -> dict[str, Any]:
    """Predictions, and which run's model made them."""
    if len(answer.text.encode()) > LARGEST_ANSWER:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LONG)
    return _response(HTTPStatus.OK, answer.media_type, answer.text, {RUN_HEADER: run_id})


def problem(status: HTTPStatus, detail: str) -> dict[str, Any]:
    """What says to a client why there is no answer, and what to do."""
    content = Problem("about:blank", status.phrase, int(status), detail, message=detail)
    return _response(status, PROBLEM, json_of(content), {})


def _response(status: HTTPStatus, media_type: str, body: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "statusCode": int(status),
        "headers": {"Content-Type": media_type, "Cache-Control": "no-store", **headers},
        "body": body,
        "isBase64Encoded": False,
    }
