"""A cold start: python -m benchmarks.predictions.cold FOLDER IMAGE prints milliseconds from the process's start on."""

import json
import sys
import time
from pathlib import Path

BEGAN = time.perf_counter()


def main(folder: Path, image: Path) -> None:
    """Do what the function does for its first request, without its calls to AWS."""
    from predictor import wiring  # noqa: PLC0415 - the import is what is measured
    from predictor.model import OnnxModel  # noqa: PLC0415
    from trainer.answering.answer import answer_as  # noqa: PLC0415
    from trainer.answering.classification import Classification  # noqa: PLC0415

    imported = time.perf_counter()
    decoders = wiring.decoders()
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    started = ThreadPoolExecutor(1).submit(decoders.start)
    for name in ("s3", "dynamodb"):
        wiring.client(name)
    clients = time.perf_counter()
    model = OnnxModel((folder / "model.onnx").read_bytes(), (folder / "model.json").read_bytes())
    loaded = time.perf_counter()
    started.result()
    facts = model.facts
    answers = Classification(decoders).answers(
        [image.read_bytes()], facts.image_size, lambda pixels: model.answers(pixels, 1), time.monotonic() + 60
    )
    answer_as("", facts.labels, answers)
    answered = time.perf_counter()
    steps = {"import": imported, "clients": clients, "model": loaded, "first answer": answered}
    sys.stdout.write(json.dumps({name: (at - BEGAN) * 1000 for name, at in steps.items()}) + "\n")
    decoders.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
