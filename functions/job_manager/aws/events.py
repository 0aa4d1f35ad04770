"""Events from outside → domain. Only the fields needed are read, so that new ones break nothing."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from ..domain.errors import MalformedEvent
from ..domain.run import Run
from .sqs import SettleMessage

UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)

Form = TypeVar("Form")
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class S3Object(msgspec.Struct):
    key: Key


class S3Detail(msgspec.Struct):
    object: S3Object


class S3Event(msgspec.Struct):
    """`Object Created` or `Object Deleted`; EventBridge does not URL-encode the key."""

    detail: S3Detail


class JobDetail(msgspec.Struct, rename="pascal"):
    processing_job_name: str | None = None
    hyper_parameter_tuning_job_name: str | None = None
    training_job_name: str | None = None


class JobStateEvent(msgspec.Struct):
    """Any SageMaker job state change; one of the three names is set."""

    detail: JobDetail


def uploaded_key(body: str) -> str:
    """The key of the S3 event in an SQS message's body. Raises MalformedEvent."""
    return decode(body, S3Event).detail.object.key


def settle_message(body: str) -> SettleMessage:
    """The wake-up in an SQS message's body. Raises MalformedEvent."""
    return decode(body, SettleMessage)


def job_state(body: str) -> JobDetail:
    """The job of the SageMaker event in an SQS message's body. Raises MalformedEvent."""
    detail = decode(body, JobStateEvent).detail
    if not (detail.processing_job_name or detail.hyper_parameter_tuning_job_name or detail.training_job_name):
        raise MalformedEvent("A SageMaker event does not name a job.")
    return detail


def changed_run(image: Mapping[str, Any]) -> Run:
    """The run in a new image of the table's stream, its attributes as plain values. Raises MalformedEvent."""
    return decode(str(image.get("body", "")), Run)


def decode(body: str, form: type[Form]) -> Form:
    try:
        return msgspec.json.decode(body, type=form)
    except UNREADABLE as error:
        raise MalformedEvent(f"Not a {form.__name__}: {error}") from error
