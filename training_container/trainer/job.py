"""The container's side of the SageMaker contract: the paths below /opt/ml, and how a failure is reported."""

import os
from pathlib import Path

FAILURE_CHARACTERS = 1024
BASE = "SAGEMAKER_BASE_DIR"
JOB_NAME = "TRAINING_JOB_NAME"
ROOT = Path("/opt/ml")


class JobPaths:
    """The paths of one job. The environment variable SAGEMAKER_BASE_DIR replaces /opt/ml."""

    def __init__(self, base: Path | None = None) -> None:
        self.base = base or Path(os.environ.get(BASE, ROOT))
        self.hyperparameters = self.base / "input/config/hyperparameters.json"
        self.model = self.base / "model"
        self.output_data = self.base / "output/data"
        self.checkpoints = self.base / "checkpoints"
        self.processing_output = self.base / "processing/output"

    def own_checkpoints(self) -> Path:
        """The folder for this job's checkpoints, made if checkpoints are kept: a tuning job's trials share one place.

        SageMaker copies that place, with all that the other trials left there, to each of them.
        """
        own = self.checkpoints / os.environ.get(JOB_NAME, "")
        if self.checkpoints.is_dir():
            own.mkdir(exist_ok=True)
        return own

    @property
    def is_real(self) -> bool:
        """Whether SageMaker, or what stands for it, started this process; a person may have, on a machine of theirs."""
        given = (self.base / name for name in ("input", "processing", "config"))
        return BASE in os.environ or any(folder.exists() for folder in given)

    def channel(self, name: str) -> Path:
        """The folder of a training job's input channel."""
        return self.base / "input/data" / name

    def processing_input(self, name: str) -> Path:
        """The folder of a processing job's input."""
        return self.base / "processing/input" / name

    def write_failure(self, sentence: str, *, training: bool) -> None:
        """Writes the sentence for SageMaker: as FailureReason if `training`, else as a processing job's ExitMessage."""
        file = self.base / "output" / ("failure" if training else "message")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(sentence[:FAILURE_CHARACTERS], encoding="utf-8", errors="replace")
