"""The fastest engine for features: it changes nothing, and Keras replaces it if it can't be used."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.children import run
from tests.trainer.conftest import CONTAINER
from tests.trainer.painting import LABELS, paint
from trainer.backbones import build_backbone
from trainer.inference import engines, openvino_cache
from trainer.inference.engines import fastest_engine
from trainer.inference.openvino_engine import OpenVinoEngine
from trainer.keras_loader import keras
from trainer.preparation.features import FeatureExtractor, view_of, views_that_fit
from trainer.preparation.write_part import BATCH
from trainer.types import Floats, Pixels
from trainer.views import MAX_VIEWS

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

SIZE = 64
SAME = 1e-4


@pytest.fixture(scope="module")
def backbone() -> keras.Model:
    return build_backbone("efficientnet-lite0", SIZE)


@pytest.fixture(scope="module")
def images() -> Pixels:
    """A few more than a batch."""
    colours = list(LABELS.values())
    return np.stack([np.asarray(paint(colours[i % 3], i, SIZE)) for i in range(BATCH + 3)])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder for each test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def unsaid(sentence: str) -> None:
    raise AssertionError(sentence)


def test_openvino_gives_the_features_that_keras_gives(backbone: keras.Model, images: Pixels) -> None:
    engine = fastest_engine(backbone, unsaid)
    assert isinstance(engine, OpenVinoEngine)
    assert engine(images) == pytest.approx(backbone.predict_on_batch(images), abs=SAME)
    assert engine(images[:0]).shape == (0, 9584)


def test_each_view_has_the_features_of_the_network(backbone: keras.Model, images: Pixels) -> None:
    extractor = FeatureExtractor("efficientnet-lite0", SIZE, unsaid, Path("none"))
    assert extractor.width == 9584
    for view in range(MAX_VIEWS):
        seen = np.stack([view_of(image, view) for image in images])
        features, expected = extractor(seen, view), backbone.predict_on_batch(seen)
        differences = np.abs(features - expected)
        if view == 0:
            assert differences.max() < SAME
        assert differences.mean() < 0.02 * expected.mean()  # bfloat16 has 8 bits


@pytest.mark.parametrize(
    ("most_bytes", "images", "views"),
    [(2**32, 4_027, 5), (2**32, 100_000, 2), (2**32, 1_000_000, 1), (0, 10, 1), (0, 0, 1), (2**40, 1_000_000, 5)],
)
def test_as_many_views_are_kept_as_fit(most_bytes: int, images: int, views: int) -> None:
    assert views_that_fit(most_bytes, 5, images, [9584]) == views
    assert views_that_fit(most_bytes, 5, images, [4792, 4792]) == views


def test_views_are_the_image_and_then_others_that_stay_the_same_when_prepared_again(images: Pixels) -> None:
    image = images[0]
    assert np.array_equal(view_of(image, 0), image)
    assert np.array_equal(view_of(image, 3), view_of(image.copy(), 3))
    assert len({view_of(image, view).tobytes() for view in range(MAX_VIEWS)}) == MAX_VIEWS


def test_a_network_is_exported_once(
    backbone: keras.Model, images: Pixels, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fastest_engine(backbone, unsaid)(images)
    assert {file.suffix for file in (cache / "seedbed").iterdir()} == {".xml", ".bin"}
    monkeypatch.setattr(openvino_cache, "export", unsaid)
    assert (fastest_engine(backbone, unsaid)(images) == first).all()


def test_other_weights_or_sizes_make_another_export(backbone: keras.Model, cache: Path) -> None:
    fastest_engine(backbone, unsaid)
    larger = build_backbone("efficientnet-lite0", 2 * SIZE)
    changed = build_backbone("efficientnet-lite0", SIZE)
    changed.get_layer("stem").bias.assign_add(np.full(32, 1e-3))
    assert openvino_cache.cached_export(backbone)
    assert openvino_cache.cached_export(larger) is None
    assert openvino_cache.cached_export(changed) is None


@pytest.mark.parametrize("damage", [".xml", ".bin", "missing .bin", "other weights"])
def test_a_damaged_export_is_made_again(damage: str, backbone: keras.Model, images: Pixels) -> None:
    expected = fastest_engine(backbone, unsaid)(images)
    kept = openvino_cache.cached_export(backbone)
    assert kept is not None
    weights = kept.with_suffix(".bin")
    match damage:
        case "missing .bin":
            weights.unlink()
        case "other weights":
            weights.write_bytes(bytes(weights.stat().st_size))
        case suffix:
            kept.with_suffix(suffix).write_bytes(b"cut off")
    for _ in range(2):
        engine = fastest_engine(backbone, unsaid)
        assert isinstance(engine, OpenVinoEngine)
        assert engine(images) == pytest.approx(expected, abs=SAME)
    assert weights.stat().st_size > 1_000_000


def test_a_missing_cache_folder_does_not_stop_the_export(
    backbone: keras.Model, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("a file in the folder's place")
    assert isinstance(fastest_engine(backbone, unsaid), OpenVinoEngine)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    assert isinstance(fastest_engine(backbone, unsaid), OpenVinoEngine)


def no_home() -> Path:
    """Raises what pathlib does for a user without a home."""
    raise RuntimeError("Could not determine home directory.")


def test_keras_replaces_a_missing_openvino_and_the_log_says_so(
    backbone: keras.Model, images: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    said: list[str] = []
    engine = fastest_engine(backbone, said.append)
    assert (engine(images) == backbone.predict_on_batch(images)).all()
    (sentence,) = said
    assert sentence.startswith("The network runs with Keras, which is slower")
    assert "openvino" in sentence


def test_an_engine_with_other_features_is_not_used(
    backbone: keras.Model, images: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Rounded(OpenVinoEngine):
        """An engine that computes with 8 bits of precision."""

        def __call__(self, images: Pixels) -> Floats:
            return np.asarray(np.round(super().__call__(images) * 256) / 256, np.float32)

    monkeypatch.setattr(engines, "OpenVinoEngine", Rounded)
    said: list[str] = []
    engine = fastest_engine(backbone, said.append)
    assert (engine(images) == backbone.predict_on_batch(images)).all()
    assert "its numbers differ by" in said[0]


def test_keras_is_used_on_a_graphics_processor(backbone: keras.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    assert fastest_engine(backbone, unsaid) == backbone.predict_on_batch


def test_openvino_sends_no_telemetry(tmp_path: Path) -> None:
    script = "from trainer.inference.openvino_engine import load_openvino; load_openvino().convert_model"
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "TF_BUILD", "JENKINS_URL")}
    environment = {**kept, "HOME": str(tmp_path), "PYTHONPATH": str(CONTAINER)}
    run([sys.executable, "-c", script], env=environment, check=True)
    assert not (tmp_path / "intel").exists()  # where its telemetry keeps the user's ID
