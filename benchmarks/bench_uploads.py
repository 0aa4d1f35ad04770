"""Uploads ten thousand files through the real local cloud: python -m benchmarks.bench_uploads

The code of `seedbed upload` sends files from disk into the bucket, and a whole run follows.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from seedbed.commands.demo import wait_for_mail
from seedbed.errors import SeedbedError
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.notifications.kept import kept
from seedbed.local_cloud.process import local_cloud
from seedbed.stack import local_stack
from seedbed.upload import files_of, upload
from seedbed.watch.status import follow, next_run

COUNT, LABELS, SIDE = 10_000, 4, 32
PARAMETERS = {"ImageSize": "64", "CachedViews": "1", "TrialCount": "2", "MinimumImages": "40"}
MIB = 1024**2


def draw(folder: Path, count: int) -> None:
    """Writes `count` different small pictures; each label has its colour."""
    chance = np.random.default_rng(1)
    for number in range(count):
        label = number % LABELS
        noise = chance.integers(0, 120, (SIDE, SIDE, 3), np.uint8)
        noise[..., label % 3] += np.uint8(60 + 60 * (label // 3))
        path = folder / f"label {label}" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(noise).save(path)


class Memory(threading.Thread):
    """Records the maximum memory in bytes of the cloud's process, and of it together with its children."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self.ended = threading.Event()
        self.of_the_cloud = self.of_all = 0

    def run(self) -> None:
        """Runs until `ended` is set."""
        while not self.ended.wait(0.5):
            held = [of_process(process) for process in (self._process, *self._process.children(recursive=True))]
            self.of_the_cloud, self.of_all = max(self.of_the_cloud, held[0]), max(self.of_all, sum(held))


def of_process(process: psutil.Process) -> int:
    try:
        held: int = process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
    return held


def measured(home: Home, images: Path) -> Iterator[str]:
    """The lines of the page, as Markdown. Raises SeedbedError if an upload was lost."""
    files = files_of(images)
    with local_cloud(home, PARAMETERS) as cloud:
        stack = local_stack(cloud)
        running = home.running()
        assert running
        memory = Memory(running["pid"])
        memory.start()
        began = time.monotonic()
        for _ in upload(stack, files):
            pass
        uploaded = time.monotonic()
        run_id = next(status.run["run_id"] for status in next_run(stack, ()) if status.run)
        for _ in follow(stack, run_id):
            pass
        wait_for_mail(home)
        mailed = time.monotonic()
        memory.ended.set()
        run, answer = stack.get(f"/runs/{run_id}"), stack.get("/runs")
        check(run, len(files), len(kept(home.mail)), len(answer["runs"]) + (answer["pending"] is not None))
    dataset = run["dataset"]
    named = sum(len(dataset[kind]) + dataset[f"more_{kind}"] for kind in ("duplicates", "near_duplicates", "refused"))
    yield f"# {len(files):,} uploads through the local cloud\n"
    yield "Written by `make bench-uploads`, on the machine's own disk and processors.\n"
    yield "| | |\n| --- | ---: |"
    yield f"| uploads per second | {len(files) / (uploaded - began):,.0f} |"
    yield f"| from the last upload to the e-mail | {mailed - uploaded:.0f} s |"
    yield "| runs | 1 |"
    yield f"| images used; duplicates or refused | {dataset['used']:,}, {named:,} |"
    yield f"| maximum memory of the local cloud | {memory.of_the_cloud / MIB:,.0f} MiB |"
    yield f"| the same with its jobs | {memory.of_all / MIB:,.0f} MiB |"


def check(run: dict[str, Any], sent: int, mails: int, runs: int) -> None:
    if run["state"] != "Completed" or runs != 1 or run["dataset"]["images"] != sent or mails != 1:
        seen = f"{run['dataset']['images']} of {sent} images"
        raise SeedbedError(f"{runs} runs, {mails} e-mails; {run['state']}, {run['reason']}; {seen}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="number of uploads")
    parser.add_argument("--out", type=Path, help="file to write the page to, too")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        images = Path(scratch, "images")
        images.mkdir()
        draw(images, chosen.count)
        page = "\n".join(measured(Home(Path(scratch, "seedbed")), images)) + "\n"
    if chosen.out:
        chosen.out.write_text(page, encoding="utf-8")
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
