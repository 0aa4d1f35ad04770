"""Warm answers: python -m benchmarks.predictions.warm FOLDER THREADS TIMES IMAGE… prints times by number of views."""

import json
import sys
import time
from pathlib import Path

from predictor.model import OnnxModel, session_of
from predictor.wiring import LIMITS
from trainer.answering.answer import answer_as
from trainer.answering.classification import Classification
from trainer.decoding.images import decode_image, resize
from trainer.decoding.pool import DecoderPool

from .clock import timed

VIEWS = (1, 2, 4, 8)


def main(folder: Path, threads: int, times: int, images: list[Path]) -> None:
    contents = [image.read_bytes() for image in images]
    network = (folder / "model.onnx").read_bytes()
    model = OnnxModel(network, (folder / "model.json").read_bytes())
    model._session = session_of(network, threads)
    size, labels = model.facts.image_size, model.facts.labels
    answers, runs = {}, {}
    with DecoderPool(LIMITS, count=1) as decoders:
        decoders.start()
        classification = Classification(decoders)
        for views in VIEWS:

            def answer(number: int, views: int = views) -> None:
                until = time.monotonic() + 60
                content = contents[number % len(contents)]
                found = classification.answers([content], size, lambda pixels: model.answers(pixels, views), until)
                answer_as("", labels, found)

            answers[views] = timed(answer, times)
    with images[0].open("rb") as file:
        square = resize(decode_image(file), size)[None]
    for views in VIEWS:
        runs[views] = timed(lambda _, views=views: model.answers(square, views), times)  # type: ignore[misc]
    sys.stdout.write(json.dumps({"answers": answers, "runs": runs}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), list(map(Path, sys.argv[4:])))
