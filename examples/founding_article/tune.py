"""The founding article's tuning job: learning rate, epochs and batch size of a Keras CNN, by accuracy.

The endpoint and its keys come from the environment, as `seedbed sagemaker` prints them. Without --images it draws some.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3

from seedbed.seedlings import write

BUCKET, NAME = "founding", f"seedlings-{int(time.time())}"


def upload(s3: Any, folder: Path) -> None:
    """Every fourth image of each label to channel `test`, the others to `train`."""
    for label in sorted(path for path in folder.iterdir() if path.is_dir()):
        for number, file in enumerate(sorted(label.iterdir())):
            channel = "train" if number % 4 else "test"
            s3.upload_file(str(file), BUCKET, f"{channel}/{label.name}/{file.name}")


def request(given: argparse.Namespace) -> dict[str, Any]:
    """What the article gave to boto3, but for the image, the bucket, and the numbers that can be chosen."""
    least, most = map(str, given.epochs)
    return {
        "HyperParameterTuningJobName": NAME,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"MetricName": "acc", "Type": "Maximize"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": given.jobs, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "learning_rate", "MinValue": "0.0001", "MaxValue": "0.0003"}],
                "IntegerParameterRanges": [
                    {"Name": "epochs", "MinValue": least, "MaxValue": most},
                    {"Name": "batch_size", "MinValue": "24", "MaxValue": "36"},
                ],
            },
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {
                "TrainingImage": "founding",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "acc", "Regex": r"accuracy: ([0-9\.]+)"}],
            },
            "InputDataConfig": [channel("train"), channel("test")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.p3.2xlarge", "VolumeSizeInGB": 50},
            "RoleArn": "arn:aws:iam::000000000000:role/SageMakerRole",
            "StoppingCondition": {"MaxRuntimeInSeconds": 43200},
        },
    }


def channel(name: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def follow(sagemaker: Any) -> None:
    """Print each training job as it ends, then the best."""
    printed = set()
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    while True:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=NAME)
        trials = pages.paginate(HyperParameterTuningJobName=NAME)
        for trial in (trial for page in trials for trial in page["TrainingJobSummaries"]):
            if trial["TrainingJobStatus"] in ("Completed", "Failed") and trial["TrainingJobName"] not in printed:
                printed.add(trial["TrainingJobName"])
                print(said(trial))
        if job["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(0.5)
    best = job.get("BestTrainingJob")
    print(f"Best: {said(best)}" if best else f"No training job gave a result: {job.get('FailureReason')}")


def said(trial: dict[str, Any]) -> str:
    metric = trial.get("FinalHyperParameterTuningJobObjectiveMetric")
    result = f"accuracy {metric['Value']:.4f}" if metric else trial.get("FailureReason", "no accuracy")
    return f"{trial['TrainingJobName']}: {result}, {trial['TunedHyperParameters']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="a folder of images, one sub-folder a label")
    parser.add_argument("--draw", type=int, default=20, help="images to draw of each species without --images")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--epochs", type=int, nargs=2, default=(150, 300), metavar=("LEAST", "MOST"))
    given = parser.parse_args()
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    with tempfile.TemporaryDirectory() as drawn:
        if not given.images:
            list(write(Path(drawn), given.draw))
        upload(s3, given.images or Path(drawn))
    sagemaker.create_hyper_parameter_tuning_job(**request(given))
    follow(sagemaker)


if __name__ == "__main__":
    main()
