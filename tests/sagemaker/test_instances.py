"""Jobs on several instances: hosts that find each other, share the data, and end together."""

import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import psutil
import pytest

from seedbed.local_cloud.sagemaker.containers.cluster.hosts import Cluster
from seedbed.local_cloud.sagemaker.containers.namespaces import refusal
from tests.sagemaker import cluster
from tests.sagemaker.toy_endpoint import Endpoint

needs_namespaces = pytest.mark.skipif(bool(refusal()), reason=f"the system refuses: {refusal()}")

SHARDS = [f"shards/{letter}.txt" for letter in "abcdefg"]
SHARDED = {"S3DataDistributionType": "ShardedByS3Key"}


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An endpoint with an image for several hosts, and seven objects to share."""
    folder = tmp_path_factory.mktemp("hosts")
    server = Endpoint(folder / "endpoint", images={"cluster": cluster.write_image(folder / "image")})
    put_shards(server)
    yield server
    server.end()


@pytest.fixture
def patient_hosts(tmp_path: Path) -> Iterator[Endpoint]:
    """The same with an hour between SIGTERM and SIGKILL, for a test that may kill it."""
    image = cluster.write_image(tmp_path / "image")
    server = Endpoint(tmp_path / "endpoint", grace=3600, images={"cluster": image})
    put_shards(server)
    yield server
    server.end(signal.SIGKILL)


def put_shards(endpoint: Endpoint) -> None:
    for key in SHARDS:
        endpoint.s3.put_object(Bucket=endpoint.bucket, Key=key, Body=key.encode())


def completed(endpoint: Endpoint, kind: str, name: str) -> None:
    job = endpoint.ended(kind, name)
    assert next(value for field, value in job.items() if field.endswith("JobStatus")) == "Completed", job


def all_wait(endpoint: Endpoint, name: str, count: int) -> bool:
    """Whether each host's program says that it waits."""
    names = [name, *(f"{name}.algo-{number}" for number in range(2, count + 1))]
    return all("waits" in endpoint.log("training-job", one) for one in names)


@needs_namespaces
def test_hosts_reach_each_other_by_name_at_the_same_port(hosts: Endpoint) -> None:
    cluster.train(hosts, "ring", 3, {"meets": "1"})
    completed(hosts, "training", "ring")
    seen = cluster.seen_by_hosts(cluster.model_files(hosts, "ring"))
    assert {name: (one["host"], one["met"]) for name, one in seen.items()} == {
        "algo-1": ("algo-1", "algo-3"),
        "algo-2": ("algo-2", "algo-1"),
        "algo-3": ("algo-3", "algo-2"),
    }


@needs_namespaces
def test_jobs_side_by_side_have_the_same_ports(hosts: Endpoint) -> None:
    hosts.hold.touch()
    for name in ("left", "right"):
        cluster.train(hosts, name, 2, {"meets": "1", "hold": str(hosts.hold)})
    hosts.eventually(lambda: len(hosts.processes("left") + hosts.processes("right")) >= 4)
    hosts.let_go()
    for name in ("left", "right"):
        completed(hosts, "training", name)


def test_a_host_reads_its_own_name_and_those_of_all(hosts: Endpoint) -> None:
    cluster.train(hosts, "named", 2)
    completed(hosts, "training", "named")
    seen = cluster.seen_by_hosts(cluster.model_files(hosts, "named"))
    assert [seen[name]["resources"]["current_host"] for name in ("algo-1", "algo-2")] == ["algo-1", "algo-2"]
    for one in seen.values():
        assert one["resources"]["hosts"] == ["algo-1", "algo-2"]
        assert one["resources"]["instance_groups"] == [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.m5.large",
                "hosts": ["algo-1", "algo-2"],
            }
        ]


