"""A full disk: jobs wait for space and lose nothing, whatever failed to be written."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from botocore.exceptions import ClientError

from tests.disks import filled, small_disk
from tests.sagemaker.cluster import machines
from tests.sagemaker.toy_endpoint import Endpoint


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An endpoint whose data lies on a disk that the tests fill."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path_factory.mktemp("full") / "disk", 48))
        server = Endpoint(disk / "endpoint", grace=60)
        yield server
        server.end()


def waits(endpoint: Endpoint, kind: str, name: str) -> bool:
    """Whether a job's description says that it waits for space."""
    return "MiB free" in endpoint.described(kind, name).get("FailureReason", "")


def test_jobs_of_every_kind_survive_a_full_disk(endpoint: Endpoint) -> None:
    slow = {"epochs": "15", **endpoint.held()}
    endpoint.tune("tune", slow, jobs=4, parallel=2)
    endpoint.train("alone", slow)
    endpoint.process_images("process", ("a while",))
    endpoint.eventually(lambda: endpoint.processes("tune-0") and endpoint.processes("alone"))
    with filled(endpoint.data_dir.parent, again=True):
        endpoint.let_go()
        endpoint.eventually(lambda: waits(endpoint, "training", "alone") and waits(endpoint, "tuning", "tune"))
        with pytest.raises(ClientError, match="Make room on it"):
            endpoint.process_images("another", source=None)
    for kind, name in (("training", "alone"), ("processing", "process")):
        job = endpoint.ended(kind, name)
        assert next(job[field] for field in job if field.endswith("JobStatus")) == "Completed", job
        assert not waits(endpoint, kind, name)
    job = endpoint.ended("tuning", "tune")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert not waits(endpoint, "tuning", "tune")
    assert endpoint.log("training-job", "alone").count("epoch 15 ") == 1, "what was done is not done again"


def test_a_job_whose_container_found_no_space_runs_again(endpoint: Endpoint) -> None:
    endpoint.train("poor", {"epochs": "1", "waste": "1000000", **endpoint.held()})
    endpoint.eventually(lambda: endpoint.processes("poor"))
    with filled(endpoint.data_dir.parent, left=96 * 1024, again=True):
        endpoint.let_go()
        endpoint.eventually(lambda: waits(endpoint, "training", "poor"))
    job = endpoint.ended("training", "poor")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_a_job_that_fills_the_disk_itself_fails_in_the_end(endpoint: Endpoint) -> None:
    endpoint.train("greedy", {"epochs": "1", "waste": str(2**30)})
    job = endpoint.ended("training", "greedy")
    assert job["TrainingJobStatus"] == "Failed"
    assert "No space left on device" in job["FailureReason"]


def test_hosts_that_fill_the_disk_fail_in_the_end_and_leave_it_empty(endpoint: Endpoint) -> None:
    endpoint.train("greedy-hosts", {"epochs": "1", "waste": str(2**30)}, ResourceConfig=machines(2))
    job = endpoint.ended("training", "greedy-hosts")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(("AlgorithmError: algo-1: ", "AlgorithmError: algo-2: "))
    assert "No space left on device" in job["FailureReason"]
    assert endpoint.processes("greedy-hosts") == []
    endpoint.train("after-them", {"epochs": "1"}, ResourceConfig=machines(2))
    assert endpoint.ended("training", "after-them")["TrainingJobStatus"] == "Completed"


def test_a_job_that_waits_for_space_can_be_stopped(endpoint: Endpoint) -> None:
    endpoint.process_images("stopped", ("slow",))
    endpoint.eventually(lambda: endpoint.processes("stopped"))
    with filled(endpoint.data_dir.parent, again=True):
        with pytest.raises(ClientError, match="Make room on it"):
            endpoint.sagemaker.stop_processing_job(ProcessingJobName="stopped")
        endpoint.eventually(lambda: not endpoint.processes("stopped"))
    assert endpoint.ended("processing", "stopped")["ProcessingJobStatus"] == "Stopped"


def test_a_crash_on_a_full_disk_loses_nothing(endpoint: Endpoint) -> None:
    endpoint.tune("crashed", {"epochs": "20", **endpoint.held()}, jobs=3, parallel=2)
    endpoint.eventually(lambda: endpoint.processes("crashed-0"))
    with filled(endpoint.data_dir.parent, again=True):
        endpoint.let_go()
        endpoint.eventually(lambda: waits(endpoint, "tuning", "crashed"))
        endpoint.end(signal.SIGKILL)
    endpoint.start()
    job = endpoint.ended("tuning", "crashed")
    assert job["TrainingJobStatusCounters"]["Completed"] == 3


def test_a_start_on_a_full_disk_resumes_jobs_once_there_is_space(endpoint: Endpoint) -> None:
    endpoint.train("left", {"epochs": "1000000", "pause": "0.1"})
    endpoint.eventually(lambda: endpoint.processes("left"))
    endpoint.sagemaker.stop_training_job(TrainingJobName="left")
    endpoint.process_images("left")
    endpoint.end(signal.SIGKILL)
    with filled(endpoint.data_dir.parent, again=True):
        endpoint.start()
    assert endpoint.ended("training", "left")["TrainingJobStatus"] == "Stopped"
    assert endpoint.ended("processing", "left")["ProcessingJobStatus"] == "Completed"
