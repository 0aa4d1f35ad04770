"""Networks: folding, combining, trials from outside, and the champion on the same test images."""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from tests.trainer.packs import write_photos
from trainer.answering.verdicts import Doubt
from trainer.archive import HEAD, WHOLE, Model, read_model, write_archive
from trainer.backbones import build_backbone
from trainer.backbones.efficientnet import NORM_EPSILON, fold_normalisation
from trainer.decoding.pool import DecoderPool
from trainer.errors import BadInput, UnreadableModel
from trainer.evaluate import EvaluateOptions, Inputs, evaluate
from trainer.evaluation.ensemble import combine_members, resize_input, to_whole_model
from trainer.inference.averaging import classify
from trainer.inference.engines import fastest_engine
from trainer.keras_loader import keras
from trainer.training.head import build_head
from trainer.training.hyperparameters import Hyperparameters

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

SIZE = 32
LABELS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def head() -> keras.Model:
    """A head with random weights."""
    keras.utils.set_random_seed(3)
    features = np.random.default_rng(3).random((20, 9584), np.float32)
    return build_head(features, len(LABELS), Hyperparameters(hidden_units=4))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Eight test images (8, 32, 32, 3)."""
    return np.random.default_rng(4).integers(0, 256, (8, SIZE, SIZE, 3), np.uint8)


def facts(labels: list[str], image_size: int = SIZE) -> dict[str, Any]:
    return {
        "backbone": "efficientnet-lite0",
        "labels": labels,
        "image_size": image_size,
        "hyperparameters": {"epochs": 3},
    }


def save(network: keras.Model, name: str, labels: list[str], path: Path, image_size: int = SIZE) -> Path:
    path.parent.mkdir(parents=True)
    network.save(path.parent / name)
    (path.parent / "model.json").write_text(json.dumps(facts(labels, image_size)))
    write_archive(path, (path.parent / name, path.parent / "model.json"))
    return path


@pytest.fixture
def photographs(tmp_path: Path, images: np.ndarray, decoders: DecoderPool) -> Path:
    """A split of eight random photographs."""
    return split_of(images, tmp_path, decoders)


@pytest.fixture
def many_photographs(tmp_path: Path, decoders: DecoderPool) -> Path:
    """A split of 90 photographs of greens, each label's with a green of its own."""
    rng = np.random.default_rng(8)
    greens = np.array([[60, 120, 40], [90, 160, 60], [120, 200, 110]])[np.arange(90) % 3, None, None]
    noise = rng.normal(0, 12, (90, 1, 1, 3)) + rng.normal(0, 20, (90, SIZE, SIZE, 3))
    return split_of(np.clip(greens + noise, 0, 255).astype(np.uint8), tmp_path, decoders)


def split_of(images: np.ndarray, tmp_path: Path, decoders: DecoderPool) -> Path:
    folder = tmp_path / "photographs"
    files = [f"{LABELS[row % 3]}/{row:02}.png" for row in range(len(images))]
    for file, pixels in zip(files, images, strict=True):
        (tmp_path / "images" / file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "images" / file)
    return write_photos(folder, tmp_path / "images", sorted(files), LABELS, decoders)


def evaluated(photographs: Path, output: Path, views: int = 1, **archives: Path) -> dict[str, Any]:
    """The content of evaluation.json, with the same photographs as both splits."""
    return evaluated_with(EvaluateOptions(views, ()), photographs, output, **archives)


def evaluated_with(options: EvaluateOptions, photographs: Path, output: Path, **archives: Path) -> dict[str, Any]:
    nothing = photographs / "none.tar.gz"
    found = [archives.get(name, nothing) for name in ("model", "rival", "champion")]
    inputs = Inputs(photographs, photographs, Path("none"), *found)
    evaluate(inputs, output, options, lambda line: None)
    return evaluation(output)


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
    together.set_weights(fold_normalisation(tensors, "conv", "bn", depthwise=False))
    assert model.predict_on_batch(images) == pytest.approx(separate.predict_on_batch(images), abs=1e-5)


