"""Exports of a model: each runs in its own runtime, and a format that fails is reported, not raised."""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.children import run
from trainer.archive import Model, sha256_of
from trainer.backbones import build_backbone
from trainer.evaluation.ensemble import combine_members, resize_input
from trainer.evaluation.exports import FORMATS, export
from trainer.keras_loader import keras
from trainer.training.head import build_head
from trainer.training.hyperparameters import Hyperparameters
from trainer.types import Pixels

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

SIZE = 32
LABELS = ["a", "b", "c"]
CONTAINER = Path(__file__).parents[2] / "training_container"


class Exported:
    """A model, photographs, and its exports in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.photos = folder, photos(40)
        self.model = calibrated(build_backbone("efficientnet-lite0", SIZE))
        self.made = {made["format"]: made for made in export(self.model, self.photos, folder / "exports", [*FORMATS])}

    def file(self, name: str) -> Path:
        """The path of a format's export."""
        return self.folder / str(self.made[name]["file"])


def photos(count: int) -> Pixels:
    """Images (count, 32, 32, 3) of coloured blocks, none of them black or white."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(30, 220, (count, 4, 4, 3), np.uint8)
    return coarse.repeat(SIZE // 4, axis=1).repeat(SIZE // 4, axis=2)


def calibrated(backbone: keras.Model) -> Model:
    """A whole model with a random head on the backbone, as evaluate exports it."""
    keras.utils.set_random_seed(3)
    head = build_head(backbone.predict_on_batch(photos(40)), len(LABELS), Hyperparameters(dropout=0.9))
    return whole(combine_members([whole(keras.Model(backbone.input, head(backbone.output)))], temperature=1.3))


def whole(network: keras.Model) -> Model:
    return Model(network, {}, LABELS, network.input_shape[1])


def tiny_backbone() -> keras.Model:
    images = keras.Input((SIZE, SIZE, 3), name="images")
    x = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(images))
    return keras.Model(images, keras.layers.GlobalAveragePooling2D()(x))


def tensorflow() -> Any:
    """TensorFlow, as Keras has loaded it: loaded first, it takes three times as long."""
    import tensorflow as tf  # noqa: PLC0415

    return tf


def interpreter(path: Path) -> Any:
    """TensorFlow's own for a LiteRT model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the interpreter moves to another package
        return tensorflow().lite.Interpreter(str(path))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The pretrained network in every format."""
    return Exported(tmp_path_factory.mktemp("exported"))


@pytest.mark.parametrize("name", ["saved_model", "litert", "onnx"])
def test_a_floating_point_format_gives_the_same_as_keras(exported: Exported, name: str) -> None:
    made = exported.made[name]
    assert made["largest_difference"] < 1e-4
    assert made["agreement"] == 1


def test_int8_is_a_third_of_the_size_and_close_to_the_model(exported: Exported) -> None:
    """The agreement may be low, as a random head has a low confidence in every label."""
    small, full = exported.made["litert_int8"], exported.made["litert"]
    assert small["bytes"] < full["bytes"] / 3
    assert 0 < small["largest_difference"] < 0.25
    assert 0.5 < small["agreement"] <= 1


def test_int8_takes_the_bytes_of_an_image_unchanged(exported: Exported) -> None:
    model = interpreter(exported.file("litert_int8"))
    (takes,), (gives,) = model.get_input_details(), model.get_output_details()
    assert (takes["dtype"], takes["quantization"]) == (np.uint8, (1.0, 0))
    assert gives["dtype"] == np.float32


def test_int8_computes_in_integers_from_end_to_end(exported: Exported) -> None:
    model = interpreter(exported.file("litert_int8"))
    model.allocate_tensors()
    floats = [tensor["name"] for tensor in model.get_tensor_details() if tensor["dtype"] == np.float32]
    assert floats == [model.get_output_details()[0]["name"]]


def test_the_entries_have_the_sizes_of_their_files(exported: Exported) -> None:
    for name, made in exported.made.items():
        path = exported.file(name)
        files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
        assert made["bytes"] == sum(file.stat().st_size for file in files)
        assert made["file"].startswith("exports/")
        assert made["files"] == {file.relative_to(exported.folder).as_posix(): sha256_of(file) for file in files}


def test_a_saved_model_holds_each_weight_once(exported: Exported) -> None:
    assert exported.made["saved_model"]["bytes"] < 4.5 * exported.model.network.count_params()


def test_an_export_takes_any_number_of_images_at_a_time(exported: Exported) -> None:
    pixels = exported.photos[:3].astype(np.float32)
    expected = exported.model.network.predict_on_batch(pixels)
    session = onnxruntime.InferenceSession(str(exported.file("onnx")))
    served = tensorflow().saved_model.load(str(exported.file("saved_model")))
    for count in (1, 3):
        (answers,) = session.run(None, {"images": pixels[:count]})
        assert answers == pytest.approx(expected[:count], abs=1e-4)
        assert served.serve(pixels[:count]).numpy() == pytest.approx(expected[:count], abs=1e-4)


def test_exporting_leaves_the_sample_unchanged(exported: Exported) -> None:
    assert np.array_equal(exported.photos, photos(40))


def test_an_average_of_two_networks_is_exported_as_one(tmp_path: Path) -> None:
    members = []
    for _ in range(2):
        backbone = tiny_backbone()
        head = keras.layers.Dense(len(LABELS), activation="softmax")
        members.append(whole(keras.Model(backbone.input, head(backbone.output))))
    made = export(whole(combine_members(members, 0.7)), photos(8), tmp_path / "exports", [*FORMATS])
    assert [entry["format"] for entry in made] == [*FORMATS]
    assert all("error" not in entry for entry in made)


def test_a_layer_that_holds_constants_can_be_exported(tmp_path: Path) -> None:
    images = keras.Input((SIZE, SIZE, 3), name="images")
    x = keras.layers.Normalization(mean=[0.4, 0.5, 0.6], variance=[0.1, 0.2, 0.3])(
        keras.layers.Rescaling(1 / 255)(images)
    )
    model = calibrated(keras.Model(images, keras.layers.GlobalAveragePooling2D()(x)))
    for entry in export(model, photos(8), tmp_path / "exports", ["saved_model", "litert", "onnx"]):
        assert entry["largest_difference"] < 1e-4


def test_an_unknown_format_is_reported_and_the_others_are_made(tmp_path: Path) -> None:
    unknown, made = export(calibrated(tiny_backbone()), photos(8), tmp_path / "exports", ["coreml", "onnx"])
    assert unknown == {
        "format": "coreml",
        "error": "The format is unknown: choose from saved_model, litert, litert_int8, onnx.",
    }
    assert made["agreement"] == 1


def test_an_unsupported_operation_is_reported_and_leaves_no_file(tmp_path: Path) -> None:
    scaled = resize_input(calibrated(tiny_backbone()), 48)
    sample = photos(8).repeat(2, axis=1).repeat(2, axis=2)[:, :48, :48]
    made, litert, onnx = export(scaled, sample, tmp_path / "exports", ["saved_model", "litert", "onnx"])
    assert made["largest_difference"] < 1e-4
    for failed in (litert, onnx):
        assert set(failed) == {"format", "error"}
        assert failed["error"].startswith("It could not be made: ")
        assert "\n" not in failed["error"]
        assert len(failed["error"]) < 250
    assert [path.name for path in (tmp_path / "exports").iterdir()] == ["saved_model"]


def test_a_network_whose_outputs_are_not_numbers_is_not_exported(tmp_path: Path) -> None:
    model = calibrated(tiny_backbone())
    model.network.set_weights([np.full_like(weights, np.nan) for weights in model.network.get_weights()])
    (failed,) = export(model, photos(8), tmp_path / "exports", ["onnx"])
    assert failed["error"] == "It could not be made: its outputs are not numbers."


def test_nothing_is_written_without_formats(tmp_path: Path) -> None:
    assert export(calibrated(tiny_backbone()), photos(8), tmp_path / "exports", []) == []
    assert not list(tmp_path.iterdir())


def test_exporting_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    export(calibrated(tiny_backbone()), photos(8), tmp_path / "exports", [*FORMATS])
    assert capfd.readouterr() == ("", "")


WITH_JAX = """
import json, sys
from pathlib import Path
import numpy as np
from trainer.archive import Model
from trainer.evaluation.exports import FORMATS, export
from trainer.keras_loader import keras
images = keras.Input((32, 32, 3), name="images")
network = keras.Model(images, keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(images)))
sample = np.zeros((4, 32, 32, 3), np.uint8)
print(json.dumps(export(Model(network, {}, ["a", "b", "c"], 32), sample, Path(sys.argv[1]), [*FORMATS])))
"""


def test_jax_reports_the_formats_that_need_tensorflow(tmp_path: Path) -> None:
    done = run(
        [sys.executable, "-c", WITH_JAX, tmp_path / "exports"],
        cwd=CONTAINER,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        check=True,
    )
    made, *others = json_of(done.stdout)
    assert made["largest_difference"] < 1e-4
    assert {other["error"] for other in others} == {
        "This format needs another Keras backend: set KERAS_BACKEND=tensorflow."
    }
    assert done.stderr == ""


def json_of(output: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(output)
    return read
