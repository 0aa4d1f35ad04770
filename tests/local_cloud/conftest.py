"""The real local cloud with small images, so that a whole run takes seconds."""

import io
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.notifications.kept import kept
from seedbed.local_cloud.process import local_cloud
from seedbed.stack import Stack, local_stack
from tests.children import wait_until_gone
from tests.waiting import jobs_progress, wait_for

LITTLE = {
    "QuietPeriodSeconds": "3",
    "MinimumImages": "40",
    "MinimumImagesPerLabel": "8",
    "ImageSize": "64",
    "CachedViews": "1",
    "TrialCount": "4",
    "HeadsPerJob": "2",
    "ParallelTrials": "2",
}
COLOURS = {
    "Maize": (60, 160, 40),
    "Common wheat": (170, 150, 60),
    "Fat Hen": (70, 90, 170),
    "Küchen#schelle": (150, 60, 150),
}


def photograph(label: str, number: int) -> bytes:
    """A small PNG in its label's colour; every number is another image."""
    rng = np.random.default_rng(number)
    noise = rng.normal(COLOURS[label], 40, (32, 32, 3)).clip(0, 255)
    packed = io.BytesIO()
    Image.fromarray(noise.astype(np.uint8)).save(packed, "PNG")
    return packed.getvalue()


def progress_in(home: Home) -> object:
    """What changes while a home's cloud gets on with a run: its jobs, what they left in the bucket, and its e-mails."""
    kept = [sorted(files) for place in ("s3", "mail") for _, _, files in os.walk(home.path / place)]
    return jobs_progress(home.path / "sagemaker"), kept


@dataclass
class LittleCloud:
    """A running local cloud, and what users do with it."""

    home: Home
    stack: Stack
    sent: set[str] = field(default_factory=set)

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for the first true result of `condition`, as long as the cloud makes progress."""
        return wait_for(condition, what, partial(progress_in, self.home), pause=0.2)

    def put(self, key: str, body: bytes) -> None:
        """Upload one object."""
        self.stack.client("s3").put_object(Bucket=self.stack.bucket, Key=key, Body=body)

    def put_images(self, numbers: range) -> None:
        """Upload images of all labels, with characters in their keys that are hard to handle."""
        s3 = self.stack.client("s3")
        labels = list(COLOURS)
        for number in numbers:
            label = labels[number % len(labels)]
            key = f"seedlings/{label}/a+b 100% nº{number} #ü.png"
            s3.put_object(Bucket=self.stack.bucket, Key=key, Body=photograph(label, number))

    def runs(self) -> list[dict[str, Any]]:
        """All runs, oldest first."""
        return list(reversed(self.stack.get("/runs")["runs"]))

    def ended_runs(self, count: int) -> list[dict[str, Any]]:
        """All runs once `count` of them have ended and nothing waits."""
        ended = {"Completed", "Failed", "Stopped", "Refused"}

        def all_ended() -> list[dict[str, Any]]:
            answer = self.stack.get("/runs")
            settled = answer["pending"] is None and all(run["state"] in ended for run in answer["runs"])
            return answer["runs"] if settled and len(answer["runs"]) >= count else []

        return list(reversed(self.wait_for(all_ended, f"{count} ended runs")))

    def mails(self, count: int) -> list[Any]:
        """The e-mails, once there are `count`."""
        self.wait_for(lambda: len(kept(self.home.mail)) >= count, f"{count} e-mails")
        return kept(self.home.mail)


@contextmanager
def up(home: Home, parameters: Mapping[str, str] = LITTLE) -> Iterator[LittleCloud]:
    """A local cloud that serves a home while the block runs."""
    with local_cloud(home, parameters) as answers:
        yield LittleCloud(home, local_stack(answers))


def kill(home: Home) -> None:
    """Kill the cloud's process, and wait until all processes that it started have ended."""
    cloud = home.running()
    assert cloud
    process = psutil.Process(cloud["pid"])
    family = [process, *process.children(recursive=True)]
    os.kill(process.pid, signal.SIGKILL)
    wait_until_gone(family)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LittleCloud]:
    """A local cloud of its own for a module's tests."""
    home = Home(tmp_path_factory.mktemp("home") / "seedbed")
    with up(home) as cloud:
        yield cloud
    assert home.running() is None


def contents(path: Path) -> set[str]:
    """The names in a folder."""
    return {entry.name for entry in path.iterdir()}