def test_the_whole_model_is_the_backbone_and_then_the_head(head: keras.Model, images: np.ndarray) -> None:
    joined = to_whole_model(Model(head, facts(LABELS), LABELS, SIZE), Path("none")).network
    apart = head.predict_on_batch(build_backbone("efficientnet-lite0", SIZE).predict_on_batch(images))
    assert joined.predict_on_batch(images) == pytest.approx(apart, abs=1e-5)


def small(seed: int, side: int) -> Model:
    """A whole model that classifies by mean colour."""
    keras.utils.set_random_seed(seed)
    images = keras.Input((side, side, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(images))
    network = keras.Model(images, keras.layers.Dense(3, activation="softmax")(pooled))
    return Model(network, facts(LABELS, side), LABELS, side)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_combined_network_gives_mean_logits_over_the_temperature(temperature: float, images: np.ndarray) -> None:
    members = [small(seed=1, side=SIZE), small(seed=2, side=SIZE)]
    logits = np.mean([np.log(member.network.predict_on_batch(images)) for member in members], axis=0) / temperature
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert combine_members(members, temperature).predict_on_batch(images) == pytest.approx(expected, abs=1e-5)


def test_members_of_different_sizes_take_the_larger_one(images: np.ndarray, tmp_path: Path) -> None:
    network = combine_members([small(seed=1, side=SIZE), small(seed=2, side=16)], 1.0)
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.input_shape == (None, SIZE, SIZE, 3)
    assert loaded.predict_on_batch(images) == pytest.approx(network.predict_on_batch(images), abs=1e-5)


def test_a_model_of_another_size_resizes_images_itself(images: np.ndarray) -> None:
    member = small(seed=2, side=16)
    assert resize_input(member, 16) is member
    halves = np.repeat(np.repeat(images[:, :16, :16], 2, axis=1), 2, axis=2)
    expected = member.network.predict_on_batch(images[:, :16, :16])
    assert resize_input(member, SIZE).network.predict_on_batch(halves) == pytest.approx(expected, abs=0.05)


def test_a_feature_that_is_constant_in_training_does_not_explode() -> None:
    features = np.zeros((10, 6), np.float32)
    head = build_head(features, 2, Hyperparameters())
    standardised = keras.Model(head.input, head.get_layer("standardise").output)
    assert np.abs(standardised.predict_on_batch(features + 1)).max() < 100


def test_the_exported_model_loads_without_our_code(
    head: keras.Model, images: np.ndarray, photographs: Path, tmp_path: Path
) -> None:
    trial = save(head, HEAD, LABELS, tmp_path / "trial/model.tar.gz")
    evaluated(photographs, tmp_path / "out", model=trial)
    with tarfile.open(tmp_path / "out/model.tar.gz") as tar:
        tar.extractall(tmp_path / "exported", filter="data")
    network = keras.saving.load_model(tmp_path / "exported/model.keras", safe_mode=True)
    stock = {type(layer).__module__.split(".")[0] for layer in network.layers}
    assert stock == {"keras"}
    predicted = network.predict_on_batch(images).argmax(axis=1)
    assert evaluation(tmp_path / "out")["accuracy"] == pytest.approx((predicted == [0, 1, 2, 0, 1, 2, 0, 1]).mean())


def test_a_champion_with_the_same_weights_scores_the_same(head: keras.Model, photographs: Path, tmp_path: Path) -> None:
    trial = save(head, HEAD, LABELS, tmp_path / "trial/model.tar.gz")
    options, champion = EvaluateOptions(8, (), changed_images=5), tmp_path / "first/model.tar.gz"
    evaluated_with(options, photographs, tmp_path / "first", model=trial)
    scores = evaluated_with(options, photographs, tmp_path / "second", model=trial, champion=champion)
    assert scores["changes"]["images"] == 5
    compared = ("images", "accuracy", "accuracy_interval", "macro_f1", "changes")
    assert scores["champion"] == {name: scores[name] for name in compared}


@pytest.mark.parametrize("spelling", ["b", " B\u00a0"])
def test_a_champion_of_another_size_and_labels_is_scored_on_the_same_images(
    spelling: str, head: keras.Model, photographs: Path, tmp_path: Path
) -> None:
    trial = save(head, HEAD, LABELS, tmp_path / "trial/model.tar.gz")
    always_second = keras.layers.Dense(2, activation="softmax")
    small = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.GlobalAveragePooling2D(), always_second])
    always_second.set_weights([np.zeros((3, 2)), np.array([0, 9])])
    champion = save(small, WHOLE, ["unknown here", spelling], tmp_path / "champion/model.tar.gz", image_size=16)
    scores = evaluated(photographs, tmp_path / "out", model=trial, champion=champion)
    assert scores["champion"]["accuracy"] == pytest.approx(3 / 8)


