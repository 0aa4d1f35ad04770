"""Measures what an image costs at two sizes of a dataset: python -m benchmarks.bench_scale --out docs/bench-scale.md

It works in a temporary folder, below TMPDIR, that is deleted at its end, also if it is interrupted.
"""

import argparse
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from trainer.files import list_files

from .scale.images import draw, make_images
from .scale.page import Measured, page, verdicts
from .scale.stages import Dataset, TwoHosts
from .training.template import backbone

log = logging.getLogger(__name__)

SIZES, SAMPLE, VIEWS, IMAGE_SIZE = [10_000, 100_000], 5_000, 2, 224
FEATURE_BYTES = 9_584 * 2
"""Of one view."""
TRAINED = 0.7
OTHER_BYTES = 40_000
"""An image, its photograph in the pack, and what is known of it."""
FIXED_BYTES = 2 * 10**9


def main() -> None:
    chosen = _arguments()
    sizes = sorted(chosen.sizes)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, _interrupted)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as scratch:
        check_disk(Path(scratch), sizes[-1], chosen.views)
        photographs = chosen.images or _drawn(Path(scratch))
        measured, hosts = _measure(photographs, Path(scratch), sizes, chosen)
        described = {
            "load": load,
            "photographs": len(list_files(photographs)),
            "kind": "photographs" if chosen.images else "drawn seedlings",
            "views": chosen.views,
            "size": chosen.image_size,
            "sample": chosen.sample,
        }
    text = "".join(page(described, measured, hosts))
    chosen.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    if not all(verdict.holds for verdict in verdicts(measured[0], measured[-1])):
        raise SystemExit("An image costs more in the larger dataset: the table above says in which stage.")


def check_disk(folder: Path, images: int, views: int) -> None:
    """SystemExit with a sentence if the disk has too little space for so many images."""
    needed = space_for(images, views)
    free = shutil.disk_usage(folder).free
    log.info("It needs %.1f GB below %s, where %.1f GB are free.", needed / 1e9, folder.parent, free / 1e9)
    if free < needed:
        raise SystemExit(
            f"The benchmark needs {needed / 1e9:.1f} GB below {folder.parent}, and {free / 1e9:.1f} GB are free: "
            "free some, name another disk's folder in TMPDIR, or give smaller --sizes."
        )


def space_for(images: int, views: int) -> int:
    """The bytes on disk for so many images."""
    features = FEATURE_BYTES * (TRAINED * views + 1 - TRAINED)
    return int(FIXED_BYTES + images * (OTHER_BYTES + features))


def _measure(
    photographs: Path, scratch: Path, sizes: Sequence[int], chosen: argparse.Namespace
) -> tuple[list[Measured], TwoHosts | None]:
    measured, hosts = [], None
    for count in sizes:
        log.info("%s images: making them", f"{count:,}")
        work = scratch / str(count)
        make_images(photographs, work / "images", count)
        dataset = Dataset(work / "images", count, work, backbone(), _preparing(chosen), chosen.sample)
        if count == sizes[0] and chosen.hosts:
            hosts = dataset.two_hosts()
        stages = dataset.stages()
        measured.append(Measured(count, dataset.used(), stages))
        shutil.rmtree(work)
    return measured, hosts


def _preparing(chosen: argparse.Namespace) -> list[str]:
    options = {"--image-size": chosen.image_size, "--views": chosen.views, "--backbones": backbone()}
    return [str(word) for option in options.items() for word in option]


def _drawn(scratch: Path) -> Path:
    log.info("Drawing seedlings")
    draw(scratch / "drawn")
    return scratch / "drawn"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="a folder with one sub-folder per label; default: drawn seedlings")
    parser.add_argument("--sizes", type=int, nargs=2, default=SIZES, help="numbers of images")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="training images that heads are tuned on")
    parser.add_argument("--views", type=int, default=VIEWS, help="cached views of a training image")
    parser.add_argument("--image-size", type=int, default=IMAGE_SIZE, help="side in pixels")
    parser.add_argument("--one-host", dest="hosts", action="store_false", help="leave out prepare on two hosts")
    parser.add_argument("--out", type=Path, required=True, help="the page to write")
    chosen = parser.parse_args()
    if not hasattr(os, "sched_setaffinity"):
        parser.error("memory and processors are measured as Linux shows them: run it there")
    if chosen.images and not chosen.images.is_dir():
        parser.error(f"there is no folder {chosen.images}")
    if not chosen.out.absolute().parent.is_dir():
        parser.error(f"there is no folder {chosen.out.parent} to write into")
    return chosen


def _interrupted(*_: object) -> NoReturn:
    raise SystemExit("The benchmark was interrupted; its folder is deleted.")


if __name__ == "__main__":
    main()
