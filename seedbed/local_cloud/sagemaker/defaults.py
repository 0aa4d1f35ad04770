"""What SageMaker fills in where a Create request leaves it out; Describe and the events show it.

A path leads through structures and the items of lists. A default is filled in only where all that holds it was given
or filled in before.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from .kinds import Body

DAY = 86_400

# In training jobs and in the definitions of tuning jobs.
SHARED: dict[str, Any] = {
    "InputDataConfig.CompressionType": "None",
    "InputDataConfig.DataSource.S3DataSource.S3DataDistributionType": "FullyReplicated",
    "StoppingCondition": {},
    "StoppingCondition.MaxRuntimeInSeconds": DAY,
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "EnableManagedSpotTraining": False,
}
TRAINING_JOB = {
    **SHARED,
    "InputDataConfig": [],
    "InputDataConfig.RecordWrapperType": "None",
    "OutputDataConfig.KmsKeyId": "",
    "OutputDataConfig.CompressionType": "GZIP",
    "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries": False,
    "DebugHookConfig.CollectionConfigurations": [],
    "ProfilerConfig.DisableProfiler": False,
    "ProfilerConfig.ProfilingIntervalInMilliseconds": 500,
}
RANGES: dict[str, Any] = {
    "IntegerParameterRanges": [],
    "IntegerParameterRanges.ScalingType": "Auto",
    "ContinuousParameterRanges": [],
    "ContinuousParameterRanges.ScalingType": "Auto",
    "CategoricalParameterRanges": [],
}
DEFINITION = {
    **SHARED,
    "StaticHyperParameters": {},
    **{f"HyperParameterRanges.{path}": value for path, value in RANGES.items()},
}
TUNING_JOB = {
    "HyperParameterTuningJobConfig.TrainingJobEarlyStoppingType": "Off",
    **{f"HyperParameterTuningJobConfig.ParameterRanges.{path}": value for path, value in RANGES.items()},
    **{f"TrainingJobDefinition.{path}": value for path, value in DEFINITION.items()},
    **{f"TrainingJobDefinitions.{path}": value for path, value in DEFINITION.items()},
}
PROCESSING_JOB = {
    "ProcessingInputs.AppManaged": False,
    "ProcessingInputs.S3Input.S3InputMode": "File",
    "ProcessingInputs.S3Input.S3DataDistributionType": "FullyReplicated",
    "ProcessingInputs.S3Input.S3CompressionType": "None",
    "ProcessingOutputConfig.Outputs.AppManaged": False,
    "StoppingCondition": {},
    "StoppingCondition.MaxRuntimeInSeconds": DAY,
}
TRANSFORM_JOB = {
    "TransformInput.CompressionType": "None",
    "TransformInput.SplitType": "None",
    "TransformOutput.AssembleWith": "None",
    "TransformOutput.KmsKeyId": "",
    "DataProcessing": {},
    "DataProcessing.InputFilter": "$",
    "DataProcessing.OutputFilter": "$",
    "DataProcessing.JoinSource": "None",
}


def fill_training_job(request: Body) -> None:
    fill(request, TRAINING_JOB)
    profiler = request.get("ProfilerConfig", {"DisableProfiler": True})
    request["ProfilingStatus"] = "Disabled" if profiler["DisableProfiler"] else "Enabled"


def fill_tuning_job(request: Body) -> None:
    fill(request, TUNING_JOB)


def fill_processing_job(request: Body) -> None:
    fill(request, PROCESSING_JOB)


def fill_transform_job(request: Body) -> None:
    fill(request, TRANSFORM_JOB)


def fill(request: Body, defaults: Mapping[str, Any]) -> None:
    """Fills in a request, in place."""
    for path, default in defaults.items():
        *holders, name = path.split(".")
        for structure in _structures(request, holders):
            structure.setdefault(name, copy.deepcopy(default))


def _structures(value: Any, names: list[str]) -> Iterator[Body]:
    """The structures at a path, in each item of the lists on it."""
    if isinstance(value, list):
        for item in value:
            yield from _structures(item, names)
    elif names:
        if names[0] in value:
            yield from _structures(value[names[0]], names[1:])
    else:
        yield value
