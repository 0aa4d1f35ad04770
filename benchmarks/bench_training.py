"""Measures training from raw images to scores, and compares it with the founding article's recipe and plain Keras.

python -m benchmarks.bench_training --images FOLDER --out docs/bench-training.md
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from seedbed.seedlings import SPECIES, write

from .training import ours, report
from .training.jobs import CONTAINER
from .training.results import Results, Speed, Training
from .training.template import default

log = logging.getLogger(__name__)

DRAWN_PER_SPECIES = 60
ENGINES = ("openvino", "onnxruntime", "keras")
PLAIN_NETWORKS = ("MobileNetV2", "EfficientNetV2B0")
TRAINING_SHARE = 0.8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--images", type=Path, help="a folder with one sub-folder per label; by default, drawn seedlings"
    )
    parser.add_argument(
        "--peers-images", type=int, help="images for plain Keras and the founding recipe; by default, one whole epoch"
    )
    parser.add_argument("--fine-tune-epochs", type=int, default=int(default("FineTuneEpochs")))
    parser.add_argument("--out", type=Path, required=True, help="the page to write")
    given = parser.parse_args()
    if not given.out.absolute().parent.is_dir():
        parser.error(f"there is no folder {given.out.parent} to write into")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as scratch:
        images = given.images or _draw(Path(scratch, "drawn"))
        page = report.page(_measure(images, Path(scratch), given))
    given.out.write_text(page, encoding="utf-8")
    sys.stdout.write(page)


def _draw(folder: Path) -> Path:
    log.info("Drawing %d seedlings", DRAWN_PER_SPECIES * len(SPECIES))
    for _ in write(folder, DRAWN_PER_SPECIES):
        pass
    return folder


def _measure(images: Path, scratch: Path, given: argparse.Namespace) -> Results:
    """The short parts run first, so that a part that can't run here fails early."""
    count = sum(1 for _ in images.glob("*/*"))
    log.info("The shortest way to a head")
    shortest = ours.shortest_way(scratch / "shortest", images)
    engines = [Speed(**_run_part("engines", str(images), engine)) for engine in ENGINES]
    size = default("FineTuneSize")
    epoch = str(given.peers_images or int(count * TRAINING_SHARE))
    plain = [Training(**_run_part("plain", str(images), network, size, epoch)) for network in PLAIN_NETWORKS]
    founding = Training(**_run_part("founding", str(images), epoch))
    log.info("The template's way to a head")
    default_way = ours.default_way(scratch / "default", images)
    log.info("Fine-tuning, %d epochs", given.fine_tune_epochs)
    tuned = ours.fine_tuning(scratch / "default", given.fine_tune_epochs)
    return Results(count, given.images is None, shortest, default_way, tuned, engines, plain, founding)


def _run_part(module: str, *arguments: str) -> dict[str, Any]:
    """Runs one part in its own process, and returns the JSON of its last line."""
    log.info("%s %s", module, " ".join(arguments[1:]))
    root = CONTAINER.parent
    paths = os.pathsep.join((str(root), str(CONTAINER)))
    command = [sys.executable, "-m", f"benchmarks.training.{module}", *arguments]
    environment = {**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"The part {module} failed; the lines above say why.")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    main()
