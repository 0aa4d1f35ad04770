"""Processing jobs through boto3: inputs, outputs, messages and ends."""

import json
from typing import Any

import pytest

from tests.sagemaker.toy_endpoint import Endpoint

ODD_KEYS = ["Maize/a b.txt", "Common wheat/a+b 100%.txt", "Fat Hen/#1 ä 苗.txt", "Maize/deep/er/c.txt"]


def names_seen(endpoint: "Endpoint", job: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(endpoint.read(f"processed/{job}/names.json"))
    return content


def test_inputs_reach_the_container_and_outputs_reach_s3(endpoint: "Endpoint") -> None:
    endpoint.process_images("list", ("a b", "c"), Environment={"MOOD": "calm"})
    job = endpoint.ended("processing", "list")
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", "well done")
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    seen = names_seen(endpoint, "list")
    assert seen["names"] == ["Common wheat/a+b 100%.txt", "Maize/1.txt"]
    assert seen["arguments"] == ["a b", "c"]
    assert seen["mood"] == "calm"


def test_network_isolation_is_accepted_and_described(endpoint: "Endpoint") -> None:
    endpoint.process_images("isolated", NetworkConfig={"EnableNetworkIsolation": True})
    endpoint.train("isolated", EnableNetworkIsolation=True)
    assert endpoint.ended("processing", "isolated")["NetworkConfig"] == {"EnableNetworkIsolation": True}
    assert endpoint.ended("training", "isolated")["EnableNetworkIsolation"] is True


def test_the_dockerfiles_environment_applies_unless_the_job_sets_its_own(endpoint: "Endpoint") -> None:
    endpoint.process_images("mood")
    endpoint.ended("processing", "mood")
    assert names_seen(endpoint, "mood")["mood"] == "cheerful"


def test_a_jobs_own_entrypoint_runs_with_its_opt_ml_paths_moved(endpoint: "Endpoint") -> None:
    endpoint.s3.put_object(
        Bucket=endpoint.bucket, Key="code/run.py", Body=b"import sys; sys.exit('hello from the code')"
    )
    request = endpoint.processing_request("own-entry")
    request["AppSpecification"]["ContainerEntrypoint"] = ["python", "/opt/ml/processing/input/code/run.py"]
    place = {"S3DataType": "S3Prefix", "S3InputMode": "File", "LocalPath": "/opt/ml/processing/input/code"}
    request["ProcessingInputs"] = [{"InputName": "code", "S3Input": {"S3Uri": "s3://bench/code/", **place}}]
    endpoint.sagemaker.create_processing_job(**request)
    job = endpoint.ended("processing", "own-entry")
    assert job["ProcessingJobStatus"] == "Failed"
    assert "hello from the code" in job["FailureReason"]


def test_a_manifest_downloads_exactly_the_objects_it_names(endpoint: "Endpoint") -> None:
    for key in [*ODD_KEYS, "Maize/not-named.txt"]:
        endpoint.s3.put_object(Bucket=endpoint.bucket, Key=f"odd/{key}", Body=key.encode())
    manifest = [{"prefix": f"s3://{endpoint.bucket}/odd/"}, *ODD_KEYS]
    endpoint.s3.put_object(Bucket=endpoint.bucket, Key="manifest.json", Body=json.dumps(manifest).encode())
    endpoint.process_images("manifest", source=("ManifestFile", "manifest.json"))
    job = endpoint.ended("processing", "manifest")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert names_seen(endpoint, "manifest")["names"] == sorted(ODD_KEYS)


def test_a_uri_of_one_object_downloads_it_under_its_own_name(endpoint: "Endpoint") -> None:
    for key in ("single/model.tar.gz", "single/model.tar.gz.bak"):
        endpoint.s3.put_object(Bucket=endpoint.bucket, Key=key, Body=b"1")
    endpoint.process_images("single", source=("S3Prefix", "single/model.tar.gz"))
    endpoint.ended("processing", "single")
    assert names_seen(endpoint, "single")["names"] == ["model.tar.gz"]


def test_a_prefix_downloads_all_keys_that_begin_with_it(endpoint: "Endpoint") -> None:
    for key in ("part/train/x.txt", "part/train2.txt", "part/other.txt"):
        endpoint.s3.put_object(Bucket=endpoint.bucket, Key=key, Body=b"1")
    endpoint.process_images("part", source=("S3Prefix", "part/train"))
    endpoint.ended("processing", "part")
    assert names_seen(endpoint, "part")["names"] == ["train2.txt", "x.txt"]


@pytest.mark.parametrize("key", ["../../escaped.txt", "a/../../escaped.txt", "/rooted.txt", "a//b.txt"])
def test_a_key_that_leaves_the_input_directory_fails_the_job(endpoint: "Endpoint", key: str) -> None:
    name = f"escape-{abs(hash(key))}"
    manifest = [{"prefix": f"s3://{endpoint.bucket}/evil/"}, key]
    endpoint.s3.put_object(Bucket=endpoint.bucket, Key=f"evil/{key}", Body=b"x")
    endpoint.s3.put_object(Bucket=endpoint.bucket, Key=f"{name}.json", Body=json.dumps(manifest).encode())
    endpoint.process_images(name, source=("ManifestFile", f"{name}.json"))
    job = endpoint.ended("processing", name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert key in job["FailureReason"]


@pytest.mark.parametrize("content", ["{}", "[]", "not json", '["a"]', '[{"prefix": "s3://bench/odd/"}, 3]'])
def test_an_invalid_manifest_fails_the_job(endpoint: "Endpoint", content: str) -> None:
    name = f"no-manifest-{abs(hash(content))}"
    endpoint.s3.put_object(Bucket=endpoint.bucket, Key=f"{name}.json", Body=content.encode())
    endpoint.process_images(name, source=("ManifestFile", f"{name}.json"))
    assert "must be a JSON list" in endpoint.ended("processing", name)["FailureReason"]


@pytest.mark.parametrize(("kind", "key"), [("S3Prefix", "nothing/here/"), ("ManifestFile", "missing.json")])
def test_a_missing_input_fails_the_job_by_name(endpoint: "Endpoint", kind: str, key: str) -> None:
    name = f"missing-{kind}"
    endpoint.process_images(name, source=(kind, key))
    job = endpoint.ended("processing", name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert key in job["FailureReason"]


def test_a_failed_containers_message_becomes_the_reason(endpoint: "Endpoint") -> None:
    endpoint.process_images("broken", ("broken",))
    job = endpoint.ended("processing", "broken")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: the toy broke, exit code: 1"
    assert job["ExitMessage"] == "the toy broke"


def test_a_stopped_job_is_stopping_and_then_stopped(endpoint: "Endpoint") -> None:
    endpoint.process_images("slow", ("slow",))
    endpoint.eventually(
        lambda: "ProcessingStartTime" in endpoint.sagemaker.describe_processing_job(ProcessingJobName="slow")
    )
    endpoint.sagemaker.stop_processing_job(ProcessingJobName="slow")
    assert endpoint.status("processing", "slow") in ("Stopping", "Stopped")
    assert endpoint.ended("processing", "slow")["ProcessingJobStatus"] == "Stopped"
    endpoint.eventually(lambda: not list((endpoint.data_dir / "sagemaker/jobs").glob("*slow")))


def test_a_job_over_its_time_is_stopped_with_the_reason(endpoint: "Endpoint") -> None:
    endpoint.process_images("late", ("slow",), StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = endpoint.ended("processing", "late")
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "MaxRuntimeInSeconds" in job["FailureReason"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_object_fails_its_job_with_a_clear_reason(endpoint: "Endpoint", damage: str) -> None:
    key, content = f"damaged/{damage}/pack.npy", bytes(range(256)) * 4000
    endpoint.s3.put_object(Bucket=endpoint.bucket, Key=key, Body=content)
    stored = endpoint.data_dir / "s3/000000000000" / endpoint.bucket / key
    if damage == "cut":
        stored.write_bytes(content[:-1000])
    elif damage == "flipped":
        stored.write_bytes(content[:5000] + b"!" + content[5001:])
    else:
        stored.unlink()

    endpoint.process_images(f"damaged-{damage}", source=("S3Prefix", f"damaged/{damage}/"))

    job = endpoint.ended("processing", f"damaged-{damage}")
    assert job["ProcessingJobStatus"] == "Failed"
    assert f"{key} is damaged" in job["FailureReason"]
