"""Fine-tuning as Keras's own guides do it: python -m benchmarks.training.plain FOLDER NETWORK SIZE COUNT

A class of keras.applications on keras.utils.image_dataset_from_directory, with augmentation layers. The weights are
random, as no package index has ImageNet's: a step takes as long with any weights.
"""

import sys

import keras
import tensorflow as tf

from .step_clock import StepClock

BATCH = 32
LEARNING_RATE = 1e-5


def plain_network(name: str, size: int, labels: int) -> keras.Model:
    """Images 0 to 255 → probabilities; batch normalisations keep their statistics."""
    backbone = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(size, size, 3))
    images = keras.Input((size, size, 3))
    x = keras.layers.RandomFlip()(images)
    x = keras.layers.RandomRotation(0.1)(x)
    if name == "MobileNetV2":  # EfficientNetV2 rescales by itself
        x = keras.layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = keras.layers.GlobalAveragePooling2D()(backbone(x, training=False))
    x = keras.layers.Dropout(0.2)(x)
    network = keras.Model(images, keras.layers.Dense(labels, activation="softmax")(x))
    network.compile(keras.optimizers.Adam(LEARNING_RATE), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def main(folder: str, name: str, size: int, count: int) -> None:
    keras.utils.set_random_seed(0)
    split = keras.utils.image_dataset_from_directory(
        folder,
        image_size=(size, size),
        batch_size=BATCH,
        validation_split=0.2,
        subset="training",
        seed=0,
        verbose=False,
    )
    clock = StepClock()
    images = split.take(min(count, len(split.file_paths)) // BATCH).prefetch(tf.data.AUTOTUNE)
    plain_network(name, size, len(split.class_names)).fit(images, callbacks=[clock.callback], verbose=0)
    clock.print_result(name, BATCH)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
