"""Networks with quick gradients compute what Keras's own do."""

from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from trainer.backbones.efficientnet import efficientnet_lite
from trainer.training import quick_gradients
from trainer.training.quick_gradients import FrozenDepthwise, Pointwise, may_be_quick, multiplies_bfloat16, quick

SIDE, LABELS = 64, 3
RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """A pretrained EfficientNet-Lite and a head with random weights; depthwise convolutions are frozen."""
    keras.utils.set_random_seed(5)
    backbone = efficientnet_lite("efficientnet-lite0", SIDE)
    for layer in backbone.layers:
        layer.trainable = not isinstance(layer, keras.layers.DepthwiseConv2D)
    head = keras.Sequential([keras.layers.Dense(LABELS, activation="softmax")], name="classifier")
    return keras.Model(backbone.input, head(backbone.output))


def images(count: int) -> np.ndarray:
    """Soft patches of colour."""
    patches = RNG.integers(0, 256, (count, 6, 6, 3)).astype(np.float32)
    return np.stack([cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for one in patches])


def step(network: keras.Model, inputs: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    """By how much one step of plain gradient descent changes each weight."""
    before = [weights.numpy() for weights in network.trainable_variables]
    network.compile(keras.optimizers.SGD(1.0), keras.losses.CategoricalCrossentropy())
    network.train_on_batch(inputs, targets)
    return [weights.numpy() - old for weights, old in zip(network.trainable_variables, before, strict=True)]


def copied(network: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    for layer, original in zip(copy.layers, network.layers, strict=True):
        layer.trainable = original.trainable
    return copy


def test_answers_and_gradients_are_those_of_the_network(network: keras.Model) -> None:
    made, inputs, targets = quick(copied(network), rounded=False), images(4), np.eye(LABELS)[[0, 1, 2, 0]]

    kinds = [type(layer) for layer in made.layers]
    assert (kinds.count(FrozenDepthwise), kinds.count(Pointwise)) == (16, 32)
    assert made.predict_on_batch(inputs) == pytest.approx(network.predict_on_batch(inputs), abs=1e-4)
    for quickly, slowly in zip(step(made, inputs, targets), step(copied(network), inputs, targets), strict=True):
        assert quickly == pytest.approx(slowly, abs=1e-3 * float(np.abs(slowly).max()) + 1e-9)


def test_rounded_answers_and_gradients_are_near_those_of_the_network(network: keras.Model) -> None:
    made, inputs, targets = quick(copied(network), rounded=True), images(4), np.eye(LABELS)[[0, 1, 2, 0]]

    assert made.predict_on_batch(inputs) == pytest.approx(network.predict_on_batch(inputs), abs=0.1)
    rounded, exact = (
        np.concatenate([change.ravel() for change in step(one, inputs, targets)]) for one in (made, copied(network))
    )
    assert rounded @ exact / (np.linalg.norm(rounded) * np.linalg.norm(exact)) > 0.7


def test_its_weights_fit_the_network(network: keras.Model) -> None:
    made, plain = quick(copied(network), rounded=True), copied(network)
    step(made, images(4), np.eye(LABELS)[[0, 1, 2, 0]])
    plain.set_weights(made.get_weights())
    inputs = images(2)
    assert plain.predict_on_batch(inputs) == pytest.approx(made.predict_on_batch(inputs), abs=0.1)
    assert not np.allclose(plain.predict_on_batch(inputs), network.predict_on_batch(inputs))


def test_accelerators_train_the_network_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert may_be_quick() == (keras.backend.backend() == "tensorflow")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    assert not may_be_quick()


@pytest.mark.parametrize(("flags", "has"), [("fpu amx_bf16 amx_tile", True), ("fpu avx512_bf16", False)])
def test_the_processors_unit_is_known_by_its_flag(
    flags: str, has: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_gradients, "CPUINFO", tmp_path / "cpuinfo")
    assert not multiplies_bfloat16()
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    assert multiplies_bfloat16() is has
