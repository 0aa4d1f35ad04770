"""The network: folding, joining, archives from outside, and the champion on the same test images."""

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from trainer import pack
from trainer.archive import HEAD, WHOLE, Model, write_archive
from trainer.backbone import NORM_EPSILON, build_backbone, folded
from trainer.errors import BadInput
from trainer.evaluate import evaluate, join
from trainer.head import build_head
from trainer.hyperparameters import Hyperparameters
from trainer.photos import write_photos
from trainer.quiet import keras

# Keras 3.15 turns TensorFlow's variables into arrays in a way of which NumPy 2 warns.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

SIZE = 32
LABELS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def head() -> keras.Model:
    """A head with random weights."""
    keras.utils.set_random_seed(3)
    features = np.random.default_rng(3).random((20, 6016), np.float32)
    return build_head(features, len(LABELS), Hyperparameters(hidden_units=4))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Eight test images (8, 32, 32, 3)."""
    return np.random.default_rng(4).integers(0, 256, (8, SIZE, SIZE, 3), np.uint8)


def facts(labels: list[str], image_size: int = SIZE) -> dict[str, Any]:
    return {"backbone": "efficientnet-lite0", "labels": labels, "image_size": image_size}


def save(network: keras.Model, name: str, labels: list[str], path: Path, image_size: int = SIZE) -> Path:
    path.parent.mkdir(parents=True)
    network.save(path.parent / name)
    (path.parent / "model.json").write_text(json.dumps(facts(labels, image_size)))
    write_archive(path, (path.parent / name, path.parent / "model.json"))
    return path


@pytest.fixture
def test_pack(tmp_path: Path, images: np.ndarray) -> Path:
    """The test split of eight images, of which none is known to be right."""
    folder = tmp_path / "test"
    files = [f"{LABELS[row % 3]}/{row}.png" for row in range(len(images))]
    for file, pixels in zip(files, images, strict=True):
        (tmp_path / "images" / file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "images" / file)
    write_photos(folder / pack.PHOTOS, tmp_path / "images", files, large=())
    pack.describe(folder, pack.Description(["efficientnet-lite0"], SIZE, 0, LABELS))
    return folder


def evaluation(output: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((output / "evaluation.json").read_text())
    return read


def test_folding_the_normalisation_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    parts = ("weight", "bias", "running_mean", "running_var")
    norm = {f"bn.{part}": rng.uniform(0.5, 2, 4).astype(np.float32) for part in parts}
    tensors = {"conv.weight": rng.normal(size=(4, 3, 3, 3)).astype(np.float32), **norm}
    images = rng.random((2, 8, 8, 3), np.float32)

    inputs = keras.Input((8, 8, 3))
    plain = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)
    normalise = keras.layers.BatchNormalization(epsilon=NORM_EPSILON)
    separate = keras.Model(inputs, normalise(plain(inputs)))
    plain.set_weights([tensors["conv.weight"].transpose(2, 3, 1, 0)])
    normalise.set_weights(list(norm.values()))

    together = keras.layers.Conv2D(4, 3, padding="same")
    model = keras.Model(inputs, together(inputs))
    together.set_weights(folded(tensors, "conv", "bn", depthwise=False))
    assert model.predict_on_batch(images) == pytest.approx(separate.predict_on_batch(images), abs=1e-5)


def test_the_whole_model_is_the_backbone_and_then_the_head(head: keras.Model, images: np.ndarray) -> None:
    whole = join(Model(head, facts(LABELS), LABELS, SIZE)).network
    apart = head.predict_on_batch(build_backbone("efficientnet-lite0", SIZE).predict_on_batch(images))
    assert whole.predict_on_batch(images) == pytest.approx(apart, abs=1e-5)


def test_a_feature_that_never_varied_in_training_does_not_explode() -> None:
    features = np.zeros((10, 6), np.float32)
    head = build_head(features, 2, Hyperparameters())
    standardised = keras.Model(head.input, head.get_layer("standardise").output)
    assert np.abs(standardised.predict_on_batch(features + 1)).max() < 100


def test_the_exported_model_loads_without_our_code(
    head: keras.Model, images: np.ndarray, test_pack: Path, tmp_path: Path
) -> None:
    trial = save(head, HEAD, LABELS, tmp_path / "trial/model.tar.gz")
    evaluate(test_pack, trial, tmp_path / "none.tar.gz", tmp_path / "out")
    with tarfile.open(tmp_path / "out/model.tar.gz") as tar:
        tar.extractall(tmp_path / "exported", filter="data")
    network = keras.saving.load_model(tmp_path / "exported/model.keras", safe_mode=True)
    stock = {type(layer).__module__.split(".")[0] for layer in network.layers}
    assert stock == {"keras"}
    predicted = network.predict_on_batch(images).argmax(axis=1)
    assert evaluation(tmp_path / "out")["accuracy"] == pytest.approx((predicted == [0, 1, 2, 0, 1, 2, 0, 1]).mean())


def test_a_champion_with_the_same_weights_scores_the_same(head: keras.Model, test_pack: Path, tmp_path: Path) -> None:
    trial = save(head, HEAD, LABELS, tmp_path / "trial/model.tar.gz")
    evaluate(test_pack, trial, tmp_path / "none.tar.gz", tmp_path / "first")
    evaluate(test_pack, trial, tmp_path / "first/model.tar.gz", tmp_path / "second")
    scores = evaluation(tmp_path / "second")
    compared = ("images", "accuracy", "accuracy_interval", "macro_f1")
    assert scores["champion"] == {name: scores[name] for name in compared}


def test_a_champion_of_another_size_and_other_labels_is_scored_on_the_same_images(
    head: keras.Model, test_pack: Path, tmp_path: Path
) -> None:
    trial = save(head, HEAD, LABELS, tmp_path / "trial/model.tar.gz")
    always_second = keras.layers.Dense(2, activation="softmax")
    small = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.GlobalAveragePooling2D(), always_second])
    always_second.set_weights([np.zeros((3, 2)), np.array([0, 9])])
    champion = save(small, WHOLE, ["unknown here", "b"], tmp_path / "champion/model.tar.gz", image_size=16)
    evaluate(test_pack, trial, champion, tmp_path / "out")
    assert evaluation(tmp_path / "out")["champion"]["accuracy"] == pytest.approx(3 / 8)


def test_a_broken_champion_does_not_stop_the_challenger(head: keras.Model, test_pack: Path, tmp_path: Path) -> None:
    trial = save(head, HEAD, LABELS, tmp_path / "trial/model.tar.gz")
    (tmp_path / "champion.tar.gz").write_bytes(b"no archive")
    evaluate(test_pack, trial, tmp_path / "champion.tar.gz", tmp_path / "out")
    assert "can't be read" in evaluation(tmp_path / "out")["champion"]["error"]


def test_a_trial_of_another_run_is_refused(head: keras.Model, test_pack: Path, tmp_path: Path) -> None:
    trial = save(head, HEAD, ["a", "b", "z"], tmp_path / "trial/model.tar.gz")
    with pytest.raises(BadInput, match="different runs"):
        evaluate(test_pack, trial, tmp_path / "none.tar.gz", tmp_path / "out")
