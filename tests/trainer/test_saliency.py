"""Heat maps show the evidence for one label over another."""

import numpy as np
import pytest

from trainer.evaluation.saliency import BATCH, heat_maps
from trainer.keras_loader import keras
from trainer.types import Pixels

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

SIZE, PLACES = 16, 4
RED, GREEN, NOTHING = 0, 1, 2


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """A network with the amounts of red and green as logits, and a third label without evidence."""
    images = keras.Input((SIZE, SIZE, 3))
    pooled = keras.layers.AveragePooling2D(SIZE // PLACES)(images)
    logits = keras.layers.Dense(3)
    model = keras.Model(images, logits(keras.layers.GlobalAveragePooling2D()(pooled)))
    logits.set_weights([np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32), np.zeros(3, np.float32)])
    return model


def red_above_green(count: int = 1) -> Pixels:
    images = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    images[:, : SIZE // 2, :, RED] = 200
    images[:, SIZE // 2 :, :, GREEN] = 200
    return images


def numbers(*labels: int) -> np.ndarray:
    return np.array(labels, np.int32)


def test_evidence_for_the_label_glows_and_the_rest_is_dark(network: keras.Model) -> None:
    (heat,) = heat_maps(network, red_above_green(), numbers(RED), numbers(GREEN))
    assert heat.shape == (PLACES, PLACES)
    assert heat[: PLACES // 2] == pytest.approx(1)
    assert heat[PLACES // 2 :] == pytest.approx(0)


def test_swapped_labels_make_the_other_half_glow(network: keras.Model) -> None:
    (heat,) = heat_maps(network, red_above_green(), numbers(GREEN), numbers(RED))
    assert heat[: PLACES // 2] == pytest.approx(0)
    assert heat[PLACES // 2 :] == pytest.approx(1)


def test_a_label_without_evidence_has_a_dark_map_without_nans(network: keras.Model) -> None:
    (heat,) = heat_maps(network, red_above_green(), numbers(NOTHING), numbers(RED))
    assert (heat == 0).all()


def test_each_image_has_its_own_map_beyond_one_batch(network: keras.Model) -> None:
    images = red_above_green(BATCH + 3)
    images[1::2] = images[1::2, ::-1]
    truth = numbers(*[GREEN] * len(images))
    heats = heat_maps(network, images, numbers(*[RED] * len(images)), truth)
    assert heats.shape == (len(images), PLACES, PLACES)
    assert heats.dtype == np.float32
    assert heats[0::2, 0] == pytest.approx(1)
    assert heats[1::2, -1] == pytest.approx(1)
    assert heats[1::2, 0] == pytest.approx(0)


def test_dropout_does_not_blur_the_map() -> None:
    images = keras.Input((SIZE, SIZE, 3))
    maps = keras.layers.Conv2D(4, 3, strides=4, activation="relu")(images)
    dropped = keras.layers.Dropout(0.5)(keras.layers.GlobalAveragePooling2D()(maps))
    dropping = keras.Model(images, keras.layers.Dense(3)(dropped))
    photos = np.random.default_rng(1).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    first, second = (heat_maps(dropping, photos, numbers(0, 1), numbers(1, 2)) for _ in range(2))
    assert np.array_equal(first, second)
    assert first.max() == pytest.approx(1)
