"""The fields of CreateTrainingJob, CreateHyperParameterTuningJob and CreateProcessingJob."""

from .field import GIVEN, KEYS, Field, below, given

SELECTED = Field("refused", "it is what Describe says")
PREFERENCES = {
    **below("InstancePreferences", given("InstanceType InstanceCount")),
    "SelectedInstanceType": SELECTED,
    "SelectedInstanceCount": SELECTED,
}
OWN_NETWORK = Field("noted", "the job has this machine's network")
VOLUME = Field("noted", "the job has this machine's disk")
EXPERIMENTS = below("ExperimentConfig", given("ExperimentName TrialName TrialComponentDisplayName RunName"))


# In training jobs and in the definitions of tuning jobs.
SHARED = {
    **below("AlgorithmSpecification", given("TrainingImage MetricDefinitions.Name MetricDefinitions.Regex")),
    "AlgorithmSpecification.TrainingInputMode": GIVEN,
    "AlgorithmSpecification.AlgorithmName": Field("refused", "there are no built-in algorithms; give a TrainingImage"),
    **given("CheckpointConfig.S3Uri CheckpointConfig.LocalPath Environment EnableManagedSpotTraining"),
    **below(
        "InputDataConfig",
        given("ChannelName ContentType CompressionType RecordWrapperType InputMode ShuffleConfig.Seed"),
    ),
    **below(
        "InputDataConfig.DataSource.S3DataSource",
        given("S3Uri S3DataDistributionType AttributeNames InstanceGroupNames"),
    ),
    "InputDataConfig.DataSource.S3DataSource.S3DataType": Field(
        "refused", "conversations are not read", taken=("S3Prefix", "ManifestFile", "AugmentedManifestFile")
    ),
    "InputDataConfig.DataSource.S3DataSource.ModelAccessConfig": Field("noted", "no licence is asked for"),
    "InputDataConfig.DataSource.S3DataSource.HubAccessConfig": Field(
        "refused", "there is no hub; copy the model to S3"
    ),
    "InputDataConfig.DataSource.FileSystemDataSource": Field(
        "refused", "no file systems are mounted; copy the data to S3"
    ),
    "InputDataConfig.DataSource.DatasetSource": Field("refused", "there are no data sets; copy the data to S3"),
    **below("OutputDataConfig", given("S3OutputPath CompressionType")),
    "OutputDataConfig.KmsKeyId": KEYS,
    **below("ResourceConfig", given("InstanceType InstanceCount")),
    **below("ResourceConfig.InstanceGroups", given("InstanceType InstanceCount InstanceGroupName")),
    "ResourceConfig.VolumeSizeInGB": VOLUME,
    "ResourceConfig.VolumeKmsKeyId": KEYS,
    "ResourceConfig.KeepAlivePeriodInSeconds": Field("noted", "a job starts at once, without a warm pool"),
    "ResourceConfig.TrainingPlanArn": Field("noted", "there is no capacity to reserve"),
    "ResourceConfig.InstancePlacementConfig": Field("noted", "there is one machine to place it on"),
    **below("ResourceConfig", PREFERENCES),
    "ResourceConfig.InstancePreferences.TrainingPlanArns": Field("noted", "there is no capacity to reserve"),
    "RetryStrategy.MaximumRetryAttempts": GIVEN,
    "RoleArn": Field("noted", "the job has the endpoint's own key, which allows everything"),
    **below("StoppingCondition", given("MaxRuntimeInSeconds MaxWaitTimeInSeconds")),
    "StoppingCondition.MaxPendingTimeInSeconds": Field("noted", "no job waits for an instance"),
    "VpcConfig": OWN_NETWORK,
    "EnableNetworkIsolation": OWN_NETWORK,
    "EnableInterContainerTrafficEncryption": Field("noted", "hosts reach each other within this machine"),
}
TRAINING_JOB = {
    **SHARED,
    **given("TrainingJobName HyperParameters Tags.Key Tags.Value"),
    **below("AlgorithmSpecification", given("ContainerEntrypoint ContainerArguments")),
    "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries": Field("noted", "metrics are in CloudWatch"),
    "AlgorithmSpecification.TrainingImageConfig": Field("noted", "no image is pulled from a registry"),
    **given("TensorBoardOutputConfig.LocalPath TensorBoardOutputConfig.S3OutputPath"),
    **below("DebugHookConfig", given("LocalPath S3OutputPath HookParameters")),
    **below("DebugHookConfig.CollectionConfigurations", given("CollectionName CollectionParameters")),
    "DebugRuleConfigurations": Field("refused", "no rules of Debugger are run"),
    "ProfilerConfig": Field("noted", "nothing is profiled"),
    "ProfilerRuleConfigurations": Field("noted", "nothing is profiled"),
    **EXPERIMENTS,
    "RemoteDebugConfig": Field("refused", "no session of Systems Manager can enter a container"),
    "InfraCheckConfig": Field("noted", "there are no instances to check"),
    "SessionChainingConfig": Field("noted", "the job has no session of a role"),
    "ServerlessJobConfig": Field("refused", "no model is customized without a container; give a TrainingImage"),
    "MlflowConfig": Field("refused", "there is no MLflow; name a server in Environment"),
    "ModelPackageConfig": Field("refused", "there is no model registry"),
}
RANGES = given(
    "IntegerParameterRanges.Name IntegerParameterRanges.MinValue IntegerParameterRanges.MaxValue"
    " IntegerParameterRanges.ScalingType ContinuousParameterRanges.Name ContinuousParameterRanges.MinValue"
    " ContinuousParameterRanges.MaxValue ContinuousParameterRanges.ScalingType CategoricalParameterRanges.Name"
    " CategoricalParameterRanges.Values AutoParameters.Name AutoParameters.ValueHint"
)
DEFINITION = {
    **SHARED,
    **given("DefinitionName TuningObjective.Type TuningObjective.MetricName StaticHyperParameters"),
    **below("HyperParameterRanges", RANGES),
    **below(
        "HyperParameterTuningResourceConfig",
        given(
            "InstanceType InstanceCount AllocationStrategy InstanceConfigs.InstanceType InstanceConfigs.InstanceCount"
        ),
    ),
    "HyperParameterTuningResourceConfig.VolumeSizeInGB": VOLUME,
    "HyperParameterTuningResourceConfig.VolumeKmsKeyId": KEYS,
    "HyperParameterTuningResourceConfig.InstanceConfigs.VolumeSizeInGB": VOLUME,
}
TUNING_JOB = {
    **given("HyperParameterTuningJobName Autotune.Mode Tags.Key Tags.Value WarmStartConfig.WarmStartType"),
    "WarmStartConfig.ParentHyperParameterTuningJobs.HyperParameterTuningJobName": GIVEN,
    **below(
        "HyperParameterTuningJobConfig",
        {
            **given("Strategy TrainingJobEarlyStoppingType RandomSeed"),
            **below("StrategyConfig.HyperbandStrategyConfig", given("MinResource MaxResource")),
            **below("HyperParameterTuningJobObjective", given("Type MetricName")),
            **below("ResourceLimits", given("MaxNumberOfTrainingJobs MaxParallelTrainingJobs MaxRuntimeInSeconds")),
            **below("ParameterRanges", RANGES),
            **below(
                "TuningJobCompletionCriteria",
                given(
                    "TargetObjectiveMetricValue ConvergenceDetected.CompleteOnConvergence"
                    " BestObjectiveNotImproving.MaxNumberOfTrainingJobsNotImproving"
                ),
            ),
        },
    ),
    **below("TrainingJobDefinition", DEFINITION),
    **below("TrainingJobDefinitions", DEFINITION),
}
PROCESSING_JOB = {
    **given("ProcessingJobName Environment Tags.Key Tags.Value StoppingCondition.MaxRuntimeInSeconds"),
    **below("AppSpecification", given("ImageUri ContainerEntrypoint ContainerArguments")),
    **below("ProcessingInputs", given("InputName S3Input.S3Uri S3Input.LocalPath S3Input.S3DataType")),
    "ProcessingInputs.S3Input.S3DataDistributionType": GIVEN,
    "ProcessingInputs.S3Input.S3InputMode": Field(
        "refused", "processing jobs get files alone; use File", taken=("File",)
    ),
    "ProcessingInputs.S3Input.S3CompressionType": Field(
        "refused", "that is for Pipe mode, and processing jobs get files alone", taken=("None",)
    ),
    "ProcessingInputs.AppManaged": Field("refused", "no application manages its inputs"),
    "ProcessingInputs.DatasetDefinition": Field("refused", "Athena and Redshift are not queried; copy the data to S3"),
    **below("ProcessingOutputConfig.Outputs", given("OutputName S3Output.S3Uri S3Output.LocalPath")),
    "ProcessingOutputConfig.Outputs.S3Output.S3UploadMode": GIVEN,
    "ProcessingOutputConfig.Outputs.FeatureStoreOutput": Field(
        "refused", "there is no feature store; give an S3Output"
    ),
    "ProcessingOutputConfig.Outputs.AppManaged": Field("refused", "no application manages its outputs"),
    "ProcessingOutputConfig.KmsKeyId": KEYS,
    **below("ProcessingResources.ClusterConfig", given("InstanceType InstanceCount")),
    "ProcessingResources.ClusterConfig.VolumeSizeInGB": VOLUME,
    "ProcessingResources.ClusterConfig.VolumeKmsKeyId": KEYS,
    **below("ProcessingResources.ClusterConfig", PREFERENCES),
    "NetworkConfig": OWN_NETWORK,
    "RoleArn": SHARED["RoleArn"],
    **EXPERIMENTS,
}
