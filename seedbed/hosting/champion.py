"""A stack's champion, with what SageMaker needs to serve it."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore.exceptions import ClientError

from ..errors import SeedbedError
from ..model_files import ARCHIVE, fetch_recorded
from ..stack import Stack
from ..terminal.hints import seedbed

SCORES = "evaluation.json"
NO_IMAGE = (
    "SageMaker no longer knows the job {} of the champion, and with it the image that serves it. "
    "A run of the same images makes a model that can be deployed: {}"
)


@dataclass(frozen=True)
class Champion:
    """A stack's best model. job: the one that evaluated it. scores: the evaluation's file in S3.

    sha256: the recorded one of its archive, None for an old run's. facts: what the package tells of it, by name.
    """

    run_id: str
    model_uri: str
    sha256: str | None
    scores: str
    job: str
    facts: dict[str, str]


def champion_of(stack: Stack) -> Champion:
    """The champion of a stack. Raises SeedbedError if there is none yet."""
    best = stack.get("/models/best")
    uri: str = best["model_uri"]
    return Champion(
        run_id=best["run_id"],
        model_uri=uri,
        sha256=best.get("model_sha256"),
        scores=uri.removesuffix(ARCHIVE) + SCORES,
        job=f"{best['run_id']}-evaluate",
        facts=facts_of(best),
    )


def check_unchanged(stack: Stack, champion: Champion) -> None:
    """Raises SeedbedError if the champion's archive is not the one that was recorded."""
    with TemporaryDirectory() as scratch:
        fetch_recorded(stack, champion.model_uri, Path(scratch, ARCHIVE), champion.sha256)


def image_of(sagemaker: Any, champion: Champion, aws: str) -> str:
    """The image that evaluated the champion of a stack, which on AWS is called `aws`.

    Raises SeedbedError if SageMaker does not know the job any more.
    """
    try:
        described = sagemaker.describe_processing_job(ProcessingJobName=champion.job)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"ResourceNotFound", "ValidationException"}:
            raise
        raise SeedbedError(NO_IMAGE.format(champion.job, seedbed("run", "--again", aws=aws))) from error
    image: str = described["AppSpecification"]["ImageUri"]
    return image


def facts_of(best: dict[str, Any]) -> dict[str, str]:
    """The champion's run, digest and scores, as texts."""
    names = ("run_id", "model_sha256", "test_accuracy", "validation_accuracy", "macro_f1")
    return {name: str(best[name]) for name in names if best.get(name) is not None}
