"""The founding article's recipe, step by step, for some images: python -m benchmarks.training.founding FOLDER COUNT

VGG19 has random weights, as no package index has ImageNet's: a step takes as long with any weights.
"""

import sys
import warnings
from itertools import islice
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .projection import BATCH
from .step_clock import StepClock

SIZE = 128
FROZEN_LAYERS = 5
LEARNING_RATE, MOMENTUM = 1e-4, 0.9
AUGMENTATION = {
    "horizontal_flip": True,
    "fill_mode": "nearest",
    "zoom_range": 0.3,
    "width_shift_range": 0.3,
    "height_shift_range": 0.3,
    "rotation_range": 30,
}


def images_in_memory(folder: str, count: int) -> tuple[Any, Any, int]:
    """At most `count` images (n, 128, 128, 3), 0 to 255, their one-hot labels, and how many labels there are."""
    files = keras.utils.image_dataset_from_directory(
        folder, label_mode="categorical", image_size=(SIZE, SIZE), batch_size=None, seed=0, verbose=False
    )
    images, labels = zip(*islice(files.as_numpy_iterator(), count), strict=True)
    return np.stack(images), np.stack(labels), len(files.class_names)


def founding_network(labels: int) -> keras.Model:
    backbone = keras.applications.VGG19(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    for layer in backbone.layers[:FROZEN_LAYERS]:
        layer.trainable = False
    x = keras.layers.Flatten()(backbone.output)
    x = keras.layers.Dense(1024, activation="relu")(x)
    x = keras.layers.Dropout(0.5)(x)
    x = keras.layers.Dense(1024, activation="relu")(x)
    network = keras.Model(backbone.input, keras.layers.Dense(labels, activation="softmax")(x))
    network.compile(keras.optimizers.SGD(LEARNING_RATE, MOMENTUM), "categorical_crossentropy", metrics=["accuracy"])
    return network


def main(folder: str, count: int) -> None:
    warnings.filterwarnings("ignore", "Please import `affine_transform`", DeprecationWarning)
    keras.utils.set_random_seed(0)
    images, targets, labels = images_in_memory(folder, count)
    generator = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255, **AUGMENTATION)
    clock = StepClock()
    founding_network(labels).fit(
        generator.flow(images, targets, batch_size=BATCH, seed=0),
        steps_per_epoch=len(images) // BATCH,
        callbacks=[clock.callback],
        verbose=0,
    )
    clock.print_result("VGG19", BATCH)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
