"""Several answers become one, and which way of answering is taken is settled by the validation split."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tests.trainer.small_model import LABELS, SIZE, write_small_model
from trainer.archive import WHOLE, Model
from trainer.decoding.pool import Decoders
from trainer.evaluation.candidates import Candidate, choose
from trainer.inference import averaging
from trainer.inference.averaging import EXPORTED_FOR, averaged, of_photos, of_views, softmax
from trainer.inference.engines import fastest_engine
from trainer.inference.openvino_engine import OpenVinoEngine
from trainer.keras_loader import keras
from trainer.photos import Photos, write_photos
from trainer.views import turned

# Keras 3.15 turns TensorFlow's variables into arrays in a way of which NumPy 2 warns.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

logits = arrays.arrays(np.float32, (2, 3, 4), elements=st.floats(-5, 5, width=32))


@given(logits)
def test_averaging_answers_is_averaging_logits(of_members: np.ndarray) -> None:
    expected = softmax(of_members.mean(axis=0))
    assert averaged([softmax(of_member) for of_member in of_members]) == pytest.approx(expected, abs=1e-5)


@given(logits)
def test_an_average_is_a_probability_even_where_members_rule_a_label_out(of_members: np.ndarray) -> None:
    certain = np.eye(4, dtype=np.float32)[of_members.argmax(axis=-1)]
    result = averaged(certain)
    assert np.isfinite(result).all()
    assert result.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_each_view_is_asked_once_in_the_order_of_the_views() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    answers = of_views(lambda seen: seen[:, 0, 0].astype(np.float32), images, 5)
    assert np.array_equal(answers, [turned(images, view)[:, 0, 0] for view in range(5)])


@pytest.mark.parametrize("images", [1, EXPORTED_FOR // 8 + 1])
def test_many_passes_are_made_by_the_fastest_engine_with_the_answers_of_keras(
    images: int, tmp_path: Path, decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(images):
        pixels = np.random.default_rng(number).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
        (tmp_path / LABELS[0]).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / LABELS[0] / f"{number}.png")
    files = [f"{LABELS[0]}/{number}.png" for number in range(images)]
    write_photos(tmp_path / "images.zip", tmp_path, files, (), decoders)
    photos = Photos(tmp_path / "images.zip", LABELS)
    network = keras.saving.load_model(write_small_model(tmp_path / "model") / WHOLE)
    said: list[str] = []
    taken = []

    def take(*given: Any, **options: Any) -> Any:
        taken.append(fastest_engine(*given, **options))
        return taken[0]

    monkeypatch.setattr(averaging, "fastest_engine", take)
    answers = of_photos(Model(network, {}, LABELS, SIZE), photos, 8, said.append)
    expected = of_views(network.predict_on_batch, photos.load(range(images), SIZE), 8)
    assert answers == pytest.approx(expected, abs=1e-4)
    assert [type(engine) for engine in taken] == [OpenVinoEngine] * (images > 1)
    assert said == []


def candidate(title: str, accuracy: float, log_loss: float) -> Candidate:
    return Candidate(title, (), 1, 1.0, accuracy, log_loss)


def test_log_loss_chooses_then_simplicity() -> None:
    plain, sharp = candidate("plain", 0.9, 0.3), candidate("sharp", 0.9, 0.2)
    assert choose([plain, sharp]) is sharp
    assert choose([candidate("lucky", 0.91, 0.9), plain, sharp]) is sharp
    assert choose([plain, candidate("as good", 0.9, 0.3)]) is plain
