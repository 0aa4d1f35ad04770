"""kill -9 at several moments: ended jobs are intact, the others continue from their checkpoints."""

import json
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint


def test_a_training_job_survives_one_crash_after_another(own_endpoint: "Endpoint") -> None:
    endpoint = own_endpoint
    points = {"Bucket": "bench", "Prefix": "points/epoch.txt"}
    given = {"epochs": "9", "checkpoints": "checkpoints", **endpoint.held()}
    endpoint.train("long", given, CheckpointConfig={"S3Uri": "s3://bench/points"})
    endpoint.end(signal.SIGKILL)  # before or after its process was there: both must do
    endpoint.start()
    endpoint.eventually(lambda: endpoint.s3.list_objects_v2(**points).get("Contents"))
    reached = int(endpoint.read("points/epoch.txt"))
    endpoint.end(signal.SIGKILL)
    endpoint.start()
    endpoint.eventually(lambda: "resumed at" in endpoint.log("training-job", "long"))
    endpoint.end(signal.SIGTERM)
    assert int((endpoint.data_dir / "s3/000000000000/bench/points/epoch.txt").read_text()) >= reached
    endpoint.let_go()
    endpoint.start()
    job = endpoint.ended("training", "long")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    said = endpoint.log("training-job", "long")
    assert said.count("resumed at") >= 2
    assert said.count("epoch 9 ") == 1
    assert "Restarting" in [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]


def test_a_job_is_retried_after_endpoint_errors_as_often_as_it_allows(own_endpoint: "Endpoint") -> None:
    endpoint = own_endpoint
    endpoint.train("first")
    endpoint.ended("training", "first")
    jobs = endpoint.data_dir / "sagemaker/jobs"
    endpoint.eventually(lambda: not any(jobs.iterdir()))
    jobs.rmdir()
    jobs.write_text("in the way of every working directory")
    endpoint.train("retried", RetryStrategy={"MaximumRetryAttempts": 2})
    job = endpoint.ended("training", "retried")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: ")
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]].count("Starting") == 3


def test_processing_jobs_survive_a_crash(own_endpoint: "Endpoint") -> None:
    endpoint = own_endpoint
    endpoint.process_images("done")
    done = endpoint.ended("processing", "done")
    names = [f"many-{number}" for number in range(6)]
    for name in names:
        endpoint.process_images(name, ("a word",))
    endpoint.process_images("stopping", ("slow",), source=None)
    endpoint.eventually(lambda: endpoint.processes("stopping"))
    endpoint.sagemaker.stop_processing_job(ProcessingJobName="stopping")
    endpoint.end(signal.SIGKILL)
    endpoint.start()
    for name in names:
        assert endpoint.ended("processing", name)["ProcessingJobStatus"] == "Completed"
        assert json.loads(endpoint.read(f"processed/{name}/names.json"))["arguments"] == ["a word"]
    assert endpoint.ended("processing", "stopping")["ProcessingJobStatus"] == "Stopped"
    again = endpoint.ended("processing", "done")
    assert {**again, "ResponseMetadata": 0} == {**done, "ResponseMetadata": 0}
