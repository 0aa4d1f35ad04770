"""Pretrained networks: their features, their weights, and the messages if weights are missing."""

import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.conftest import run_script
from trainer.backbones import applications, build_backbone
from trainer.backbones.efficientnet import ROOT_OFFSET
from trainer.errors import BadInput
from trainer.keras_loader import keras

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

SIZE = 64
Y, X = np.mgrid[:SIZE, :SIZE]
PATTERN = np.stack([X * 4, Y * 4, X * Y % 256], axis=-1).astype(np.uint8)[None]


def application(name: str) -> keras.Model:
    """Keras's own application, with random weights."""
    keras.utils.set_random_seed(1)
    return getattr(keras.applications, name)(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), pooling="avg"
    )


def as_keras_would(name: str, network: keras.Model) -> np.ndarray:
    """Features of the pattern by Keras's application with its own preprocessing."""
    module = sys.modules[getattr(keras.applications, name).__module__]
    features: np.ndarray = network.predict_on_batch(module.preprocess_input(PATTERN.astype(np.float32)))
    return features


@pytest.mark.parametrize(
    ("name", "width", "head_means"),
    [  # from an independent conversion with separate normalisations
        ("lite0", 9584, [1.0483, 1.1797, 1.0585, 0.8616, 1.0878, 1.0825, 1.0994, 0.8671]),
        ("lite1", 11888, [0.6743, 0.702, 0.6258, 0.7955, 0.829, 0.8709, 0.7976, 0.9482]),
        ("lite2", 12800, [0.848, 0.9357, 0.9581, 0.8747, 0.9887, 0.9099, 0.847, 1.0159]),
    ],
)
def test_the_lite_networks_give_the_features_of_their_checkpoints(
    name: str, width: int, head_means: list[float]
) -> None:
    features = build_backbone(f"efficientnet-{name}", SIZE).predict_on_batch(PATTERN)
    assert features.shape == (1, width)
    assert features.min() >= 0
    assert features.max() <= 2.45
    head = features[0, -1280:] ** 2 - ROOT_OFFSET
    assert head.reshape(8, 160).mean(axis=1) == pytest.approx(head_means, abs=1e-3)


@pytest.mark.parametrize("name", ["efficientnet-lite2", "VGG16", "ConvNeXtTiny", "EfficientNetB0"])
def test_a_backbone_is_frozen_and_loads_with_keras_alone(name: str, tmp_path: Path) -> None:
    if name in applications.APPLICATIONS:
        application(name).save_weights(tmp_path / f"{name}.weights.h5")
    backbone = build_backbone(name, SIZE, tmp_path)
    assert backbone.trainable_variables == []
    assert {type(layer).__module__.split(".")[0] for layer in backbone.layers} == {"keras"}
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.saving.load_model(tmp_path / "backbone.keras", safe_mode=True)
    assert loaded.predict_on_batch(PATTERN) == pytest.approx(backbone.predict_on_batch(PATTERN), rel=1e-4, abs=1e-5)


def test_jax_gives_the_features_that_tensorflow_gives(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", PATTERN)
    script = """
import numpy as np
from trainer.backbones import build_backbone
from trainer.keras_loader import keras
assert keras.backend.backend() == "jax"
np.save("features.npy", build_backbone("efficientnet-lite0", 64).predict_on_batch(np.load("images.npy")))
"""
    run_script(script, tmp_path, KERAS_BACKEND="jax")
    features = build_backbone("efficientnet-lite0", SIZE).predict_on_batch(PATTERN)
    assert np.load(tmp_path / "features.npy") == pytest.approx(features, abs=1e-4)


@pytest.mark.parametrize("name", ["VGG16", "MobileNetV2", "DenseNet121", "MobileNetV3Small"])
def test_a_backbone_includes_the_applications_preprocessing(name: str, tmp_path: Path) -> None:
    network = application(name)
    network.save_weights(tmp_path / f"{name}.weights.h5")
    features = build_backbone(name, SIZE, tmp_path).predict_on_batch(PATTERN)
    expected = as_keras_would(name, network)
    assert features == pytest.approx(expected, rel=1e-3, abs=1e-4 * float(np.abs(expected).max()))


def test_efficientnet_divides_by_the_deviations_of_its_imagenet_weights(tmp_path: Path) -> None:
    network = application("EfficientNetB0")
    mean, deviations = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    (normalisation,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Normalization))
    normalisation.set_weights([mean, deviations, np.array(0)])  # the file has deviations in place of variances
    network.save_weights(tmp_path / "EfficientNetB0.weights.h5")
    backbone = build_backbone("EfficientNetB0", SIZE, tmp_path)
    (layer,) = (layer for layer in backbone.layers if isinstance(layer, keras.layers.Normalization))
    normalised = keras.Model(backbone.input, layer.output).predict_on_batch(PATTERN)
    assert normalised == pytest.approx((PATTERN / 255 - mean) / deviations, abs=1e-4)


