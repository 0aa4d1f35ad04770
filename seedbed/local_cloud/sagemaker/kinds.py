"""The three kinds of jobs, and SageMaker's names for their fields."""

from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]

ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class Kind:
    """One kind of job; its field names, ARN and event are derived from these three names."""

    name: str
    resource: str
    event: str

    @property
    def name_field(self) -> str:
        return f"{self.name}Name"

    @property
    def arn_field(self) -> str:
        return f"{self.name}Arn"

    @property
    def status_field(self) -> str:
        return f"{self.name}Status"


PROCESSING = Kind("ProcessingJob", "processing-job", "SageMaker Processing Job State Change")
TRAINING = Kind("TrainingJob", "training-job", "SageMaker Training Job State Change")
TUNING = Kind(
    "HyperParameterTuningJob",
    "hyper-parameter-tuning-job",
    "SageMaker HyperParameter Tuning Job State Change",
)
