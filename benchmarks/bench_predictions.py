"""Measures POST /predictions: cold start, warm answers by views, beside Keras, and that the answers are the same.

python -m benchmarks.bench_predictions --images FOLDER --out docs/bench-predictions.md
"""

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from predictor.model import OnnxModel
from seedbed.seedlings import SPECIES, write
from trainer.keras_loader import keras

from .machine import processor
from .predictions import model as measured_model
from .predictions.clock import Times
from .predictions.model import Photographs
from .predictions.page import Results, page

log = logging.getLogger(__name__)
ROOT = Path(__file__).parents[1]
DRAWN_PER_SPECIES = 40
COLD_STARTS, ASKED_WITH = 7, 50
THREADS = (1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="a folder with one sub-folder per label; by default, drawn ones")
    parser.add_argument("--most", type=int, default=3000, help="how many images to fit and to compare on, about")
    parser.add_argument("--times", type=int, default=300, help="how often each answer is timed")
    parser.add_argument("--out", type=Path, required=True, help="the page to write")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as scratch:
        images = given.images or drawn(Path(scratch, "drawn"))
        text = page(results(images, Path(scratch), given))
    given.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def drawn(folder: Path) -> Path:
    for _ in write(folder, DRAWN_PER_SPECIES):
        pass
    log.info("Drew %d seedlings", DRAWN_PER_SPECIES * len(SPECIES))
    return folder


def results(images: Path, scratch: Path, given: argparse.Namespace) -> Results:
    """All measurements, each in a process of its own, one after another."""
    folder = scratch / "model"
    folder.mkdir()
    photographs = measured_model.make(images, folder, given.most)
    first, *_ = files = [str(file) for file in photographs.files[:ASKED_WITH]]
    log.info("Cold starts")
    cold = [child("cold", folder, first) for _ in range(COLD_STARTS)]
    log.info("Warm answers")
    warm = {threads: child("warm", folder, threads, given.times, *files) for threads in THREADS}
    log.info("Keras")
    by_keras = {
        threads: child("keras_itself", folder, given.times, first, TF_NUM_INTRAOP_THREADS=threads)
        for threads in THREADS
    }
    log.info("Equal answers")
    differs, agreement, accuracies = compared(folder, photographs)
    return Results(
        real=given.images is not None,
        machine=f"{os.cpu_count()} cores of {processor()}, Python {platform.python_version()}",
        load=os.getloadavg()[0],
        network_bytes=(folder / "model.onnx").stat().st_size,
        cold=cold,
        answers={threads: times(found["answers"]) for threads, found in warm.items()},
        runs={threads: times(found["runs"]) for threads, found in warm.items()},
        keras={threads: times(found) for threads, found in by_keras.items()},
        photographs=len(photographs.files),
        largest_difference=differs,
        agreement=agreement,
        accuracies=accuracies,
    )


def times(found: dict[str, Any]) -> dict[str, Times]:
    return {name: Times(*measured) for name, measured in found.items()}


def child(name: str, *arguments: object, **variables: object) -> Any:
    """What a module of predictions/ prints, run in a process of its own with these environment variables too."""
    paths = [str(ROOT / folder) for folder in ("predictions", "functions", "training_container", ".")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "AWS_DEFAULT_REGION": "us-east-1"}
    environment |= {name: str(value) for name, value in variables.items()}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.predictions.{name}", *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def compared(folder: Path, photographs: Photographs) -> tuple[float, float, tuple[float, float]]:
    """The largest difference of a probability, the share of equal labels, and both accuracies, Keras's first."""
    network = keras.saving.load_model(folder / "model.keras", compile=False)
    model = OnnxModel((folder / "model.onnx").read_bytes(), (folder / "model.json").read_bytes())
    starts = range(0, len(photographs.pixels), 32)
    batches = [photographs.pixels[start : start + 32] for start in starts]
    one = np.concatenate([network.predict_on_batch(batch) for batch in batches])
    other = np.concatenate([model.answers(batch, 1).probabilities for batch in batches])
    agreement = float((one.argmax(axis=1) == other.argmax(axis=1)).mean())
    scored = [float((each.argmax(axis=1) == photographs.truth).mean()) for each in (one, other)]
    return float(np.abs(one - other).max()), agreement, (scored[0], scored[1])


if __name__ == "__main__":
    main()