def test_hosts_are_sorted_as_text_and_have_addresses_of_their_own() -> None:
    found = Cluster.of({"InstanceType": "ml.m5.large", "InstanceCount": 11}, "many")
    assert found.resource_config()["hosts"][:3] == ["algo-1", "algo-10", "algo-11"]
    assert len({host.address for host in found.hosts}) == 11
    assert all(host.address.startswith("127.") for host in found.hosts)
    assert Cluster.of({"InstanceCount": 2}, "many").hosts != Cluster.of({"InstanceCount": 2}, "others").hosts
    assert [host.address for host in Cluster.of({"InstanceCount": 1}, "one").hosts] == ["127.0.0.1"]


def test_sharded_objects_are_split_and_replicated_ones_copied(hosts: Endpoint) -> None:
    given = [cluster.channel("split", "shards/", **SHARDED), cluster.channel("whole", "shards/")]
    cluster.train(hosts, "shares", 3, InputDataConfig=given)
    completed(hosts, "training", "shares")
    seen = cluster.seen_by_hosts(cluster.model_files(hosts, "shares"))
    split = [[file for file in one["files"] if file.startswith("split/")] for one in seen.values()]
    assert sorted(map(len, split)) == [2, 2, 3]
    assert sorted(chain.from_iterable(split)) == [f"split/{letter}.txt" for letter in "abcdefg"]
    for one in seen.values():
        assert sum(file.startswith("whole/") for file in one["files"]) == 7


def test_more_hosts_than_objects_leave_some_without(hosts: Endpoint) -> None:
    cluster.train(hosts, "few", 3, InputDataConfig=[cluster.channel("split", "shards/a", **SHARDED)])
    completed(hosts, "training", "few")
    seen = cluster.seen_by_hosts(cluster.model_files(hosts, "few"))
    assert sorted(one["files"] for one in seen.values()) == [[], [], ["split/a.txt"]]
    assert all(one["channels"] == ["split"] for one in seen.values())


def test_the_objects_of_a_manifest_are_split(hosts: Endpoint) -> None:
    manifest = [{"prefix": f"s3://{hosts.bucket}/shards/"}, "g.txt", "a.txt", "c.txt"]
    hosts.s3.put_object(Bucket=hosts.bucket, Key="split.json", Body=json.dumps(manifest).encode())
    given = [cluster.channel("split", "split.json", "ManifestFile", **SHARDED)]
    cluster.train(hosts, "manifest", 2, InputDataConfig=given)
    completed(hosts, "training", "manifest")
    seen = cluster.seen_by_hosts(cluster.model_files(hosts, "manifest"))
    assert [seen[name]["files"] for name in ("algo-1", "algo-2")] == [["split/c.txt", "split/g.txt"], ["split/a.txt"]]


