"""The container's side of the SageMaker contract: where things lie below /opt/ml, and how a failure is told."""

import os
from pathlib import Path

FAILURE_CHARACTERS = 1024


class Job:
    """Paths of one job. `SAGEMAKER_BASE_DIR` names the directory that stands for /opt/ml."""

    def __init__(self, base: Path | None = None) -> None:
        self.base = base or Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
        self.hyperparameters = self.base / "input/config/hyperparameters.json"
        self.model = self.base / "model"
        self.output_data = self.base / "output/data"
        self.checkpoints = self.base / "checkpoints"
        self.processing_output = self.base / "processing/output"

    def channel(self, name: str) -> Path:
        """A training job's input channel."""
        return self.base / "input/data" / name

    def processing_input(self, name: str) -> Path:
        """A processing job's input."""
        return self.base / "processing/input" / name

    def tell_failure(self, sentence: str, *, training: bool) -> None:
        """Leaves the sentence where SageMaker takes FailureReason (training) or ExitMessage (processing) from."""
        file = self.base / "output" / ("failure" if training else "message")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(sentence[:FAILURE_CHARACTERS], encoding="utf-8", errors="replace")
