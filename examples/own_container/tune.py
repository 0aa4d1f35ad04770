"""Tunes the container's degree and penalty on a noisy sine wave, and prints the best training job.

The endpoint and its keys come from the environment, as `seedbed sagemaker` prints them: python tune.py [JOBS]
"""

import sys
import time
from typing import Any

import boto3
import numpy as np

BUCKET, NAME = "curve", f"curve-{int(time.time())}"
RANGES: Any = {
    "IntegerParameterRanges": [{"Name": "degree", "MinValue": "1", "MaxValue": "25"}],
    "ContinuousParameterRanges": [
        {"Name": "penalty", "MinValue": "0.0001", "MaxValue": "10", "ScalingType": "Logarithmic"}
    ],
}


def points() -> str:
    """Sixty points of a sine wave with noise, as CSV."""
    noise = np.random.default_rng(7)
    x = np.linspace(-1, 1, 60)
    rows = zip(x, np.sin(5 * x) + noise.normal(0, 0.3, 60), strict=True)
    return "\n".join(["x,y", *(f"{across:.6f},{up:.6f}" for across, up in rows)])


def create(sagemaker: Any, jobs: int) -> None:
    channel = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/points/"}}
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=NAME,
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"MetricName": "validation_error", "Type": "Minimize"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": RANGES,
        },
        TrainingJobDefinition={
            "AlgorithmSpecification": {
                "TrainingImage": "curve",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "validation_error", "Regex": r"validation_error: ([0-9.]+);"}],
            },
            "InputDataConfig": [{"ChannelName": "points", "DataSource": channel}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "RoleArn": "arn:aws:iam::000000000000:role/any",
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )


def ended(sagemaker: Any) -> Any:
    """The tuning job's description once it has ended."""
    while True:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=NAME)
        if job["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped"):
            return job
        time.sleep(0.5)


def main(jobs: int) -> None:
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="points/points.csv", Body=points().encode())
    create(sagemaker, jobs)
    job = ended(sagemaker)
    if "BestTrainingJob" not in job:
        sys.exit(f"No training job gave a result: {job.get('FailureReason', job['HyperParameterTuningJobStatus'])}")
    best = job["BestTrainingJob"]
    error = best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    tuned = ", ".join(f"{name} {value}" for name, value in sorted(best["TunedHyperParameters"].items()))
    print(f"Best of {jobs}: {best['TrainingJobName']}, validation error {error:.3f}, {tuned}")
    model = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])["ModelArtifacts"]
    print(f"Its model: {model['S3ModelArtifacts']}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