def test_a_broken_champion_does_not_stop_the_challenger(head: keras.Model, photographs: Path, tmp_path: Path) -> None:
    trial = save(head, HEAD, LABELS, tmp_path / "trial/model.tar.gz")
    (tmp_path / "champion.tar.gz").write_bytes(b"no archive")
    scores = evaluated(photographs, tmp_path / "out", model=trial, champion=tmp_path / "champion.tar.gz")
    assert "can't be read" in scores["champion"]["error"]


def test_only_the_recorded_champion_archive_is_loaded(photographs: Path, tmp_path: Path) -> None:
    trial = save(small(seed=1, side=SIZE).network, WHOLE, LABELS, tmp_path / "trial/model.tar.gz")
    recorded = evaluated(photographs, tmp_path / "first", model=trial)["model_sha256"]
    champion = tmp_path / "first/model.tar.gz"
    assert recorded == hashlib.sha256(champion.read_bytes()).hexdigest()

    options = EvaluateOptions(1, (), recorded)
    same = evaluated_with(options, photographs, tmp_path / "same", model=trial, champion=champion)
    champion.write_bytes((tmp_path / "same/model.tar.gz").read_bytes() + b"\0")
    other = evaluated_with(options, photographs, tmp_path / "other", model=trial, champion=champion)

    assert same["champion"]["accuracy"] == same["accuracy"]
    assert other["champion"] == {
        "error": "The model model.tar.gz is not the file that was recorded, so it is not used."
    }


def test_a_broken_rival_is_left_out(head: keras.Model, photographs: Path, tmp_path: Path) -> None:
    trial = save(head, HEAD, LABELS, tmp_path / "trial/model.tar.gz")
    (tmp_path / "rival.tar.gz").write_bytes(b"no archive")
    scores = evaluated(photographs, tmp_path / "out", model=trial, rival=tmp_path / "rival.tar.gz")
    assert [candidate["name"] for candidate in scores["candidates"]] == ["The best trial"]


def test_complementary_networks_are_combined_into_one(photographs: Path, tmp_path: Path) -> None:
    trials = {
        name: save(small(seed, SIZE).network, WHOLE, LABELS, tmp_path / name / "model.tar.gz")
        for seed, name in enumerate(("model", "rival"), start=5)
    }
    scores = evaluated(photographs, tmp_path / "out", views=8, **trials)
    best = max(scores["candidates"], key=lambda found: (found["validation_accuracy"], -found["validation_log_loss"]))
    (chosen,) = [candidate for candidate in scores["candidates"] if candidate["chosen"]]
    assert chosen == best
    assert scores["accuracy"] == pytest.approx(chosen["validation_accuracy"])  # both splits are the same here
    assert (scores["views"], scores["members"]) == (chosen["views"], chosen["members"])


def learnt(seed: int, path: Path) -> Path:
    """The archive of a network that tells the labels of `many_photographs` by their greens, nearly always rightly."""
    model = small(seed, SIZE)
    dense = model.network.layers[-1]
    greens = np.array([[60, 120, 40], [90, 160, 60], [120, 200, 110]]) / 255
    dense.set_weights([60 * greens.T, -30 * (greens**2).sum(axis=1)])
    return save(model.network, WHOLE, LABELS, path)


