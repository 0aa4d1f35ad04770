"""The fields of the requests for models and endpoints."""

from .field import GIVEN, KEYS, Field, below, given

OWN_NETWORK = Field("noted", "the container has this machine's network")
ONE_MACHINE = Field("noted", "there is one machine to place it on")
NO_EXPLAINER = Field("refused", "predictions are not explained")
NO_CAPTURE = Field("refused", "requests and answers are not captured")
ALWAYS_RUNS = Field("noted", "the container of a serverless variant runs all the time")
WHOLE_UPDATE = Field("refused", "an update takes all traffic at once")

S3_DATA = {
    **given("S3Uri S3DataType CompressionType"),
    "ModelAccessConfig": Field("noted", "no licence is asked for"),
    "HubAccessConfig": Field("refused", "there is no hub; copy the model to S3"),
    "ManifestS3Uri": Field("refused", "only prefixes and archives are read"),
    "ETag": Field("refused", "the model is taken as it is in S3"),
    "ManifestEtag": Field("refused", "only prefixes and archives are read"),
}
CONTAINER = {
    **given("Image ModelDataUrl Environment ModelPackageName"),
    "ContainerHostname": Field("noted", "an endpoint has one container, so none is called by its name"),
    "ImageConfig": Field("noted", "no image is pulled from a registry"),
    "Mode": Field("refused", "an endpoint has one model", taken=("SingleModel",)),
    **below("ModelDataSource.S3DataSource", S3_DATA),
    "AdditionalModelDataSources": Field("refused", "a container gets one model"),
    "InferenceSpecificationName": Field("refused", "a package has one container with one model"),
    "MultiModelConfig": Field("refused", "an endpoint has one model"),
    "ContainerMetricsConfig": Field("refused", "no metrics are read from containers"),
}
MODEL = {
    **given("ModelName Tags.Key Tags.Value"),
    **below("PrimaryContainer", CONTAINER),
    **below("Containers", CONTAINER),
    "InferenceExecutionConfig": Field("noted", "a model has one container"),
    "ExecutionRoleArn": Field("noted", "the container has the endpoint's own key, which allows everything"),
    "VpcConfig": OWN_NETWORK,
    "EnableNetworkIsolation": OWN_NETWORK,
}
VARIANT = {
    **given("VariantName ModelName InitialInstanceCount InstanceType InitialVariantWeight"),
    "InstancePools": Field("refused", "there is no choice of instances; give InstanceType and InitialInstanceCount"),
    "VariantInstanceProvisionTimeoutInSeconds": ONE_MACHINE,
    "AcceleratorType": Field("refused", "there are no accelerators to attach"),
    "CoreDumpConfig": Field("refused", "no core dumps are kept"),
    "ServerlessConfig.MemorySizeInMB": Field("noted", "the container has this machine's memory"),
    "ServerlessConfig.MaxConcurrency": GIVEN,
    "ServerlessConfig.ProvisionedConcurrency": ALWAYS_RUNS,
    "VolumeSizeInGB": Field("noted", "the container has this machine's disk"),
    "ModelDataDownloadTimeoutInSeconds": Field("noted", "the model comes from this machine"),
    "ContainerStartupHealthCheckTimeoutInSeconds": GIVEN,
    "EnableSSMAccess": Field("refused", "no session of Systems Manager can enter a container"),
    "ManagedInstanceScaling": Field("refused", "nothing is scaled by itself"),
    "RoutingConfig": Field("noted", "a request goes to the instance that has the fewest"),
    "InferenceAmiVersion": ONE_MACHINE,
    "CapacityReservationConfig": Field("noted", "there is no capacity to reserve"),
}
ASYNC = {
    "ClientConfig.MaxConcurrentInvocationsPerInstance": GIVEN,
    **below("OutputConfig", given("S3OutputPath S3FailurePath")),
    **below("OutputConfig.NotificationConfig", given("SuccessTopic ErrorTopic IncludeInferenceResponseIn")),
    "OutputConfig.KmsKeyId": KEYS,
}
ENDPOINT_CONFIG = {
    **given("EndpointConfigName Tags.Key Tags.Value"),
    **below("ProductionVariants", VARIANT),
    "DataCaptureConfig": NO_CAPTURE,
    "KmsKeyId": KEYS,
    **below("AsyncInferenceConfig", ASYNC),
    "ExplainerConfig": NO_EXPLAINER,
    "ShadowProductionVariants": Field("refused", "no request is repeated to a shadow"),
    "ExecutionRoleArn": MODEL["ExecutionRoleArn"],
    "VpcConfig": OWN_NETWORK,
    "EnableNetworkIsolation": OWN_NETWORK,
    "MetricsConfig": Field("refused", "no metrics are published for endpoints"),
}
DEPLOYMENT = {
    "BlueGreenUpdatePolicy.TrafficRoutingConfiguration.Type": Field(
        "refused", "an update takes all traffic at once", taken=("ALL_AT_ONCE",)
    ),
    "BlueGreenUpdatePolicy.TrafficRoutingConfiguration.WaitIntervalInSeconds": Field(
        "noted", "the old containers end once the new ones answer"
    ),
    "BlueGreenUpdatePolicy.TrafficRoutingConfiguration.CanarySize": WHOLE_UPDATE,
    "BlueGreenUpdatePolicy.TrafficRoutingConfiguration.LinearStepSize": WHOLE_UPDATE,
    "BlueGreenUpdatePolicy.TerminationWaitInSeconds": Field("noted", "the old containers end once the new ones answer"),
    "BlueGreenUpdatePolicy.MaximumExecutionTimeoutInSeconds": Field("noted", "the container's start has a time limit"),
    "RollingUpdatePolicy": WHOLE_UPDATE,
    "AutoRollbackConfiguration": Field("refused", "no alarms are watched"),
}
ENDPOINT = {
    **given("EndpointName EndpointConfigName Tags.Key Tags.Value"),
    **below("DeploymentConfig", DEPLOYMENT),
}
UPDATE = {
    **given("EndpointName EndpointConfigName RetainAllVariantProperties"),
    "ExcludeRetainedVariantProperties.VariantPropertyType": GIVEN,
    **below("DeploymentConfig", DEPLOYMENT),
    "RetainDeploymentConfig": Field("noted", "an update takes all traffic at once"),
}
WEIGHTS = {
    "EndpointName": GIVEN,
    **below("DesiredWeightsAndCapacities", given("VariantName DesiredWeight DesiredInstanceCount")),
    "DesiredWeightsAndCapacities.ServerlessUpdateConfig.MaxConcurrency": GIVEN,
    "DesiredWeightsAndCapacities.ServerlessUpdateConfig.ProvisionedConcurrency": ALWAYS_RUNS,
}
