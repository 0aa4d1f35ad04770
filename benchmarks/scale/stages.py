"""The stages of a run on one dataset, each a job in its own process, as SageMaker lays them out."""

import json
import logging
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trainer.files import list_files

from ..training.jobs import archive_of
from .verb import RunningVerb, Usage, run

log = logging.getLogger(__name__)

HOSTS = ("algo-1", "algo-2")


class Stage(NamedTuple):
    """A measured stage, and the bytes that it wrote."""

    name: str
    used: Usage
    written: int


class TwoHosts(NamedTuple):
    """Prepare on one core in one process, on two cores in two, and the merge of these."""

    one: Stage
    two: Stage
    merge: Stage

    @property
    def share(self) -> float:
        """The time of two processes and the merge, as a share of the time of one."""
        return (self.two.used.seconds + self.merge.used.seconds) / self.one.used.seconds


@dataclass(frozen=True)
class Dataset:
    """A folder of so many images, the folder in which its jobs run, and their arguments."""

    images: Path
    count: int
    work: Path
    backbone: str
    preparing: Sequence[str]
    sample: int

    def stages(self) -> list[Stage]:
        """Prepare, a head on the sample, a head on all images, and evaluate."""
        prepared = self._prepare("prepare")
        sampled, refit = (self._train(name, sample) for name, sample in (("heads", self.sample), ("refit", 0)))
        found = [prepared, sampled, refit, self._evaluate()]
        for name in ("prepare", "heads", "refit", "evaluate"):
            shutil.rmtree(self.work / name)
        return found

    def used(self) -> float:
        """The share of the images that prepare uses; once it has run."""
        report = json.loads((self.work / "report.json").read_text(encoding="utf-8"))
        return float(report["used"] / self.count)

    def two_hosts(self) -> TwoHosts:
        """Prepare in one process on one core, then in two processes on a core each, and the merge of their work."""
        first, second = sorted(os.sched_getaffinity(0))[:2]
        one = self._prepare("one", first)
        shutil.rmtree(self.work / "one")
        files = list_files(self.images)
        folders = [self.work / host for host in HOSTS]
        log.info("%s images: prepare on two hosts", f"{self.count:,}")
        for host, folder in zip(HOSTS, folders, strict=True):
            self._lay_out_host(folder, host, files[HOSTS.index(host) :: len(HOSTS)])
        arguments = ["prepare", *self.preparing]
        with ExitStack() as stack:
            running = [
                stack.enter_context(RunningVerb(folder, arguments, core))
                for folder, core in zip(folders, (first, second), strict=True)
            ]
            used = [verb.wait() for verb in running]
        written = sum(size_of(folder / "processing/output") for folder in folders)
        two = Stage("prepare, two processes", used[0].beside(used[1]), written)
        return TwoHosts(one, two, self._merge(folders, first))

    def _prepare(self, name: str, core: int | None = None) -> Stage:
        log.info("%s images: prepare%s", f"{self.count:,}", "" if core is None else " on one core")
        folder = self._folder(name)
        (folder / "processing/input").mkdir(parents=True)
        (folder / "processing/input/images").symlink_to(self.images.absolute())
        used = run(folder, ["prepare", *self.preparing], core)
        shutil.copy(folder / "processing/output/report.json", self.work / "report.json")
        return Stage("prepare" if core is None else "prepare, one process", used, size_of(folder / "processing/output"))

    def _lay_out_host(self, folder: Path, host: str, files: Sequence[str]) -> None:
        """The host's share of the images, as SageMaker's ShardedByS3Key gives it."""
        config = {"current_host": host, "hosts": list(HOSTS), "network_interface_name": "eth0"}
        (folder / "config").mkdir(parents=True)
        (folder / "config/resourceconfig.json").write_text(json.dumps(config), encoding="utf-8")
        for file in files:
            path = folder / "processing/input/images" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(self.images / file, path)

    def _merge(self, parts: Sequence[Path], core: int) -> Stage:
        """Merges what the hosts wrote, whose outputs are uploaded to one place."""
        log.info("%s images: merge", f"{self.count:,}")
        folder, pack = self._folder("merge"), self.work / "pack"
        for part in parts:
            shutil.copytree(part / "processing/output", pack, copy_function=os.link, dirs_exist_ok=True)
        (folder / "processing/input").mkdir(parents=True)
        (folder / "processing/input/parts").symlink_to(pack / "parts")
        used = run(folder, ["merge", *self.preparing], core)
        written = size_of(folder / "processing/output")
        for made in (*parts, folder, pack):
            shutil.rmtree(made)
        return Stage("merge", used, written)

    def _train(self, name: str, sample: int) -> Stage:
        log.info("%s images: %s", f"{self.count:,}", name)
        folder = self._folder(name)
        chosen = {"kind": "head", "backbone": self.backbone, "sample": str(sample)}
        (folder / "input/config").mkdir(parents=True)
        (folder / "input/config/hyperparameters.json").write_text(json.dumps(chosen), encoding="utf-8")
        (folder / "input/data").mkdir()
        (folder / "input/data/features").symlink_to(self.work / "prepare/processing/output/features")
        (folder / "checkpoints").mkdir()
        used = run(folder, ["train"])
        title = "one head on the sample" if sample else "one head on all images"
        return Stage(title, used, size_of(folder / "model"))

    def _evaluate(self) -> Stage:
        log.info("%s images: evaluate", f"{self.count:,}")
        folder, pack = self._folder("evaluate"), self.work / "prepare/processing/output"
        inputs = folder / "processing/input"
        inputs.mkdir(parents=True)
        for split in ("validation", "test"):
            (inputs / split).symlink_to(pack / split)
        (inputs / "model").symlink_to(archive_of(self.work / "refit"))
        used = run(folder, ["evaluate", "--views", "1", "--exports="])
        return Stage("evaluate", used, size_of(folder / "processing/output"))

    def _folder(self, name: str) -> Path:
        folder = self.work / name
        folder.mkdir()
        return folder


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