def test_an_evaluated_model_knows_when_it_is_sure_and_what_is_unlike(many_photographs: Path, tmp_path: Path) -> None:
    options = EvaluateOptions(2, ("onnx",), changed_images=10, sure_error_rate=0.3)
    trials = {name: learnt(seed, tmp_path / name / "model.tar.gz") for seed, name in enumerate(("model", "rival"))}
    scores = evaluated_with(options, many_photographs, tmp_path / "out", **trials)

    told = scores["when_sure"]
    assert (told["error_rate"], told["test"]["images"], told["changed"]["images"]) == (0.3, 90, 140)
    assert told["test"]["sure"] > 0.5
    assert told["test"]["wrong"] <= 0.3
    assert told["test"]["unlike"] <= 0.1
    assert set(scores["calibration"]["changed"]) == {"ece_before", "ece_after"}

    model = read_model(tmp_path / "out/model.tar.gz", WHOLE, tmp_path / "read")
    known = np.full((1, SIZE, SIZE, 3), (90, 160, 60), np.uint8) + np.random.default_rng(1).integers(
        0, 20, (SIZE, SIZE, 3)
    )
    unknown = np.full((1, SIZE, SIZE, 3), (255, 0, 255), np.uint8)
    pair = np.concatenate([known, unknown]).astype(np.uint8)
    answers = classify(model, pair)
    assert answers.doubts.tolist() == [Doubt.NONE, Doubt.UNLIKE]
    assert answers.probabilities[1].max() < 0.67
    assert model.network.predict_on_batch(pair)[1].max() > answers.probabilities[1].max()

    said: list[str] = []
    engine = fastest_engine(model.measuring, said.append, keep=False)
    assert said == [], "OpenVINO computes the distance too"
    assert engine(pair) == pytest.approx(model.measuring.predict_on_batch(pair), rel=1e-3, abs=1e-4)

    exported = onnxruntime.InferenceSession(str(tmp_path / "out/exports/model.onnx"))
    found = np.concatenate(exported.run(None, {"images": pair.astype(np.float32)}), axis=1)
    assert found == pytest.approx(model.measuring.predict_on_batch(pair), rel=1e-3, abs=1e-4)


def test_a_model_of_few_photographs_does_not_say_when_it_is_sure(photographs: Path, tmp_path: Path) -> None:
    trial = save(small(seed=1, side=SIZE).network, WHOLE, LABELS, tmp_path / "trial/model.tar.gz")
    assert evaluated(photographs, tmp_path / "out", model=trial)["when_sure"] is None
    model = read_model(tmp_path / "out/model.tar.gz", WHOLE, tmp_path / "read")
    assert model.distance is None
    assert classify(model, np.zeros((1, SIZE, SIZE, 3), np.uint8)).doubts.tolist() == [Doubt.UNKNOWN]


@pytest.mark.parametrize("width", [5, 3])
def test_what_measures_distances_must_belong_to_the_network(width: int, photographs: Path, tmp_path: Path) -> None:
    trial = save(small(seed=1, side=SIZE).network, WHOLE, LABELS, tmp_path / "trial/model.tar.gz")
    evaluated(photographs, tmp_path / "out", model=trial)
    with tarfile.open(tmp_path / "out/model.tar.gz") as tar:
        tar.extractall(tmp_path / "model", filter="data")
    outputs = 1 if width == 5 else 2
    keras.Sequential([keras.Input((width,)), keras.layers.Dense(outputs)]).save(tmp_path / "model/distance.keras")
    with pytest.raises(UnreadableModel, match=r"model can't be read"):
        read_model(tmp_path / "model", WHOLE, tmp_path / "read")


def test_a_trial_of_another_run_is_refused(head: keras.Model, photographs: Path, tmp_path: Path) -> None:
    trial = save(head, HEAD, ["a", "b", "z"], tmp_path / "trial/model.tar.gz")
    with pytest.raises(BadInput, match="different runs"):
        evaluated(photographs, tmp_path / "out", model=trial)
