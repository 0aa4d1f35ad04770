"""The container's side of the SageMaker contract: the paths below /opt/ml, and how a failure is reported."""

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

from trainer.errors import BadInput

FAILURE_CHARACTERS = 1024
BASE = "SAGEMAKER_BASE_DIR"
JOB_NAME = "TRAINING_JOB_NAME"
ROOT = Path("/opt/ml")
HOST_NAME = re.compile("[A-Za-z0-9-]{1,63}")


class Hosts(NamedTuple):
    """The instances of a processing job, and this one of them."""

    current: str = "algo-1"
    names: tuple[str, ...] = ("algo-1",)
    """In any order."""


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

    def processing_hosts(self) -> Hosts:
        """The instances of this processing job: one if nothing says otherwise. BadInput if that can't be read."""
        file = self.base / "config/resourceconfig.json"
        if not file.exists():
            return Hosts()
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
            hosts = Hosts(str(said["current_host"]), tuple(map(str, said["hosts"])))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BadInput("The job's resourceconfig.json can't be read: start the job again.") from error
        if hosts.current not in hosts.names or not all(HOST_NAME.fullmatch(name) for name in hosts.names):
            raise BadInput("The job's resourceconfig.json names hosts that can't be used: start the job again.")
        return hosts

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
