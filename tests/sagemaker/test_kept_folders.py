"""Checkpoints, TensorBoard's files and Debugger's tensors reach S3, and the container finds what was asked for."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.sagemaker.toy_endpoint import definition

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

KEEPER = """
import os, pathlib
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
for file in (base / "input/config").iterdir():
    (base / "model" / file.name).write_bytes(file.read_bytes())
(base / "output/tensorboard").mkdir()
(base / "output/tensors").mkdir()
for folder in ("curves/kept", "tensors/kept"):
    (base / folder).mkdir(parents=True)
for folder in ("checkpoints", "states/kept", "output/tensorboard", "output/tensors", "curves/kept", "tensors/kept"):
    if (base / folder).is_dir():
        (base / folder / "events").write_text("kept")
"""
OWN = {
    "CheckpointConfig": {"S3Uri": "s3://bench/states/own", "LocalPath": "/opt/ml/states/kept"},
    "TensorBoardOutputConfig": {"S3OutputPath": "s3://bench/curves", "LocalPath": "/opt/ml/curves/kept"},
    "DebugHookConfig": {"S3OutputPath": "s3://bench/tensors", "LocalPath": "/opt/ml/tensors/kept"},
}
DEFAULT = {
    "CheckpointConfig": {"S3Uri": "s3://bench/states/default"},
    "TensorBoardOutputConfig": {"S3OutputPath": "s3://bench/curves/"},
    "DebugHookConfig": {"S3OutputPath": "s3://bench/tensors"},
}
PATHS = {
    "CheckpointConfig": "/opt/ml/checkpoints",
    "TensorBoardOutputConfig": "/opt/ml/output/tensorboard",
    "DebugHookConfig": "/opt/ml/output/tensors",
}
FILLED: dict[str, Any] = {"DebugHookConfig": {"CollectionConfigurations": []}}


@pytest.mark.parametrize(("name", "asked"), [("own", OWN), ("default", DEFAULT)])
def test_kept_folder_reaches_s3_and_container_is_told(endpoint: "Endpoint", name: str, asked: dict[str, Any]) -> None:
    (endpoint.toy / "keep.py").write_text(KEEPER)
    job = f"kept-{name}"
    specification = {**definition()["AlgorithmSpecification"], "ContainerEntrypoint": ["python", "keep.py"]}
    output = {"S3OutputPath": "s3://bench/out", "CompressionType": "NONE"}
    endpoint.train(job, AlgorithmSpecification=specification, OutputDataConfig=output, **asked)
    ended = endpoint.ended("training", job)
    assert ended["TrainingJobStatus"] == "Completed", ended.get("FailureReason")

    assert endpoint.read(f"states/{name}/events") == b"kept"
    assert endpoint.read(f"curves/{job}/tensorboard-output/events") == b"kept"
    assert endpoint.read(f"tensors/{job}/debug-output/events") == b"kept"
    for config, path in PATHS.items():
        told = json.loads(endpoint.read(f"out/{job}/output/model/{config.lower()}.json"))
        assert told == {"LocalPath": path, **FILLED.get(config, {}), **asked[config]}


def test_training_jobs_of_a_tuning_job_share_the_place_of_their_checkpoints(endpoint: "Endpoint") -> None:
    body = {**definition(), "CheckpointConfig": {"S3Uri": "s3://bench/states/shared"}}
    body["StaticHyperParameters"] = {"checkpoints": "checkpoints", "epochs": "2"}
    endpoint.tune("sharers", jobs=2, parallel=1, TrainingJobDefinition=body)
    endpoint.ended("tuning", "sharers")

    names = [trial["TrainingJobName"] for trial in endpoint.trials("sharers", SortBy="CreationTime")]
    places = [endpoint.described("training", name)["CheckpointConfig"]["S3Uri"] for name in names]
    assert places == ["s3://bench/states/shared"] * 2
    assert ["resumed at 3" in endpoint.log("training-job", name) for name in names] == [False, True]


def test_container_is_told_of_nothing_that_was_not_asked_for(endpoint: "Endpoint") -> None:
    (endpoint.toy / "keep.py").write_text(KEEPER)
    specification = {**definition()["AlgorithmSpecification"], "ContainerEntrypoint": ["python", "keep.py"]}
    output = {"S3OutputPath": "s3://bench/out", "CompressionType": "NONE"}
    endpoint.train("kept-not", AlgorithmSpecification=specification, OutputDataConfig=output)
    endpoint.ended("training", "kept-not")

    listed = endpoint.s3.list_objects_v2(Bucket="bench", Prefix="out/kept-not/output/model/")["Contents"]
    names = {item["Key"].rsplit("/", 1)[1] for item in listed}
    assert names == {"hyperparameters.json", "inputdataconfig.json", "resourceconfig.json"}


@pytest.mark.parametrize("config", PATHS)
def test_kept_folder_outside_opt_ml_is_refused(endpoint: "Endpoint", config: str) -> None:
    asked = {**DEFAULT[config], "LocalPath": "/tmp/kept"}
    with pytest.raises(endpoint.sagemaker.exceptions.ClientError, match=r"/tmp/kept.*must lie below /opt/ml"):
        endpoint.train("kept-outside", **{config: asked})
