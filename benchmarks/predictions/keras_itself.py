"""Keras: python -m benchmarks.predictions.keras_itself FOLDER TIMES IMAGE prints times of one image in one view."""

import json
import sys
from pathlib import Path

from trainer.decoding.images import read_image, resize
from trainer.keras_loader import keras

from .clock import timed


def main(folder: Path, times: int, image: Path) -> None:
    network = keras.saving.load_model(folder / "model.keras", compile=False)
    square = resize(read_image(image), network.input_shape[1])[None]
    took = {
        "predict": timed(lambda _: network.predict(square, verbose=0), times),
        "predict_on_batch": timed(lambda _: network.predict_on_batch(square), times),
    }
    sys.stdout.write(json.dumps(took) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
