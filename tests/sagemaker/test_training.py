"""Training jobs through boto3: the container contract, metrics, ends and logs."""

import io
import json
import tarfile
from typing import Any

import psutil
import pytest

from tests.sagemaker.toy_endpoint import Endpoint, definition


def model_of(endpoint: "Endpoint", job: dict[str, Any]) -> dict[str, Any]:
    """What the toy container saw, from the job's model.tar.gz."""
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{endpoint.bucket}/")
    with tarfile.open(fileobj=io.BytesIO(endpoint.read(key))) as archive:
        file = archive.extractfile("seen.json")
        assert file is not None
        content: dict[str, Any] = json.loads(file.read())
    return content


def logged(endpoint: "Endpoint", job: str) -> list[str]:
    """The events of a training job's log; none before it exists."""
    logs, group = endpoint.client("logs"), "/aws/sagemaker/TrainingJobs"
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/algo-1-")["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    names = [stream["logStreamName"] for stream in streams]
    pages = [logs.get_log_events(logGroupName=group, logStreamName=name, startFromHead=True) for name in names]
    return [event["message"] for page in pages for event in page["events"]]


def channel(name: str, uri: str) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}


def test_a_training_job_gets_hyperparameters_and_data_and_uploads_a_model(endpoint: "Endpoint") -> None:
    endpoint.train("whole", {"rate": "0.4"}, InputDataConfig=[channel("seeds", f"s3://{endpoint.bucket}/in")])
    job = endpoint.ended("training", "whole")
    assert job["TrainingJobStatus"] == "Completed"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{endpoint.bucket}/out/whole/output/model.tar.gz"
    seen = model_of(endpoint, job)
    assert seen["hyperparameters"] == {"rate": "0.4"}
    assert seen["job"] == "whole"
    assert seen["files"] == ["seeds/Common wheat/a+b 100%.txt", "seeds/Maize/1.txt"]


def test_the_record_has_every_secondary_status(endpoint: "Endpoint") -> None:
    endpoint.train("course")
    job = endpoint.ended("training", "course")
    steps = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert steps == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(step["StartTime"] <= step["EndTime"] for step in job["SecondaryStatusTransitions"])
    assert job["SecondaryStatus"] == "Completed"
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] == 1
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]


def test_the_last_match_of_each_metric_counts(endpoint: "Endpoint") -> None:
    endpoint.train("metrics", {"rate": "0.3", "epochs": "4"})
    metrics = {
        item["MetricName"]: item["Value"] for item in endpoint.ended("training", "metrics")["FinalMetricDataList"]
    }
    assert metrics == {"loss": 0.25, "accuracy": 1.0}


def test_a_metric_behind_a_progress_bar_is_found_and_the_log_stays_short(endpoint: "Endpoint") -> None:
    bar = "".join(rf"\r\x1b[32m{step}%\x1b[0m" for step in range(101))
    endpoint.train("bar", {"write": rf"{bar}\r    \r loss: 0.123\n", "epochs": "0"})
    job = endpoint.ended("training", "bar")
    assert [item["Value"] for item in job["FinalMetricDataList"]] == [0.123]
    assert endpoint.eventually(lambda: logged(endpoint, "bar")) == [" loss: 0.123"]


def test_a_metric_that_is_not_a_number_is_said_in_the_reason_and_in_the_log(endpoint: "Endpoint") -> None:
    specification = definition()["AlgorithmSpecification"]
    specification["MetricDefinitions"] = [{"Name": "accuracy", "Regex": "accuracy: (.*)"}]
    sentence = "Metric 'accuracy' matched '87,5%', which is not a finite number such as 0.875, -3 or 1e-05"
    said = {"write": r"accuracy: 87,5%\n", "epochs": "0"}
    endpoint.train("comma", said, AlgorithmSpecification=specification)
    job = endpoint.ended("training", "comma")
    assert job["TrainingJobStatus"] == "Completed"
    assert job["FailureReason"] == f"{sentence}."
    assert endpoint.eventually(lambda: logged(endpoint, "comma")) == ["accuracy: 87,5%", f"[{sentence}.]"]
    endpoint.train("comma-fails", {**said, "fail": "no seedlings"}, AlgorithmSpecification=specification)
    reason = endpoint.ended("training", "comma-fails")["FailureReason"]
    assert reason == f"AlgorithmError: no seedlings {sentence}, exit code: 3"


def test_the_failure_file_becomes_the_reason(endpoint: "Endpoint") -> None:
    endpoint.train("fails", {"fail": "no seedlings " + "x" * 2000})
    job = endpoint.ended("training", "fails")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"].startswith("AlgorithmError: no seedlings xxx")
    assert job["FailureReason"].endswith(", exit code: 3")
    assert len(job["FailureReason"]) == 1024
    assert "ModelArtifacts" not in job


def test_without_a_failure_file_the_last_output_becomes_the_reason(endpoint: "Endpoint") -> None:
    endpoint.train("mute", {"fail": ""})
    assert endpoint.ended("training", "mute")["FailureReason"] == "AlgorithmError: the last words, exit code: 3"


def test_a_stopped_job_keeps_its_outputs_and_leaves_no_process(endpoint: "Endpoint") -> None:
    endpoint.train("stopped", {"epochs": "1000000", "pause": "0.1"})
    endpoint.eventually(lambda: endpoint.processes("stopped"))
    endpoint.sagemaker.stop_training_job(TrainingJobName="stopped")
    job = endpoint.ended("training", "stopped")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert endpoint.processes("stopped") == []


