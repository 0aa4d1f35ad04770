"""The fields of CreateTransformJob."""

from .field import GIVEN, KEYS, Field, below, given

WHOLE = Field("refused", "records are sent, and answers written, whole", taken=("$",))
TRANSFORM_JOB = {
    **given("TransformJobName ModelName MaxConcurrentTransforms MaxPayloadInMB BatchStrategy Environment"),
    **given(
        "ModelClientConfig.InvocationsTimeoutInSeconds ModelClientConfig.InvocationsMaxRetries Tags.Key Tags.Value"
    ),
    **given("TransformInput.ContentType TransformInput.CompressionType"),
    "TransformInput.DataSource.S3DataSource.S3DataType": Field(
        "refused", "objects come from a prefix or a manifest", taken=("S3Prefix", "ManifestFile")
    ),
    "TransformInput.DataSource.S3DataSource.S3Uri": GIVEN,
    "TransformInput.SplitType": Field("refused", "only lines are told apart", taken=("None", "Line")),
    **given("TransformOutput.S3OutputPath TransformOutput.Accept TransformOutput.AssembleWith"),
    "TransformOutput.KmsKeyId": KEYS,
    "DataCaptureConfig": Field("refused", "requests and answers are not captured"),
    **below("TransformResources", given("InstanceType InstanceCount")),
    "TransformResources.VolumeKmsKeyId": KEYS,
    "TransformResources.TransformAmiVersion": Field("noted", "there is one machine to run it on"),
    "DataProcessing.InputFilter": WHOLE,
    "DataProcessing.OutputFilter": WHOLE,
    "DataProcessing.JoinSource": Field("refused", "answers are not joined with their records", taken=("None",)),
    "ExperimentConfig": Field("refused", "experiments hold training and processing jobs alone"),
}
