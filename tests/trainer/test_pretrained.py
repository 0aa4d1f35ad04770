"""Weights of keras.applications that a person provides: each job that builds the network reads them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.conftest import FINE_TUNING, HYPERPARAMETERS, Flow, Run, pack_model, training_job
from tests.trainer.painting import paint_dataset
from trainer import pack
from trainer.backbones import build_backbone
from trainer.keras_loader import keras
from trainer.pack import read_photos

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

BACKBONE, SIZE = "MobileNetV2", 48


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random weights, which no download gives."""
    folder = tmp_path_factory.mktemp("pretrained")
    keras.utils.set_random_seed(1)
    network = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    network.save_weights(folder / "MobileNetV2.weights.h5")
    return folder


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory, weights: Path, run_trainer: Run) -> Flow:
    flow = Flow(tmp_path_factory.mktemp("flow"))
    inputs, outputs = flow.prepare / "processing/input", flow.evaluate / "processing/input"
    paint_dataset(inputs / "images", per_label=20)
    (inputs / "pretrained").symlink_to(weights)
    sizes = ("--image-size", str(SIZE), "--fine-tune-size", str(SIZE))
    flow.log["prepare"] = run_trainer(flow.prepare, "prepare", "--views", "1", "--backbones", BACKBONE, *sizes)

    training_job(flow.train, {**HYPERPARAMETERS, "backbone": BACKBONE}, features=flow.pack / "features")
    flow.log["train"] = run_trainer(flow.train, "train")
    fine_tuning = {**FINE_TUNING, "backbone": BACKBONE, "epochs": "1"}
    training_job(flow.fine_tune, fine_tuning, training=flow.pack / "training", pretrained=weights)
    flow.log["fine-tune"] = run_trainer(flow.fine_tune, "train")

    for split in ("test", "validation"):
        shutil.copytree(flow.pack / split, outputs / split)
    pack_model(flow.fine_tune, outputs / "model/model.tar.gz")
    pack_model(flow.train, outputs / "rival/model.tar.gz")
    (outputs / "pretrained").symlink_to(weights)
    flow.log["evaluate"] = run_trainer(flow.evaluate, "evaluate")
    return flow


def test_every_job_builds_the_network_from_the_weights(flow: Flow) -> None:
    assert {verb: (process.returncode, process.stderr) for verb, process in flow.log.items()} == dict.fromkeys(
        ("prepare", "train", "fine-tune", "evaluate"), (0, "")
    )


def test_prepare_extracts_the_features_of_these_weights(flow: Flow, weights: Path) -> None:
    features, _ = pack.read_features(flow.pack / "features", BACKBONE, "validation")
    validation = read_photos(flow.pack / "validation")
    images = validation.load(range(len(validation.names)), SIZE)
    expected = build_backbone(BACKBONE, SIZE, weights).predict_on_batch(images)
    assert features[:, 0].astype(np.float32) == pytest.approx(expected, rel=1e-2, abs=1e-2)


def test_evaluate_combines_the_head_with_the_network(flow: Flow) -> None:
    members = [candidate["members"] for candidate in flow.scores()["candidates"]]
    assert members == [["fine-tune/MobileNetV2"], ["head/MobileNetV2"], ["fine-tune/MobileNetV2", "head/MobileNetV2"]]


def test_a_rival_without_its_weights_is_left_out_with_the_reason(flow: Flow, tmp_path: Path, run_trainer: Run) -> None:
    (tmp_path / "processing").mkdir()
    given = shutil.copytree(flow.evaluate / "processing/input", tmp_path / "processing/input", symlinks=True)
    (given / "pretrained").unlink()
    nowhere = {"KERAS_HOME": str(tmp_path / "keras"), "HTTPS_PROXY": "http://127.0.0.1:9"}
    process = run_trainer(tmp_path, "evaluate", **nowhere)
    assert process.returncode == 0, process.stderr
    assert "The rival is left out. The ImageNet weights of MobileNetV2 can't be downloaded" in process.stdout
    scores = json.loads((tmp_path / "processing/output/evaluation.json").read_text(encoding="utf-8"))
    assert scores["members"] == ["fine-tune/MobileNetV2"]
