"""What becomes of each field of a Create request: it is given, only noted, or refused.

A noted field is described as it was asked for, and has no effect here. docs/sagemaker.md shows this table, and a test
compares it with SageMaker's service model.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import Invalid


@dataclass(frozen=True)
class Field:
    """What becomes of a field and of all fields within it.

    effect: "given", "noted" or "refused". why: a clause for a person, empty for a given field.
    taken: values of a refused field that are taken, besides those that ask for nothing.
    """

    effect: str
    why: str = ""
    taken: tuple[Any, ...] = ()


GIVEN = Field("given")
ONE_INSTANCE = Field("refused", "each job runs on one instance", taken=(1,))
NO_PIPE = "no data is streamed; use File or FastFile"
NO_PREFERENCES = Field("refused", "there is no choice of instances; give InstanceType and InstanceCount")
OWN_NETWORK = Field("noted", "the job has this machine's network")
KEYS = Field("noted", "nothing is encrypted with keys of KMS")
VOLUME = Field("noted", "the job has this machine's disk")
EXPERIMENTS = Field("noted", "there are no experiments to list the job in")


def _given(names: str) -> dict[str, Field]:
    return dict.fromkeys(names.split(), GIVEN)


def _below(prefix: str, fields: Mapping[str, Field]) -> dict[str, Field]:
    return {f"{prefix}.{name}": field for name, field in fields.items()}


# In training jobs and in the definitions of tuning jobs.
SHARED = {
    **_below("AlgorithmSpecification", _given("TrainingImage MetricDefinitions.Name MetricDefinitions.Regex")),
    "AlgorithmSpecification.TrainingInputMode": Field("refused", NO_PIPE, taken=("File", "FastFile")),
    "AlgorithmSpecification.AlgorithmName": Field("refused", "there are no built-in algorithms; give a TrainingImage"),
    **_given("CheckpointConfig.S3Uri CheckpointConfig.LocalPath Environment EnableManagedSpotTraining"),
    **_below("InputDataConfig", _given("ChannelName ContentType")),
    **_below("InputDataConfig.DataSource.S3DataSource", _given("S3Uri S3DataDistributionType")),
    "InputDataConfig.DataSource.S3DataSource.S3DataType": Field(
        "refused", "only prefixes and manifests are read", taken=("S3Prefix", "ManifestFile")
    ),
    "InputDataConfig.DataSource.S3DataSource.AttributeNames": Field("refused", "augmented manifests are not read"),
    "InputDataConfig.DataSource.S3DataSource.InstanceGroupNames": Field("noted", "one instance gets every channel"),
    "InputDataConfig.DataSource.S3DataSource.ModelAccessConfig": Field("noted", "no licence is asked for"),
    "InputDataConfig.DataSource.S3DataSource.HubAccessConfig": Field(
        "refused", "there is no hub; copy the model to S3"
    ),
    "InputDataConfig.DataSource.FileSystemDataSource": Field(
        "refused", "no file systems are mounted; copy the data to S3"
    ),
    "InputDataConfig.DataSource.DatasetSource": Field("refused", "there are no data sets; copy the data to S3"),
    "InputDataConfig.CompressionType": Field(
        "refused", "that is for Pipe mode only, and no data is streamed", taken=("None",)
    ),
    "InputDataConfig.RecordWrapperType": Field(
        "refused", "that is for Pipe mode only, and no data is streamed", taken=("None",)
    ),
    "InputDataConfig.InputMode": Field("refused", NO_PIPE, taken=("File", "FastFile")),
    "InputDataConfig.ShuffleConfig": Field("noted", "files in a folder have no order"),
    **_below("OutputDataConfig", _given("S3OutputPath CompressionType")),
    "OutputDataConfig.KmsKeyId": KEYS,
    **_below("ResourceConfig", _given("InstanceType InstanceGroups.InstanceType InstanceGroups.InstanceGroupName")),
    "ResourceConfig.InstanceCount": ONE_INSTANCE,
    "ResourceConfig.InstanceGroups.InstanceCount": ONE_INSTANCE,
    "ResourceConfig.VolumeSizeInGB": VOLUME,
    "ResourceConfig.VolumeKmsKeyId": KEYS,
    "ResourceConfig.KeepAlivePeriodInSeconds": Field("noted", "a job starts at once, without a warm pool"),
    "ResourceConfig.TrainingPlanArn": Field("noted", "there is no capacity to reserve"),
    "ResourceConfig.InstancePlacementConfig": Field("noted", "there is one machine to place it on"),
    "ResourceConfig.InstancePreferences": NO_PREFERENCES,
    "ResourceConfig.SelectedInstanceType": NO_PREFERENCES,
    "ResourceConfig.SelectedInstanceCount": NO_PREFERENCES,
    "RetryStrategy.MaximumRetryAttempts": GIVEN,
    "RoleArn": Field("noted", "the job has the endpoint's own key, which allows everything"),
    **_below("StoppingCondition", _given("MaxRuntimeInSeconds MaxWaitTimeInSeconds")),
    "StoppingCondition.MaxPendingTimeInSeconds": Field("noted", "no job waits for an instance"),
    "VpcConfig": OWN_NETWORK,
    "EnableNetworkIsolation": OWN_NETWORK,
    "EnableInterContainerTrafficEncryption": Field("noted", "one instance has no traffic to others"),
}
TRAINING_JOB = {
    **SHARED,
    **_given("TrainingJobName HyperParameters Tags.Key Tags.Value"),
    **_below("AlgorithmSpecification", _given("ContainerEntrypoint ContainerArguments")),
    "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries": Field("noted", "metrics are in CloudWatch"),
    "AlgorithmSpecification.TrainingImageConfig": Field("noted", "no image is pulled from a registry"),
    **_given("TensorBoardOutputConfig.LocalPath TensorBoardOutputConfig.S3OutputPath"),
    **_below("DebugHookConfig", _given("LocalPath S3OutputPath HookParameters")),
    **_below("DebugHookConfig.CollectionConfigurations", _given("CollectionName CollectionParameters")),
    "DebugRuleConfigurations": Field("refused", "no rules of Debugger are run"),
    "ProfilerConfig": Field("noted", "nothing is profiled"),
    "ProfilerRuleConfigurations": Field("noted", "nothing is profiled"),
    "ExperimentConfig": EXPERIMENTS,
    "RemoteDebugConfig": Field("refused", "no session of Systems Manager can enter a container"),
    "InfraCheckConfig": Field("noted", "there are no instances to check"),
    "SessionChainingConfig": Field("noted", "the job has no session of a role"),
    "ServerlessJobConfig": Field("refused", "no model is customized without a container; give a TrainingImage"),
    "MlflowConfig": Field("refused", "there is no MLflow; name a server in Environment"),
    "ModelPackageConfig": Field("refused", "there is no model registry"),
}
RANGES = _given(
    "IntegerParameterRanges.Name IntegerParameterRanges.MinValue IntegerParameterRanges.MaxValue"
    " IntegerParameterRanges.ScalingType ContinuousParameterRanges.Name ContinuousParameterRanges.MinValue"
    " ContinuousParameterRanges.MaxValue ContinuousParameterRanges.ScalingType CategoricalParameterRanges.Name"
    " CategoricalParameterRanges.Values AutoParameters.Name AutoParameters.ValueHint"
)
DEFINITION = {
    **SHARED,
    **_given("DefinitionName TuningObjective.Type TuningObjective.MetricName StaticHyperParameters"),
    **_below("HyperParameterRanges", RANGES),
    **_below(
        "HyperParameterTuningResourceConfig", _given("InstanceType AllocationStrategy InstanceConfigs.InstanceType")
    ),
    "HyperParameterTuningResourceConfig.InstanceCount": ONE_INSTANCE,
    "HyperParameterTuningResourceConfig.VolumeSizeInGB": VOLUME,
    "HyperParameterTuningResourceConfig.VolumeKmsKeyId": KEYS,
    "HyperParameterTuningResourceConfig.InstanceConfigs.InstanceCount": ONE_INSTANCE,
    "HyperParameterTuningResourceConfig.InstanceConfigs.VolumeSizeInGB": VOLUME,
}
TUNING_JOB = {
    **_given("HyperParameterTuningJobName Autotune.Mode Tags.Key Tags.Value WarmStartConfig.WarmStartType"),
    "WarmStartConfig.ParentHyperParameterTuningJobs.HyperParameterTuningJobName": GIVEN,
    **_below(
        "HyperParameterTuningJobConfig",
        {
            **_given("Strategy TrainingJobEarlyStoppingType RandomSeed"),
            **_below("StrategyConfig.HyperbandStrategyConfig", _given("MinResource MaxResource")),
            **_below("HyperParameterTuningJobObjective", _given("Type MetricName")),
            **_below("ResourceLimits", _given("MaxNumberOfTrainingJobs MaxParallelTrainingJobs MaxRuntimeInSeconds")),
            **_below("ParameterRanges", RANGES),
            **_below(
                "TuningJobCompletionCriteria",
                _given(
                    "TargetObjectiveMetricValue ConvergenceDetected.CompleteOnConvergence"
                    " BestObjectiveNotImproving.MaxNumberOfTrainingJobsNotImproving"
                ),
            ),
        },
    ),
    **_below("TrainingJobDefinition", DEFINITION),
    **_below("TrainingJobDefinitions", DEFINITION),
}
PROCESSING_JOB = {
    **_given("ProcessingJobName Environment Tags.Key Tags.Value StoppingCondition.MaxRuntimeInSeconds"),
    **_below("AppSpecification", _given("ImageUri ContainerEntrypoint ContainerArguments")),
    **_below("ProcessingInputs", _given("InputName S3Input.S3Uri S3Input.LocalPath S3Input.S3DataType")),
    "ProcessingInputs.S3Input.S3DataDistributionType": GIVEN,
    "ProcessingInputs.S3Input.S3InputMode": Field("refused", "no data is streamed; use File", taken=("File",)),
    "ProcessingInputs.S3Input.S3CompressionType": Field(
        "refused", "that is for Pipe mode only, and no data is streamed", taken=("None",)
    ),
    "ProcessingInputs.AppManaged": Field("refused", "no application manages its inputs"),
    "ProcessingInputs.DatasetDefinition": Field("refused", "Athena and Redshift are not queried; copy the data to S3"),
    **_below("ProcessingOutputConfig.Outputs", _given("OutputName S3Output.S3Uri S3Output.LocalPath")),
    "ProcessingOutputConfig.Outputs.S3Output.S3UploadMode": GIVEN,
    "ProcessingOutputConfig.Outputs.FeatureStoreOutput": Field(
        "refused", "there is no feature store; give an S3Output"
    ),
    "ProcessingOutputConfig.Outputs.AppManaged": Field("refused", "no application manages its outputs"),
    "ProcessingOutputConfig.KmsKeyId": KEYS,
    "ProcessingResources.ClusterConfig.InstanceType": GIVEN,
    "ProcessingResources.ClusterConfig.InstanceCount": ONE_INSTANCE,
    "ProcessingResources.ClusterConfig.VolumeSizeInGB": VOLUME,
    "ProcessingResources.ClusterConfig.VolumeKmsKeyId": KEYS,
    "ProcessingResources.ClusterConfig.InstancePreferences": NO_PREFERENCES,
    "ProcessingResources.ClusterConfig.SelectedInstanceType": NO_PREFERENCES,
    "ProcessingResources.ClusterConfig.SelectedInstanceCount": NO_PREFERENCES,
    "NetworkConfig": OWN_NETWORK,
    "RoleArn": SHARED["RoleArn"],
    "ExperimentConfig": EXPERIMENTS,
}
ITEM_NAMES = ("ChannelName", "InputName", "OutputName", "DefinitionName", "InstanceGroupName")
FIELDS = {
    "CreateTrainingJob": TRAINING_JOB,
    "CreateHyperParameterTuningJob": TUNING_JOB,
    "CreateProcessingJob": PROCESSING_JOB,
}


def check(operation: str, request: Mapping[str, Any]) -> None:
    """Raises Invalid if the request asks for something that this endpoint can't give."""
    fields = FIELDS.get(operation, {})
    for path, value, item in _asked(request, "", ""):
        name = next((part for part in _prefixes(path) if part in fields), "")
        field = fields.get(name, GIVEN)
        if field.effect == "refused" and value not in field.taken:
            shown = f" {value}" if field.taken else ""
            where = f" in '{item}'" if item else ""
            raise Invalid(f"This endpoint can't take {name}{shown}{where}: {field.why}.")


def _asked(value: Any, path: str, item: str) -> Iterator[tuple[str, Any, str]]:
    """(path, value, name of the list's item) of what a request asks for: all but what is false, empty or zero."""
    if isinstance(value, Mapping):
        own = next((value[name] for name in ITEM_NAMES if name in value), item)
        for name, inner in value.items():
            yield from _asked(inner, f"{path}.{name}" if path else name, own)
    elif isinstance(value, list):
        for inner in value:
            yield from _asked(inner, path, item)
    elif value:
        yield path, value, item


def _prefixes(path: str) -> list[str]:
    """The path, and those of the structures that hold it, from the outermost."""
    names = path.split(".")
    return [".".join(names[:length]) for length in range(1, len(names) + 1)]
