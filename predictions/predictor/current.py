"""The best model as the table names it: its files are fetched again only when they are others."""

import hashlib
from typing import TYPE_CHECKING

from job_manager.aws.dynamodb import DynamoDBRuns
from job_manager.domain import layout
from job_manager.domain.errors import MalformedOutput, NotFound
from job_manager.domain.run import Run

from .model import OnnxModel

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ONNX, FACTS = "onnx", "model.json"
LARGEST = 250_000_000
NO_MODEL = "There is no model yet. Upload labelled images and wait for the first run."
NO_ONNX = (
    "The best model, of run {}, was not exported as ONNX, which predictions need. Add onnx to the parameter Exports: "
    "the next run's model has it. Until then: seedbed predict IMAGE"
)


class CurrentModel:
    """The best model, kept while the function is warm."""

    def __init__(self, runs: DynamoDBRuns, s3: "S3Client", bucket: str) -> None:
        self._runs = runs
        self._s3 = s3
        self._bucket = bucket
        self._run_id = ""
        self._digests: dict[str, str] = {}
        self._model: OnnxModel | None = None

    def latest(self) -> tuple[str, OnnxModel]:
        """The name of the best model's run, and the model. Raises NotFound while there is none, or MalformedOutput."""
        run_id = self._runs.champion_id()
        if run_id is None:
            raise NotFound(NO_MODEL)
        if self._model is None or run_id != self._run_id:
            self._model = self._changed(digests_of(self._runs.get(run_id)))
            self._run_id = run_id
        return run_id, self._model

    def _changed(self, digests: dict[str, str]) -> OnnxModel:
        """The model of these files by their digests: the one at hand if these are the same."""
        if self._model and list(digests.values()) == list(self._digests.values()):
            return self._model
        network, facts = (self._fetched(key, digest) for key, digest in digests.items())
        model = OnnxModel(network, facts)
        self._digests = digests
        return model

    def _fetched(self, key: str, digest: str) -> bytes:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey:
            raise MalformedOutput(f"The best model's file {key} is missing.") from None
        if answer["ContentLength"] > LARGEST:
            raise MalformedOutput(f"The best model's file {key} is larger than {LARGEST:,} bytes.")
        content = answer["Body"].read()
        if hashlib.sha256(content).hexdigest() != digest:
            raise MalformedOutput(f"The best model's file {key} is not the one that its run recorded.")
        return content


def digests_of(run: Run) -> dict[str, str]:
    """The keys of the model's ONNX file and of its model.json, with their SHA-256. Raises NotFound without them."""
    evaluation = run.evaluation
    exports = evaluation.exports if evaluation else ()
    files = next((made.files for made in exports if made.format == ONNX and len(made.files) == 1), None)
    if evaluation is None or not files or FACTS not in evaluation.files:
        raise NotFound(NO_ONNX.format(run.run_id))
    ((name, digest),) = files.items()
    folder = layout.evaluation(run.run_id)
    return {folder + name: digest, folder + FACTS: evaluation.files[FACTS]}
