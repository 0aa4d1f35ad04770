"""Trains a small Keras CNN on the images of channel `train`, and prints its accuracy on those of channel `test`.

Each channel is a folder of images, one sub-folder a label. Beside the model it keeps the labels, in their order.
"""

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

ML = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
SIZE = 64


def images(channel: str, batch_size: int) -> Any:
    return keras.utils.image_dataset_from_directory(
        ML / "input/data" / channel,
        label_mode="categorical",
        image_size=(SIZE, SIZE),
        batch_size=batch_size,
        seed=0,
        verbose=False,
    )


def network(labels: int, learning_rate: float) -> Any:
    layers: list[Any] = [keras.Input((SIZE, SIZE, 3)), keras.layers.Rescaling(1 / 255), keras.layers.RandomFlip()]
    for filters in (16, 32, 64):
        layers += [keras.layers.Conv2D(filters, 3, padding="same", activation="relu"), keras.layers.MaxPooling2D()]
    layers += [keras.layers.Flatten(), keras.layers.Dropout(0.3), keras.layers.Dense(labels, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(learning_rate), "categorical_crossentropy", metrics=["accuracy"])
    return model


class Epochs(keras.callbacks.Callback):  # type: ignore[misc]
    """Prints both accuracies after each epoch, in words that the objective metric's regular expression leaves alone."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        print(f"epoch {epoch + 1}: train {logs['accuracy']:.4f}, test {logs['val_accuracy']:.4f}", flush=True)


def main() -> None:
    given = json.loads((ML / "input/config/hyperparameters.json").read_text())
    keras.utils.set_random_seed(0)
    training, test = (images(channel, int(given["batch_size"])) for channel in ("train", "test"))
    model = network(len(training.class_names), float(given["learning_rate"]))
    model.fit(
        training, validation_data=test, epochs=int(given["epochs"]), callbacks=[Epochs()], shuffle=False, verbose=0
    )
    loss, accuracy = model.evaluate(test, verbose=0)
    print(f"loss: {loss:.4f} - accuracy: {accuracy:.4f}")
    model.save(ML / "model/seedlings.keras")
    (ML / "model/labels.json").write_text(json.dumps(training.class_names), encoding="utf-8")


if __name__ == "__main__":
    main()
