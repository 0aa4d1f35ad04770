"""Several instances prepare parts of a dataset, and merge makes of them what one instance makes alone."""

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tests.disks import small_disk
from tests.trainer.conftest import Run
from tests.trainer.painting import LABELS, paint, paint_dataset
from trainer import pack, prepare
from trainer.decoding.pool import DecoderPool
from trainer.errors import BadInput
from trainer.files import list_files
from trainer.job import Hosts, JobPaths
from trainer.preparation import features, part, shards
from trainer.preparation.options import PrepareOptions
from trainer.types import Floats, Pixels

OPTIONS = PrepareOptions(image_size=32, views=2, minimum_per_label=10, backbones=("one", "two"), fine_tune_size=24)
PER_LABEL = 24


class Colours:
    """Stands for a backbone, which takes seconds to start: the mean colour of each column of an image."""

    def __init__(self, name: str, image_size: int, *_: Any) -> None:
        self._sign = 1 if name == "one" else -1
        self.width = 3 * image_size

    def __call__(self, images: Pixels, view: int) -> Floats:
        columns = images.mean(axis=1, dtype=np.float32).reshape(len(images), -1) / 255
        return np.asarray(self._sign * (columns + view), np.float32)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three labels, and whatever ties files of different instances to each other."""
    folder = tmp_path_factory.mktemp("images")
    paint_dataset(folder, PER_LABEL)
    maize = sorted((folder / "Maize").iterdir())
    (folder / "maize ").mkdir()
    for number in range(5):
        paint(LABELS["Maize"], 7000 + number).save(folder / "maize " / f"{number}.png")
    for number, file in enumerate(maize[:12]):
        with Image.open(file) as image:
            ImageOps.mirror(image).save(folder / "Maize" / f"mirrored {number}.png")
    shutil.copy(maize[3], folder / "maize " / "copy.png")
    shutil.copy(maize[4], folder / "Sugar beet" / "contradiction.png")
    shutil.copy(maize[5], folder / "Maize" / "000 first copy.png")
    (folder / "Maize" / "notes.jpg").write_text("weed the third row")
    (folder / "Rare").mkdir()
    for number in range(3):
        paint((90, 90, 90), 8000 + number).save(folder / "Rare" / f"{number}.png")
    paint(LABELS["Maize"], 9000, side=700).save(folder / "Sugar beet" / "large.png")
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, decoders: DecoderPool) -> None:
    """Without a network, and with decoders that run already."""
    monkeypatch.setattr(features, "FeatureExtractor", Colours)
    monkeypatch.setattr(prepare, "DecoderPool", lambda _: nullcontext(decoders))


def prepare_share(
    base: Path, images: Path, files: Sequence[str], hosts: Hosts, options: PrepareOptions = OPTIONS
) -> list[str]:
    """Runs prepare on these files as one of the hosts; returns its log."""
    (base / "config").mkdir(parents=True)
    config = {"current_host": hosts.current, "hosts": list(hosts.names)}
    (base / "config/resourceconfig.json").write_text(json.dumps(config))
    for file in files:
        (base / "processing/input/images" / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(images / file, base / "processing/input/images" / file)
    said: list[str] = []
    prepare.prepare(JobPaths(base), options, said.append)
    return said


def uploaded(folder: Path, images: Path, host_of: Sequence[int], count: int) -> JobPaths:
    """A merge job whose input and output are what so many hosts uploaded; `host_of` says who has each file."""
    names = tuple(f"algo-{number + 1}" for number in range(count))
    job = JobPaths(folder / "merge")
    for number, name in enumerate(names):
        files = [file for file, host in zip(list_files(images), host_of, strict=True) if host == number]
        prepare_share(folder / name, images, files, Hosts(name, names))
        shutil.copytree(folder / name / "processing/output", job.processing_output, dirs_exist_ok=True)
    shutil.move(job.processing_output / prepare.PARTS, job.processing_input(prepare.PARTS))
    return job


def dataset_in(output: Path, options: PrepareOptions = OPTIONS) -> dict[str, Any]:
    """All that later jobs and people read of a pack, but for what depends on the number of instances."""
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    read: dict[str, Any] = {name: value for name, value in report.items() if name not in PER_PART}
    read["samples"] = json.loads((output / "thumbnails.json").read_text(encoding="utf-8"))["samples"]
    for split in ("train", "validation"):
        training = pack.read_training(output / "training", split)
        read[f"{split} images"], read[f"{split} labels"] = training.images[:].tolist(), training.labels.tolist()
        for backbone in options.backbones:
            extracted, labels = pack.read_features(output / "features", backbone, split)
            assert labels.tolist() == read[f"{split} labels"]
            read[f"{split} {backbone}"] = extracted[:].tolist()
    for split in ("validation", "test"):
        photos = pack.read_photos(output / split)
        read[split] = [(name, photos.checksum(row)) for row, name in enumerate(photos.names)]
    return read


PER_PART = ("seconds", "likely_wrong_labels")


@pytest.fixture(scope="module")
def whole(images: Path, tmp_path_factory: pytest.TempPathFactory, decoders: DecoderPool) -> dict[str, Any]:
    """What one instance makes of all files."""
    base = tmp_path_factory.mktemp("whole")
    with patch.object(features, "FeatureExtractor", Colours):
        prepare_share(base, images, list_files(images), Hosts())
    output = base / "processing/output"
    assert not (output / prepare.PARTS).exists()
    return dataset_in(output)


def test_the_dataset_has_all_that_ties_instances_together(whole: dict[str, Any]) -> None:
    assert whole["labels"].keys() == LABELS.keys()
    assert len(whole["duplicates"]) == 2
    assert whole["near_duplicates"]
    assert {refusal["reason"].split(":")[0] for refusal in whole["refused"]} == {
        "not an image",
        "the same image under another label",
        "nearly the same image under another label",
        "too few images of its label",
    }
    names = [name for name, _ in whole["validation"]]
    assert names == sorted(names)


FILES = 3 * PER_LABEL + 5 + 12 + 3 + 1 + 3 + 1


@given(
    hosts=st.integers(2, 4),
    host_of=st.lists(st.integers(0, 3), min_size=FILES, max_size=FILES),
    rows=st.sampled_from([3, 4096]),
)
@example(hosts=3, host_of=[0] * FILES, rows=4096)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_of_any_files_make_the_same_dataset(
    images: Path,
    whole: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    *,
    hosts: int,
    host_of: list[int],
    rows: int,
) -> None:
    with patch.object(shards, "ROWS", rows), patch.object(part, "ROWS", rows):
        job = uploaded(tmp_path_factory.mktemp("parts"), images, [host % hosts for host in host_of], hosts)
        prepare.merge(job, OPTIONS, print)
    assert dataset_in(job.processing_output) == whole


def halves(folder: Path, images: Path) -> JobPaths:
    return uploaded(folder, images, [number % 2 for number in range(FILES)], 2)


def left_out(job: JobPaths) -> None:
    (job.processing_input(prepare.PARTS) / "algo-2.json").unlink()


def cut_off(job: JobPaths) -> None:
    facts = job.processing_input(prepare.PARTS) / "algo-2.jsonl"
    facts.write_bytes(facts.read_bytes()[:-20])


def lines_missing(job: JobPaths) -> None:
    facts = job.processing_input(prepare.PARTS) / "algo-2.jsonl"
    facts.write_bytes(b"".join(facts.read_bytes().splitlines(keepends=True)[:-3]))


def no_parts(job: JobPaths) -> None:
    shutil.rmtree(job.processing_input(prepare.PARTS))


def other_size(job: JobPaths) -> None:
    changed(job, image_size=64)


def other_trainer(job: JobPaths) -> None:
    changed(job, trainer="0123456789abcdef")


def changed(job: JobPaths, **facts: Any) -> None:
    header = job.processing_input(prepare.PARTS) / "algo-2.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | facts))


@pytest.fixture(scope="module")
def two_parts(images: Path, tmp_path_factory: pytest.TempPathFactory, decoders: DecoderPool) -> Path:
    """The folder of a merge job of two parts that has not run."""
    with patch.object(features, "FeatureExtractor", Colours):
        return halves(tmp_path_factory.mktemp("two"), images).base


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (left_out, "What algo-2 prepared is missing: run prepare again"),
        (cut_off, "The part that algo-2 prepared is missing or damaged: run prepare again"),
        (lines_missing, "The part that algo-2 prepared is missing or damaged: run prepare again"),
        (no_parts, "What each instance prepared is missing: run prepare again"),
        (other_size, "The part of algo-2 was prepared with other sizes or backbones: run prepare again"),
        (other_trainer, "was made by another version of the trainer"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(
    damage: Callable[[JobPaths], None], sentence: str, two_parts: Path, tmp_path: Path
) -> None:
    job = JobPaths(Path(shutil.copytree(two_parts, tmp_path / "job")))
    damage(job)
    with pytest.raises(BadInput, match=sentence):
        prepare.merge(job, OPTIONS, print)


def test_instances_that_have_the_same_files_are_told_so(images: Path, tmp_path: Path) -> None:
    job = JobPaths(tmp_path / "merge")
    for name in ("algo-1", "algo-2"):
        prepare_share(tmp_path / name, images, ["Maize/mirrored 0.png"], Hosts(name, ("algo-1", "algo-2")))
        parts = tmp_path / name / "processing/output" / prepare.PARTS
        shutil.copytree(parts, job.processing_input(prepare.PARTS), dirs_exist_ok=True)
    with pytest.raises(BadInput, match=r"Several instances have the same files: .*ShardedByS3Key"):
        prepare.merge(job, OPTIONS, print)


def sentence_and_report(run: Callable[[], object], output: Path) -> tuple[str, dict[str, Any]]:
    with pytest.raises(BadInput) as refused:
        run()
    assert [file.name for file in output.iterdir()] == ["report.json"], "and nothing that nobody reads"
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    return str(refused.value), {name: value for name, value in report.items() if name not in PER_PART}


def test_a_dataset_that_cannot_be_trained_is_refused_alike(images: Path, tmp_path: Path) -> None:
    """There are enough files, but the pictures of one label are under another too."""
    few = tmp_path / "few"
    shutil.copytree(images / "Maize", few / "Maize")
    shutil.copytree(few / "Maize", few / "Weed")
    shutil.copytree(images / "Sugar beet", few / "Sugar beet")
    files = list_files(few)
    alone, output = tmp_path / "alone", tmp_path / "alone/processing/output"
    job = uploaded(tmp_path, few, [number % 2 for number in range(len(files))], 2)
    together = sentence_and_report(lambda: prepare.merge(job, OPTIONS, print), job.processing_output)
    assert together == sentence_and_report(lambda: prepare_share(alone, few, files, Hosts()), output)
    assert together[0].startswith("Two labels with at least 10 usable images")


def test_a_dataset_of_too_few_files_is_refused_before_a_network_is_loaded(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(features, "FeatureExtractor")
    files = [f"Rare/{number}.png" for number in range(3)] + ["maize /copy.png"]
    with pytest.raises(BadInput, match="Two labels with at least 10 usable images"):
        prepare_share(tmp_path, images, files, Hosts())
    report = json.loads((tmp_path / "processing/output/report.json").read_text(encoding="utf-8"))
    assert (report["images"], report["used"]) == (4, 0)


def test_views_are_kept_as_far_as_their_features_fit(images: Path, tmp_path: Path) -> None:
    files = list_files(images)
    a_view = len(files) * 2 * 3 * 32 * np.dtype(np.float16).itemsize
    options = replace(OPTIONS, views=8, feature_bytes=int(a_view * (0.15 + 3.5 * 0.7)))
    said = prepare_share(tmp_path, images, files, Hosts(), options)
    output = tmp_path / "processing/output"
    assert json.loads((output / "report.json").read_text(encoding="utf-8"))["views"] == 3
    extracted, _ = pack.read_features(output / "features", "one", "train")
    assert extracted.shape[1] == 3
    assert (
        f"3 of 8 views of each training image are kept: more don't fit --feature-bytes {options.feature_bytes}." in said
    )


@pytest.mark.parametrize(
    ("found", "hosts"),
    [
        (None, Hosts("algo-1", ("algo-1",))),
        ({"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]}, Hosts("algo-2", ("algo-1", "algo-2"))),
    ],
)
def test_a_job_knows_its_instances(found: dict[str, Any] | None, hosts: Hosts, tmp_path: Path) -> None:
    if found:
        (tmp_path / "config").mkdir()
        (tmp_path / "config/resourceconfig.json").write_text(json.dumps(found))
    assert JobPaths(tmp_path).processing_hosts() == hosts


@pytest.mark.parametrize(
    "found", ["", "[]", "{}", '{"current_host": "a", "hosts": ["b"]}', '{"current_host": "../a", "hosts": ["../a"]}']
)
def test_instances_that_cannot_be_known_are_refused(found: str, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/resourceconfig.json").write_text(found)
    with pytest.raises(BadInput, match=r"resourceconfig\.json .*: start the job again"):
        JobPaths(tmp_path).processing_hosts()


def test_processes_of_two_instances_and_a_merge_make_a_pack(images: Path, tmp_path: Path, run_trainer: Run) -> None:
    """One of the instances has no file at all."""
    arguments = ("--image-size", "48", "--views", "1")
    names = ["algo-1", "algo-2"]
    merged = JobPaths(tmp_path / "merge")
    for name in names:
        base = tmp_path / name
        (base / "config").mkdir(parents=True)
        (base / "config/resourceconfig.json").write_text(json.dumps({"current_host": name, "hosts": names}))
        if name == "algo-1":
            shutil.copytree(images, base / "processing/input/images")
        done = run_trainer(base, "prepare", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        shutil.copytree(base / "processing/output", merged.processing_output, dirs_exist_ok=True)
    shutil.move(merged.processing_output / prepare.PARTS, merged.processing_input(prepare.PARTS))
    done = run_trainer(merged.base, "merge", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    extracted, labels = pack.read_features(merged.processing_output / "features", "efficientnet-lite0", "train")
    assert extracted.shape == (len(labels), 1, 9584)
    assert len(pack.read_photos(merged.processing_output / "test").names) > 0


def test_a_full_disk_ends_prepare_with_a_sentence(images: Path, tmp_path: Path, run_trainer: Run) -> None:
    base = tmp_path / "job"
    shutil.copytree(images, base / "processing/input/images")
    with small_disk(base / "processing/output", 1):
        done = run_trainer(base, "prepare", "--image-size", "48", "--views", "5")
    assert done.returncode == 1
    assert "Make room on its disk, then run this again." in (base / "output/message").read_text()
