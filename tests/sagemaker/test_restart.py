"""What a crash leaves: finished jobs as they were, the others run again, and no process of before."""

import signal
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint


def test_a_killed_endpoint_goes_on_where_it_was(own_endpoint: "Endpoint") -> None:
    endpoint = own_endpoint
    endpoint.train("done")
    done = endpoint.ended("training", "done")
    record = endpoint.data_dir / "running.txt"
    endpoint.tune("tune", {"epochs": "5", "pause": "0.1", "running": str(record)}, jobs=5, Strategy="Bayesian")
    endpoint.train("alone", {"epochs": "20", "pause": "0.1"})
    endpoint.eventually(lambda: endpoint.processes("tune-003-") and endpoint.processes("alone"))
    before = {trial["TrainingJobName"]: trial for trial in endpoint.trials("tune")}
    orphans = endpoint.processes("tune-0") + endpoint.processes("alone")

    endpoint.end(signal.SIGKILL)
    endpoint.eventually(lambda: not any(alive(pid) for pid in orphans), 3)
    endpoint.start()

    job = endpoint.ended("tuning", "tune")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 5
    after = {trial["TrainingJobName"]: trial for trial in endpoint.trials("tune")}
    for name, trial in before.items():
        assert after[name]["TunedHyperParameters"] == trial["TunedHyperParameters"]
        if trial["TrainingJobStatus"] == "Completed":
            assert after[name] == trial
    assert endpoint.ended("training", "alone")["TrainingJobStatus"] == "Completed"
    assert {**endpoint.ended("training", "done"), "ResponseMetadata": 0} == {**done, "ResponseMetadata": 0}


def test_an_orderly_shutdown_ends_all_processes_and_keeps_their_jobs_for_the_next_start(
    own_endpoint: "Endpoint",
) -> None:
    endpoint = own_endpoint
    endpoint.train("deaf", {"epochs": "30", "pause": "0.1", "ignore_term": "1"})
    endpoint.process_images("slow", ("slow",), source=None)
    endpoint.eventually(lambda: "epoch 1" in endpoint.log("training-job", "deaf") and endpoint.processes("slow"))
    left = endpoint.processes("deaf") + endpoint.processes("slow")
    endpoint.end(signal.SIGTERM)
    assert not any(alive(pid) for pid in left)
    endpoint.start()
    endpoint.eventually(lambda: endpoint.processes("slow"))
    assert endpoint.status("processing", "slow") == "InProgress"
    job = endpoint.ended("training", "deaf")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_processes_that_outlived_the_crash_are_ended_and_what_was_stopping_is_stopped(own_endpoint: "Endpoint") -> None:
    endpoint = own_endpoint
    endpoint.tune("tune", {"epochs": "600", "pause": "0.1", "ignore_term": "1"}, jobs=4)
    endpoint.eventually(lambda: endpoint.processes("tune-002-"))
    endpoint.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    endpoint.eventually(lambda: {t["TrainingJobStatus"] for t in endpoint.trials("tune")} == {"Stopping"})
    orphans = endpoint.processes("tune-0")
    for process in psutil.Process(endpoint.process.pid).children():
        if any(word.endswith("reaper.py") for word in process.cmdline()):
            process.kill()
    endpoint.end(signal.SIGKILL)
    assert all(alive(pid) for pid in orphans), "nobody was left to end them"
    endpoint.start()
    endpoint.eventually(lambda: not any(alive(pid) for pid in orphans))
    job = endpoint.ended("tuning", "tune")
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == 2


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