def test_a_container_that_ignores_sigterm_is_killed_after_the_grace(endpoint: "Endpoint") -> None:
    endpoint.train("deaf", {"epochs": "1000000", "pause": "0.1", "ignore_term": "1"})
    endpoint.eventually(lambda: "epoch 1" in endpoint.log("training-job", "deaf"))
    endpoint.sagemaker.stop_training_job(TrainingJobName="deaf")
    assert endpoint.status("training", "deaf") == "Stopping"
    assert endpoint.ended("training", "deaf")["TrainingJobStatus"] == "Stopped"
    assert endpoint.processes("deaf") == []


def test_a_suspended_container_continues_where_it_was(endpoint: "Endpoint") -> None:
    endpoint.train("suspended", {"epochs": "3", **endpoint.held()})
    [process] = endpoint.eventually(lambda: [psutil.Process(pid) for pid in endpoint.processes("suspended")])
    endpoint.eventually(lambda: "epoch 1" in endpoint.log("training-job", "suspended"))
    process.suspend()
    endpoint.eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    assert endpoint.status("training", "suspended") == "InProgress"
    process.resume()
    endpoint.let_go()
    assert endpoint.ended("training", "suspended")["TrainingJobStatus"] == "Completed"


def test_a_suspended_container_can_be_stopped(endpoint: "Endpoint") -> None:
    endpoint.train("frozen", {"epochs": "1000000", "pause": "0.1"})
    [process] = endpoint.eventually(lambda: [psutil.Process(pid) for pid in endpoint.processes("frozen")])
    endpoint.eventually(lambda: "epoch 1" in endpoint.log("training-job", "frozen"))
    process.suspend()
    endpoint.sagemaker.stop_training_job(TrainingJobName="frozen")
    assert endpoint.ended("training", "frozen")["TrainingJobStatus"] == "Stopped"
    assert endpoint.processes("frozen") == []


def test_children_of_the_container_die_with_it(endpoint: "Endpoint") -> None:
    endpoint.train("parent", {"spawn": "1"})
    assert endpoint.ended("training", "parent")["TrainingJobStatus"] == "Completed"
    pid = int(endpoint.log("training-job", "parent").split("spawned ")[1].split()[0])
    endpoint.eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_job_over_its_time_is_stopped_as_max_runtime_exceeded(endpoint: "Endpoint") -> None:
    changes = {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}
    endpoint.train("late", {"epochs": "1000000", "pause": "0.1"}, **changes)
    job = endpoint.ended("training", "late")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "ModelArtifacts" in job


def test_a_job_that_has_ended_cant_be_stopped(endpoint: "Endpoint") -> None:
    endpoint.train("over")
    endpoint.ended("training", "over")
    with pytest.raises(endpoint.sagemaker.exceptions.ClientError, match=r"ValidationException.*in status Completed"):
        endpoint.sagemaker.stop_training_job(TrainingJobName="over")


def test_a_name_in_another_case_is_taken_too(endpoint: "Endpoint") -> None:
    endpoint.train("Taken")
    with pytest.raises(endpoint.sagemaker.exceptions.ResourceInUse, match="TAKEN"):
        endpoint.train("TAKEN")
    assert endpoint.ended("training", "tAKEN")["TrainingJobName"] == "Taken"


def test_the_output_reaches_cloudwatch_logs(endpoint: "Endpoint") -> None:
    endpoint.train("talks")
    endpoint.ended("training", "talks")
    messages = endpoint.eventually(lambda: logged(endpoint, "talks"))
    assert messages[0] == "epoch 1 - loss: 1.040000; accuracy: 0.960000;"


def test_an_input_is_downloaded_once_unless_its_copy_is_damaged(endpoint: "Endpoint") -> None:
    endpoint.s3.put_object(Bucket=endpoint.bucket, Key="shared/data.bin", Body=b"x" * 1000)
    inputs = [channel("data", f"s3://{endpoint.bucket}/shared/")]
    for name in ("share-1", "share-2"):
        endpoint.train(name, InputDataConfig=inputs)
        endpoint.ended("training", name)
    copies = [path for path in (endpoint.data_dir / "sagemaker/cache").rglob("*") if path.is_file()]
    data = [path for path in copies if path.stat().st_size == 1000]
    assert len(data) == 1
    data[0].chmod(0o644)
    data[0].write_bytes(b"spoilt")
    endpoint.train("share-3", InputDataConfig=inputs)
    assert endpoint.ended("training", "share-3")["TrainingJobStatus"] == "Completed"
    assert data[0].read_bytes() == b"x" * 1000


def test_training_jobs_are_listed_by_filter_order_and_page(endpoint: "Endpoint") -> None:
    for number in range(3):
        endpoint.train(f"paged-{number}")
    pages = endpoint.sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains="Paged-", SortBy="Name", SortOrder="Descending", MaxResults=2
    )
    names = [[job["TrainingJobName"] for job in page["TrainingJobSummaries"]] for page in pages]
    assert names == [["paged-2", "paged-1"], ["paged-0"]]
    for number in range(3):
        endpoint.ended("training", f"paged-{number}")
    listed = endpoint.sagemaker.list_training_jobs(NameContains="paged", StatusEquals="Completed")
    assert len(listed["TrainingJobSummaries"]) == 3


def test_tags_are_kept_and_listed(endpoint: "Endpoint") -> None:
    arn = endpoint.train("tagged", Tags=[{"Key": "a", "Value": "1"}])["TrainingJobArn"]
    endpoint.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}])
    assert endpoint.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "a", "Value": "3"},
        {"Key": "b", "Value": "2"},
    ]
