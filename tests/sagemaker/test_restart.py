"""After a crash: finished jobs are intact, the others run again, and no old process is left."""

import json
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.sagemaker.toy_endpoint import Endpoint


def test_a_killed_endpoint_continues_where_it_was(own_endpoint: "Endpoint") -> None:
    endpoint = own_endpoint
    endpoint.train("done")
    done = endpoint.ended("training", "done")
    record = endpoint.data_dir / "running.txt"
    endpoint.tune("tune", {"epochs": "5", "pause": "0.1", "running": str(record)}, jobs=5, Strategy="Bayesian")
    endpoint.train("alone", {"epochs": "20", "pause": "0.1"})
    endpoint.eventually(lambda: len(endpoint.trials("tune")) > 2)
    before = {trial["TrainingJobName"]: trial for trial in endpoint.trials("tune")}
    orphans = endpoint.processes("tune-0") + endpoint.processes("alone")

    endpoint.end(signal.SIGKILL)
    endpoint.eventually(lambda: not any(alive(pid) for pid in orphans))
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


def test_tuning_jobs_of_every_kind_continue_after_a_kill(own_endpoint: "Endpoint") -> None:
    endpoint = own_endpoint
    static = {"epochs": "4", "pause": "0.1"}
    grid = {"CategoricalParameterRanges": [{"Name": "rate", "Values": ["0.1", "0.2", "0.3", "0.4"]}]}
    endpoint.tune("grid", static, jobs=4, parallel=1, Strategy="Grid", ParameterRanges=grid)
    endpoint.tune("band", static, jobs=5, parallel=1, Strategy="Hyperband")
    request = endpoint.tuning_request("several", static, jobs=5, parallel=1)
    config, body = request["HyperParameterTuningJobConfig"], request.pop("TrainingJobDefinition")
    body["TuningObjective"] = config.pop("HyperParameterTuningJobObjective")
    body["HyperParameterRanges"] = config.pop("ParameterRanges")
    request["TrainingJobDefinitions"] = [{**body, "DefinitionName": name} for name in ("one", "two")]
    endpoint.sagemaker.create_hyper_parameter_tuning_job(**request)
    overdue = endpoint.tuning_request("overdue", static, jobs=100, parallel=1)
    overdue["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxRuntimeInSeconds"] = 120
    endpoint.sagemaker.create_hyper_parameter_tuning_job(**overdue)
    names = ("grid", "band", "several", "overdue")
    endpoint.eventually(lambda: all(len(endpoint.trials(name)) > 1 for name in names))
    before = {name: endpoint.trials(name) for name in names}

    endpoint.end(signal.SIGKILL)
    started = training_jobs(endpoint, "overdue")
    age(endpoint, "overdue", 120)
    endpoint.start()

    for name, jobs in (("grid", 4), ("band", 5), ("several", 5)):
        job = endpoint.ended("tuning", name)
        assert job["HyperParameterTuningJobStatus"] == "Completed"
        counters = job["TrainingJobStatusCounters"]
        assert counters["Completed"] + counters["Stopped"] == jobs
        after = endpoint.trials(name)
        assert [t["TunedHyperParameters"] for t in after][: len(before[name])] == [
            t["TunedHyperParameters"] for t in before[name]
        ]
        assert after[0] == before[name][0], "what had ended is as it was"
        assert len({tuple(t["TunedHyperParameters"].values()) for t in after}) == jobs
    assert [t["TrainingJobDefinitionName"] for t in endpoint.trials("several")] == ["one", "two", "one", "two", "one"]
    job = endpoint.ended("tuning", "overdue")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert len(endpoint.trials("overdue")) == started, "its time was up: nothing new was started"


def training_jobs(endpoint: "Endpoint", tuning_job: str) -> int:
    """How many training jobs a tuning job has started; the endpoint is down."""
    with database(endpoint) as jobs:
        (count,) = jobs.execute("SELECT COUNT(*) FROM jobs WHERE parent = ?", (tuning_job,)).fetchone()
    return int(count)


def age(endpoint: "Endpoint", tuning_job: str, seconds: float) -> None:
    """Moves a tuning job's creation into the past; the endpoint is down."""
    with database(endpoint) as jobs:
        (text,) = jobs.execute("SELECT body FROM jobs WHERE key = ?", (tuning_job,)).fetchone()
        body = json.loads(text)
        body["CreationTime"] -= seconds
        jobs.execute("UPDATE jobs SET body = ? WHERE key = ?", (json.dumps(body), tuning_job))


@contextmanager
def database(endpoint: "Endpoint") -> Iterator[sqlite3.Connection]:
    """The records of an endpoint that is down."""
    connection = sqlite3.connect(endpoint.data_dir / "sagemaker/jobs.db")
    with connection:
        yield connection
    connection.close()


def test_a_shutdown_ends_all_processes_and_keeps_their_jobs(
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


def test_a_restart_ends_leftover_processes_and_stops_stopping_jobs(own_endpoint: "Endpoint") -> None:
    endpoint = own_endpoint
    deaf = {"epochs": "3", "ignore_term": "1"}
    endpoint.tune("tune", {**deaf, **endpoint.held()}, jobs=4)
    silent = {**deaf, "rate": "0.3", **endpoint.held(3)}  # what said something to an endpoint that is gone would end
    unused = {"ContinuousParameterRanges": [{"Name": "unused", "MinValue": "0", "MaxValue": "1"}]}
    band = {"Strategy": "Hyperband", "StrategyConfig": {"HyperbandStrategyConfig": {"MaxResource": 2}}}
    endpoint.tune("band", silent, jobs=1, parallel=1, ParameterRanges=unused, **band)
    endpoint.eventually(lambda: len(endpoint.trials("tune")) == 2)
    running = [trial["TrainingJobName"] for trial in endpoint.trials("tune")]
    endpoint.eventually(lambda: all("epoch 1" in endpoint.log("training-job", name) for name in running))
    endpoint.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    endpoint.eventually(lambda: {t["TrainingJobStatus"] for t in endpoint.trials("tune")} == {"Stopping"})
    endpoint.eventually(lambda: [t["TrainingJobStatus"] for t in endpoint.trials("band")] == ["Stopping"])
    orphans = endpoint.processes("tune-0") + endpoint.processes("band-0")
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
    job = endpoint.ended("tuning", "band")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    best = job["BestTrainingJob"]
    assert best["TrainingJobStatus"] == "Stopped"
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 1.0, "what it had reported counts"


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
