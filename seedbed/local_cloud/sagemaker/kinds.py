"""The kinds of jobs and of what is hosted, and SageMaker's names for their fields."""

from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]

ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class Kind:
    """One kind of job, model or endpoint; its field names, ARN and event are derived from its names.

    event: empty for a kind without events. first_status: that of a new one.
    """

    name: str
    resource: str
    event: str
    first_status: str = "InProgress"

    @property
    def noun(self) -> str:
        """What SageMaker's messages call it."""
        return self.resource.replace("-", " ").replace(" config", " configuration")

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
TRANSFORM = Kind("TransformJob", "transform-job", "SageMaker Transform Job State Change")
JOBS = (PROCESSING, TRAINING, TUNING, TRANSFORM)
MODEL = Kind("Model", "model", "", "InService")
ENDPOINT_CONFIG = Kind("EndpointConfig", "endpoint-config", "", "InService")
ENDPOINT = Kind("Endpoint", "endpoint", "SageMaker Endpoint State Change", "Creating")
MODEL_PACKAGE_GROUP = Kind("ModelPackageGroup", "model-package-group", "", "Completed")
MODEL_PACKAGE = Kind("ModelPackage", "model-package", "SageMaker Model Package State Change", "Completed")
REGISTERED = (MODEL_PACKAGE_GROUP, MODEL_PACKAGE)
HOSTED = (MODEL, ENDPOINT_CONFIG, ENDPOINT)
"""Models and endpoint configurations have a status in the records alone: AWS gives them none."""
