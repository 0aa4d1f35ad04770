"""Averaging of predictions, and the choice among candidates."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tests.trainer.packs import write_photos
from tests.trainer.small_model import LABELS, SIZE, write_small_model
from trainer.answering.averages import average_probabilities, predict_views, softmax
from trainer.archive import WHOLE, Model, Parts
from trainer.decoding.pool import DecoderPool
from trainer.evaluation.candidates import Candidate, choose
from trainer.evaluation.ensemble import combine_members, combined_parts, divide_logits
from trainer.inference import averaging, engines
from trainer.inference.averaging import EXPORTED_FOR, engine_for, predict_photos
from trainer.inference.engines import fastest_engine
from trainer.inference.openvino_engine import OpenVinoEngine
from trainer.keras_loader import keras
from trainer.pack import read_photos
from trainer.views import apply_view

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

EVEN = np.full((1, 2), 0.5, np.float32)
logits = arrays.arrays(np.float32, (2, 3, 4), elements=st.floats(-5, 5, width=32))


@given(logits)
def test_averaging_predictions_equals_averaging_logits(of_members: np.ndarray) -> None:
    expected = softmax(of_members.mean(axis=0))
    assert average_probabilities([softmax(of_member) for of_member in of_members]) == pytest.approx(expected, abs=1e-5)


@given(logits)
def test_an_average_of_zero_probabilities_is_still_a_probability(of_members: np.ndarray) -> None:
    certain = np.eye(4, dtype=np.float32)[of_members.argmax(axis=-1)]
    result = average_probabilities(certain)
    assert np.isfinite(result).all()
    assert result.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_each_view_is_predicted_once_in_order() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    answers = predict_views(lambda seen: seen[:, 0, 0].astype(np.float32), images, 5)
    assert np.array_equal(answers, [apply_view(images, view)[:, 0, 0] for view in range(5)])


@pytest.mark.parametrize("images", [1, EXPORTED_FOR // 8 + 1])
def test_many_passes_use_the_fastest_engine_with_the_same_predictions(
    images: int, tmp_path: Path, decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(images):
        pixels = np.random.default_rng(number).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
        (tmp_path / LABELS[0]).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / LABELS[0] / f"{number}.png")
    files = [f"{LABELS[0]}/{number}.png" for number in range(images)]
    photos = read_photos(write_photos(tmp_path / "split", tmp_path, files, LABELS, decoders))
    network = keras.saving.load_model(write_small_model(tmp_path / "model") / WHOLE)
    said: list[str] = []
    taken = []

    def take(*given: Any, **options: Any) -> Any:
        taken.append(fastest_engine(*given, **options))
        return taken[0]

    monkeypatch.setattr(averaging, "fastest_engine", take)
    answers = predict_photos(Model(network, {}, LABELS, SIZE), photos, 8, said.append)
    expected = predict_views(network.predict_on_batch, photos.load(range(images), SIZE), 8)
    assert answers == pytest.approx(expected, abs=1e-4)
    assert [type(engine) for engine in taken] == [OpenVinoEngine] * (images > 1)
    assert said == []


def test_networks_upon_one_backbone_share_its_engine_and_compute_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    keras.utils.set_random_seed(1)
    pixels = keras.Input((SIZE, SIZE, 3), name="images")
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(6, 3, activation="relu")(pixels))
    backbone = keras.Model(pixels, pooled)
    head = keras.Sequential([keras.Input((6,)), keras.layers.Dense(len(LABELS), activation="softmax")])
    far = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    trial = Model(keras.Model(pixels, head(pooled)), {}, LABELS, SIZE, parts=Parts(backbone, head))
    images = np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8)
    made = []

    def make(*given: Any, **options: Any) -> Any:
        made.append(fastest_engine(*given, **options))
        return made[0]

    def check(model: Model) -> None:
        answers = engine_for(model, EXPORTED_FOR, pytest.fail)(images)
        assert answers == pytest.approx(model.measuring.predict_on_batch(images), rel=1e-4, abs=1e-4)

    monkeypatch.setattr(engines, "fastest_engine", make)
    check(trial)
    calibrated = Model(combine_members([trial]), {}, LABELS, SIZE, parts=combined_parts([trial]))
    check(calibrated)
    divide_logits([trial], 1.7)
    check(replace(calibrated, distance=far))
    assert [type(engine) for engine in made] == [OpenVinoEngine]


def candidate(title: str, accuracy: float, log_loss: float) -> Candidate:
    return Candidate(
        title=title, members=(), views=1, temperature=1.0, accuracy=accuracy, log_loss=log_loss, probabilities=EVEN
    )


def test_the_lowest_log_loss_is_chosen_then_the_simplest() -> None:
    plain, sharp = candidate("plain", 0.9, 0.3), candidate("sharp", 0.9, 0.2)
    assert choose([plain, sharp]) is sharp
    assert choose([candidate("lucky", 0.91, 0.9), plain, sharp]) is sharp
    assert choose([plain, candidate("as good", 0.9, 0.3)]) is plain


def test_candidates_that_differ_by_rounding_alone_are_equal_and_the_simplest_is_chosen() -> None:
    simplest = candidate("The best trial", 0.9, 0.30000001)
    assert choose([simplest, candidate("Both, averaged", 0.9, 0.3)]) is simplest
