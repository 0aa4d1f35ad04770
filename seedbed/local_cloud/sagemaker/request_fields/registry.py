"""The fields of the requests for model packages."""

from .field import GIVEN, KEYS, Field, below, given
from .hosting import S3_DATA

DESCRIBED = Field("noted", "is described as it was given")
NO_VALIDATION = Field("refused", "no package is validated")
ONE_CONTAINER = Field("refused", "a package has one container with one model")

CONTAINER = {
    **given("Image ModelDataUrl Environment"),
    "ContainerHostname": DESCRIBED,
    "ImageDigest": DESCRIBED,
    **below("ModelDataSource.S3DataSource", S3_DATA),
    "ProductId": DESCRIBED,
    "ModelInput": DESCRIBED,
    "Framework": DESCRIBED,
    "FrameworkVersion": DESCRIBED,
    "NearestModelName": DESCRIBED,
    "AdditionalModelDataSources": ONE_CONTAINER,
    "AdditionalS3DataSource": ONE_CONTAINER,
    "ModelDataETag": DESCRIBED,
    "IsCheckpoint": DESCRIBED,
    "BaseModel": DESCRIBED,
}
PACKAGE = {
    **given("ModelPackageName ModelPackageGroupName ModelPackageDescription ModelApprovalStatus ClientToken"),
    **given("Tags.Key Tags.Value CustomerMetadataProperties"),
    **below("InferenceSpecification.Containers", CONTAINER),
    "InferenceSpecification.SupportedTransformInstanceTypes": DESCRIBED,
    "InferenceSpecification.SupportedRealtimeInferenceInstanceTypes": DESCRIBED,
    "InferenceSpecification.SupportedContentTypes": DESCRIBED,
    "InferenceSpecification.SupportedResponseMIMETypes": DESCRIBED,
    "ModelPackageRegistrationType": DESCRIBED,
    "ValidationSpecification": NO_VALIDATION,
    "SourceAlgorithmSpecification": Field("refused", "there are no algorithms; give an InferenceSpecification"),
    "CertifyForMarketplace": Field("refused", "there is no marketplace"),
    "MetadataProperties": DESCRIBED,
    "ModelMetrics": DESCRIBED,
    "Domain": DESCRIBED,
    "Task": DESCRIBED,
    "SamplePayloadUrl": DESCRIBED,
    "DriftCheckBaselines": DESCRIBED,
    "AdditionalInferenceSpecifications": ONE_CONTAINER,
    "SkipModelValidation": Field("noted", "no package is validated"),
    "SourceUri": DESCRIBED,
    "SecurityConfig": KEYS,
    "ModelCard": DESCRIBED,
    "ModelLifeCycle": DESCRIBED,
    "ManagedStorageType": Field("refused", "the model stays where it is in S3"),
}
FIXED = Field("refused", "a package keeps its container; create another version")
PACKAGE_UPDATE = {
    **given("ModelPackageArn ModelApprovalStatus ApprovalDescription"),
    **given("CustomerMetadataProperties CustomerMetadataPropertiesToRemove"),
    "ModelPackageRegistrationType": DESCRIBED,
    "AdditionalInferenceSpecificationsToAdd": ONE_CONTAINER,
    "InferenceSpecification": FIXED,
    "SourceUri": DESCRIBED,
    "ModelCard": DESCRIBED,
    "ModelLifeCycle": DESCRIBED,
    "ClientToken": Field("noted", "an update that is repeated changes nothing more"),
}
GROUP = {
    **given("ModelPackageGroupName ModelPackageGroupDescription"),
    "Tags.Key": GIVEN,
    "Tags.Value": GIVEN,
    "ManagedConfiguration": Field("refused", "the models stay where they are in S3"),
}
