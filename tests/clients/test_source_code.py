"""Programs of the SageMaker SDK whose own scripts say /opt/ml, unchanged."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedbed.local_cloud.sagemaker.containers.namespaces import refusal
from tests.clients.test_sagemaker_sdk import IMAGE, pytestmark, role

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

pytestmark = [
    *pytestmark,
    # The SDK leaves its folder of drivers to the garbage collector.
    pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning"),
    pytest.mark.skipif(bool(refusal()), reason=f"the system refuses: {refusal()}"),
]

TRAIN = """
import os, pathlib
given = pathlib.Path("/opt/ml/input/data/train/1.txt").read_text()
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(given)
print("trained on", given, "at", os.environ["SM_CURRENT_HOST"])
"""
PROCESS = """
import pathlib, sys
pathlib.Path("/opt/ml/processing/output/seen.txt").write_text(" ".join(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def session(endpoint: "Endpoint") -> Any:
    from sagemaker.core.helper.session_helper import Session  # noqa: PLC0415  seconds of imports

    return Session(default_bucket="bench")


@pytest.fixture(scope="module")
def any_role(endpoint: "Endpoint") -> str:
    return role()


def test_model_trainer_runs_a_source_directory(
    endpoint: "Endpoint", session: Any, any_role: str, tmp_path: Path
) -> None:
    from sagemaker.core.training.configs import Compute, InputData, SourceCode  # noqa: PLC0415
    from sagemaker.train import ModelTrainer  # noqa: PLC0415

    (tmp_path / "train.py").write_text(TRAIN)
    trainer = ModelTrainer(
        training_image=IMAGE,
        role=any_role,
        sagemaker_session=session,
        source_code=SourceCode(source_dir=str(tmp_path), entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1),
        base_job_name="source-code",
    )
    train = InputData(channel_name="train", data_source="s3://bench/train")
    trainer.train(input_data_config=[train], wait=False, logs=False)
    [job] = endpoint.sagemaker.list_training_jobs(NameContains="source-code")["TrainingJobSummaries"]
    ended = endpoint.ended("training", job["TrainingJobName"])
    assert ended["TrainingJobStatus"] == "Completed", ended["FailureReason"]
    assert "trained on x at algo-1" in endpoint.log("training-job", job["TrainingJobName"].lower())


def test_script_processor_runs_a_script(endpoint: "Endpoint", session: Any, any_role: str, tmp_path: Path) -> None:
    from sagemaker.core.processing import ScriptProcessor  # noqa: PLC0415
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output  # noqa: PLC0415

    (tmp_path / "script.py").write_text(PROCESS)
    processor = ScriptProcessor(
        role=any_role,
        image_uri=IMAGE,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        sagemaker_session=session,
    )
    place = {"s3_uri": "s3://bench/processed", "local_path": "/opt/ml/processing/output", "s3_upload_mode": "EndOfJob"}
    output = ProcessingOutput(output_name="out", s3_output=ProcessingS3Output(**place))
    processor.run(
        code=str(tmp_path / "script.py"),
        outputs=[output],
        arguments=["--rate", "3"],
        wait=False,
        logs=False,
        job_name="script-processor",
    )
    ended = endpoint.ended("processing", "script-processor")
    assert ended["ProcessingJobStatus"] == "Completed", ended["FailureReason"]
    assert endpoint.read("processed/seen.txt") == b"--rate 3"