def test_a_channel_goes_to_its_instance_groups_alone(hosts: Endpoint) -> None:
    groups = [
        {"InstanceGroupName": "readers", "InstanceType": "ml.m5.large", "InstanceCount": 2},
        {"InstanceGroupName": "learners", "InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
    ]
    given = [
        cluster.channel("raw", "shards/", InstanceGroupNames=["readers"], **SHARDED),
        cluster.channel("labels", "shards/b", InstanceGroupNames=["learners"]),
        cluster.channel("both", "shards/c", InstanceGroupNames=["readers", "learners"]),
    ]
    resources = {"InstanceGroups": groups, "VolumeSizeInGB": 1}
    cluster.train(hosts, "groups", 3, InputDataConfig=given, ResourceConfig=resources)
    completed(hosts, "training", "groups")
    seen = cluster.seen_by_hosts(cluster.model_files(hosts, "groups"))
    assert {name: one["channels"] for name, one in seen.items()} == {
        "algo-1": ["both", "raw"],
        "algo-2": ["both", "raw"],
        "algo-3": ["both", "labels"],
    }
    assert [len(seen[name]["files"]) for name in ("algo-1", "algo-2", "algo-3")] == [5, 4, 2]
    last = seen["algo-3"]["resources"]
    assert (last["current_group_name"], last["current_instance_type"]) == ("learners", "ml.g5.xlarge")
    assert [(one["instance_group_name"], one["hosts"]) for one in last["instance_groups"]] == [
        ("readers", ["algo-1", "algo-2"]),
        ("learners", ["algo-3"]),
    ]


def test_each_host_has_a_log_stream_and_metrics_of_all_count(hosts: Endpoint) -> None:
    cluster.train(hosts, "logged", 2)
    job = hosts.ended("training", "logged")
    found = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert found["loss"] == 0.5
    assert found["accuracy"] in (0.1, 0.2)
    said = hosts.eventually(lambda: len(found := cluster.streams(hosts, "Training", "logged")) == 2 and found)
    assert {host: lines[0] for host, lines in said.items()} == {
        "algo-1": "begins at algo-1",
        "algo-2": "begins at algo-2",
    }
    assert hosts.log("training-job", "logged.algo-2").startswith("begins at algo-2\n")


def test_models_of_all_hosts_are_one_archive_and_clashes_are_told(hosts: Endpoint) -> None:
    cluster.train(hosts, "merged", 2, {"clash": "1"})
    completed(hosts, "training", "merged")
    files = cluster.model_files(hosts, "merged")
    assert sorted(files) == ["algo-1.json", "algo-2.json", "same.txt", "weights.txt"]
    assert files["weights.txt"] == b"algo-1"
    sentence = "Not uploaded: algo-2: weights.txt, as algo-1 has another file of that name"
    said = hosts.eventually(
        lambda: sentence in (lines := cluster.streams(hosts, "Training", "merged").get("algo-1", [])) and lines
    )
    assert sum(line.startswith("Not uploaded") for line in said) == 1, "files that are the same are no clash"


def test_a_host_that_fails_ends_the_others_and_is_named(hosts: Endpoint) -> None:
    cluster.train(hosts, "broken", 3, {"fails": "algo-2", "waits": "1", "ignores_term": "algo-3"})
    job = hosts.ended("training", "broken")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: algo-2: no seedlings here, exit code: 3"
    assert hosts.processes("broken") == []


def test_stop_ends_all_hosts_and_keeps_their_models(hosts: Endpoint) -> None:
    cluster.train(hosts, "stopped", 2, {"waits": "1", "ignores_term": "algo-2"})
    hosts.eventually(lambda: all_wait(hosts, "stopped", 2))
    hosts.sagemaker.stop_training_job(TrainingJobName="stopped")
    assert hosts.ended("training", "stopped")["TrainingJobStatus"] == "Stopped"
    assert hosts.processes("stopped") == []
    assert sorted(cluster.model_files(hosts, "stopped")) == ["algo-1.json", "algo-2.json", "same.txt"]
    killed = "[The program did not end on SIGTERM in time, and was killed.]"
    hosts.eventually(partial(is_said, hosts, "stopped", "algo-2", killed))
    assert not is_said(hosts, "stopped", "algo-1", killed)


def test_the_time_limit_ends_all_hosts(hosts: Endpoint) -> None:
    limit = {"MaxRuntimeInSeconds": 1}
    cluster.train(hosts, "late", 2, {"waits": "1", "ignores_term": "algo-2"}, StoppingCondition=limit)
    assert hosts.ended("training", "late")["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert hosts.processes("late") == []


def test_a_spot_interruption_takes_all_hosts(hosts: Endpoint) -> None:
    spot = {"EnableManagedSpotTraining": True}
    limits = {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 3600}
    hosts.hold.touch()
    cluster.train(hosts, "spot", 2, {"hold": str(hosts.hold)}, StoppingCondition=limits, **spot)
    hosts.eventually(lambda: "begins" in hosts.log("training-job", "spot.algo-2"))
    hosts.eventually(lambda: "begins" in hosts.log("training-job", "spot"))
    before = hosts.processes("spot")
    hosts.interrupt("spot")
    hosts.eventually(lambda: not any(psutil.pid_exists(pid) for pid in before))
    hosts.let_go()
    completed(hosts, "training", "spot")
    for log in ("spot", "spot.algo-2"):
        assert hosts.log("training-job", log).count("begins at") == 2


def test_a_killed_host_fails_the_job(hosts: Endpoint) -> None:
    cluster.train(hosts, "killed", 2, {"waits": "1"})
    hosts.eventually(lambda: all_wait(hosts, "killed", 2))
    os.kill(hosts.processes("killed")[-1], signal.SIGKILL)
    reason = hosts.ended("training", "killed")["FailureReason"]
    assert "Killed by signal 9 (SIGKILL)" in reason
    assert reason.startswith(("AlgorithmError: algo-1: ", "AlgorithmError: algo-2: "))


def test_all_hosts_run_again_after_the_endpoint_was_killed(patient_hosts: Endpoint) -> None:
    endpoint = patient_hosts
    endpoint.hold.touch()
    cluster.train(endpoint, "again", 2, {"hold": str(endpoint.hold), "ignores_term": "algo-1 algo-2"})
    endpoint.eventually(lambda: "begins" in endpoint.log("training-job", "again.algo-2"))
    endpoint.eventually(lambda: "begins" in endpoint.log("training-job", "again"))
    before = endpoint.processes("again")
    endpoint.end(signal.SIGKILL)
    endpoint.start()
    assert not any(pid in endpoint.processes("again") for pid in before)
    endpoint.let_go()
    completed(endpoint, "training", "again")
    assert sorted(cluster.model_files(endpoint, "again")) == ["algo-1.json", "algo-2.json", "same.txt"]


def test_a_processing_jobs_hosts_share_inputs_and_add_up_outputs(hosts: Endpoint) -> None:
    cluster.process(hosts, "rows", 2, {"says": "1"})
    job = hosts.ended("processing", "rows")
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ExitMessage"] == "algo-1 is well\nalgo-2 is well"
    files = cluster.processed(hosts, "rows")
    assert sorted(files) == ["algo-1.json", "algo-2.json", "same.txt"]
    seen = cluster.seen_by_hosts(files)
    assert sorted(len(one["files"]) for one in seen.values()) == [3, 4]
    assert {file for one in seen.values() for file in one["files"]} == {f"{letter}.txt" for letter in "abcdefg"}
    assert [seen[name]["resources"]["current_host"] for name in ("algo-1", "algo-2")] == ["algo-1", "algo-2"]
    hosts.eventually(lambda: sorted(cluster.streams(hosts, "Processing", "rows")) == ["algo-1", "algo-2"])


def test_a_processing_job_fails_by_the_host_that_failed(hosts: Endpoint) -> None:
    cluster.process(hosts, "bad-rows", 2, {"fails": "algo-2", "waits": "1"})
    job = hosts.ended("processing", "bad-rows")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: algo-2: no seedlings here, exit code: 3"
    assert hosts.processes("bad-rows") == []


def test_trials_of_a_tuning_job_have_several_hosts(hosts: Endpoint) -> None:
    request = hosts.tuning_request("tuned", {}, jobs=2, parallel=2)
    body = {
        **request["TrainingJobDefinition"],
        "AlgorithmSpecification": cluster.algorithm(),
        "ResourceConfig": cluster.machines(2),
    }
    hosts.sagemaker.create_hyper_parameter_tuning_job(**{**request, "TrainingJobDefinition": body})
    completed(hosts, "tuning", "tuned")
    for trial in hosts.trials("tuned"):
        files = cluster.model_files(hosts, trial["TrainingJobName"])
        assert sorted(files) == ["algo-1.json", "algo-2.json", "same.txt"]
        assert {one["threads"] for one in cluster.seen_by_hosts(files).values()} == {"1"}


@needs_namespaces
def test_a_process_that_left_its_hosts_group_ends_with_the_host(hosts: Endpoint) -> None:
    cluster.train(hosts, "leaves", 2, {"leaves": "algo-1 algo-2"})
    completed(hosts, "training", "leaves")
    left = [int(hosts.log("training-job", log).split("left ")[1].split()[0]) for log in ("leaves", "leaves.algo-2")]
    hosts.eventually(lambda: not any(alive(pid) for pid in left))
    sentence = "[Processes that the program left running in a session of their own were ended: 1.]"
    for host in ("algo-1", "algo-2"):
        hosts.eventually(partial(is_said, hosts, "leaves", host, sentence))


def is_said(endpoint: Endpoint, job: str, host: str, sentence: str) -> bool:
    return sentence in cluster.streams(endpoint, "Training", job).get(host, [])


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_more_instances_than_the_limit_are_refused_in_awss_words(hosts: Endpoint) -> None:
    words = (
        "'ml.m5.large for training job usage' is 8 Instances, with current utilization of 0 Instances and a request"
        " delta of 9 Instances"
    )
    with pytest.raises(hosts.sagemaker.exceptions.ResourceLimitExceeded, match=words):
        cluster.train(hosts, "too-many", 9)
    with pytest.raises(hosts.sagemaker.exceptions.ResourceLimitExceeded, match=r"for processing job usage.*of 9"):
        cluster.process(hosts, "too-many", 9)
    request = hosts.tuning_request("too-many", {}, jobs=3, parallel=3)
    body = {**request["TrainingJobDefinition"], "ResourceConfig": cluster.machines(3)}
    with pytest.raises(hosts.sagemaker.exceptions.ResourceLimitExceeded, match="delta of 9 Instances"):
        hosts.sagemaker.create_hyper_parameter_tuning_job(**{**request, "TrainingJobDefinition": body})


def test_instances_in_use_count_towards_the_limit(hosts: Endpoint) -> None:
    cluster.train(hosts, "uses", 6, {"waits": "1"})
    with pytest.raises(hosts.sagemaker.exceptions.ResourceLimitExceeded, match=r"utilization of 6.*delta of 3"):
        cluster.train(hosts, "more", 3)
    hosts.sagemaker.stop_training_job(TrainingJobName="uses")
    hosts.ended("training", "uses")
    cluster.train(hosts, "more", 3)
    completed(hosts, "training", "more")


def preferences(*kinds: str, each: int | None = None, **others: Any) -> dict[str, Any]:
    """A ResourceConfig with InstancePreferences."""
    count = {} if each is None else {"InstanceCount": each}
    return {"InstancePreferences": [{"InstanceType": kind, **count} for kind in kinds], "VolumeSizeInGB": 1, **others}


def test_the_first_of_the_preferred_instances_is_there(hosts: Endpoint) -> None:
    for name, asked in {
        "preferred-count": preferences("ml.m5.large", "ml.m5.xlarge", InstanceCount=1),
        "preferred-counts": preferences("ml.m5.large", "ml.m5.xlarge", each=1),
    }.items():
        hosts.train(name, ResourceConfig=asked)
        described = hosts.ended("training", name)
        selected = {"SelectedInstanceType": "ml.m5.large", "SelectedInstanceCount": 1}
        assert described["TrainingJobStatus"] == "Completed"
        assert described["ResourceConfig"] == {**asked, **selected}


@pytest.mark.parametrize(
    ("asked", "others", "sentence"),
    [
        (preferences("ml.m5.large", InstanceCount=1, InstanceType="ml.m5.large"), {}, "and InstanceType can't"),
        (preferences("ml.m5.large", "ml.m5.large", InstanceCount=1), {}, "an instance type twice"),
        (preferences("ml.m5.large"), {}, "either to each"),
        (preferences("ml.m5.large", each=1, InstanceCount=1), {}, "either to each"),
        (
            preferences("ml.m5.large", each=1),
            {"EnableManagedSpotTraining": True},
            "and EnableManagedSpotTraining can't",
        ),
    ],
)
def test_preferences_that_contradict_are_refused(
    hosts: Endpoint, asked: dict[str, Any], others: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(hosts.sagemaker.exceptions.ClientError, match=sentence) as refused:
        hosts.train("contradiction", ResourceConfig=asked, **others)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