@pytest.mark.parametrize("file", ["mobilenet_1_0_224_tf_no_top.h5", "MobileNet.keras", "deep/er/mobilenet.weights.h5"])
def test_a_weights_file_is_found_by_its_name(file: str, tmp_path: Path) -> None:
    network = application("MobileNet")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    if file.endswith(".weights.h5"):
        network.save_weights(tmp_path / file)
    else:
        network.save(tmp_path / file)
    (tmp_path / "a_mobilenet_v2_weights_no_top.h5").write_bytes(b"of another network")
    (tmp_path / "a_mobilenet.txt").write_text("notes")
    features = build_backbone("MobileNet", SIZE, tmp_path).predict_on_batch(PATTERN)
    assert features == pytest.approx(as_keras_would("MobileNet", network), rel=1e-3, abs=1e-4)


def test_damaged_or_foreign_weights_are_refused_by_file_name(tmp_path: Path) -> None:
    application("MobileNetV2").save_weights(tmp_path / "vgg16.weights.h5")
    for content in (None, b"", b"\x89HDF\r\n\x1a\n" + bytes(100)):
        if content is not None:
            (tmp_path / "vgg16.weights.h5").write_bytes(content)
        with pytest.raises(BadInput, match=r"vgg16\.weights\.h5 don't fit VGG16: .* without its top"):
            build_backbone("VGG16", SIZE, tmp_path)


@pytest.mark.parametrize("name", ["", "resnet", "keras", "backend", "__loader__", "vgg16", "efficientnet-lite3"])
def test_an_unknown_backbone_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(BadInput, match=r"No backbone is named .*efficientnet-lite2 .*EfficientNetV2B0"):
        build_backbone(name, SIZE)


def test_an_image_size_too_small_for_the_network_is_refused() -> None:
    with pytest.raises(BadInput, match="InceptionV3 can't take images as small as 64 pixels"):
        build_backbone("InceptionV3", SIZE)


OFFLINE = """
from pathlib import Path
from trainer.backbones import applications, build_backbone
from trainer.backbones.efficientnet import ROOT_OFFSET
from trainer.errors import BadInput
applications.NETWORK_SECONDS = 0.2
try:
    build_backbone("VGG16", 64, Path("pretrained"))
except BadInput as sentence:
    print(sentence)
"""


@pytest.mark.parametrize("network", ["refuses", "never answers"])
def test_a_failed_download_names_where_weights_go(network: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = f"http://127.0.0.1:{server.getsockname()[1]}"
        if network == "refuses":
            server.close()
        environment = {"https_proxy": proxy, "no_proxy": "", "KERAS_HOME": str(tmp_path / "keras")}
        (tmp_path / "pretrained").mkdir()
        said = run_script(OFFLINE, tmp_path, **environment)
    assert "weights of VGG16 can't be downloaded: put a file VGG16.weights.h5" in said.splitlines()[-1]
    assert "into the channel pretrained" in said
    assert not list((tmp_path / "keras").rglob("*.h5"))
